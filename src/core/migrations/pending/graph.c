#include <stdlib.h>
#include <string.h>

#include "form.h"

void em_edge_add(struct em_edges *edges, size_t from, size_t to)
{
    edges->from = em_realloc(edges->from, edges->n + 1, sizeof *edges->from);
    edges->to = em_realloc(edges->to, edges->n + 1, sizeof *edges->to);
    edges->from[edges->n] = from;
    edges->to[edges->n++] = to;
}

void em_edges_free(struct em_edges *edges)
{
    free(edges->from);
    free(edges->to);
    memset(edges, 0, sizeof *edges);
}

void em_edges_spread(const struct em_edges *edges, bool *marks)
{
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < edges->n; i++)
            if (marks[edges->from[i]] && !marks[edges->to[i]])
                marks[edges->to[i]] = more = true;
    }
}

enum progress { NEW, OPEN, DONE };

struct walk {
    const struct em_edges *edges;
    enum progress *progress;
    size_t *stack; /* a migration, and once more to close it */
    size_t height;
    size_t *order, done;
    bool loop;
};

/* The parents by their number, the smallest at the bottom. */
static void push_parents(struct walk *w, size_t node)
{
    size_t from = w->height;
    for (size_t i = 0; i < w->edges->n; i++) {
        if (w->edges->from[i] != node)
            continue;
        size_t at = w->height++;
        for (; at > from && w->stack[at - 1] > w->edges->to[i]; at--)
            w->stack[at] = w->stack[at - 1];
        w->stack[at] = w->edges->to[i];
    }
}

static void visit(struct walk *w, size_t root, size_t n)
{
    w->stack[w->height++] = root;
    while (w->height) {
        size_t top = w->stack[--w->height];
        if (top >= n) {
            w->progress[top - n] = DONE;
            w->order[w->done++] = top - n;
        } else if (w->progress[top] == OPEN) {
            w->loop = true;
        } else if (w->progress[top] == NEW) {
            w->progress[top] = OPEN;
            w->stack[w->height++] = top + n; /* closes it, when all above is done */
            push_parents(w, top);
        }
    }
}

bool em_pending_sort(struct em_pending *p, const struct em_edges *edges, const size_t *roots,
                     size_t count)
{
    size_t n = p->n;
    struct walk w = {.edges = edges};
    if (!n)
        return true;
    w.progress = em_alloc(n * sizeof *w.progress);
    w.stack = em_alloc((n + edges->n + 1) * sizeof *w.stack);
    w.order = em_alloc(n * sizeof *w.order);
    for (size_t i = 0; i < count; i++)
        visit(&w, roots[i], n);
    for (size_t i = 0; i < n; i++)
        visit(&w, i, n);
    struct em_migration *sorted = em_alloc(n * sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        sorted[i] = p->v[w.order[i]];
    free(p->v);
    p->v = sorted;
    free(w.progress);
    free(w.stack);
    free(w.order);
    return !w.loop;
}
