#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/python/source.h"
#include "form.h"

/* What a file's assignments say. */
struct script {
    struct em_list doc, revision, down, needs, labels;
    bool has_revision, has_down;
    bool unclear; /* an assigned value that isn't plain */
};

/* A list that isn't literal leaves what could be read of it. */
static bool take(const struct em_py_statement *statement, const char *name, struct em_list *into,
                 bool *unclear)
{
    struct em_py_span value;
    if (!em_py_assigns(statement, name, &value))
        return false;
    em_list_free(into);
    if (!em_py_strings(&value, into))
        *unclear = true;
    return true;
}

static void read_script(const char *bytes, size_t length, struct script *s)
{
    struct em_py_span rest = {bytes, length};
    struct em_py_statement statement = {0, {NULL, 0}};
    for (bool first = true; em_py_next(&rest, &statement); first = false) {
        if (statement.indent > 0)
            continue;
        if (first && !em_py_strings(&statement.span, &s->doc))
            em_list_free(&s->doc);
        s->has_revision |= take(&statement, "revision", &s->revision, &s->unclear);
        s->has_down |= take(&statement, "down_revision", &s->down, &s->unclear);
        take(&statement, "depends_on", &s->needs, &s->unclear);
        take(&statement, "branch_labels", &s->labels, &s->unclear);
    }
}

static void free_script(struct script *s)
{
    em_list_free(&s->doc);
    em_list_free(&s->revision);
    em_list_free(&s->down);
    em_list_free(&s->needs);
    em_list_free(&s->labels);
}

/* The first line of the file's docstring behind the revision, unless it is the same. */
static char *name_of(const char *revision, const struct em_list *doc)
{
    EM_STR_AUTO name = EM_STR_INIT;
    em_str_puts(&name, revision);
    const char *line = doc->n ? doc->v[0] : "";
    line += strspn(line, " \t\r\n");
    size_t length = strcspn(line, "\r\n");
    while (length && isspace((unsigned char)line[length - 1]))
        length--;
    if (length && (length != strlen(revision) || memcmp(line, revision, length) != 0)) {
        em_str_putc(&name, ' ');
        em_str_add(&name, line, length);
    }
    return em_str_take(&name);
}

/* A file of the time before there was `revision`: its name is the revision. */
static void legacy(const char *path, struct script *s)
{
    const char *name = em_base_name(path);
    size_t length = strspn(name, "0123456789abcdef");
    if (s->has_revision || !s->has_down || !length || strcmp(name + length, ".py") != 0)
        return;
    em_list_take(&s->revision, em_strndup(name, length));
    s->has_revision = true;
}

void em_alembic_file(struct em_pending *p, const char *path, const char *bytes, size_t length)
{
    struct script s;
    memset(&s, 0, sizeof s);
    if (!em_ends(path, ".py"))
        return;
    read_script(bytes, length, &s);
    legacy(path, &s);
    if (!s.has_revision || !s.has_down) {
        free_script(&s);
        return; /* env.py, a module of helpers */
    }
    const char *revision = s.revision.n ? s.revision.v[0] : "";
    size_t same = em_pending_find(p, revision);
    if (s.unclear || s.revision.n != 1 || !*revision) {
        em_pending_odd(p, "%s: its revisions are no plain texts, and can't be told", path);
    } else if (same < p->n) {
        em_pending_odd(p, "%s and %s are both revision %s", p->v[same].file, path, revision);
    } else {
        struct em_migration *m =
            em_pending_new(p, path, em_strdup(revision), name_of(revision, &s.doc));
        m->before = s.down;
        m->needs = s.needs;
        m->labels = s.labels;
        s.down = s.needs = s.labels = (struct em_list)EM_LIST_INIT;
    }
    free_script(&s);
}

static size_t find_label(const struct em_pending *p, const char *label)
{
    size_t i = em_pending_find(p, label);
    if (i < p->n)
        return i;
    for (i = 0; i < p->n && !em_list_has(&p->v[i].labels, label);)
        i++;
    return i;
}

static void add_edges(struct em_pending *p, size_t from, const struct em_list *ids,
                      const char *what, struct em_edges *edges)
{
    for (size_t i = 0; i < ids->n; i++) {
        size_t to = find_label(p, ids->v[i]);
        if (to < p->n) {
            em_edge_add(edges, from, to);
            continue;
        }
        em_pending_odd(p, "%s: its %s %s is in no file", p->v[from].file, what, ids->v[i]);
        p->broken = true;
    }
}

static int by_id(const void *a, const void *b)
{
    const struct em_migration *left = a, *right = b;
    return strcmp(left->id, right->id);
}

/* A head is what no other one has as its down_revision. */
static void find_heads(const struct em_pending *p, bool *is_head)
{
    memset(is_head, true, p->n);
    for (size_t i = 0; i < p->n; i++)
        for (size_t j = 0; j < p->v[i].before.n; j++) {
            size_t down = em_pending_find(p, p->v[i].before.v[j]);
            if (down < p->n)
                is_head[down] = false;
        }
}

/* The revision that `target` begins the name of, if it is one: p->n else (head, +1, label@head). */
static size_t find_target(const struct em_pending *p, const char *target)
{
    size_t exact = em_pending_find(p, target), found = p->n;
    if (exact < p->n)
        return exact;
    for (size_t i = 0; i < p->n; i++) {
        if (!em_starts(p->v[i].id, target))
            continue;
        if (found < p->n)
            return p->n;
        found = i;
    }
    return found;
}

/* The rows are the newest revisions of each branch: all that comes before them is applied. */
static void mark_applied(struct em_pending *p, const struct em_edges *edges)
{
    bool *marks = em_alloc(p->n + 1);
    for (size_t i = 0; i < p->row_count; i++) {
        size_t at = em_pending_find(p, p->rows[i].id);
        em_list_add(&p->at, at < p->n ? p->v[at].name : p->rows[i].id);
        if (at < p->n)
            marks[at] = true;
        else
            em_list_add(&p->unknown, p->rows[i].id);
    }
    p->unsure = p->unknown.n > 0;
    em_edges_spread(edges, marks);
    for (size_t i = 0; i < p->n; i++)
        if (marks[i])
            p->v[i].state = EM_MIGRATION_APPLIED;
    free(marks);
}

static void mark_target(struct em_pending *p, const struct em_edges *edges, const char *target)
{
    bool *marks = em_alloc(p->n + 1);
    size_t at = target && *target ? find_target(p, target) : p->n;
    if (at < p->n) {
        marks[at] = true;
        em_edges_spread(edges, marks);
        for (size_t i = 0; i < p->n; i++)
            p->v[i].off = !marks[i] && p->v[i].state == EM_MIGRATION_PENDING;
    }
    free(marks);
}

static void say_heads(struct em_pending *p, const bool *is_head, const char *target)
{
    for (size_t i = 0; i < p->n; i++)
        if (is_head[i])
            em_list_add(&p->heads, p->v[i].name);
    p->forked = p->heads.n > 1 && !p->broken && target && strcmp(target, "head") == 0;
}

void em_alembic_resolve(struct em_pending *p, const char *target)
{
    struct em_edges edges = {NULL, NULL, 0};
    if (p->n)
        qsort(p->v, p->n, sizeof *p->v, by_id);
    bool *is_head = em_alloc(p->n + 1);
    size_t *roots = em_alloc((p->n + 1) * sizeof *roots), count = 0;
    for (size_t i = 0; i < p->n; i++) {
        add_edges(p, i, &p->v[i].before, "down_revision", &edges);
        add_edges(p, i, &p->v[i].needs, "depends_on", &edges);
    }
    find_heads(p, is_head);
    for (size_t i = 0; i < p->n; i++)
        if (is_head[i])
            roots[count++] = i;
    mark_applied(p, &edges);
    mark_target(p, &edges, target);
    say_heads(p, is_head, target);
    if (!em_pending_sort(p, &edges, roots, count)) {
        em_pending_odd(p, "the revisions lead in a circle");
        p->broken = true;
    }
    em_edges_free(&edges);
    free(is_head);
    free(roots);
}
