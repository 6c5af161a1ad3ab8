#include "embark/core/config/config.h"

#include <string.h>

#include "embark/core/base/shell_quote.h"

static const void *field_of(const struct em_config *config, const struct em_key *key)
{
    return (const char *)config + key->offset;
}

void em_choice_word(const struct em_key *key, int index, struct em_str *out)
{
    const char *word = key->fallback;

    for (; word && index > 0; index--) {
        word = strchr(word, '|');
        if (word)
            word++;
    }
    if (word && index == 0)
        em_str_add(out, word, strcspn(word, "|"));
}

/* ---- Effective values ---- */

static void print_items(const struct em_items *items, struct em_str *out)
{
    for (size_t i = 0; i < items->n; i++)
        em_str_printf(out, "%s%s", i ? ", " : "", items->v[i]);
}

void em_config_print(const struct em_config *config, const struct em_key *key, struct em_str *out)
{
    const void *field = field_of(config, key);
    const char *text;

    switch (key->type) {
    case EM_KEY_TEXT:
    case EM_KEY_SECRET:
        text = *(char *const *)field;
        if (text)
            em_str_puts(out, key->type == EM_KEY_SECRET ? "****" : text);
        break;
    case EM_KEY_TIME:
        em_time_print(out, *(const em_time *)field);
        break;
    case EM_KEY_BOOL:
        em_str_puts(out, *(const bool *)field ? "yes" : "no");
        break;
    case EM_KEY_CHOICE:
        em_choice_word(key, *(const int *)field, out);
        break;
    case EM_KEY_WORDS:
        em_shell_quote_words(field, out);
        break;
    case EM_KEY_LIST:
    case EM_KEY_NAMES:
        print_items(field, out);
        break;
    }
}

/* ---- The table ---- */

static void help_default(const struct em_key *key, struct em_str *out)
{
    EM_STR_AUTO word = EM_STR_INIT;

    if (key->type == EM_KEY_LIST || key->type == EM_KEY_NAMES)
        em_str_puts(out, "; may be repeated");
    if (key->type == EM_KEY_CHOICE)
        em_choice_word(key, 0, &word);
    else
        em_str_puts(&word, key->fallback);
    if (word.len)
        em_str_printf(out, "; default: %s", em_str_c(&word));
}

void em_config_help(const char *section, struct em_str *out)
{
    for (const struct em_section *s = em_sections; s->name; s++) {
        if (section && strcmp(section, s->name) != 0)
            continue;
        em_str_printf(out, "[%s]  %s\n", s->name, s->help);
        for (size_t i = 0; i < EM_KEY_COUNT; i++) {
            const struct em_key *key = &em_keys[i];

            if (strcmp(key->section, s->name) != 0)
                continue;
            em_str_printf(out, "  %-17s %s", key->name, key->help);
            help_default(key, out);
            em_str_putc(out, '\n');
        }
        if (!section)
            em_str_putc(out, '\n');
    }
    if (section)
        return;
    em_str_puts(
        out,
        "From outside: EMBARK_<SECTION>_<KEY>, for instance EMBARK_DATABASE_TIMEOUT=2m, or\n"
        "EMBARK_<SECTION>_<KEY>_FILE=/path; several values one a line. In values: ${NAME},\n"
        "${NAME:-default}, ${file:/path}, ${NAME:url} (percent-encoded); $${ is a literal ${.\n");
}
