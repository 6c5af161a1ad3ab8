/* ALTER TABLE, action by action. */
#include <stdlib.h>
#include <string.h>

#include "blocking_rules.h"

struct alter {
    struct em_sql_judged *j;
    const char *table;
    bool made; /* the table is one that the files make: nothing is said, what is done is noted */
    const struct em_sql_token *at; /* the action's first token */
};

static void blocks(const struct alter *a, enum em_sql_rule rule)
{
    if (!a->made)
        em_sql_blocks(a->j, a->at, rule);
}

/* ---- Defaults ----------------------------------------------------------------------------------- */

/* Of pg_catalog and of what comes with the server: \df+ shows it. */
static const char volatile_functions[] =
    "gen_random_uuid uuidv4 uuidv7 uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 random "
    "random_normal clock_timestamp timeofday nextval currval lastval setval gen_random_bytes "
    "gen_salt";
/* STABLE or IMMUTABLE in pg_catalog, types that are written as functions, and key words before a
 * parenthesis. */
static const char other_functions[] =
    "now transaction_timestamp statement_timestamp current_timestamp current_time localtime "
    "localtimestamp current_setting current_database current_schema version date_trunc date_part "
    "extract age timezone to_char to_date to_number to_timestamp make_date make_time make_interval "
    "make_timestamp make_timestamptz lower upper initcap trim ltrim rtrim btrim left right substr "
    "substring replace translate repeat lpad rpad concat concat_ws format length md5 sha256 encode "
    "decode chr ascii abs ceil ceiling floor round trunc mod power sqrt coalesce nullif greatest "
    "least cast row array array_fill string_to_array to_json to_jsonb json_build_object "
    "json_build_array jsonb_build_object jsonb_build_array uuid_nil uuid_generate_v3 "
    "uuid_generate_v5 varchar char character bpchar numeric decimal bit varbit interval time "
    "timestamp timestamptz float int4range int8range numrange tsrange tstzrange daterange point "
    "box "
    "and or not in any all some when then else case as";
/* What ends a default. */
static const char behind_default[] =
    "not null check unique primary references constraint generated "
    "deferrable initially collate";

static bool is_among(const struct em_sql_token *token, const char *names)
{
    EM_STR_AUTO word = EM_STR_INIT;
    struct em_sql_reader r = {token, token + 1};
    return em_sql_eat_name(&r, &word) && em_word_among(em_str_c(&word), names);
}

/* What stands before a parenthesis, unless that is a type's: '…'::varchar(9), CAST (… AS bit(3)). */
static bool is_function(const struct em_sql_token *start, const struct em_sql_token *at)
{
    bool type = at > start && (em_sql_word_is(at - 1, "as") ||
                               (at[-1].len == 2 && memcmp(at[-1].at, "::", 2) == 0));
    return (at->kind == EM_SQL_WORD || at->kind == EM_SQL_QUOTED) && !type;
}

/* The default's tokens: up to a word that belongs to the column, at this depth. */
static void end_default(struct em_sql_reader *r)
{
    struct em_sql_reader look = *r;
    for (const struct em_sql_token *start = look.at; look.at < look.end;) {
        if (look.at > start && look.at->kind == EM_SQL_WORD && is_among(look.at, behind_default)) {
            r->end = look.at;
            return;
        }
        if (!em_sql_eat_group(&look, NULL))
            look.at++;
    }
}

bool em_sql_default_blocks(struct em_sql_reader r, enum em_sql_rule *rule)
{
    bool unknown = false;
    for (const struct em_sql_token *at = r.at; at < r.end; at++) {
        if (at + 1 == r.end || at[1].kind != EM_SQL_OPEN || !is_function(r.at, at))
            continue;
        *rule = EM_RULE_VOLATILE;
        if (is_among(at, volatile_functions))
            return true;
        unknown |= !is_among(at, other_functions);
    }
    *rule = EM_RULE_FUNCTION;
    return unknown;
}

/* ---- Constraints -------------------------------------------------------------------------------- */

/* column IS NOT NULL, in any parentheses, and nothing else. */
static void take_column(struct em_sql_reader r, struct em_str *column)
{
    EM_STR_AUTO name = EM_STR_INIT;
    while (em_sql_eat_sign(&r, '('))
        ;
    if (!em_sql_eat_name(&r, &name) || !em_sql_eat(&r, "is not null"))
        return;
    while (em_sql_eat_sign(&r, ')'))
        ;
    if (r.at == r.end)
        em_str_puts(column, em_str_c(&name));
}

static void note(const struct alter *a, const char *name, const char *column, bool valid)
{
    struct em_sql_blocking *past = a->j->past;
    past->constraints = em_realloc(past->constraints, past->n + 1, sizeof *past->constraints);
    past->constraints[past->n++] = (struct em_sql_constraint){
        em_strdup(a->table), em_strdup(name), em_strdup(column), valid, past->transaction};
}

/* A table's name may be written with its schema or without. */
static bool is_same(const char *one, const char *other)
{
    EM_LIST_AUTO list = EM_LIST_INIT;
    em_list_add(&list, one);
    return em_sql_is_made(&list, other);
}

static void validate(const struct alter *a, struct em_sql_reader r)
{
    EM_STR_AUTO name = EM_STR_INIT;
    struct em_sql_blocking *past = a->j->past;
    em_sql_eat_name(&r, &name);
    for (size_t i = 0; i < past->n; i++) {
        struct em_sql_constraint *c = &past->constraints[i];
        if (c->valid || strcmp(c->name, em_str_c(&name)) != 0 || !is_same(c->table, a->table))
            continue;
        c->valid = true;
        if (c->transaction == past->transaction)
            blocks(a, EM_RULE_VALIDATE);
    }
}

/* A constraint that is valid says already that no row is NULL (PostgreSQL 12). */
static bool is_never_null(const struct alter *a, const char *column)
{
    const struct em_sql_blocking *past = a->j->past;
    for (size_t i = 0; i < past->n; i++)
        if (past->constraints[i].valid && strcmp(past->constraints[i].column, column) == 0 &&
            is_same(past->constraints[i].table, a->table))
            return true;
    return false;
}

/* A table's constraint; `name` is "" or stood behind CONSTRAINT. */
static void add_constraint(const struct alter *a, struct em_sql_reader r, const char *name)
{
    EM_STR_AUTO column = EM_STR_INIT;
    struct em_sql_reader rest = r, inside = {NULL, NULL};
    if (em_sql_seek(&rest, "not enforced")) /* PostgreSQL 18: nobody looks */
        return;
    bool late = em_sql_seek(&rest, "not valid");
    rest = r;
    if (em_sql_eat(&r, "check") && em_sql_eat_group(&r, &inside))
        take_column(inside, &column);
    else if (em_sql_eat(&r, "not null")) /* PostgreSQL 18 */
        em_sql_eat_name(&r, &column);
    if (late || column.len)
        note(a, name, em_str_c(&column), !late);
    if (late)
        return;
    if (em_sql_see(&rest, "check"))
        blocks(a, EM_RULE_CHECK);
    else if (em_sql_see(&rest, "not null"))
        blocks(a, EM_RULE_NOT_NULL);
    else if (em_sql_see(&rest, "foreign key"))
        blocks(a, EM_RULE_FOREIGN);
    else if (em_sql_see(&rest, "exclude"))
        blocks(a, EM_RULE_EXCLUDE);
    else if (!em_sql_seek(&rest, "using index"))
        blocks(a, EM_RULE_UNIQUE);
}

/* ---- Columns ------------------------------------------------------------------------------------ */

/* Goes behind the word; not that of ON DELETE SET DEFAULT, nor of GENERATED BY DEFAULT. */
static bool seek_default(struct em_sql_reader *r)
{
    while (em_sql_seek(r, "default"))
        if (!em_sql_word_is(r->at - 2, "set") && !em_sql_word_is(r->at - 2, "by"))
            return true;
    return false;
}

/* Behind the column's name. The worst of it is said, once. */
static void add_column(const struct alter *a, struct em_sql_reader r)
{
    static const char serial[] = "serial bigserial smallserial serial4 serial8 serial2";
    enum em_sql_rule rule;
    struct em_sql_reader at = r;
    bool filled = seek_default(&at) && !em_sql_see(&at, "null");
    end_default(&at);
    if (filled && em_sql_default_blocks(at, &rule))
        blocks(a, rule);
    else if ((r.at < r.end && is_among(r.at, serial)) || (at = r, em_sql_seek(&at, "as identity")))
        blocks(a, EM_RULE_SERIAL);
    else if (at = r, em_sql_seek(&at, "stored"))
        blocks(a, EM_RULE_STORED);
    else if ((at = r, em_sql_seek(&at, "primary key")) || (at = r, em_sql_seek(&at, "unique")))
        blocks(a, EM_RULE_UNIQUE);
    else if (at = r, em_sql_seek(&at, "check"))
        blocks(a, EM_RULE_CHECK);
    else if (at = r, filled && em_sql_seek(&at, "references"))
        blocks(a, EM_RULE_FOREIGN);
}

/* To these, from what they mostly come from, it is a change of the catalog alone. */
static bool only_widens(struct em_sql_reader r)
{
    bool known = em_sql_eat(&r, "text") || em_sql_eat(&r, "varchar") ||
                 em_sql_eat(&r, "character varying") || em_sql_eat(&r, "numeric") ||
                 em_sql_eat(&r, "decimal");
    return known && r.at == r.end;
}

/* ALTER [COLUMN] name … */
static void alter_column(const struct alter *a, struct em_sql_reader r)
{
    EM_STR_AUTO name = EM_STR_INIT;
    em_sql_eat(&r, "column");
    if (!em_sql_eat_name(&r, &name))
        return;
    if (em_sql_eat(&r, "set not null")) {
        if (!is_never_null(a, em_str_c(&name)))
            blocks(a, EM_RULE_NOT_NULL);
    } else if (em_sql_eat(&r, "set expression")) {
        blocks(a, EM_RULE_STORED);
    } else if ((em_sql_eat(&r, "type") || em_sql_eat(&r, "set data type")) && !only_widens(r)) {
        blocks(a, EM_RULE_TYPE);
    }
}

/* ---- Actions ------------------------------------------------------------------------------------ */

/* Whether a table's constraint comes next, and not a column. */
static bool is_constraint(const struct em_sql_reader *r)
{
    struct em_sql_reader rest = *r;
    return em_sql_see(r, "primary key") || em_sql_see(r, "unique") || em_sql_see(r, "check") ||
           em_sql_see(r, "foreign key") || em_sql_see(r, "not null") ||
           (em_sql_eat(&rest, "exclude") &&
            (em_sql_see(&rest, "using") || em_sql_eat_group(&rest, NULL)));
}

static void add(const struct alter *a, struct em_sql_reader r)
{
    EM_STR_AUTO name = EM_STR_INIT;
    if (em_sql_eat(&r, "constraint"))
        em_sql_eat_name(&r, &name);
    if (is_constraint(&r)) {
        add_constraint(a, r, em_str_c(&name));
        return;
    }
    em_sql_eat(&r, "column");
    em_sql_eat(&r, "if not exists");
    if (em_sql_eat_name(&r, &name))
        add_column(a, r);
}

/* It has another name from here on. */
static void rename_table(const struct alter *a, struct em_sql_reader r, bool schema)
{
    EM_STR_AUTO name = EM_STR_INIT;
    EM_STR_AUTO full = EM_STR_INIT;
    const char *dot = strrchr(a->table, '.');
    if (!a->made || !em_sql_eat_name(&r, &name))
        return;
    if (schema)
        em_str_printf(&full, "%s.%s", em_str_c(&name), dot ? dot + 1 : a->table);
    else if (dot)
        em_str_printf(&full, "%.*s%s", (int)(dot - a->table) + 1, a->table, em_str_c(&name));
    else
        em_str_puts(&full, em_str_c(&name));
    em_list_add(&a->j->past->tables, em_str_c(&full));
}

static void act(const struct alter *a, struct em_sql_reader r)
{
    if (em_sql_eat(&r, "add"))
        add(a, r);
    else if (em_sql_eat(&r, "alter"))
        alter_column(a, r);
    else if (em_sql_eat(&r, "validate constraint"))
        validate(a, r);
    else if (em_sql_see(&r, "set logged") || em_sql_see(&r, "set unlogged"))
        blocks(a, EM_RULE_LOGGED);
    else if (em_sql_see(&r, "set access method"))
        blocks(a, EM_RULE_METHOD);
    else if (em_sql_see(&r, "set tablespace"))
        blocks(a, EM_RULE_TABLESPACE);
    else if (em_sql_eat(&r, "rename to"))
        rename_table(a, r, false);
    else if (em_sql_eat(&r, "set schema"))
        rename_table(a, r, true);
}

void em_sql_blocking_alter(struct em_sql_judged *j, struct em_sql_reader r)
{
    EM_STR_AUTO name = EM_STR_INIT;
    em_sql_eat(&r, "if exists");
    em_sql_eat(&r, "only");
    if (!em_sql_eat_name(&r, &name))
        return;
    em_sql_eat_sign(&r, '*');
    j->name = em_str_c(&name);
    struct alter a = {j, em_str_c(&name), em_sql_is_made(&j->past->tables, em_str_c(&name)), r.at};
    while (r.at < r.end) {
        struct em_sql_reader item = em_sql_eat_item(&r);
        a.at = item.at;
        act(&a, item);
    }
}
