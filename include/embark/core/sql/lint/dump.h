/* Files that are given as SQL and aren't: dumps in pg_dump's own formats, and what is compressed.
 *
 * Sources: pg_dump's pg_backup_archiver.c ("PGDMP") and pg_backup_tar.c; the formats' own
 * documents for the bytes that they begin with (RFC 1952, RFC 8878, the .xz, lz4 and ZIP formats, POSIX's ustar).
 */
#ifndef EMBARK_CORE_SQL_LINT_DUMP_H
#define EMBARK_CORE_SQL_LINT_DUMP_H

#include "embark/core/base/str.h"

/* What it is ("this is compressed by gzip"), where that shows, and what to do, added to `hint`;
 * NULL: it may be SQL. */
const char *em_sql_no_text(const char *bytes, size_t length, size_t *at, struct em_str *hint);

#endif
