/* For test_url.c and test_url_secret.c: a parsed URL as one line of text. */
#ifndef TEST_URL_SHOW_H
#define TEST_URL_SHOW_H

#include "embark/core/url/url.h"

/* "host=[h] port=[5432] -schema", or "error: …". */
static inline void show(const char *text, bool (*known)(const char *keyword), struct em_str *out)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    EM_URL_AUTO url = EM_URL_INIT;
    int code = em_url_parse(&url, text, known, &err);
    if (code) {
        em_str_printf(out, "error: %s", em_str_c(&err.text));
        return;
    }
    for (size_t i = 0; i < url.keys.n; i++)
        em_str_printf(out, "%s%s=[%s]", out->len ? " " : "", url.keys.v[i], url.values.v[i]);
    for (size_t i = 0; i < url.dropped.n; i++)
        em_str_printf(out, "%s-%s", out->len ? " " : "", url.dropped.v[i]);
    if (url.schema)
        em_str_printf(out, " schema: %s", url.schema);
    if (url.notes.n)
        em_str_puts(out, " noted");
}

#endif
