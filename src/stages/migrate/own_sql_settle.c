/* What is said by hand about the files of [migrate] sql: --resolve and --baseline. */
#include <stdio.h>
#include <string.h>

#include "embark/os/loop/clock.h"
#include "embark/stages/lock/lock.h"
#include "embark/stages/migrate/ledger/sql.h"
#include "embark/stages/migrate/own_sql.h"
#include "own_sql_records.h"
#include "tool_history.h"

struct settle {
    struct em_sql_records records;
    struct em_sql_tree tree;
};

/* A transaction with the lock, in which the records were read. */
static int settle_begin(struct settle *s, struct em_err *err)
{
    struct em_db *db = s->records.db;
    const struct em_config *config = s->records.config;
    EM_STR_AUTO begin = EM_STR_INIT;
    char key[24];
    const char *values[] = {key};
    snprintf(key, sizeof key, "%lld", (long long)em_lock_key(config->migrate_lock));
    em_sql_folder_look(config, &s->tree);
    em_str_puts(&begin, "BEGIN READ WRITE; ");
    em_ledger_add_path(db, NULL, &begin);
    int code = em_db_query(db, em_in(EM_RECORD_LIMIT), NULL, err, em_str_c(&begin), 0, NULL);
    if (code == 0)
        code = em_db_query(db, em_in(EM_RECORD_LIMIT), NULL, err,
                           "SELECT pg_catalog.pg_try_advisory_xact_lock($1::bigint)", 1, values);
    if (code == 0 && strcmp(em_db_value(db, 0, 0), "t") != 0)
        code = em_fail(err, EM_EXIT_LOCK,
                       "a migration runs just now (the lock \"%s\" is held): nothing is changed",
                       config->migrate_lock);
    return code ? code : em_sql_records_read(&s->records, err);
}

static int settle_end(struct settle *s, int code, struct em_err *err)
{
    struct em_db *db = s->records.db;
    em_sql_records_free(&s->records);
    em_sql_tree_free(&s->tree);
    return code ? code : em_db_query(db, em_in(EM_RECORD_LIMIT), NULL, err, "COMMIT", 0, NULL);
}

/* Prisma's table is in the schema that its URL names. */
static const char *schema_of(const struct em_sql_tree *tree, const struct em_url *url)
{
    return tree->format == EM_SQL_PRISMA && url ? url->schema : NULL;
}

/* *failed: the files' own tool has noted that it stopped half-way, and embark has no record of it.
 */
static int ask_tool(struct settle *s, const struct em_url *url, size_t at, bool *failed,
                    struct em_err *err)
{
    EM_TOOL_HISTORY_AUTO past = {.schema = schema_of(&s->tree, url)};
    *failed = false;
    if (at >= s->tree.n || s->tree.errs.n || em_sql_records_has(&s->records, s->tree.v[at].name))
        return 0;
    int code = em_tool_history_read(s->records.db, em_in(EM_RECORD_LIMIT), &s->tree, &past, err);
    *failed = code == 0 && past.history.table && past.history.past[at] == EM_SQL_FAILED;
    return code;
}

int em_sql_migrations_resolve(struct em_db *db, const struct em_config *config,
                              const struct em_url *url, const char *file, const char *place,
                              bool applied, struct em_err *err)
{
    struct settle s = {.records = {.db = db, .config = config, .place = place, .run = ""}};
    bool failed = false;
    int code = settle_begin(&s, err);
    size_t at = em_sql_tree_find(&s.tree, file);
    if (code == 0)
        code = ask_tool(&s, url, at, &failed, err);
    if (code == 0 && failed)
        code = em_sql_records_note(&s.records, s.tree.v[at].name, s.tree.v[at].hash,
                                   applied ? "applied" : "pending", "resolved by hand", err);
    else if (code == 0) /* it needn't be in the folder any more */
        code = em_sql_records_resolve(
            &s.records, at < s.tree.n ? s.tree.v[at].name : em_base_name(file), applied, err);
    return settle_end(&s, code, err);
}

/* All up to this one, but what is repeated. */
static int note_until(struct settle *s, size_t last, size_t *count, struct em_err *err)
{
    int code = 0;
    for (size_t i = 0; i <= last && code == 0; i++) {
        const struct em_sql_tree_file *file = &s->tree.v[i];
        if (file->part == EM_SQL_REPEATED || em_sql_records_has(&s->records, file->name))
            continue;
        code = em_sql_records_note(&s->records, file->name, file->hash, "applied", "baseline", err);
        ++*count;
    }
    return code;
}

int em_sql_migrations_baseline(struct em_db *db, const struct em_config *config, const char *file,
                               const char *place, size_t *count, struct em_err *err)
{
    struct settle s = {.records = {.db = db, .config = config, .place = place, .run = ""}};
    bool none = strcmp(file, "none") == 0, all = strcmp(file, "all") == 0;
    *count = 0;
    int code = settle_begin(&s, err);
    size_t at = all ? s.tree.n - 1 : em_sql_tree_find(&s.tree, file);
    if (code == 0 && s.tree.errs.n)
        code = em_fail(err, s.tree.errs.v[0].code, "%s", em_str_c(&s.tree.errs.v[0].text));
    else if (code == 0 && !none &&
             (at >= s.tree.n || (!all && s.tree.v[at].part == EM_SQL_REPEATED)))
        code = em_fail(err, EM_EXIT_CONFIG, "%s is none of the files in %s", file,
                       config->migrate_sql);
    else if (code == 0 && s.records.half_made.len)
        code =
            em_fail(err, EM_EXIT_SQL, "%s: first --resolve that", em_str_c(&s.records.half_made));
    else if (code == 0 && none && s.records.any)
        code = em_fail(err, EM_EXIT_CONFIG, "there are files that are recorded as applied");
    else if (code == 0 && none) /* a record that no file has: that somebody has said so */
        code = em_sql_records_note(&s.records, "", "", "pending", "baseline", err);
    else if (code == 0)
        code = note_until(&s, at, count, err);
    return settle_end(&s, code, err);
}
