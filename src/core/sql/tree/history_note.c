/* What a tool notes about a file that it has applied: its checksum, and the row. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <sha2.h>

#include "embark/core/sql/tree/history.h"
#include "embark/core/sql/variables.h"
#include "outline.h"
#include "parts.h"

/* ---- Checksums ---------------------------------------------------------------------------------- */

static void add_hex(const unsigned char *bytes, size_t length, struct em_str *out)
{
    for (size_t i = 0; i < length; i++)
        em_str_printf(out, "%02x", bytes[i]);
}

static uint32_t crc32(uint32_t crc, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        crc ^= (unsigned char)bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return crc;
}

/* Flyway's: CRC-32 of the lines without their ends, whichever these are, and without a byte order
 * mark, as a signed number. */
static void flyway_checksum(const struct em_str *text, struct em_str *out)
{
    const char *p = em_str_c(text), *end = p + text->len;
    uint32_t crc = 0xFFFFFFFFu;
    if (text->len >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
        p += 3;
    while (p < end) {
        const char *line = p;
        while (p < end && *p != '\n' && *p != '\r')
            p++;
        crc = crc32(crc, line, (size_t)(p - line));
        if (p < end && *p == '\r' && p + 1 < end && p[1] == '\n')
            p++;
        p += p < end;
    }
    em_str_printf(out, "%d", (int)(int32_t)~crc);
}

static void sqlx_checksum(const struct em_str *text, struct em_str *out)
{
    unsigned char digest[SHA384_DIGEST_LENGTH];
    SHA2_CTX context;
    SHA384Init(&context);
    SHA384Update(&context, (const unsigned char *)em_str_c(text), text->len);
    SHA384Final(digest, &context);
    add_hex(digest, sizeof digest, out);
}

/* With CRLF for each line's end, or with LF: Prisma takes both for the same file. */
static void prisma_other(const struct em_str *text, bool crlf, struct em_str *out)
{
    EM_STR_AUTO other = EM_STR_INIT;
    char hex[EM_HEX_DIGEST];
    for (size_t i = 0; i < text->len; i++) {
        char c = text->data[i];
        bool pair = c == '\r' && i + 1 < text->len && text->data[i + 1] == '\n';
        if (pair)
            continue;
        if (c == '\n' && crlf)
            em_str_putc(&other, '\r');
        em_str_putc(&other, c);
    }
    em_hex_sha256(em_str_c(&other), other.len, hex);
    em_str_printf(out, " %s", hex);
}

static void prisma_checksum(const struct em_str *text, struct em_str *out)
{
    char hex[EM_HEX_DIGEST];
    em_hex_sha256(em_str_c(text), text->len, hex);
    em_str_puts(out, hex);
    prisma_other(text, false, out);
    prisma_other(text, true, out);
}

void em_sql_checksum(enum em_sql_format format, const struct em_sql_tree *tree,
                     const struct em_sql_tree_file *file, struct em_str *out)
{
    switch (format) {
    case EM_SQL_FLYWAY:
        flyway_checksum(file->part == EM_SQL_REPEATED ? &file->run : &file->text, out);
        if (file->part == EM_SQL_REPEATED) {
            em_str_putc(out, ' ');
            flyway_checksum(&file->text, out);
        }
        break;
    case EM_SQL_SQLX:
        sqlx_checksum(&file->text, out);
        break;
    case EM_SQL_PRISMA:
        prisma_checksum(&file->text, out);
        break;
    case EM_SQL_ATLAS:
        em_atlas_sum_of(tree, file->name, out);
        break;
    default:
        break;
    }
}

/* ---- Rows --------------------------------------------------------------------------------------- */

/* A list of literals, with commas between. */
static void value(struct em_str *sql, const char *text)
{
    em_str_puts(sql, sql->len && strchr("(", sql->data[sql->len - 1]) ? "" : ", ");
    em_sql_quote_literal(sql, text);
}

static void flyway_row(const struct em_sql_tree_file *file, const char *name, long long took,
                       const char *checksum, struct em_str *sql)
{
    em_str_printf(sql,
                  " (installed_rank, version, description, type, script, checksum, installed_by,"
                  " execution_time, success) SELECT COALESCE(pg_catalog.max(h.installed_rank), 0)"
                  " OPERATOR(pg_catalog.+) 1, ");
    if (file->part == EM_SQL_REPEATED)
        em_str_puts(sql, "NULL");
    else
        em_sql_quote_literal(sql, file->id);
    value(sql, file->title);
    value(sql, file->part == EM_SQL_BASELINE ? "SQL_BASELINE" : "SQL");
    value(sql, file->name);
    em_str_printf(sql, ", %s, current_user, %lld, true FROM ONLY %s h", checksum, took, name);
}

static void atlas_row(const struct em_sql_tree_file *file, long long took, const char *checksum,
                      struct em_str *sql)
{
    struct em_sql_outline o;
    em_sql_outline(em_str_c(&file->run), file->run.len, &o);
    em_str_puts(sql, " (version, description, type, applied, total, executed_at, execution_time,"
                     " error, error_stmt, hash, operator_version) VALUES (");
    value(sql, file->id);
    value(sql, file->title);
    em_str_printf(sql, ", 2, %zu, %zu, pg_catalog.clock_timestamp(), %lld, '', ''", o.statements,
                  o.statements, took * 1000000);
    value(sql, checksum);
    value(sql, "embark");
    em_str_putc(sql, ')');
}

/* The number of the last one alone: one that comes late doesn't set it back. */
static void golang_row(const struct em_sql_tree_file *file, const char *name, struct em_str *sql)
{
    em_str_printf(sql,
                  " (version, dirty) SELECT %s, false WHERE NOT EXISTS (SELECT FROM ONLY %s h WHERE"
                  " h.version OPERATOR(pg_catalog.>=) %s); DELETE FROM ONLY %s WHERE version"
                  " OPERATOR(pg_catalog.<) %s",
                  file->id, name, file->id, name, file->id);
}

static void sqlx_row(const struct em_sql_tree_file *file, long long took, const char *checksum,
                     struct em_str *sql)
{
    em_str_printf(sql, " (version, description, success, checksum, execution_time) VALUES (%s",
                  file->id);
    value(sql, file->title);
    em_str_printf(sql, ", true, pg_catalog.decode('%s', 'hex'), %lld)", checksum, took * 1000000);
}

static void prisma_row(const struct em_sql_tree_file *file, const char *checksum,
                       const char *unique, struct em_str *sql)
{
    em_str_puts(sql, " (id, checksum, finished_at, migration_name, started_at, applied_steps_count)"
                     " VALUES (");
    value(sql, unique);
    value(sql, checksum);
    em_str_puts(sql, ", pg_catalog.clock_timestamp()");
    value(sql, file->id);
    em_str_puts(sql, ", pg_catalog.now(), 1)");
}

void em_sql_history_note(const struct em_sql_tool_table *table, const char *name,
                         const struct em_sql_tree *tree, const struct em_sql_tree_file *file,
                         long long took, const char *unique, struct em_str *sql)
{
    EM_STR_AUTO all = EM_STR_INIT;
    em_sql_checksum(table->format, tree, file, &all);
    EM_FREE char *checksum = em_strndup(em_str_c(&all), strcspn(em_str_c(&all), " "));
    em_str_printf(sql, "INSERT INTO %s", name);
    switch (table->format) {
    case EM_SQL_DBMATE:
        em_str_puts(sql, " (version) VALUES (");
        value(sql, file->id);
        em_str_putc(sql, ')');
        break;
    case EM_SQL_GOOSE:
        em_str_printf(sql, " (version_id, is_applied) VALUES (%s, true)", file->id);
        break;
    case EM_SQL_GOLANG:
        golang_row(file, name, sql);
        break;
    case EM_SQL_SQLX:
        sqlx_row(file, took, checksum, sql);
        break;
    case EM_SQL_FLYWAY:
        flyway_row(file, name, took, checksum, sql);
        break;
    case EM_SQL_NODE_PG:
        em_str_puts(sql, " (name, run_on) VALUES (");
        value(sql, file->id);
        em_str_puts(sql, ", pg_catalog.now())");
        break;
    case EM_SQL_MIGRATE:
        em_str_puts(sql, " (id, applied_at) VALUES (");
        value(sql, file->id);
        em_str_puts(sql, ", pg_catalog.now())");
        break;
    case EM_SQL_PRISMA:
        prisma_row(file, checksum, unique, sql);
        break;
    default:
        atlas_row(file, took, checksum, sql);
        break;
    }
}

void em_sql_history_create(const struct em_sql_tool_table *table, const char *name,
                           struct em_str *sql)
{
    if (table->format == EM_SQL_ATLAS)
        em_str_puts(sql, "CREATE SCHEMA IF NOT EXISTS atlas_schema_revisions; ");
    em_str_printf(sql, "CREATE TABLE IF NOT EXISTS %s (%s)", name, table->create);
    if (table->format == EM_SQL_GOOSE)
        em_str_printf(sql, "; INSERT INTO %s (version_id, is_applied) VALUES (0, true)", name);
}
