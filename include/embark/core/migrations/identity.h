/* What makes two migration runs the same run: the ledger keeps one digest of it for each.
 *
 * Pure. It holds the command with what steers it, the files with their contents and order, and the
 * place in the database; not the time, the host or the build.
 */
#ifndef EMBARK_CORE_MIGRATIONS_IDENTITY_H
#define EMBARK_CORE_MIGRATIONS_IDENTITY_H

#include "embark/core/migrations/filelist.h"

struct em_identity {
    const struct em_list
        *command;    /* its words, passwords replaced: a changed one is no other run */
    const char *sql; /* [migrate] sql, or NULL: its folder's name counts, too */
    const struct em_list
        *order; /* of [migrate] sql: the files' names in the order of applying; or NULL */
    const struct em_filelist *files;
    const char *settings; /* what else steers the command (em_tool_search.settings); or NULL */
    const char *place;    /* the schema that is named first for the migration's session */
    const char *acts_in;  /* the first of those that are there: where it creates tables */
};

/* 64 hexadecimal digits. No two different identities share a text that is hashed: each part is
 * preceded by its length. */
void em_identity_digest(const struct em_identity *identity, char hex[EM_HEX_DIGEST]);

#endif
