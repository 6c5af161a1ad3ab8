#include "embark/core/postgres/xml_rows.h"

#include <string.h>

static const struct entity {
    const char *name;
    char c;
} entities[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&#x0d;", '\r'}};

/* One byte of the text, or what an entity stands for; returns what it took. */
static size_t unescape(const char *at, char *c)
{
    for (size_t i = 0; i < EM_COUNT(entities); i++)
        if (em_starts(at, entities[i].name)) {
            *c = entities[i].c;
            return strlen(entities[i].name);
        }
    *c = *at;
    return 1;
}

const char *em_xml_column(const char *at, const char *column, struct em_str *value)
{
    EM_STR_AUTO open = EM_STR_INIT;
    EM_STR_AUTO close = EM_STR_INIT;
    em_str_cut(value, 0);
    em_str_printf(&open, "<%s>", column);
    em_str_printf(&close, "</%s>", column);
    const char *from = at ? strstr(at, em_str_c(&open)) : NULL;
    const char *end = from ? strstr(from, em_str_c(&close)) : NULL;
    if (!end)
        return NULL;
    for (from += open.len; from < end;) {
        char c;
        from += unescape(from, &c);
        em_str_putc(value, c);
    }
    return end + close.len;
}

bool em_hex_decode(const char *hex, struct em_str *bytes)
{
    em_str_cut(bytes, 0);
    for (; *hex; hex += 2) {
        int high = em_hex_lower(hex[0]), low = high < 0 ? -1 : em_hex_lower(hex[1]);
        if (low < 0 || high * 16 + low == 0) {
            em_str_cut(bytes, 0);
            return false;
        }
        em_str_putc(bytes, (char)(high * 16 + low));
    }
    return true;
}
