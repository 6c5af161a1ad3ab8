#include "embark/core/migrations/elsewhere.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/migrations/applied.h"

/* Of the origin of a record that was taken over from another scope: what it was called first. */
#define ORIGIN "lock "

static void scope_free(struct em_scope_records *s)
{
    free(s->name);
    em_filelist_free(&s->applied);
    em_filelist_free(&s->former);
    em_filelist_free(&s->begun);
    em_list_free(&s->again);
    em_list_free(&s->family);
}

void em_elsewhere_free(struct em_elsewhere *e)
{
    for (size_t i = 0; i < e->n; i++)
        scope_free(&e->v[i]);
    free(e->v);
    e->v = NULL;
    e->n = 0;
    em_list_free(&e->take);
    em_list_free(&e->from);
    em_list_free(&e->origin);
    em_list_free(&e->scopes);
    em_str_free(&e->unclear);
}

static struct em_scope_records *scope_of(struct em_elsewhere *e, const char *name)
{
    if (e->n && strcmp(e->v[e->n - 1].name, name) == 0)
        return &e->v[e->n - 1];
    e->v = em_realloc(e->v, e->n + 1, sizeof *e->v);
    memset(&e->v[e->n], 0, sizeof *e->v);
    e->v[e->n].name = em_strdup(name);
    em_list_add(&e->v[e->n].family, name);
    return &e->v[e->n++];
}

void em_elsewhere_record(struct em_elsewhere *e, const char *scope, const char *name,
                         const char *hash, const char *state, const char *origin)
{
    struct em_scope_records *s = scope_of(e, scope);
    hash = hash ? hash : "";
    if (strcmp(state, "applied") == 0)
        em_filelist_add_hash(em_starts(name, EM_FORMER) ? &s->former : &s->applied, name, hash);
    else if (strcmp(state, "pending") == 0)
        em_list_add(&s->again, name);
    else
        em_filelist_add_hash(&s->begun, name, hash);
    if (origin && em_starts(origin, ORIGIN) && !em_list_has(&s->family, origin + sizeof ORIGIN - 1))
        em_list_add(&s->family, origin + sizeof ORIGIN - 1);
}

static const struct em_file *find(const struct em_filelist *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->v[i].name, name) == 0)
            return &list->v[i];
    return NULL;
}

static bool has_contents(const struct em_filelist *list, const char *hash)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->v[i].hash, hash) == 0)
            return true;
    return false;
}

/* An empty file says nothing. */
static bool shares_a_file(const struct em_filelist *files, const struct em_filelist *records)
{
    char empty[EM_HEX_DIGEST];
    em_hex_sha256("", 0, empty);
    for (size_t i = 0; i < files->n; i++) {
        const struct em_file *record = find(records, files->v[i].name);
        if (record && strcmp(record->hash, files->v[i].hash) == 0 &&
            strcmp(record->hash, empty) != 0)
            return true;
    }
    return false;
}

static bool is_same_folder(const struct em_elsewhere *e, const struct em_scope_records *ours,
                           const struct em_scope_records *other)
{
    if (!ours)
        return shares_a_file(e->files, &other->applied) || shares_a_file(e->files, &other->begun);
    for (size_t i = 0; i < ours->family.n; i++)
        if (em_list_has(&other->family, ours->family.v[i]))
            return true;
    return false;
}

/* Both have applied a file of this name, and not the same one. */
static bool differs(const struct em_scope_records *ours, const struct em_scope_records *other,
                    const struct em_file *record)
{
    const struct em_file *own = find(&ours->applied, record->name);
    return own && strcmp(own->hash, record->hash) != 0 &&
           !has_contents(&ours->former, record->hash) && !has_contents(&other->former, own->hash);
}

/* Nothing tells that these are another service's records: our folder has all of the names, and
 * what we have applied under them was the same. */
static bool may_be_ours(const struct em_elsewhere *e, const struct em_scope_records *ours,
                        const struct em_scope_records *other)
{
    for (size_t i = 0; i < other->applied.n; i++)
        if (!find(e->files, other->applied.v[i].name) || differs(ours, other, &other->applied.v[i]))
            return false;
    return true;
}

static void unclear(struct em_elsewhere *e, const char *file, const char *how, const char *scope)
{
    if (!e->unclear.len)
        em_str_printf(&e->unclear, "%s %s under the lock \"%s\"", file, how, scope);
}

static void take(struct em_elsewhere *e, const char *file, const struct em_scope_records *other)
{
    EM_STR_AUTO origin = EM_STR_INIT;
    if (em_list_has(&e->take, file))
        return;
    em_str_printf(&origin, ORIGIN "%s", other->family.v[other->family.n > 1]);
    em_list_add(&e->take, file);
    em_list_add(&e->from, other->name);
    em_list_add(&e->origin, em_str_c(&origin));
}

/* One of our files that we have no record of. */
static void judge_file(struct em_elsewhere *e, const struct em_file *file,
                       const struct em_scope_records *ours, const struct em_scope_records *other,
                       const struct em_applied *there)
{
    const struct em_file *begun = find(&other->begun, file->name);
    bool maybe = may_be_ours(e, ours, other);
    bool was = has_contents(&other->former, file->hash);
    if (has_contents(&other->begun, file->hash) || (begun && maybe))
        unclear(e, file->name, "was begun, and has not ended well,", other->name);
    else if (em_list_has(&there->changed, file->name) && maybe && !was &&
             !em_list_has(e->repeated, file->name))
        unclear(e, file->name, "is recorded as applied, with other contents,", other->name);
    else if (was || (!em_list_has(&there->changed, file->name) &&
                     !em_list_has(&there->pending, file->name)))
        take(e, file->name, other);
}

void em_elsewhere_judge(struct em_elsewhere *e)
{
    const struct em_scope_records *ours = NULL;
    const struct em_scope_records nothing = {0};
    EM_APPLIED_AUTO here = {0};
    for (size_t i = 0; i < e->n; i++)
        if (strcmp(e->v[i].name, e->scope) == 0)
            ours = &e->v[i];
    const struct em_scope_records *own = ours ? ours : &nothing;
    em_applied_match(e->files, &own->applied, &own->former, &here);
    for (size_t i = 0; i < e->n && here.pending.n; i++) {
        EM_APPLIED_AUTO there = {0};
        if (&e->v[i] == ours || !is_same_folder(e, ours, &e->v[i]))
            continue;
        em_list_add(&e->scopes, e->v[i].name);
        em_applied_match(e->files, &e->v[i].applied, &e->v[i].former, &there);
        for (const struct em_file *file = e->files->v; file < e->files->v + e->files->n; file++)
            if (em_list_has(&here.pending, file->name) && !em_list_has(&own->again, file->name) &&
                !find(&own->begun, file->name))
                judge_file(e, file, own, &e->v[i], &there);
    }
}
