#include "embark/stages/migrate/ledger/tables.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/migrations/filelist.h"
#include "embark/core/postgres/xml_rows.h"
#include "embark/core/sql/variables.h"
#include "embark/core/tools/tools.h"
#include "embark/stages/migrate/ledger/sql.h"

/* Of a database with a schema for each of many tenants, so many are looked at. */
#define TABLES_LIMIT 100

void em_tables_free(struct em_tables *tables)
{
    em_list_free(&tables->names);
    em_list_free(&tables->digests);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool em_ledger_digest(const char *name, const char *xml, struct em_str *hex)
{
    EM_LIST_AUTO rows = EM_LIST_INIT;
    EM_STR_AUTO value = EM_STR_INIT;
    EM_STR_AUTO text = EM_STR_INIT;
    char digest[EM_HEX_DIGEST];
    while ((xml = em_xml_column(xml, "r", &value)) != NULL)
        em_list_add(&rows, em_str_c(&value));
    if (rows.n > EM_LEDGER_ROWS)
        return false;
    if (rows.n)
        qsort(rows.v, rows.n, sizeof *rows.v, by_text);
    em_str_printf(&text, "%s\n", name);
    for (size_t i = 0; i < rows.n; i++)
        em_str_printf(&text, "%s\n", rows.v[i]);
    em_hex_sha256(em_str_c(&text), text.len, digest);
    em_str_cut(hex, 0);
    em_str_puts(hex, digest);
    return true;
}

/* One table, in a question of its own: one that somebody has locked holds up nothing, and takes
 * none of the others away. `name` has its schema. */
static void read_one(struct em_db *db, const char *name, em_time until, struct em_tables *tables)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    EM_STR_AUTO literal = EM_STR_INIT;
    EM_STR_AUTO hex = EM_STR_INIT;
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    em_ledger_add_settings(1, &sql);
    em_sql_quote_literal(&literal, name);
    em_str_puts(&sql, "SELECT " EM_TABLE_ROWS_SQL("t.t") " FROM (SELECT ");
    em_str_puts(&sql, em_str_c(&literal));
    em_str_puts(&sql, "::pg_catalog.text AS t) t, LATERAL " EM_TABLE_OF_SQL("t.t"));
    if (em_db_query(db, until, NULL, &ignored, em_str_c(&sql), 0, NULL) != 0)
        return;
    const char *xml = em_db_value(db, 0, 0);
    if (!xml || !em_ledger_digest(name, xml, &hex))
        return;
    em_list_add(&tables->names, name);
    em_list_add(&tables->digests, em_str_c(&hex));
}

void em_tables_read(struct em_db *db, em_time until, struct em_tables *tables)
{
    EM_STR_AUTO sql = EM_STR_INIT;
    EM_LIST_AUTO names = EM_LIST_INIT;
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    em_str_puts(&sql, "SELECT " EM_TABLE_NAME_SQL " FROM pg_catalog.pg_class c WHERE c.relkind"
                      " OPERATOR(pg_catalog.=) 'r' AND c.relname OPERATOR(pg_catalog.=) ANY"
                      " (ARRAY[");
    for (size_t i = 0; em_tool_tables[i]; i++)
        em_str_printf(&sql, "%s'%s'::pg_catalog.name", i ? ", " : "", em_tool_tables[i]);
    em_str_printf(&sql, "]) ORDER BY c.oid LIMIT %d", TABLES_LIMIT);
    if (em_db_query(db, until, NULL, &ignored, em_str_c(&sql), 0, NULL) != 0)
        return;
    for (int row = 0; row < em_db_rows(db); row++)
        if (em_db_value(db, row, 0))
            em_list_add(&names, em_db_value(db, row, 0));
    for (size_t i = 0; i < names.n; i++)
        read_one(db, names.v[i], until, tables);
}

void em_tables_take(const struct em_list *names, const char *contents, struct em_tables *tables)
{
    for (size_t i = 0; i < names->n; i++) {
        size_t length = strcspn(contents, ",");
        EM_FREE char *hex = em_strndup(contents, length);
        EM_STR_AUTO xml = EM_STR_INIT;
        EM_STR_AUTO digest = EM_STR_INIT;
        contents += length + (contents[length] == ',');
        if (strcmp(hex, "-") == 0 || !em_hex_decode(hex, &xml) ||
            !em_ledger_digest(names->v[i], em_str_c(&xml), &digest))
            continue;
        em_list_add(&tables->names, names->v[i]);
        em_list_add(&tables->digests, em_str_c(&digest));
    }
}

static const char *digest_of(const struct em_tables *tables, const char *name)
{
    for (size_t i = 0; i < tables->names.n; i++)
        if (strcmp(tables->names.v[i], name) == 0)
            return tables->digests.v[i];
    return NULL;
}

void em_tables_changed(const struct em_tables *before, const struct em_tables *after,
                       struct em_list *names)
{
    for (size_t i = 0; i < after->names.n; i++) {
        const char *was = digest_of(before, after->names.v[i]);
        if (!was || strcmp(was, after->digests.v[i]) != 0)
            em_list_add(names, after->names.v[i]);
    }
}

bool em_tables_digest(const struct em_tables *tables, const struct em_list *names,
                      struct em_str *hex)
{
    EM_STR_AUTO text = EM_STR_INIT;
    char digest[EM_HEX_DIGEST];
    em_str_cut(hex, 0);
    for (size_t i = 0; i < names->n; i++) {
        const char *now = digest_of(tables, names->v[i]);
        if (!now)
            return false;
        em_str_printf(&text, "%s %s\n", now, names->v[i]);
    }
    if (!names->n)
        return false;
    em_hex_sha256(em_str_c(&text), text.len, digest);
    em_str_puts(hex, digest);
    return true;
}

void em_tables_join(const struct em_list *names, struct em_str *text)
{
    for (size_t i = 0; i < names->n; i++)
        em_str_printf(text, "%s%s", i ? "\n" : "", names->v[i]);
}

void em_tables_split(const char *text, struct em_list *names)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        EM_FREE char *name = em_strndup(text, length);
        if (length && !em_list_has(names, name))
            em_list_add(names, name);
        text += length + (text[length] == '\n');
    }
}
