#include "embark/core/languages/ruby/gems.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/reply/reply.h"

static void keep(char **field, const char *value)
{
    free(*field);
    *field = em_strdup(value);
}

static void take_gem(struct em_gem *gem, const char *key, const char *value)
{
    if (strcmp(key, "gem-version") == 0)
        em_list_add(&gem->versions, value);
    else if (strcmp(key, "gem-at") == 0)
        em_list_add(&gem->places, value);
    else if (strcmp(key, "gem-found") == 0)
        gem->found = true;
    else if (strcmp(key, "gem-feature") == 0)
        gem->feature = true;
    else if (strcmp(key, "gem-hollow") == 0)
        keep(&gem->hollow, value);
    else if (strcmp(key, "gem-near") == 0)
        keep(&gem->near, value);
    else if (strcmp(key, "gem-files") == 0)
        keep(&gem->files, value);
}

static void take(struct em_gems *answer, const char *key, const char *value)
{
    if (strcmp(key, "ruby") == 0) {
        keep(&answer->ruby, value);
    } else if (strcmp(key, "end") == 0) {
        answer->complete = true;
    } else if (strcmp(key, "gem-path") == 0) {
        em_list_add(&answer->path, value);
    } else if (strcmp(key, "gem") == 0) {
        answer->v = em_realloc(answer->v, answer->n + 1, sizeof(*answer->v));
        answer->v[answer->n++] = (struct em_gem){.name = em_strdup(value)};
    } else if (answer->n) {
        take_gem(&answer->v[answer->n - 1], key, value);
    }
}

void em_gems_read(struct em_gems *answer, const char *bytes, size_t length)
{
    const char *end = bytes + length;
    char *key, *value;

    *answer = (struct em_gems){0};
    while (em_reply_next(&bytes, end, &key, &value)) {
        take(answer, key, value);
        free(key);
        free(value);
    }
}

void em_gems_free(struct em_gems *answer)
{
    for (size_t i = 0; i < answer->n; i++) {
        free(answer->v[i].name);
        free(answer->v[i].hollow);
        free(answer->v[i].near);
        free(answer->v[i].files);
        em_list_free(&answer->v[i].versions);
        em_list_free(&answer->v[i].places);
    }
    free(answer->v);
    free(answer->ruby);
    em_list_free(&answer->path);
    *answer = (struct em_gems){0};
}

static void join(const struct em_list *list, struct em_str *out)
{
    for (size_t i = 0; i < list->n; i++)
        em_str_printf(out, "%s%s", i ? ", " : "", list->v[i]);
}

static void say_missing(const struct em_gems *answer, const struct em_gem *gem,
                        const char *interpreter, struct em_err *err)
{
    em_fail(err, EM_EXIT_REQUIREMENT, "module %s: no gem of that name for %s (Ruby %s)", gem->name,
            interpreter, answer->ruby ? answer->ruby : "?");
    if (gem->files)
        em_str_printf(&err->text, "; %s is there, but no specification of it", gem->files);
    em_str_puts(&err->text, "; looked in ");
    join(&answer->path, &err->text);
    if (gem->files)
        em_hint(err, "the gems were copied in part: copy the whole folder that gem env home names, "
                     "or install again");
    else if (gem->near)
        em_hint(err, "did you mean %s?", gem->near);
    else
        em_hint(err, "bundle install in the image that runs; GEM_HOME, GEM_PATH and BUNDLE_PATH "
                     "must name where the gems "
                     "were copied to");
}

bool em_gem_check(const struct em_gems *answer, size_t i, const char *allowed,
                  const char *interpreter, struct em_err *err)
{
    const struct em_gem *gem = &answer->v[i];

    if (gem->found || (gem->feature && allowed[0] == '\0'))
        return true;
    if (gem->feature) {
        em_fail(
            err, EM_EXIT_REQUIREMENT,
            "module %s: %s is needed, and Ruby's own library, in which it is, has no version of "
            "its own",
            gem->name, allowed);
    } else if (gem->hollow) {
        em_fail(err, EM_EXIT_REQUIREMENT,
                "module %s: its specification is there, its files are not: %s", gem->name,
                gem->hollow);
        em_hint(err, "the gems were copied in part: copy the whole folder that gem env home names, "
                     "or install again");
    } else if (gem->versions.n) {
        em_fail(err, EM_EXIT_REQUIREMENT, "module %s: %s is needed, installed for %s: ", gem->name,
                allowed, interpreter);
        join(&gem->versions, &err->text);
        if (gem->places.n)
            em_str_printf(&err->text, " (%s)", gem->places.v[0]);
        em_hint(err, "bundle install by the Gemfile.lock that the service is tested with");
    } else {
        say_missing(answer, gem, interpreter, err);
    }
    return false;
}
