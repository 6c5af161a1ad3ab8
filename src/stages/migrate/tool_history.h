/* What a migration tool has noted in its own table about the files of [migrate] sql: read, taken
 * over into embark's records, and, with [migrate] keep_tool_table, kept up.
 *
 * The table is looked for where the tool itself would make it: in the session's current schema, or
 * in the tool's own, and by the name that its variable of the environment says. It is read only if that runs nobody's code (ledger/safe_table.h), and believed
 * only if it belongs to our role, to one that ours is a member of, to the database's owner or to a
 * superuser.
 */
#ifndef EMBARK_STAGES_MIGRATE_TOOL_HISTORY_H
#define EMBARK_STAGES_MIGRATE_TOOL_HISTORY_H

#include "embark/core/sql/tree/history.h"
#include "embark/db/connection.h"
#include "own_sql_records.h"

struct em_tool_history {
    const char *schema; /* where the tool's table is, if it isn't the current schema or the tool's
                           own; NULL */
    struct em_str named, named_schema; /* as the tool's variables call it; "": as usual */
    struct em_sql_history history;     /* .table NULL: there is none */
    struct em_str name;                /* the table's, with its schema, quoted */
    struct em_str why; /* there is a table, and what it says can't be known: the reason */
    bool writable;     /* writing to it runs nobody's code */
};
void em_tool_history_free(struct em_tool_history *past);
#define EM_TOOL_HISTORY_AUTO __attribute__((cleanup(em_tool_history_free))) struct em_tool_history

/* Looks for the table of the tree's format, reads it, and judges the tree by it. The tree gets the
 * format of the tool whose table it is, where the files alone leave that open. In the transaction
 * that is open, or in one of its own. */
int em_tool_history_read(struct em_db *db, em_time until, struct em_sql_tree *tree,
                         struct em_tool_history *past, struct em_err *err);

/* Records what the table says is applied, and embark's records don't. Fails where that can't be
 * known, or a file has failed half-way. `records` were read, and are read again. */
int em_tool_history_take_over(struct em_tool_history *past, const struct em_sql_tree *tree,
                              struct em_sql_records *records, struct em_err *err);

/* Makes the table where there is none, and adds the rows that it lacks of files which are recorded
 * as applied. */
int em_tool_history_keep(struct em_tool_history *past, const struct em_sql_tree *tree,
                         const struct em_sql_records *records, struct em_err *err);
/* Adds a file's row, within the file's own transaction if it has one. */
int em_tool_history_note(const struct em_tool_history *past, struct em_db *db,
                         const struct em_sql_tree *tree, const struct em_sql_tree_file *file,
                         em_time took, struct em_err *err);

#endif
