/* Whether the transaction that a file is run in is still the one that was begun for it.
 *
 * A file can end it and begin another one where nobody reads it beforehand: in an included file, a
 * variable, \gexec's results, COMMIT AND CHAIN. So the server tells. What a statement did stands in
 * its tag: COMMIT and PREPARE TRANSACTION are an end; ROLLBACK may be one, or is that of a
 * savepoint. Then a setting of the transaction's own is looked for, which is gone when that is
 * over. It is SET LOCAL, as a query before a file's SET TRANSACTION would be an error.
 */
#include <string.h>

#include "embark/os/log/log.h"
#include "file.h"

int em_sql_hold(struct em_sql_run *run, struct em_err *err)
{
    return em_db_query(run->db, run->options.until, NULL, err,
                       "SET LOCAL embark_own.transaction = 'held'", 0, NULL);
}

static bool is_held(struct em_sql_run *run)
{
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    int code =
        em_db_query(run->db, run->options.until, NULL, &ignored,
                    "SELECT pg_catalog.current_setting('embark_own.transaction', true)", 0, NULL);
    const char *value = code ? NULL : em_db_value(run->db, 0, 0);
    /* What can't be asked is in a lost connection, and so is the transaction. */
    return value && strcmp(value, "held") == 0;
}

void em_sql_held_tag(struct em_sql_run *run, const char *tag)
{
    if (!run->began || run->ended)
        return;
    if (strcmp(tag, "COMMIT") == 0 || strcmp(tag, "PREPARE TRANSACTION") == 0)
        run->ended = true;
    else if (strcmp(tag, "ROLLBACK") == 0)
        run->doubted = true;
    else if (strcmp(tag, "RESET") == 0)
        run->reset = true; /* RESET ALL takes the setting along */
    else
        return;
    em_str_cut(&run->ended_by, 0);
    em_str_puts(&run->ended_by, tag);
}

bool em_sql_held(struct em_sql_run *run)
{
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    enum em_db_transaction now = em_db_transaction(run->db);
    if (!run->began || run->ended)
        return !run->ended;
    if (now == EM_DB_IDLE) {
        run->ended = true;
    } else if (now == EM_DB_OPEN && run->doubted && !run->reset) {
        run->ended = !is_held(run);
        run->doubted = false;
    } else if (now == EM_DB_OPEN && run->reset) {
        /* Together with a ROLLBACK in one message it can't be told any more. */
        run->ended = run->doubted;
        run->reset = false;
        if (!run->ended)
            em_sql_hold(run, &ignored);
    }
    return !run->ended;
}
