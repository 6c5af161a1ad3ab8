#include "embark/core/config/config.h"

#include <stddef.h>
#include <string.h>

const struct em_key em_keys[EM_KEY_COUNT] = {
#define X(section, key, type, fallback, help) \
    {#section, #key, EM_KEY_##type, fallback, help, offsetof(struct em_config, section##_##key)},
    EM_KEYS(X)
#undef X
};

const struct em_section em_sections[] = {
#define X(name, help) {#name, help},
    EM_SECTIONS(X)
#undef X
        {NULL, NULL}};

static void upper(struct em_str *out, const char *word)
{
    size_t start = out->len;

    em_str_puts(out, word);
    for (char *p = out->data + start; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
}

void em_key_env(const struct em_key *key, struct em_str *out)
{
    em_str_puts(out, "EMBARK_");
    upper(out, key->section);
    em_str_putc(out, '_');
    upper(out, key->name);
}

bool em_config_skips(const struct em_config *config, const char *step)
{
    return em_list_has(&config->skip, step);
}
