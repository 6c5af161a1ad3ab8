#include "value.h"

#include <stdlib.h>
#include <string.h>

#include "command_line.h"
#include "embark/core/base/nearest.h"

bool em_key_repeats(const struct em_key *key)
{
    return key->type == EM_KEY_LIST || key->type == EM_KEY_NAMES;
}

bool em_key_public(const struct em_key *key)
{
    return strcmp(key->section, "image") == 0;
}

/* ---- Messages ---- */

/* What a message shows of a value: never what an expansion came to or a file holds (NULL), which
 * may be a secret. */
static void show(const char *raw, struct em_str *out)
{
    size_t n = raw ? strlen(raw) : 0;

    if (!raw) {
        em_str_puts(out, "what the file holds");
        return;
    }
    if (n > 60) {
        n = 60;
        while (n && ((unsigned char)raw[n] & 0xc0) == 0x80) /* not within a character */
            n--;
    }
    em_str_printf(out, "%s\"%.*s%s\"", strstr(raw, "${") ? "what comes of " : "", (int)n, raw,
                  raw[n] ? "…" : "");
}

static struct em_err *bad(const struct em_key *key, const struct em_expansion *e, const char *raw,
                          const char *what)
{
    EM_STR_AUTO shown = EM_STR_INIT;

    show(raw, &shown);
    return em_expansion_error(e, "%s: %s is %s", key->name, em_str_c(&shown), what);
}

/* Valid, and seldom meant: said before it makes a riddle of what comes later. */
static void warn(const struct em_key *key, const struct em_expansion *e, const char *raw)
{
    size_t n = strlen(raw);

    if (key->type == EM_KEY_TIME || key->type == EM_KEY_BOOL || key->type == EM_KEY_CHOICE)
        return; /* it isn't valid there */
    if (n >= 2 && (*raw == '"' || *raw == '\'') && raw[n - 1] == *raw)
        em_expansion_warn(e, "%s: the quotes are part of the value", key->name);
    if (key->type != EM_KEY_SECRET && strstr(raw, " #")) {
        struct em_err *warning = em_expansion_warn(e, "%s: the # is part of the value", key->name);
        if (warning)
            em_hint(warning, "a comment behind a value starts with \" ;\"");
    }
}

/* ---- One type each. `text` is expanded and not empty, `raw` is what was written. False: a mistake
 * was told. ---- */

static bool set_time(em_time *field, const struct em_key *key, const struct em_expansion *e,
                     const char *raw, const char *text)
{
    if (em_time_parse(text, field))
        return true;
    em_hint(bad(key, e, raw, "no duration"),
            "write 500ms, 60s, 10m, 1h30m, 1d or none; a bare number is seconds");
    return false;
}

static bool set_bool(bool *field, const struct em_key *key, const struct em_expansion *e,
                     const char *raw, const char *text)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};

    for (size_t i = 0; i < EM_COUNT(words); i++) {
        if (strcmp(text, words[i]) == 0) {
            *field = i % 2 == 1;
            return true;
        }
    }
    bad(key, e, raw, "neither yes nor no");
    return false;
}

static bool set_choice(int *field, const struct em_key *key, const struct em_expansion *e,
                       const char *raw, const char *text)
{
    EM_LIST_AUTO words = EM_LIST_INIT;
    EM_STR_AUTO what = EM_STR_INIT;
    struct em_nearest near;
    struct em_err *err;

    em_nearest_start(&near, text);
    for (int i = 0;; i++) {
        EM_STR_AUTO word = EM_STR_INIT;

        em_choice_word(key, i, &word);
        if (!word.len)
            break;
        if (strcmp(text, em_str_c(&word)) == 0) {
            *field = i;
            return true;
        }
        em_str_printf(&what, "%s%s", i ? ", " : "none of ", em_str_c(&word));
        em_list_take(&words, em_str_take(&word));
        em_nearest_try(&near, words.v[i]);
    }
    err = bad(key, e, raw, em_str_c(&what));
    if (near.found)
        em_hint(err, "did you mean %s?", near.found);
    return false;
}

static void add_item(struct em_items *items, const char *text, size_t length, const char *place)
{
    if ((items->n & (items->n + 1)) == 0) { /* room for a power of two */
        items->v = em_realloc(items->v, items->n + 1, 2 * sizeof(*items->v));
        items->where = em_realloc(items->where, items->n + 1, 2 * sizeof(*items->where));
    }
    items->v[items->n] = em_strndup(text, length);
    items->where[items->n++] = em_strdup(place);
}

static bool add_names(struct em_items *items, const char *text, const char *place)
{
    static const char between[] = ", \t\r\n";
    size_t before = items->n;

    while (*(text += strspn(text, between))) {
        size_t n = strcspn(text, between);

        add_item(items, text, n, place);
        text += n;
    }
    return items->n > before;
}

static bool set_words(struct em_list *field, const struct em_expansion *e, const char *text,
                      bool verbatim)
{
    struct em_list words = EM_LIST_INIT;
    size_t mistakes = e->errs->n;

    if (!verbatim)
        em_command_line_expand(e, text, &words);
    else if (!em_command_line_split(text, &words))
        em_expansion_error(e, "a quote is not closed");
    if (words.n == 0 || e->errs->n > mistakes) {
        em_list_free(&words);
        return false;
    }
    *field = words;
    return true;
}

/* ---- All of them ---- */

static void trim(struct em_str *s)
{
    static const char blank[] = " \t\r\n";
    size_t lead = strspn(em_str_c(s), blank);

    while (s->len > lead && strchr(blank, s->data[s->len - 1]))
        em_str_cut(s, s->len - 1);
    if (lead) {
        memmove(s->data, s->data + lead, s->len - lead + 1);
        s->len -= lead;
    }
}

/* False: a mistake was told, or the value is empty. */
static bool set_expanded(void *field, const struct em_key *key, const struct em_expansion *e,
                         const char *raw, struct em_str *text)
{
    if (key->type != EM_KEY_TEXT && key->type != EM_KEY_SECRET)
        trim(text);
    if (!text->len)
        return false;
    switch (key->type) {
    case EM_KEY_TEXT:
    case EM_KEY_SECRET:
        *(char **)field = em_str_take(text);
        return true;
    case EM_KEY_TIME:
        return set_time(field, key, e, raw, em_str_c(text));
    case EM_KEY_BOOL:
        return set_bool(field, key, e, raw, em_str_c(text));
    case EM_KEY_CHOICE:
        return set_choice(field, key, e, raw, em_str_c(text));
    case EM_KEY_LIST:
        add_item(field, em_str_c(text), text->len, e->place);
        return true;
    case EM_KEY_NAMES:
        return add_names(field, em_str_c(text), e->place);
    case EM_KEY_WORDS:
        break; /* expands word by word */
    }
    return false;
}

/* At build time a value of the deployment's isn't known; that there is a variable of that name is.
 */
static bool keep_name(const struct em_key *key, const struct em_expansion *e, const char *text,
                      struct em_str *out)
{
    size_t name = strcspn(text, "=$");

    if (!e->world || !e->world->build_time || text[name] != '=' ||
        key->offset != offsetof(struct em_config, bootstrap_var))
        return false;
    em_str_cut(out, 0);
    em_str_add(out, text, name + 1);
    return true;
}

bool em_value_parse(void *field, const struct em_key *key, const struct em_expansion *e,
                    const char *text, bool verbatim)
{
    EM_STR_WIPED expanded = EM_STR_INIT;
    struct em_expansion here = *e;

    if (em_key_public(key))
        here.secrets = NULL;
    e = &here;
    if (key->type == EM_KEY_WORDS)
        return set_words(field, e, text, verbatim);
    if (!verbatim)
        warn(key, e, text);
    if (verbatim)
        em_str_puts(&expanded, text);
    else if (!em_expand(e, text, &expanded) && !keep_name(key, e, text, &expanded))
        return false;
    return set_expanded(field, key, e, verbatim ? NULL : text, &expanded);
}

static void *field_of(struct em_config *config, const struct em_key *key)
{
    return (char *)config + key->offset;
}

void em_value_set(struct em_config *config, const struct em_key *key, const struct em_expansion *e,
                  const char *text, bool verbatim)
{
    char **origin = &config->origin[key - em_keys];

    if (em_value_parse(field_of(config, key), key, e, text, verbatim) && !*origin)
        *origin = em_strdup(e->place);
}

void em_value_default(struct em_config *config, const struct em_key *key)
{
    struct em_errs none = EM_ERRS_INIT;
    struct em_expansion e = {NULL, NULL, &none, NULL, "default"};

    if (key->type != EM_KEY_CHOICE &&
        *key->fallback) /* its default is the first word, and the text all of them */
        em_value_parse(field_of(config, key), key, &e, key->fallback, true);
    em_errs_free(&none); /* a unit test sees to it that there are none */
}

static void clear_items(struct em_items *items)
{
    for (size_t i = 0; i < items->n; i++) {
        free(items->v[i]);
        free(items->where[i]);
    }
    free(items->v);
    free(items->where);
    *items = (struct em_items){0};
}

static void clear_text(char **text, bool secret)
{
    if (*text && secret)
        explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void em_value_clear(struct em_config *config, const struct em_key *key)
{
    void *field = field_of(config, key);

    switch (key->type) {
    case EM_KEY_TEXT:
    case EM_KEY_SECRET:
        clear_text(field, key->type == EM_KEY_SECRET);
        break;
    case EM_KEY_TIME:
        *(em_time *)field = 0;
        break;
    case EM_KEY_BOOL:
        *(bool *)field = false;
        break;
    case EM_KEY_CHOICE:
        *(int *)field = 0;
        break;
    case EM_KEY_WORDS:
        em_list_free(field);
        break;
    case EM_KEY_LIST:
    case EM_KEY_NAMES:
        clear_items(field);
        break;
    }
    clear_text(&config->origin[key - em_keys], false);
}
