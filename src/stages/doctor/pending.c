/* doctor: which migrations are pending, by name. */
#include <string.h>

#include "embark/stages/migrate/own_sql.h"
#include "migrations.h"

/* Names that a row shows; all are in the JSON. */
enum { SHOWN = 10 };

static void add_names(const struct em_list *names, struct em_str *out)
{
    for (size_t i = 0; i < names->n && i < SHOWN; i++)
        em_str_printf(out, "%s%s", i ? ", " : "", names->v[i]);
    if (names->n > SHOWN)
        em_str_printf(out, " and %zu more", names->n - SHOWN);
}

static void name_all(struct em_doctor_rows *looks, const struct em_list *names)
{
    for (size_t i = 0; i < names->n; i++)
        em_doctor_row_name(looks, names->v[i]);
}

/* A row of what the tool refuses at, if a start comes to run it. */
static void add_refusal(const struct em_migrations_view *v, const char *key, const char *text,
                        const char *hint)
{
    bool runs = v->judged && v->look->verdict.decision == EM_RUN;
    em_doctor_row_add(v->looks, "migrations", key, runs ? EM_MARK_BAD : EM_MARK_WARN,
                      em_sql_migrations_any(v->config) ? EM_EXIT_SQL : EM_EXIT_MIGRATION, "%s",
                      text);
    em_doctor_row_hint(v->looks, "%s", hint);
}

static void add_files(const struct em_migrations_view *v)
{
    const struct em_pending *p = &v->pending->pending;
    size_t count = v->look->files.list.n;
    EM_STR_AUTO heads = EM_STR_INIT;
    add_names(&p->heads, &heads);
    if (p->kind && p->n)
        em_doctor_row_add(v->looks, "migrations", "files", EM_MARK_NONE, 0,
                          "%zu (%s), the last: %s", p->total, p->kind->tool, em_str_c(&heads));
    else if (p->kind && strcmp(p->kind->tool, "Entity Framework") == 0)
        em_doctor_row_add(v->looks, "migrations", "files", EM_MARK_NONE, 0,
                          "Entity Framework's are compiled in, and can't be told");
    else if (count)
        em_doctor_row_add(v->looks, "migrations", "files", EM_MARK_NONE, 0, "%zu, of %s", count,
                          p->kind ? p->kind->tool : "a tool that isn't known");
    else {
        const struct em_str *why = &v->look->files.why;
        em_doctor_row_add(v->looks, "migrations", "files", EM_MARK_WARN, 0,
                          "not known, so nothing is ever skipped%s%s", why->len ? ": " : "",
                          em_str_c(why));
        em_doctor_row_hint(v->looks, "name them in [migrate] files");
    }
    name_all(v->looks, &p->heads);
    if (v->look->files.complete || !count)
        return;
    em_doctor_row_add(v->looks, "migrations", "files", EM_MARK_WARN, 0,
                      "there may be more of them: %s", em_str_c(&v->look->files.why));
    em_doctor_row_hint(v->looks, "%s", em_str_c(&v->look->files.hint));
}

/* What is wrong with the files themselves. */
static void add_oddities(const struct em_migrations_view *v)
{
    const struct em_pending *p = &v->pending->pending;
    for (size_t i = 0; i < p->odd.n && i < SHOWN; i++) {
        if (p->broken && v->look->files.complete)
            add_refusal(v, "files", p->odd.v[i], "the tool will refuse these files: mend them");
        else
            em_doctor_row_add(v->looks, "migrations", "files", EM_MARK_WARN, 0, "%s", p->odd.v[i]);
    }
    if (p->forked)
        add_refusal(v, "files", "there are several heads, and alembic upgrade head wants one",
                    "alembic merge heads makes them one; alembic upgrade heads goes to all");
}

static void add_place(const struct em_migrations_view *v)
{
    const struct em_pending *p = &v->pending->pending;
    EM_STR_AUTO names = EM_STR_INIT;
    add_names(&p->at, &names);
    if (!v->pending->has_rows)
        em_doctor_row_add(v->looks, "migrations", "database",
                          v->connected ? EM_MARK_WARN : EM_MARK_NONE, 0,
                          "its state is not known: %s", em_str_c(&v->pending->why));
    else if (!v->pending->table.len)
        em_doctor_row_add(
            v->looks, "migrations", "database", EM_MARK_NONE, 0,
            "there is no table %s: nothing was applied yet, or it is called otherwise",
            p->kind->table ? p->kind->table : "of applied files");
    else if (p->at.n)
        em_doctor_row_add(v->looks, "migrations", "database", EM_MARK_NONE, 0, "at %s (%s)",
                          em_str_c(&names), em_str_c(&v->pending->table));
    else if (p->row_count == 0)
        em_doctor_row_add(v->looks, "migrations", "database", EM_MARK_NONE, 0,
                          "nothing is applied (%s)", em_str_c(&v->pending->table));
}

static void add_pending(const struct em_migrations_view *v)
{
    const struct em_pending *p = &v->pending->pending;
    EM_STR_AUTO names = EM_STR_INIT;
    const char *without =
        p->elsewhere ? "; those of installed packages' apps are not looked at" : "";
    em_pending_names(p, EM_MIGRATION_PENDING, SHOWN, &names);
    if (!v->pending->has_rows || !p->n || p->unsure)
        return;
    if (!p->pending)
        em_doctor_row_add(v->looks, "migrations", "pending", EM_MARK_OK, 0, "none of %zu%s",
                          p->total, without);
    else
        em_doctor_row_add(v->looks, "migrations", "pending", EM_MARK_NONE, 0, "%zu of %zu: %s%s",
                          p->pending, p->total, em_str_c(&names), without);
    for (size_t i = 0; i < p->n; i++)
        if (!p->v[i].off && p->v[i].state == EM_MIGRATION_PENDING)
            em_doctor_row_name(v->looks, p->v[i].name);
}

static void add_failed(const struct em_migrations_view *v)
{
    const struct em_pending *p = &v->pending->pending;
    EM_STR_AUTO text = EM_STR_INIT;
    if (!p->failed.n)
        return;
    em_str_printf(&text, "half way, as %s notes: ", em_str_c(&v->pending->table));
    add_names(&p->failed, &text);
    add_refusal(v, "failed", em_str_c(&text),
                "see what it left, mend that by hand, and tell the tool: embark migrate --resolve, "
                "prisma migrate resolve, flyway repair, migrate force…");
    name_all(v->looks, &p->failed);
}

/* Of the database, what no file here has. That Alembic can't go on from there is sure, unless there
 * are files that could not be read. */
static void add_unknown(const struct em_migrations_view *v)
{
    const struct em_pending *p = &v->pending->pending;
    const char *hint =
        v->look->files.complete
            ? "the image is older than the database, or of another branch: deploy the newer one"
            : "it may be one of those that embark doesn't see; or the image is older than the "
              "database, or of another branch";
    EM_STR_AUTO text = EM_STR_INIT;
    if (!p->unknown.n)
        return;
    add_names(&p->unknown, &text);
    em_str_puts(&text, p->unknown.n > 1 ? ": the database has them, and no file here does"
                                        : ": the database has it, and no file here does");
    if (strcmp(p->kind->tool, "Alembic") == 0 && p->n && !p->odd.n && v->look->files.complete) {
        add_refusal(v, "lacking", em_str_c(&text), hint);
    } else {
        em_doctor_row_add(v->looks, "migrations", "lacking", EM_MARK_WARN, 0, "%s",
                          em_str_c(&text));
        em_doctor_row_hint(v->looks, "%s", hint);
    }
    name_all(v->looks, &p->unknown);
}

/* Of a tool that isn't known: what is new since the last good run. */
static void add_new(const struct em_migrations_view *v)
{
    const struct em_list *added = &v->look->verdict.added;
    EM_STR_AUTO names = EM_STR_INIT;
    if (!v->judged || !v->look->state.good.outcome || !added->n)
        return;
    add_names(added, &names);
    em_doctor_row_add(v->looks, "migrations", "pending", EM_MARK_NONE, 0,
                      "%zu new since the last good run: %s", added->n, em_str_c(&names));
    name_all(v->looks, added);
}

void em_doctor_pending(const struct em_migrations_view *v)
{
    add_files(v);
    if (!v->pending->pending.kind) {
        add_new(v);
        return;
    }
    add_oddities(v);
    add_place(v);
    add_unknown(v);
    add_failed(v);
    add_pending(v);
}
