#include "blocking_rules.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Of a longer statement the rest isn't looked at. */
enum { MOST_TOKENS = 20000 };

/* ---- The rules ---------------------------------------------------------------------------------- */

#define NOBODY     "nobody can read or write the table meanwhile (ACCESS EXCLUSIVE)"
#define NO_WRITES  "nobody can write to the table meanwhile (SHARE)"
#define QUIET_TIME "do it while nobody needs the table, and with lock_timeout set"
#define ALONE      "alone in a file that begins with -- embark: no transaction"
#define IN_STEPS   "add it NOT VALID, and VALIDATE CONSTRAINT in a file of its own behind this one"
#define IN_BATCHES \
    "ADD COLUMN without it, SET DEFAULT for rows to come, and UPDATE the others in batches"

static const struct rule {
    const char *does, *meanwhile, *instead;
} rules[] = {
    [EM_RULE_VOLATILE] = {"ADD COLUMN with a volatile default rewrites the table", NOBODY,
                          IN_BATCHES},
    [EM_RULE_FUNCTION] = {"ADD COLUMN rewrites the table, unless the function in its default is "
                          "STABLE or IMMUTABLE",
                          NOBODY, IN_BATCHES},
    [EM_RULE_SERIAL] = {"ADD COLUMN that numbers the rows rewrites the table", NOBODY, IN_BATCHES},
    [EM_RULE_STORED] = {"a STORED column that is generated rewrites the table", NOBODY,
                        "let a trigger fill a plain column, and UPDATE the old rows in batches; "
                        "PostgreSQL 18 has VIRTUAL columns, which rewrite nothing"},
    [EM_RULE_TYPE] = {"ALTER COLUMN TYPE rewrites the table and its indexes, unless it only lifts "
                      "the limit of a varchar or numeric",
                      NOBODY,
                      "add a column of the new type, let a trigger keep both in step, fill it in "
                      "batches"},
    [EM_RULE_NOT_NULL] = {"SET NOT NULL reads the whole table", NOBODY,
                          "add CHECK (column IS NOT NULL) NOT VALID, VALIDATE CONSTRAINT in the "
                          "next file, and then SET NOT NULL, which reads nothing any more"},
    [EM_RULE_FOREIGN] = {"ADD FOREIGN KEY looks up every row",
                         "nobody can write to either table meanwhile (SHARE ROW EXCLUSIVE)",
                         IN_STEPS},
    [EM_RULE_CHECK] = {"ADD CHECK reads the whole table", NOBODY, IN_STEPS},
    [EM_RULE_VALIDATE] = {"VALIDATE CONSTRAINT reads the whole table, and the lock of ADD "
                          "CONSTRAINT is held until the transaction's end",
                          "nobody can write to the table meanwhile, or for a CHECK read it",
                          "put it into a file of its own behind this one"},
    [EM_RULE_UNIQUE] = {"ADD PRIMARY KEY or UNIQUE builds an index", NOBODY,
                        "CREATE UNIQUE INDEX CONCURRENTLY, " ALONE
                        ", then ADD CONSTRAINT ... USING INDEX"},
    [EM_RULE_EXCLUDE] = {"ADD EXCLUDE builds an index", NOBODY, QUIET_TIME},
    [EM_RULE_LOGGED] = {"SET LOGGED or UNLOGGED rewrites the table", NOBODY, QUIET_TIME},
    [EM_RULE_METHOD] = {"SET ACCESS METHOD rewrites the table", NOBODY, QUIET_TIME},
    [EM_RULE_TABLESPACE] = {"SET TABLESPACE copies all of it", NOBODY, QUIET_TIME},
    [EM_RULE_INDEX] = {"CREATE INDEX reads the whole table", NO_WRITES,
                       "CREATE INDEX CONCURRENTLY, " ALONE},
    [EM_RULE_REINDEX] = {"REINDEX builds the index anew",
                         "nobody can write to the table, or use the index, meanwhile",
                         "REINDEX ... CONCURRENTLY, " ALONE},
    [EM_RULE_CLUSTER] = {"CLUSTER rewrites the table", NOBODY, QUIET_TIME},
    [EM_RULE_FULL] = {"VACUUM FULL rewrites the table", NOBODY,
                      "VACUUM without FULL keeps the space for the table's next rows, and blocks "
                      "nobody"},
    [EM_RULE_REFRESH] = {"REFRESH MATERIALIZED VIEW runs the view's query",
                         "nobody can read the view meanwhile (ACCESS EXCLUSIVE)",
                         "REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a UNIQUE index of "
                         "the view"},
};

static size_t place_of(const struct em_sql_walk *walk, const struct em_sql_token *token)
{
    return (size_t)(token->at - walk->source->bytes);
}

void em_sql_blocks(const struct em_sql_judged *j, const struct em_sql_token *at,
                   enum em_sql_rule rule)
{
    const struct rule *r = &rules[rule];
    if (j->walk->accepted)
        return;
    struct em_err *err =
        em_sql_finding(j->walk->lint, j->walk->source, false, place_of(j->walk, at), "%s%s%s; %s",
                       j->name, *j->name ? ": " : "", r->does, r->meanwhile);
    if (err)
        em_hint(err, "%s; a comment before it, -- embark: ok REASON, says that it may", r->instead);
}

/* ---- What the files make ------------------------------------------------------------------------ */

bool em_sql_is_made(const struct em_list *made, const char *name)
{
    const char *dot = strrchr(name, '.'), *last = dot ? dot + 1 : name;
    for (size_t i = 0; i < made->n; i++) {
        const char *other = strrchr(made->v[i], '.');
        if (strcmp(other ? other + 1 : made->v[i], last) == 0 &&
            (!dot || !other || strcmp(made->v[i], name) == 0))
            return true;
    }
    return false;
}

/* CREATE TABLE and the like; false: something else. */
static bool take_table(struct em_sql_judged *j, struct em_sql_reader r)
{
    EM_STR_AUTO name = EM_STR_INIT;
    while (em_sql_eat(&r, "global") || em_sql_eat(&r, "local") || em_sql_eat(&r, "temporary") ||
           em_sql_eat(&r, "temp") || em_sql_eat(&r, "unlogged") || em_sql_eat(&r, "foreign"))
        ;
    if (!em_sql_eat(&r, "table") && !em_sql_eat(&r, "materialized view"))
        return false;
    em_sql_eat(&r, "if not exists");
    if (em_sql_eat_name(&r, &name))
        em_list_add(&j->past->tables, em_str_c(&name));
    return true;
}

/* [CONCURRENTLY] [[IF NOT EXISTS] name] ON [ONLY] table. ONLY: of a partitioned table's, which has
 * no rows itself. */
static void take_index(struct em_sql_judged *j, struct em_sql_reader r)
{
    EM_STR_AUTO name = EM_STR_INIT;
    EM_STR_AUTO table = EM_STR_INIT;
    const struct em_sql_token *start = j->walk->row.v;
    em_sql_eat(&r, "unique");
    if (!em_sql_eat(&r, "index"))
        return;
    bool blocks = !em_sql_eat(&r, "concurrently");
    em_sql_eat(&r, "if not exists");
    if (!em_sql_see(&r, "on"))
        em_sql_eat_name(&r, &name);
    if (!em_sql_eat(&r, "on"))
        return;
    blocks = !em_sql_eat(&r, "only") && blocks;
    if (!em_sql_eat_name(&r, &table))
        return;
    if (em_sql_is_made(&j->past->tables, em_str_c(&table)))
        em_list_add(&j->past->indexes, em_str_c(&name));
    else if (blocks) {
        j->name = em_str_c(&table);
        em_sql_blocks(j, start, EM_RULE_INDEX);
    }
}

/* ---- Statements about all of a table ------------------------------------------------------------ */

/* Behind what else may stand there, the name of one of `made`, or another's. */
static void judge(struct em_sql_judged *j, struct em_sql_reader r, const struct em_list *made,
                  enum em_sql_rule rule)
{
    EM_STR_AUTO name = EM_STR_INIT;
    if (em_sql_eat_name(&r, &name) && em_sql_is_made(made, em_str_c(&name)))
        return;
    j->name = em_str_c(&name);
    em_sql_blocks(j, j->walk->row.v, rule);
}

/* CLUSTER [VERBOSE] [(…)] [table [USING index]], once CLUSTER index ON table. */
static void cluster(struct em_sql_judged *j, struct em_sql_reader r)
{
    em_sql_eat(&r, "verbose");
    em_sql_eat_group(&r, NULL);
    em_sql_seek(&r, "on");
    judge(j, r, &j->past->tables, EM_RULE_CLUSTER);
}

/* VACUUM [(…)] [FULL] [FREEZE] [VERBOSE] [ANALYZE] [table …] */
static void vacuum(struct em_sql_judged *j, struct em_sql_reader r)
{
    struct em_sql_reader inside = {NULL, NULL};
    bool full = em_sql_eat_group(&r, &inside) && em_sql_seek(&inside, "full") &&
                !em_sql_see(&inside, "false") && !em_sql_see(&inside, "off");
    if (!em_sql_eat(&r, "full") && !full)
        return;
    while (em_sql_eat(&r, "freeze") || em_sql_eat(&r, "verbose") || em_sql_eat(&r, "analyze"))
        ;
    judge(j, r, &j->past->tables, EM_RULE_FULL);
}

/* REINDEX [(…)] {INDEX|TABLE|SCHEMA|DATABASE|SYSTEM} [CONCURRENTLY] [name] */
static void reindex(struct em_sql_judged *j, struct em_sql_reader r)
{
    struct em_sql_reader inside = {NULL, NULL};
    if (em_sql_eat_group(&r, &inside) && em_sql_seek(&inside, "concurrently"))
        return;
    bool index = em_sql_see(&r, "index");
    r.at += r.at < r.end;
    if (!em_sql_eat(&r, "concurrently"))
        judge(j, r, index ? &j->past->indexes : &j->past->tables, EM_RULE_REINDEX);
}

/* REFRESH MATERIALIZED VIEW [CONCURRENTLY] name [WITH [NO] DATA] */
static void refresh(struct em_sql_judged *j, struct em_sql_reader r)
{
    struct em_sql_reader rest = r;
    if (em_sql_eat(&r, "materialized view") && !em_sql_see(&r, "concurrently") &&
        !em_sql_seek(&rest, "with no data"))
        judge(j, r, &j->past->tables, EM_RULE_REFRESH);
}

static void alter(struct em_sql_judged *j, struct em_sql_reader r)
{
    struct em_sql_reader rest = r;
    bool table = em_sql_see(&r, "table"), index = em_sql_see(&r, "index");
    bool all = em_sql_seek(&rest, "all in tablespace");
    if (em_sql_eat(&r, "foreign table") || (table && !all)) {
        em_sql_eat(&r, "table");
        em_sql_blocking_alter(j, r);
        return;
    }
    if ((!table && !em_sql_eat(&r, "index") && !em_sql_eat(&r, "materialized view")) ||
        !em_sql_seek(&rest, "set tablespace"))
        return;
    em_sql_eat(&r, "if exists");
    if (all)
        r.at = r.end;
    judge(j, r, index ? &j->past->indexes : &j->past->tables, EM_RULE_TABLESPACE);
}

/* ---- `-- embark: ok REASON` --------------------------------------------------------------------- */

static bool has_reason(const char *p, const char *end)
{
    for (; p < end; p++)
        if (em_is_letter(*p) || em_is_digit(*p) || (unsigned char)*p >= 0x80)
            return true;
    return false;
}

/* The comment from `at` on: takes it if it is one of these. */
static void take_comment(struct em_sql_walk *walk, size_t at)
{
    static const char mark[] = "embark: ok";
    const char *p = walk->source->bytes + at, *stop = walk->source->bytes + walk->source->length;
    const char *end = memchr(p, '\n', (size_t)(stop - p));
    end = end ? end : stop;
    p = em_skip_blanks(p + 2, end);
    if ((size_t)(end - p) < sizeof mark - 1 || strncasecmp(p, mark, sizeof mark - 1) != 0)
        return;
    p += sizeof mark - 1;
    if (p < end && (em_sql_name_byte(*p) || *p == '-'))
        return;
    if (has_reason(p, end))
        walk->accepted = true;
    else
        em_sql_finding(walk->lint, walk->source, false, at,
                       "-- embark: ok silences nothing without a reason behind it");
}

static bool begins_line(const struct em_sql_source *source, size_t at)
{
    while (at > source->start && em_is_blank(source->bytes[at - 1]))
        at--;
    return at == source->start || source->bytes[at - 1] == '\n';
}

/* Behind the statement's last token, on its line. */
static void look_behind(struct em_sql_walk *walk)
{
    const char *end = walk->source->bytes + walk->source->length;
    const char *p = em_skip_blanks(walk->source->bytes + walk->behind, end);
    if (end - p >= 2 && p[0] == '-' && p[1] == '-')
        take_comment(walk, (size_t)(p - walk->source->bytes));
}

/* ---- One statement ------------------------------------------------------------------------------ */

static const struct kind {
    const char *word;
    void (*judge)(struct em_sql_judged *j, struct em_sql_reader r);
} kinds[] = {
    {"alter", alter},   {"create", NULL},     {"cluster", cluster},
    {"vacuum", vacuum}, {"reindex", reindex}, {"refresh", refresh},
};

static const struct kind *kind_of(const struct em_sql_token *first)
{
    for (size_t i = 0; i < EM_COUNT(kinds); i++)
        if (em_sql_word_is(first, kinds[i].word))
            return &kinds[i];
    return NULL;
}

void em_sql_blocking_end(struct em_sql_walk *walk)
{
    struct em_sql_statement *s = &walk->row;
    struct em_sql_judged j = {walk, walk->lint->blocking, ""};
    const struct kind *kind = s->n ? kind_of(s->v) : NULL;
    if (!j.past || !s->n)
        return;
    look_behind(walk);
    struct em_sql_reader rest = {s->v + 1, s->v + s->n};
    if (kind && kind->judge)
        kind->judge(&j, rest);
    else if (kind && !take_table(&j, rest))
        take_index(&j, rest);
    s->n = 0;
    walk->accepted = false;
    j.past->transaction += j.past->alone;
}

void em_sql_blocking_token(struct em_sql_walk *walk, const struct em_sql_token *token,
                           size_t offset)
{
    struct em_sql_statement *s = &walk->row;
    struct em_sql_token copy = *token;
    if (!walk->lint->blocking || token->kind == EM_SQL_SPACE || token->kind == EM_SQL_BLOCK)
        return;
    if (token->kind == EM_SQL_COMMENT) {
        if (s->n || begins_line(walk->source, offset))
            take_comment(walk, offset);
        return;
    }
    walk->behind = offset + token->len;
    if (token->kind == EM_SQL_SEMICOLON || token->kind == EM_SQL_BACKSLASH)
        return;
    if (token->kind == EM_SQL_FORCED) {
        em_sql_blocking_end(walk);
        return;
    }
    copy.at = walk->source->bytes + offset;
    if (s->n == 0 || (s->n < MOST_TOKENS && kind_of(s->v)))
        em_sql_statement_add(s, &copy);
}

/* ---- Files -------------------------------------------------------------------------------------- */

void em_sql_blocking_file(struct em_sql_blocking *blocking, bool alone)
{
    blocking->transaction++;
    blocking->alone = alone;
}

void em_sql_blocking_free(struct em_sql_blocking *blocking)
{
    for (size_t i = 0; i < blocking->n; i++) {
        free(blocking->constraints[i].table);
        free(blocking->constraints[i].name);
        free(blocking->constraints[i].column);
    }
    free(blocking->constraints);
    em_list_free(&blocking->tables);
    em_list_free(&blocking->indexes);
    memset(blocking, 0, sizeof *blocking);
}
