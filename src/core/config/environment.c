#include "environment.h"

#include <string.h>

#include "embark/core/base/nearest.h"
#include "value.h"

/* EMBARK_ names that are no keys. */
static const char *const others[] = {"EMBARK_CONFIG", "EMBARK_SKIP", "EMBARK_STATE", "EMBARK_LOG"};
enum { OTHERS = EM_COUNT(others) };

static const char *const steps[] = {"check", "wait", "bootstrap", "migrate"};
enum { STEPS = EM_COUNT(steps) };

static const char *env(const struct em_config_source *world, const char *name)
{
    return world->env(world->ctx, name);
}

static bool is_key(const char *name)
{
    for (size_t i = 0; i < EM_KEY_COUNT; i++) {
        EM_STR_AUTO key = EM_STR_INIT;

        em_key_env(&em_keys[i], &key);
        if (strcmp(em_str_c(&key), name) == 0)
            return true;
    }
    return false;
}

/* The variable that names a file with the key's value; NULL: not set, or a key of its own. */
static const char *file_of(const struct em_config_source *world, const char *name)
{
    EM_STR_AUTO name_file = EM_STR_INIT;
    const char *path;

    em_str_printf(&name_file, "%s_FILE", name);
    path = env(world, em_str_c(&name_file));
    return path && *path && !is_key(em_str_c(&name_file)) ? path : NULL;
}

/* What stands behind `upper`, in upper case, at the start of `text`; NULL: something else does. */
static const char *after(const char *text, const char *upper)
{
    for (; text && *upper; text++, upper++)
        if (*text != (*upper >= 'a' && *upper <= 'z' ? *upper - 'a' + 'A' : *upper))
            return NULL;
    return text;
}

/* Whether any variable begins with the key's name: most keys have none, and this is asked for each
 * of them at every start and healthcheck. */
static bool is_among(char **environ, const struct em_key *key)
{
    for (; *environ; environ++)
        if (after(after(after(after(*environ, "EMBARK_"), key->section), "_"), key->name))
            return true;
    return false;
}

bool em_env_sets(const struct em_config_source *world, const struct em_key *key)
{
    EM_STR_AUTO name = EM_STR_INIT;

    if (world->environ && !is_among(world->environ, key))
        return false;

    em_key_env(key, &name);
    return env(world, em_str_c(&name)) || file_of(world, em_str_c(&name));
}

/* One value, or for LIST and NAMES one a line. */
static void set_lines(struct em_config *config, const struct em_key *key,
                      const struct em_expansion *e, struct em_str *text, bool verbatim)
{
    char *line = text->data;

    if (!em_key_repeats(key) || !line) {
        em_value_set(config, key, e, em_str_c(text), verbatim);
        return;
    }
    while (line) {
        char *end = strchr(line, '\n');

        if (end)
            *end = '\0';
        em_value_set(config, key, e, line, verbatim);
        line = end ? end + 1 : NULL;
    }
}

void em_env_apply(struct em_config *config, const struct em_key *key, const struct em_expansion *e)
{
    struct em_expansion here = *e;
    EM_STR_AUTO name = EM_STR_INIT;
    EM_STR_AUTO place = EM_STR_INIT;
    EM_STR_WIPED text = EM_STR_INIT;
    const char *value;
    bool from_file;

    em_key_env(key, &name);
    value = env(e->world, em_str_c(&name));
    from_file = file_of(e->world, em_str_c(&name));
    em_str_printf(&place, "$%s%s", em_str_c(&name), from_file ? "_FILE" : "");
    em_value_clear(config, key);
    if (em_key_public(key))
        here.secrets = NULL;
    here.place = NULL; /* em_expansion_get() names the variable itself */
    if (from_file && em_expansion_get(&here, em_str_c(&name), &text) != 1)
        return;
    if (!from_file)
        em_str_puts(&text, value);
    here.place = em_str_c(&place);
    set_lines(config, key, &here, &text, from_file);
}

/* ---- EMBARK_LOG ---- */

/* The key of [log] that a word gives, and what it makes of it: the word's place in a CHOICE, or yes
 * for a BOOL, whose word is its name. NULL: none. */
static const struct em_key *log_key(const char *word, int *value)
{
    for (size_t i = 0; i < EM_KEY_COUNT; i++) {
        const struct em_key *key = &em_keys[i];

        if (strcmp(key->section, "log") != 0)
            continue;
        *value = 1;
        if (key->type == EM_KEY_BOOL && strcmp(word, key->name) == 0)
            return key;
        for (*value = 0; key->type == EM_KEY_CHOICE; ++*value) {
            EM_STR_AUTO choice = EM_STR_INIT;

            em_choice_word(key, *value, &choice);
            if (!choice.len)
                break;
            if (strcmp(word, em_str_c(&choice)) == 0)
                return key;
        }
    }
    return NULL;
}

static void set_log_key(struct em_config *config, const struct em_key *key, int value,
                        const char *origin)
{
    void *field = (char *)config + key->offset;
    char **from = &config->origin[key - em_keys];

    if (key->type == EM_KEY_BOOL)
        *(bool *)field = value;
    else
        *(int *)field = value;
    if (!origin)
        return;
    em_free_ptr(from);
    *from = em_strdup(origin);
}

bool em_config_log_words(struct em_config *config, const char *text, const char *origin,
                         struct em_str *bad)
{
    static const char between[] = ", \t\r\n";
    bool said[EM_KEY_COUNT] = {false}, good = true;

    while (text && *(text += strspn(text, between))) {
        size_t n = strcspn(text, between);
        EM_FREE char *word = em_strndup(text, n);
        int value;
        const struct em_key *key = log_key(word, &value);

        text += n;
        if (key && !said[key - em_keys]) {
            said[key - em_keys] = true;
            set_log_key(config, key, value, origin);
            continue;
        }
        if (good && bad)
            em_str_puts(bad, word);
        good = false;
    }
    return good;
}

void em_env_log(struct em_config *config, const struct em_expansion *e)
{
    static const char words[] = "text or json; error, warn, info or debug; timestamps";
    EM_STR_AUTO bad = EM_STR_INIT;
    const struct em_key *key;
    struct em_err *err;
    int value;

    if (em_config_log_words(config, env(e->world, "EMBARK_LOG"), "$EMBARK_LOG", &bad))
        return;
    key = log_key(em_str_c(&bad), &value);
    if (key)
        err =
            em_expansion_error(e, "$EMBARK_LOG: \"%s\" is a second %s", em_str_c(&bad), key->name);
    else
        err = em_expansion_error(e, "$EMBARK_LOG: there is no word \"%s\"", em_str_c(&bad));
    em_hint(err, "%s; separated by commas", words);
}

/* ---- EMBARK_SKIP ---- */

static void skip(struct em_config *config, const char *step)
{
    if (!em_list_has(&config->skip, step))
        em_list_add(&config->skip, step);
}

static void skip_word(struct em_config *config, const struct em_expansion *e, const char *word)
{
    bool all = strcmp(word, "all") == 0, known = all;
    struct em_nearest near;
    struct em_err *err;

    em_nearest_start(&near, word);
    for (size_t i = 0; i < STEPS; i++) {
        if (all || strcmp(word, steps[i]) == 0) {
            skip(config, steps[i]);
            known = true;
        }
        em_nearest_try(&near, steps[i]);
    }
    if (known)
        return;
    err = em_expansion_error(e, "$EMBARK_SKIP: there is no step \"%s\"", word);
    if (near.found)
        em_hint(err, "did you mean %s?", near.found);
    else
        em_hint(err, "check, wait, bootstrap, migrate or all, separated by commas");
}

void em_env_skip(struct em_config *config, const struct em_expansion *e)
{
    static const char between[] = ", \t\r\n";
    const char *text = env(e->world, "EMBARK_SKIP");

    while (text && *(text += strspn(text, between))) {
        size_t n = strcspn(text, between);
        char *word = em_strndup(text, n);

        skip_word(config, e, word);
        em_free_ptr(&word);
        text += n;
    }
}

/* ---- Names that are unknown ---- */

/* _PORT_80_TCP, _PORT_80_TCP_ADDR and the like, somewhere in the name. */
static bool names_a_port(const char *name)
{
    static const char port[] = "_PORT_";

    for (const char *p = strstr(name, port); p; p = strstr(p + 1, port)) {
        const char *number = p + strlen(port);
        const char *protocol = number + strspn(number, "0123456789");

        if (protocol > number && (em_starts(protocol, "_TCP") || em_starts(protocol, "_UDP") ||
                                  em_starts(protocol, "_SCTP")))
            return true;
    }
    return false;
}

/* What Kubernetes and Docker's links set for a service whose name begins with embark. */
static bool is_orchestrators(const char *name, const char *value)
{
    return em_ends(name, "_SERVICE_HOST") || strstr(name, "_SERVICE_PORT") ||
           em_ends(name, "_PORT") || names_a_port(name) || strstr(name, "_ENV_") ||
           (em_ends(name, "_NAME") && *value == '/');
}

/* Adds the likeliest name, without EMBARK_, which all have in common. */
static void nearest_name(const char *name, struct em_str *out)
{
    EM_LIST_AUTO names = EM_LIST_INIT;
    struct em_nearest near;

    for (size_t i = 0; i < OTHERS; i++)
        em_list_add(&names, others[i]);
    for (size_t i = 0; i < EM_KEY_COUNT; i++) {
        EM_STR_AUTO key = EM_STR_INIT;

        em_key_env(&em_keys[i], &key);
        em_list_take(&names, em_str_take(&key));
    }
    em_nearest_start(&near, name + strlen("EMBARK_"));
    for (size_t i = 0; i < names.n; i++)
        em_nearest_try(&near, names.v[i] + strlen("EMBARK_"));
    if (near.found)
        em_str_puts(out, near.found);
}

static bool is_known(const char *name)
{
    for (size_t i = 0; i < OTHERS; i++)
        if (strcmp(name, others[i]) == 0)
            return true;
    if (em_ends(name, "_FILE")) {
        char *key = em_strndup(name, strlen(name) - strlen("_FILE"));
        bool known = is_key(key);

        em_free_ptr(&key);
        if (known)
            return true;
    }
    return is_key(name);
}

void em_env_unknown(const struct em_expansion *e)
{
    for (char **entry = e->world->environ; entry && *entry; entry++) {
        size_t n = strcspn(*entry, "=");
        EM_STR_AUTO nearest = EM_STR_INIT;
        EM_STR_AUTO name = EM_STR_INIT;

        if (!em_starts(*entry, "EMBARK_") || !(*entry)[n])
            continue;
        em_str_add(&name, *entry, n);
        if (is_known(em_str_c(&name)) || is_orchestrators(em_str_c(&name), *entry + n + 1))
            continue;
        nearest_name(em_str_c(&name), &nearest);
        struct em_err *warning =
            em_expansion_warn(e, "$%s means nothing to embark", em_str_c(&name));
        if (warning && nearest.len)
            em_hint(warning, "did you mean EMBARK_%s?", em_str_c(&nearest));
    }
}
