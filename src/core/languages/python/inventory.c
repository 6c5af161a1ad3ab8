#include "embark/core/languages/python/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/python/marker.h"
#include "embark/core/languages/reply/reply.h"
#include "name.h"

static void keep(char **field, const char *value)
{
    free(*field);
    *field = em_strdup(value);
}

static char *key_of(const char *name)
{
    struct em_str key = EM_STR_INIT;

    em_requirement_key(name, strlen(name), &key);
    return em_str_take(&key);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static void start_dist(struct em_python_inventory *m, const char *name)
{
    char *key = key_of(name);

    if (m->provider_count && !m->providers[m->provider_count - 1].key)
        m->providers[m->provider_count - 1].key = em_strdup(key);
    m->dists = em_realloc(m->dists, m->dist_count + 1, sizeof(*m->dists));
    m->dists[m->dist_count++] = (struct em_python_dist){
        .name = em_strdup(name), .key = key, .version = em_strdup(""), .at = em_strdup("")};
}

static void start_needs(struct em_python_needs **v, size_t *n, const char *of)
{
    *v = em_realloc(*v, *n + 1, sizeof(**v));
    (*v)[(*n)++] = (struct em_python_needs){.of = em_strdup(of)};
}

static void start_provider(struct em_python_inventory *m, const char *module)
{
    m->providers = em_realloc(m->providers, m->provider_count + 1, sizeof(*m->providers));
    m->providers[m->provider_count++] = (struct em_python_provider){em_strdup(module), NULL};
}

static bool start(struct em_python_inventory *m, const char *key, const char *value)
{
    if (strcmp(key, "more") == 0)
        m->answered = true;
    else if (strcmp(key, "dist") == 0)
        start_dist(m, value);
    else if (strcmp(key, "requires-of") == 0)
        start_needs(&m->needs, &m->needs_count, value);
    else if (strcmp(key, "toml") == 0)
        start_needs(&m->tomls, &m->toml_count, value);
    else if (strcmp(key, "provider") == 0)
        start_provider(m, value);
    else if (strcmp(key, "marker") == 0)
        em_list_add(&m->markers, value);
    else
        return false;
    return true;
}

static void take_toml(struct em_python_needs *toml, const char *key, const char *value)
{
    if (strcmp(key, "toml-needs") == 0)
        em_list_add(&toml->lines, value);
    else if (strcmp(key, "toml-doubt") == 0)
        em_list_add(&toml->doubts, value);
    else if (strcmp(key, "toml-extra") == 0)
        em_list_add(&toml->extras, value);
    else if (strcmp(key, "toml-python") == 0)
        em_list_add(&toml->pythons, value);
    else if (strcmp(key, "toml-broken") == 0)
        keep(&toml->broken, value);
}

static void take(struct em_python_inventory *m, const char *key, const char *value)
{
    if (start(m, key, value))
        return;
    if (em_starts(key, "toml-") && m->toml_count)
        take_toml(&m->tomls[m->toml_count - 1], key, value);
    else if (strcmp(key, "requires") == 0 && m->needs_count)
        em_list_add(&m->needs[m->needs_count - 1].lines, value);
    else if (strcmp(key, "dist-version") == 0 && m->dist_count)
        keep(&m->dists[m->dist_count - 1].version, value);
    else if (strcmp(key, "dist-at") == 0 && m->dist_count)
        keep(&m->dists[m->dist_count - 1].at, value);
}

void em_python_inventory_read(struct em_python_inventory *more, const char *bytes, size_t length)
{
    const char *end = bytes + length;
    char *key, *value;

    *more = (struct em_python_inventory){0};
    while (em_reply_next(&bytes, end, &key, &value)) {
        take(more, key, value);
        free(key);
        free(value);
    }
}

static void free_needs(struct em_python_needs *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(v[i].of);
        free(v[i].broken);
        em_list_free(&v[i].lines);
        em_list_free(&v[i].doubts);
        em_list_free(&v[i].extras);
        em_list_free(&v[i].pythons);
    }
    free(v);
}

void em_python_inventory_free(struct em_python_inventory *more)
{
    for (size_t i = 0; i < more->dist_count; i++) {
        free(more->dists[i].name);
        free(more->dists[i].key);
        free(more->dists[i].version);
        free(more->dists[i].at);
    }
    for (size_t i = 0; i < more->provider_count; i++) {
        free(more->providers[i].module);
        free(more->providers[i].key);
    }
    free_needs(more->needs, more->needs_count);
    free_needs(more->tomls, more->toml_count);
    free(more->dists);
    free(more->providers);
    em_list_free(&more->markers);
    *more = (struct em_python_inventory){0};
}

/* ---- Asking ---------------------------------------------------------------------------------- */

const struct em_python_dist *em_python_dist_of(const struct em_python_inventory *more,
                                               const char *key)
{
    for (size_t i = 0; i < more->dist_count; i++)
        if (strcmp(more->dists[i].key, key) == 0)
            return &more->dists[i];
    return NULL;
}

const struct em_python_dist *em_python_provider_of(const struct em_python_inventory *more,
                                                   const char *module)
{
    for (size_t i = 0; i < more->provider_count; i++)
        if (more->providers[i].key && strcmp(more->providers[i].module, module) == 0)
            return em_python_dist_of(more, more->providers[i].key);
    return NULL;
}

static const struct em_python_needs *find_needs(const struct em_python_needs *v, size_t n,
                                                const char *of)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].of, of) == 0)
            return &v[i];
    return NULL;
}

const struct em_python_needs *em_python_needs_of(const struct em_python_inventory *more,
                                                 const char *key)
{
    return find_needs(more->needs, more->needs_count, key);
}

const struct em_python_needs *em_python_toml_of(const struct em_python_inventory *more,
                                                const char *file)
{
    return find_needs(more->tomls, more->toml_count, file);
}

static const char *variable(void *ctx, const char *name)
{
    const struct em_list *markers = ctx;
    size_t n = strlen(name);

    for (size_t i = 0; i < markers->n; i++)
        if (em_starts(markers->v[i], name) && markers->v[i][n] == ' ')
            return markers->v[i] + n + 1;
    return NULL;
}

struct em_marker_world em_python_marker_world(const struct em_python_inventory *more,
                                              const char *extra)
{
    /* The world's ctx isn't const because others' are not; this one is only read. */
    union {
        const struct em_list *in;
        void *out;
    } ctx = {.in = &more->markers};

    return (struct em_marker_world){variable, ctx.out, extra};
}
