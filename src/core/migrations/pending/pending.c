#include "embark/core/migrations/pending/pending.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/python/source.h"
#include "form.h"

/* clang-format off */
#define FAILED_UNLESS(good) "CASE WHEN " good " THEN 'a' ELSE 'f' END"
static const struct em_pending_kind kinds[] = {
    {"Alembic", "alembic_version", "version_num, 'a'", "1", EM_FORM_ALEMBIC},
    {"Django", "django_migrations", "app OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||) name, 'a'", "id", EM_FORM_DJANGO},
    {"Prisma", "_prisma_migrations", "migration_name, CASE WHEN rolled_back_at IS NOT NULL THEN 'u'"
     " WHEN finished_at IS NULL THEN 'f' ELSE 'a' END", "started_at", EM_FORM_FOLDER},
    {"Knex", "knex_migrations", "name, 'a'", "id", EM_FORM_BASE},
    {"node-pg-migrate", "pgmigrations", "name, 'a'", "id", EM_FORM_STEM},
    {"Sequelize", "SequelizeMeta", "name, 'a'", "1", EM_FORM_BASE},
    {"dbmate", "schema_migrations", "version, 'a'", "1", EM_FORM_VERSION},
    {"goose", "goose_db_version", "version_id, CASE WHEN is_applied THEN 'a' ELSE 'u' END", "id", EM_FORM_NUMBER},
    {"Flyway", "flyway_schema_history", "COALESCE(version, script), CASE WHEN NOT success THEN 'f'"
     " WHEN type OPERATOR(pg_catalog.=) 'BASELINE' THEN 'b' WHEN type OPERATOR(pg_catalog.~~) 'UNDO%' OR"
     " type OPERATOR(pg_catalog.=) ANY ('{DELETE,SCHEMA}') THEN 'u'"
     " ELSE 'a' END", "installed_rank", EM_FORM_FLYWAY},
    {"sqlx", "_sqlx_migrations", "version, " FAILED_UNLESS("success"), "version", EM_FORM_NUMBER},
    {"golang-migrate", "schema_migrations", "version, " FAILED_UNLESS("NOT dirty"), "1", EM_FORM_UP_TO},
    {"Rails", "schema_migrations", "version, 'a'", "1", EM_FORM_NUMBER},
    {"Entity Framework", "__EFMigrationsHistory", "\"MigrationId\", 'a'", "1", EM_FORM_COMPILED},
    {"embark", NULL, "name, CASE WHEN state OPERATOR(pg_catalog.=) 'applied' THEN 'a' WHEN state OPERATOR(pg_catalog.=) 'pending' THEN 'u' ELSE 'f' END, sha256", "started_at, name", EM_FORM_OWN},
};
/* clang-format on */

const struct em_pending_kind *em_pending_kind(const char *tool)
{
    for (size_t i = 0; tool && i < EM_COUNT(kinds); i++)
        if (strcmp(kinds[i].tool, tool) == 0)
            return &kinds[i];
    return NULL;
}

bool em_pending_wants_bytes(const struct em_pending_kind *kind)
{
    return kind->form == EM_FORM_ALEMBIC || kind->form == EM_FORM_DJANGO;
}

static const struct em_pending_kind *guess_python(const char *bytes, size_t length)
{
    struct em_py_span rest = {bytes, length}, value;
    struct em_py_statement statement = {0, {NULL, 0}};
    while (em_py_next(&rest, &statement)) {
        if (statement.indent == 0 && em_py_assigns(&statement, "down_revision", &value))
            return em_pending_kind("Alembic");
        if (em_py_begins(&statement, "class", "Migration"))
            return em_pending_kind("Django");
    }
    return NULL;
}

const struct em_pending_kind *em_pending_guess(const char *path, const char *bytes, size_t length)
{
    struct em_pending probe = {.kind = em_pending_kind("Flyway")};
    EM_FREE char *text = em_strndup(bytes, length);
    if (em_ends(path, ".py"))
        return guess_python(bytes, length);
    if (em_ends(path, "/migration.sql"))
        return em_pending_kind("Prisma");
    em_plain_file(&probe, path);
    bool flyway = probe.n > 0;
    em_pending_free(&probe);
    if (flyway)
        return em_pending_kind("Flyway");
    if (!em_ends(path, ".sql"))
        return NULL;
    return em_pending_kind(strstr(text, "-- migrate:up")  ? "dbmate"
                           : strstr(text, "-- +goose Up") ? "goose"
                                                          : NULL);
}

struct em_migration *em_pending_new(struct em_pending *p, const char *path, char *id, char *name)
{
    p->v = em_realloc(p->v, p->n + 1, sizeof *p->v);
    struct em_migration *m = &p->v[p->n++];
    memset(m, 0, sizeof *m);
    m->id = id;
    m->name = name;
    m->file = em_strdup(path);
    return m;
}

void em_pending_row(struct em_pending *p, const char *id, char letter)
{
    p->rows = em_realloc(p->rows, p->row_count + 1, sizeof *p->rows);
    p->rows[p->row_count++] = (struct em_pending_row){em_strdup(id), letter};
}

size_t em_pending_find(const struct em_pending *p, const char *id)
{
    size_t i = 0;
    while (i < p->n && strcmp(p->v[i].id, id) != 0)
        i++;
    return i;
}

size_t em_pending_find_row(const struct em_pending *p, const char *id)
{
    for (size_t i = p->row_count; i-- > 0;)
        if (strcmp(p->rows[i].id, id) == 0)
            return i;
    return p->row_count;
}

void em_pending_odd(struct em_pending *p, const char *format, ...)
{
    EM_STR_AUTO text = EM_STR_INIT;
    va_list args;
    va_start(args, format);
    em_str_vprintf(&text, format, args);
    va_end(args);
    em_list_add(&p->odd, em_str_c(&text));
}

void em_pending_add(struct em_pending *p, const char *name)
{
    em_pending_new(p, name, em_strdup(name), em_strdup(name));
    p->ordered = true;
}

void em_pending_file(struct em_pending *p, const char *path, const char *bytes, size_t length)
{
    if (p->kind->form == EM_FORM_ALEMBIC)
        em_alembic_file(p, path, bytes, length);
    else if (p->kind->form == EM_FORM_DJANGO)
        em_django_file(p, path, bytes, length);
    else
        em_plain_file(p, path);
}

void em_pending_resolve(struct em_pending *p, const char *target)
{
    if (p->kind->form == EM_FORM_ALEMBIC)
        em_alembic_resolve(p, target);
    else if (p->kind->form == EM_FORM_DJANGO)
        em_django_resolve(p);
    else
        em_numbered_resolve(p);
    for (size_t i = 0; i < p->n; i++) {
        const struct em_migration *m = &p->v[i];
        if (m->off)
            continue;
        p->total++;
        p->pending += m->state == EM_MIGRATION_PENDING;
        if (m->state == EM_MIGRATION_FAILED)
            em_list_add(&p->failed, m->name);
    }
}

void em_pending_names(const struct em_pending *p, enum em_migration_state state, size_t most,
                      struct em_str *out)
{
    size_t count = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (p->v[i].off || p->v[i].state != state || count++ >= most)
            continue;
        em_str_printf(out, "%s%s", count > 1 ? ", " : "", p->v[i].name);
    }
    if (count > most)
        em_str_printf(out, "%s%zu more", most ? " and " : "", count - most);
}

static void free_migration(struct em_migration *m)
{
    free(m->id);
    free(m->name);
    free(m->file);
    em_list_free(&m->before);
    em_list_free(&m->needs);
    em_list_free(&m->labels);
    em_list_free(&m->replaces);
    em_list_free(&m->after);
}

void em_pending_free(struct em_pending *p)
{
    for (size_t i = 0; i < p->n; i++)
        free_migration(&p->v[i]);
    for (size_t i = 0; i < p->row_count; i++)
        free(p->rows[i].id);
    em_list_free(&p->apps);
    em_list_free(&p->heads);
    em_list_free(&p->at);
    em_list_free(&p->unknown);
    em_list_free(&p->failed);
    em_list_free(&p->odd);
    free(p->v);
    free(p->rows);
    memset(p, 0, sizeof *p);
}
