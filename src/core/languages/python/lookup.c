#include "embark/core/languages/python/lookup.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/reply/reply.h"

static void keep(char **field, char *value)
{
    free(*field);
    *field = value;
}

struct field {
    const char *key;
    size_t offset;
};

/* Facts about one name that are a text each. */
#define NAME_FIELD(key, member)                      \
    {                                                \
        key, offsetof(struct em_python_name, member) \
    }
static const struct field name_fields[] = {
    NAME_FIELD("origin", origin),
    NAME_FIELD("part", part),
    NAME_FIELD("file", file),
    NAME_FIELD("package", package),
    NAME_FIELD("hidden", hidden),
    NAME_FIELD("built", built),
    NAME_FIELD("near", near),
    NAME_FIELD("error", error),
    NAME_FIELD("metadata", metadata),
    NAME_FIELD("doubt", doubt),
    NAME_FIELD("brings", brings),
    NAME_FIELD("distribution", distribution),
    NAME_FIELD("env", env),
    NAME_FIELD("env-version", env_version),
    NAME_FIELD("env-python", env_python),
    NAME_FIELD("editable", editable),
    NAME_FIELD("source", source),
    NAME_FIELD("source-by", source_by),
};
#define OTHER_FIELD(key, member)                      \
    {                                                 \
        key, offsetof(struct em_python_other, member) \
    }
static const struct field other_fields[] = {
    OTHER_FIELD("other", folder),        OTHER_FIELD("other-version", version),
    OTHER_FIELD("other-python", python), OTHER_FIELD("other-link", link),
    OTHER_FIELD("other-real", real),     OTHER_FIELD("other-gone", gone),
};
enum { NAME_FIELDS = EM_COUNT(name_fields), OTHER_FIELDS = EM_COUNT(other_fields) };

static char **field_at(void *of, const struct field *field)
{
    return (char **)(void *)((char *)of + field->offset);
}

static char **field_of(void *of, const struct field *fields, size_t n, const char *key)
{
    for (size_t i = 0; of && i < n; i++)
        if (strcmp(fields[i].key, key) == 0)
            return field_at(of, &fields[i]);
    return NULL;
}

static void free_fields(void *of, const struct field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(*field_at(of, &fields[i]));
}

static struct em_list *list_of(struct em_python_lookup *answer, struct em_python_name *n,
                               const char *key)
{
    if (strcmp(key, "path") == 0)
        return &answer->path;
    if (strcmp(key, "gone") == 0)
        return &answer->gone;
    if (strcmp(key, "suffix") == 0)
        return &answer->suffixes;
    if (!n)
        return NULL;
    if (strcmp(key, "folder") == 0)
        return &n->folders;
    return strcmp(key, "library") == 0 ? &n->libraries : NULL;
}

static struct em_python_other *last_other(struct em_python_name *n, const char *key)
{
    if (strcmp(key, "other") == 0) {
        n->others = em_realloc(n->others, n->other_count + 1, sizeof(*n->others));
        n->others[n->other_count++] = (struct em_python_other){0};
    }
    return n->other_count ? &n->others[n->other_count - 1] : NULL;
}

static void start_name(struct em_python_lookup *answer, bool found, const char *name)
{
    answer->names = em_realloc(answer->names, answer->count + 1, sizeof(*answer->names));
    answer->names[answer->count++] =
        (struct em_python_name){.name = em_strdup(name), .found = found};
}

static void take_line(struct em_python_lookup *answer, const char *key, char *value)
{
    struct em_python_name *n = answer->count ? &answer->names[answer->count - 1] : NULL;
    struct em_list *list = list_of(answer, n, key);
    char **field = NULL;

    if (strcmp(key, "version") == 0)
        field = &answer->version;
    else if (strcmp(key, "executable") == 0)
        field = &answer->executable;
    else if (strcmp(key, "end") == 0)
        answer->complete = true;
    else if (strcmp(key, "hollow") == 0 && n)
        n->hollow = true;
    else if (strcmp(key, "source-there") == 0 && n)
        n->source_there = true;
    else if (strcmp(key, "found") == 0 || strcmp(key, "missing") == 0)
        start_name(answer, key[0] == 'f', value);
    else if (list)
        em_list_add(list, value);
    else if (n && em_starts(key, "other"))
        field = field_of(last_other(n, key), other_fields, OTHER_FIELDS, key);
    else if (n)
        field = field_of(n, name_fields, NAME_FIELDS, key);
    if (field)
        keep(field, em_strdup(value));
}

void em_python_lookup_read(struct em_python_lookup *answer, const char *bytes, size_t length)
{
    const char *end = bytes + length;
    char *name, *value;

    *answer = (struct em_python_lookup){0};
    while (em_reply_next(&bytes, end, &name, &value)) {
        take_line(answer, name, value);
        free(name);
        free(value);
    }
}

static void free_name(struct em_python_name *n)
{
    free(n->name);
    free_fields(n, name_fields, NAME_FIELDS);
    for (size_t i = 0; i < n->other_count; i++)
        free_fields(&n->others[i], other_fields, OTHER_FIELDS);
    free(n->others);
    em_list_free(&n->folders);
    em_list_free(&n->libraries);
}

void em_python_lookup_free(struct em_python_lookup *answer)
{
    for (size_t i = 0; i < answer->count; i++)
        free_name(&answer->names[i]);
    free(answer->names);
    free(answer->version);
    free(answer->executable);
    em_list_free(&answer->path);
    em_list_free(&answer->gone);
    em_list_free(&answer->suffixes);
    *answer = (struct em_python_lookup){0};
}

const struct em_python_name *em_python_lookup_of(const struct em_python_lookup *answer,
                                                 const char *name)
{
    for (size_t i = 0; i < answer->count; i++)
        if (strcmp(answer->names[i].name, name) == 0)
            return &answer->names[i];
    return NULL;
}
