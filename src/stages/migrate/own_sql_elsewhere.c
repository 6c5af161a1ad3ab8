#include "own_sql_elsewhere.h"

#include <stdio.h>
#include <string.h>

#include "embark/core/sql/variables.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/os/loop/loop.h"
#include "embark/stages/lock/lock.h"

/* Between two tries at another lock: a migration of minutes may have it. */
#define GAP EM_MS(250)

void em_sql_elsewhere_sql(const char *table, const char *place, struct em_str *sql)
{
    em_str_printf(sql,
                  "SELECT scope, name, sha256, state, origin FROM ONLY %s WHERE place"
                  " OPERATOR(pg_catalog.=) ",
                  table);
    em_sql_quote_literal(sql, place);
    em_str_puts(sql, " ORDER BY scope");
}

void em_sql_elsewhere_read(const struct em_db *db, const struct em_sql_tree *tree,
                           struct em_elsewhere *found)
{
    EM_FILELIST_AUTO files = EM_FILELIST_INIT;
    EM_LIST_AUTO repeated = EM_LIST_INIT;
    for (size_t i = 0; i < tree->n; i++) {
        em_filelist_add_hash(&files, tree->v[i].name, tree->v[i].hash);
        if (tree->v[i].part == EM_SQL_REPEATED)
            em_list_add(&repeated, tree->v[i].name);
    }
    for (int row = 0; row < em_db_rows(db); row++)
        em_elsewhere_record(found, em_db_value(db, row, 0), em_db_value(db, row, 1),
                            em_db_value(db, row, 2), em_db_value(db, row, 3),
                            em_db_value(db, row, 4));
    found->files = &files;
    found->repeated = &repeated;
    em_elsewhere_judge(found);
    found->files = NULL;
    found->repeated = NULL;
}

static int command(const struct em_sql_records *r, const char *sql, int count,
                   const char *const *values, struct em_err *err)
{
    return em_db_query(r->db, em_in(EM_RECORD_LIMIT), NULL, err, sql, count, values);
}

static int look(const struct em_sql_records *r, const struct em_sql_tree *tree,
                struct em_elsewhere *found, struct em_err *err)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    em_elsewhere_free(found);
    found->scope = r->config->migrate_lock;
    em_sql_elsewhere_sql(em_str_c(&r->table), r->place, &sql);
    int code = command(r, em_str_c(&sql), 0, NULL, err);
    if (code == 0)
        em_sql_elsewhere_read(r->db, tree, found);
    return code;
}

/* *busy: which lock another one has; NULL: all are ours, to the end of the transaction. */
static int lock_all(const struct em_sql_records *r, const struct em_elsewhere *found,
                    const char **busy, struct em_err *err)
{
    int code = 0;
    *busy = NULL;
    for (size_t i = 0; i < found->scopes.n && code == 0 && !*busy; i++) {
        char key[24];
        const char *values[] = {key};
        snprintf(key, sizeof key, "%lld", (long long)em_lock_key(found->scopes.v[i]));
        code = command(r, "SELECT pg_catalog.pg_try_advisory_xact_lock($1::pg_catalog.int8)", 1,
                       values, err);
        if (code == 0 && strcmp(em_db_value(r->db, 0, 0), "t") != 0)
            *busy = found->scopes.v[i];
    }
    return code;
}

static int note_all(struct em_sql_records *r, const struct em_sql_tree *tree,
                    const struct em_elsewhere *found, struct em_err *err)
{
    int code = 0;
    for (size_t i = 0; i < found->take.n && code == 0; i++) {
        const char *name = found->take.v[i];
        const char *hash = tree->v[em_sql_tree_find(tree, name)].hash;
        code = em_sql_records_note(r, name, hash, "applied", found->origin.v[i], err);
        em_filelist_add_hash(&r->applied, name, hash);
        r->any = true;
        if (code == 0)
            em_log_hint(EM_LOG_WARN, "migrate",
                        "a lock that was renamed has the same files; for another service's, say "
                        "before its first start: embark migrate --baseline none",
                        "%s is applied already, under the lock \"%s\": taken over", name,
                        found->from.v[i]);
    }
    return code;
}

static int not_known(const struct em_elsewhere *found, struct em_err *err)
{
    em_fail(err, EM_EXIT_MIGRATION, "what is applied can't be known: %s",
            em_str_c(&found->unclear));
    em_hint(
        err,
        "if the lock was renamed, say once what is applied: embark migrate --baseline FILE (the "
        "last file that is); if these are another service's files: --baseline none");
    return EM_EXIT_MIGRATION;
}

/* One try, in one transaction. */
static int try_once(struct em_sql_records *r, const struct em_sql_tree *tree,
                    struct em_elsewhere *found, const char **busy, struct em_err *err)
{
    int code = command(r, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", 0, NULL, err);
    *busy = NULL;
    if (code == 0)
        code = look(r, tree, found, err);
    if (code == 0 && found->scopes.n)
        code = lock_all(r, found, busy, err);
    if (code || !found->scopes.n || *busy)
        return code ? code : command(r, "ROLLBACK", 0, NULL, err);
    /* Again, since it may have ended just before. */
    code = look(r, tree, found, err);
    if (code == 0 && found->unclear.len)
        return not_known(found, err);
    if (code == 0)
        code = note_all(r, tree, found, err);
    return code ? code : command(r, "COMMIT", 0, NULL, err);
}

int em_sql_elsewhere_take_over(struct em_sql_records *records, const struct em_sql_tree *tree,
                               struct em_err *err)
{
    em_time until = em_in(records->config->migrate_lock_timeout);
    bool said = false;
    for (;;) {
        EM_ELSEWHERE_AUTO found = {0};
        const char *busy;
        int code = try_once(records, tree, &found, &busy, err);
        if (code || !busy)
            return code;
        if (em_now() >= until)
            return em_fail(err, EM_EXIT_LOCK,
                           "a migration runs under the lock \"%s\", which has files of these",
                           busy);
        if (!said)
            em_log(EM_LOG_INFO, "migrate",
                   "waits for the migration under the lock \"%s\", which has files of these", busy);
        said = true;
        if (em_wait_fd(-1, 0, em_in(GAP)) == EM_WAKE_SIGNAL)
            return em_fail_stopped(err);
    }
}
