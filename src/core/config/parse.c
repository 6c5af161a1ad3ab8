#include "embark/core/config/parse.h"

#include <stdint.h>
#include <string.h>

#include "environment.h"
#include "expand.h"
#include "file.h"
#include "value.h"

/* Moves the mistakes of the lines before `line` to errs, with their place. `next`: the first that
 * wasn't moved yet. */
static void move_mistakes(struct em_entries *from, size_t *next, size_t line, const char *path,
                          struct em_errs *errs)
{
    for (; *next < from->mistakes.n && from->lines[*next] < line; ++*next) {
        struct em_err *err = &from->mistakes.v[*next];

        em_context(err, "%s:%zu", path, from->lines[*next]);
        em_errs_take(errs, err);
    }
}

/* Values may be wrong, too, which shows only when they are expanded: both kinds of mistakes come
 * into the order of their lines. */
static void apply_file(struct em_config *config, const char *path, struct em_entries *entries,
                       struct em_expansion *e)
{
    size_t next = 0;

    for (size_t i = 0; i < entries->n && e->errs->n <= EM_CONFIG_MISTAKES; i++) {
        const struct em_entry *entry = &entries->v[i];
        const char *text = em_str_c(&entry->text);
        EM_STR_AUTO place = EM_STR_INIT;

        move_mistakes(entries, &next, entry->line, path, e->errs);
        /* what the environment replaces need not be complete without it */
        if (strstr(text, "${") && em_env_sets(e->world, entry->key))
            continue;
        em_str_printf(&place, "%s:%zu", path, entry->line);
        e->place = em_str_c(&place);
        em_value_set(config, entry->key, e, text, false);
        e->place = NULL;
    }
    move_mistakes(entries, &next, SIZE_MAX, path, e->errs);
}

static void apply_environment(struct em_config *config, struct em_expansion *e)
{
    for (size_t i = 0; i < EM_KEY_COUNT; i++) {
        if (em_env_sets(e->world, &em_keys[i]))
            em_env_apply(config, &em_keys[i], e);
        if (!config->origin[i])
            em_value_default(config, &em_keys[i]);
    }
    em_env_log(config, e);
    em_env_skip(config, e);
    em_env_unknown(e);
}

/* Moves what was found to errs, up to the limit. */
static void report(struct em_errs *found, const char *path, struct em_errs *errs)
{
    for (size_t i = 0; i < found->n && i < EM_CONFIG_MISTAKES; i++)
        em_errs_take(errs, &found->v[i]);
    if (found->n > EM_CONFIG_MISTAKES)
        em_errs_add(errs, EM_EXIT_CONFIG, "%s: more mistakes; the first %d are listed", path,
                    EM_CONFIG_MISTAKES);
}

bool em_config_parse(struct em_config *config, const char *path, const char *bytes, size_t length,
                     const struct em_config_source *world, struct em_secrets *secrets,
                     struct em_errs *errs, struct em_errs *warnings)
{
    EM_ERRS_AUTO found = EM_ERRS_INIT;
    struct em_expansion e = {world, secrets, &found, warnings, NULL};

    if (bytes) {
        struct em_entries entries = {0};

        config->path = em_strdup(path);
        em_config_read(bytes, length, &entries);
        apply_file(config, path, &entries, &e);
        em_entries_free(&entries);
    }
    apply_environment(config, &e);
    report(&found, bytes ? path : "environment", errs);
    return found.n == 0;
}

void em_config_free(struct em_config *config)
{
    for (size_t i = 0; i < EM_KEY_COUNT; i++)
        em_value_clear(config, &em_keys[i]);
    em_free_ptr(&config->path);
    config->path = NULL;
    em_list_free(&config->skip);
}

bool em_config_unseen(struct em_errs *warnings, struct em_str *line)
{
    struct em_errs rest = EM_ERRS_INIT;

    for (size_t i = 0; i < warnings->n; i++) {
        struct em_err *err = &warnings->v[i];

        if (!em_ends(em_str_c(&err->text), EM_EXPANSION_UNSEEN)) {
            em_errs_take(&rest, err);
            continue;
        }
        em_str_printf(line, "%s%.*s", line->len ? "; " : "",
                      (int)(err->text.len - strlen(EM_EXPANSION_UNSEEN)), em_str_c(&err->text));
    }
    em_errs_free(warnings);
    *warnings = rest;
    if (line->len)
        em_str_puts(line, ": a build need not have it, and what it is for isn't looked at");
    return line->len > 0;
}
