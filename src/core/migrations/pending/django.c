#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/python/source.h"
#include "form.h"

/* Where the path's component that ends at `end` begins. */
static const char *component(const char *path, const char *end)
{
    while (end > path && end[-1] != '/')
        end--;
    return end;
}

/* What the app in that folder is called: its AppConfig's label, else as the folder. */
static void add_app(const struct em_pending *p, const char *path, const char *end,
                    struct em_str *id)
{
    EM_FREE char *folder = em_strndup(path, (size_t)(end - path));
    const char *app = component(path, end);
    for (size_t i = 0; i + 1 < p->apps.n; i += 2)
        if (strcmp(p->apps.v[i], folder) == 0) {
            em_str_puts(id, p->apps.v[i + 1]);
            return;
        }
    em_str_add(id, app, (size_t)(end - app));
}

/* The app's folder of ".../notes/migrations/0001_initial.py": up to where; NULL: none. */
static const char *app_end(const char *path)
{
    static const char folder[] = "migrations";
    const char *end = strrchr(path, '/');
    if (!end)
        return NULL;
    const char *app = component(path, end);
    if ((size_t)(end - app) == sizeof folder - 1 && memcmp(app, folder, sizeof folder - 1) == 0) {
        end = app > path ? app - 1 : path;
        app = component(path, end);
    }
    return app < end ? end : NULL;
}

/* "notes.0001_initial" of ".../notes/migrations/0001_initial.py": false: not such a path. */
static bool id_of(const struct em_pending *p, const char *path, struct em_str *id)
{
    const char *name = strrchr(path, '/'), *end = app_end(path);
    if (!end || !em_ends(path, ".py") || strchr("_~", name[1]))
        return false;
    add_app(p, path, end, id);
    em_str_putc(id, '.');
    em_str_add(id, name + 1, strlen(name + 1) - strlen(".py"));
    return true;
}

char *em_pending_app_file(const struct em_pending *p, const char *path)
{
    EM_STR_AUTO file = EM_STR_INIT;
    const char *end = p->kind->form == EM_FORM_DJANGO ? app_end(path) : NULL;
    if (!end)
        return NULL;
    em_str_add(&file, path, (size_t)(end - path));
    for (size_t i = 0; i + 1 < p->apps.n; i += 2)
        if (strcmp(p->apps.v[i], em_str_c(&file)) == 0)
            return NULL;
    em_str_puts(&file, "/apps.py");
    return em_str_take(&file);
}

void em_pending_app(struct em_pending *p, const char *path, const char *bytes, size_t length)
{
    struct em_py_span rest = {bytes, length}, value;
    struct em_py_statement statement = {0, {NULL, 0}};
    EM_LIST_AUTO labels = EM_LIST_INIT;
    const char *end = strrchr(path, '/');
    if (!end)
        return;
    while (em_py_next(&rest, &statement)) {
        EM_LIST_AUTO strings = EM_LIST_INIT;
        if (statement.indent > 0 && em_py_assigns(&statement, "label", &value) &&
            em_py_strings(&value, &strings) && strings.n == 1)
            em_list_add(&labels, strings.v[0]);
    }
    const char *app = component(path, end);
    em_list_take(&p->apps, em_strndup(path, (size_t)(end - path)));
    /* Of several configurations, settings choose. */
    em_list_take(&p->apps,
                 labels.n == 1 ? em_strdup(labels.v[0]) : em_strndup(app, (size_t)(end - app)));
}

static void take_pairs(const struct em_py_statement *statement, const char *name,
                       struct em_list *into)
{
    struct em_py_span value;
    EM_LIST_AUTO pairs = EM_LIST_INIT;
    if (!em_py_assigns(statement, name, &value))
        return;
    em_py_pairs(&value, &pairs);
    for (size_t i = 0; i + 1 < pairs.n; i += 2) {
        EM_STR_AUTO id = EM_STR_INIT;
        em_str_printf(&id, "%s.%s", pairs.v[i], pairs.v[i + 1]);
        em_list_add(into, em_str_c(&id));
    }
}

void em_django_file(struct em_pending *p, const char *path, const char *bytes, size_t length)
{
    EM_STR_AUTO id = EM_STR_INIT;
    struct em_py_span rest = {bytes, length};
    struct em_py_statement statement = {0, {NULL, 0}};
    bool found = false;
    if (!id_of(p, path, &id) || em_pending_find(p, em_str_c(&id)) < p->n)
        return;
    while (!found && em_py_next(&rest, &statement))
        found = statement.indent == 0 && em_py_begins(&statement, "class", "Migration");
    if (!found)
        return;
    struct em_migration *m =
        em_pending_new(p, path, em_strdup(em_str_c(&id)), em_strdup(em_str_c(&id)));
    size_t body = 0;
    while (em_py_next(&rest, &statement) && statement.indent > 0) {
        body = body ? body : statement.indent;
        if (statement.indent != body)
            continue; /* in a method */
        take_pairs(&statement, "dependencies", &m->before);
        take_pairs(&statement, "replaces", &m->replaces);
        take_pairs(&statement, "run_before", &m->after);
    }
}

static size_t app_length(const char *id)
{
    return strcspn(id, ".");
}

static bool same_app(const char *a, const char *b)
{
    size_t length = app_length(a);
    return length == app_length(b) && memcmp(a, b, length) == 0;
}

/* The last one of the app, by name; p->n: there is no file of it. */
static size_t last_of_app(const struct em_pending *p, const char *id)
{
    size_t last = p->n;
    for (size_t i = 0; i < p->n; i++)
        if (same_app(p->v[i].id, id))
            last = i;
    return last;
}

/* A squash is used where all or none of what it replaces is applied, and stands for it then;
 * otherwise what it replaces goes on. */
static void squash(struct em_pending *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct em_migration *m = &p->v[i];
        size_t applied = 0;
        if (!m->replaces.n)
            continue;
        for (size_t j = 0; j < m->replaces.n; j++)
            applied += em_pending_find_row(p, m->replaces.v[j]) < p->row_count;
        m->off = applied > 0 && applied < m->replaces.n;
        m->state = applied == m->replaces.n ? EM_MIGRATION_APPLIED : EM_MIGRATION_PENDING;
        for (size_t j = 0; j < m->replaces.n && !m->off; j++) {
            size_t replaced = em_pending_find(p, m->replaces.v[j]);
            if (replaced < p->n && replaced != i)
                p->v[replaced].off = true;
        }
    }
}

static bool is_first_of_app(const struct em_migration *m)
{
    for (size_t i = 0; i < m->before.n; i++)
        if (same_app(m->before.v[i], m->id))
            return false;
    return true;
}

/* Edges to what `id` means in this plan. False: no file has it. */
static bool add_edge(const struct em_pending *p, size_t from, const char *id, bool reverse,
                     struct em_edges *edges)
{
    bool found = false;
    bool first = em_ends(id, ".__first__"), latest = em_ends(id, ".__latest__");
    size_t exact = em_pending_find(p, id);
    const struct em_migration *gone = exact < p->n && p->v[exact].off ? &p->v[exact] : NULL;
    for (size_t i = 0; i < p->n; i++) {
        const struct em_migration *m = &p->v[i];
        bool meant = i == exact || em_list_has(&m->replaces, id) ||
                     (gone && em_list_has(&gone->replaces, m->id)) ||
                     ((first || latest) && same_app(m->id, id));
        if (m->off || !meant)
            continue;
        found = true;
        /* Of the whole app only its first ones matter, or its last ones: an edge more to what lies
         * between does no harm, but one back to itself. */
        if (i == from || (first && !is_first_of_app(m)))
            continue;
        em_edge_add(edges, reverse ? i : from, reverse ? from : i);
    }
    return found;
}

static void add_edges(struct em_pending *p, struct em_edges *edges)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct em_migration *m = &p->v[i];
        for (size_t j = 0; j < m->before.n && !m->off; j++) {
            const char *id = m->before.v[j];
            if (add_edge(p, i, id, false, edges) || last_of_app(p, id) == p->n)
                continue;
            em_pending_odd(p, "%s: it depends on %s, which no file has", m->file, id);
            p->broken = true;
        }
        for (size_t j = 0; j < m->after.n && !m->off; j++)
            add_edge(p, i, m->after.v[j], true, edges);
    }
}

/* A squash takes over what those that it replaces depend on outside of it; its own dependencies say
 * that already. Leaves are what no other one of the app follows. */
static size_t find_leaves(struct em_pending *p, const struct em_edges *edges, size_t *leaves)
{
    size_t count = 0;
    for (size_t i = 0; i < p->n; i++) {
        bool leaf = !p->v[i].off;
        for (size_t e = 0; e < edges->n && leaf; e++)
            leaf = edges->to[e] != i || !same_app(p->v[edges->from[e]].id, p->v[i].id);
        if (!leaf)
            continue;
        em_list_add(&p->heads, p->v[i].name);
        if (count && same_app(p->v[leaves[count - 1]].id, p->v[i].id)) {
            em_pending_odd(p, "%s and %s both come last in their app: makemigrations --merge",
                           p->v[leaves[count - 1]].id, p->v[i].id);
            p->broken = true;
        }
        leaves[count++] = i;
    }
    return count;
}

static bool is_replaced(const struct em_pending *p, const char *id)
{
    for (size_t i = 0; i < p->n; i++)
        if (em_list_has(&p->v[i].replaces, id))
            return true;
    return false;
}

/* One of the files' was applied after it: it is no newer image's, but a file's that was renamed, or
 * squashed, since. */
static bool is_followed(const struct em_pending *p, size_t row)
{
    for (size_t i = row + 1; i < p->row_count; i++)
        if (same_app(p->rows[i].id, p->rows[row].id) && em_pending_find(p, p->rows[i].id) < p->n)
            return true;
    return false;
}

/* Rows of installed packages' apps are none of ours; of our own, those that would come last, and
 * did: older ones stay in the table when a squash is done with. */
static void read_rows(struct em_pending *p)
{
    for (size_t i = 0; i < p->row_count; i++) {
        const char *id = p->rows[i].id;
        size_t at = em_pending_find(p, id), last = last_of_app(p, id);
        if (at < p->n && !p->v[at].replaces.n)
            p->v[at].state = EM_MIGRATION_APPLIED;
        else if (last == p->n)
            p->elsewhere++;
        else if (at == p->n && strcmp(id, p->v[last].id) > 0 && !is_replaced(p, id) &&
                 !is_followed(p, i) && !em_list_has(&p->unknown, id))
            em_list_add(&p->unknown, id);
    }
}

static int by_id(const void *a, const void *b)
{
    const struct em_migration *left = a, *right = b;
    return strcmp(left->id, right->id);
}

void em_django_resolve(struct em_pending *p)
{
    struct em_edges edges = {NULL, NULL, 0};
    if (p->n)
        qsort(p->v, p->n, sizeof *p->v, by_id);
    size_t *leaves = em_alloc((p->n + 1) * sizeof *leaves);
    read_rows(p);
    squash(p);
    add_edges(p, &edges);
    size_t count = find_leaves(p, &edges, leaves);
    if (!em_pending_sort(p, &edges, leaves, count)) {
        em_pending_odd(p, "the migrations depend on each other in a circle");
        p->broken = true;
    }
    em_edges_free(&edges);
    free(leaves);
}
