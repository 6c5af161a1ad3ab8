#include "embark/core/migrations/identity.h"

#include <string.h>

/* Of the text that is hashed. A later embark that hashes something else raises it: each image then
 * runs its migrations once. */
#define VERSION "embark identity 2"

static void part(struct em_str *text, const char *name, const char *value)
{
    em_str_printf(text, "%s %zu:%s\n", name, strlen(value ? value : ""), value ? value : "");
}

static void parts(struct em_str *text, const char *name, const struct em_list *values)
{
    for (size_t i = 0; values && i < values->n; i++)
        part(text, name, values->v[i]);
}

void em_identity_digest(const struct em_identity *identity, char hex[EM_HEX_DIGEST])
{
    EM_STR_AUTO text = EM_STR_INIT;
    char files[EM_HEX_DIGEST];
    em_filelist_digest(identity->files, files);
    em_str_puts(&text, VERSION "\n");
    parts(&text, "word", identity->command);
    part(&text, "sql", identity->sql);
    parts(&text, "order", identity->order);
    part(&text, "files", files);
    part(&text, "settings", identity->settings);
    part(&text, "place", identity->place);
    part(&text, "acts in", identity->acts_in);
    em_hex_sha256(em_str_c(&text), text.len, hex);
}
