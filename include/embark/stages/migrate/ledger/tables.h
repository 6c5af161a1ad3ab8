/* The tables in which migration tools note what they have applied, of a command whose tool isn't
 * known: which of them its runs change is seen by comparing before and after. A start that finds
 * them changed since (a restore, a downgrade by hand) runs the command again. Another service's
 * table, which our runs leave alone, doesn't count. */
#ifndef EMBARK_STAGES_MIGRATE_LEDGER_TABLES_H
#define EMBARK_STAGES_MIGRATE_LEDGER_TABLES_H

#include "embark/db/connection.h"

/* Names with their schemas, quoted, and the digest of each one's contents. */
struct em_tables {
    struct em_list names, digests; /* of the same length */
};
void em_tables_free(struct em_tables *tables);

/* Every known tool's table in the database, in whichever schema, that can be read without running
 * others' code (stages/migrate/ledger/safe_table.h) and that nobody has locked just now. What can't
 * be read is left out. */
void em_tables_read(struct em_db *db, em_time until, struct em_tables *tables);
/* The digests of these names' contents, which stand in `contents` in the same order, separated by
 * commas, in hexadecimal digits; those that were not read are left out. */
void em_tables_take(const struct em_list *names, const char *contents, struct em_tables *tables);

/* Adds the names that are new, or have another digest. */
void em_tables_changed(const struct em_tables *before, const struct em_tables *after,
                       struct em_list *names);
/* One digest of these names' digests. False: there are no names, or one was not read. */
bool em_tables_digest(const struct em_tables *tables, const struct em_list *names,
                      struct em_str *hex);

/* A line each, and the reverse, which leaves out what is there already. */
void em_tables_join(const struct em_list *names, struct em_str *text);
void em_tables_split(const char *text, struct em_list *names);

#endif
