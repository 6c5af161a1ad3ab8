#include <string.h>

#include "embark/core/url/url.h"
#include "parser.h"

static void add_param(struct em_str *raw, const char *name, const char *value)
{
    EM_STR_WIPED param = EM_STR_INIT;
    size_t fragment = strcspn(em_str_c(raw), "#");
    const char *query = memchr(em_str_c(raw), '?', fragment);
    bool begun = query && query + 1 < em_str_c(raw) + fragment;
    em_str_printf(&param, "%s%s=", !query ? "?" : begun ? "&" : "", name);
    em_url_encode(&param, value);
    em_str_insert(raw, fragment, em_str_c(&param), param.len);
}

static bool has_param(const char *text, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = strchr(text, '?'); p; p = strchr(p + 1, '&'))
        if (strncmp(p + 1, name, n) == 0 && p[1 + n] == '=')
            return true;
    return false;
}

/* Before the host; `start` is the authority's place. */
static void add_userinfo(struct em_str *raw, size_t start, const char *user, const char *password)
{
    EM_STR_WIPED info = EM_STR_INIT;
    const char *authority = em_str_c(raw) + start;
    size_t length = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', length);
    size_t where = at ? (size_t)(at - em_str_c(raw)) : start;
    if (!at && has_param(em_str_c(raw), "user")) {
        if (password)
            add_param(raw, "password", password);
        return;
    }
    /* "user:@host" has an empty one. */
    bool colon = at && memchr(authority, ':', (size_t)(at - authority));
    if (password) {
        em_str_puts(&info, colon ? "" : ":");
        em_url_encode(&info, password);
    }
    if (!at)
        em_str_putc(&info, '@');
    bool named = at && at > authority && *authority != ':';
    em_str_insert(raw, where, em_str_c(&info), info.len);
    if (!named && user) {
        EM_STR_AUTO name = EM_STR_INIT;
        em_url_encode(&name, user);
        em_str_insert(raw, start, em_str_c(&name), name.len);
    }
}

static void add_pair(struct em_str *raw, bool npgsql, const char *name, const char *value)
{
    const char quote = npgsql ? '"' : '\'';
    bool ended = em_ends(em_str_c(raw), npgsql ? ";" : " ");
    em_str_printf(raw, "%s%s=%c", ended || !raw->len ? "" : npgsql ? ";" : " ", name, quote);
    for (; *value; value++) {
        if (*value == quote || (!npgsql && *value == '\\'))
            em_str_putc(raw, npgsql ? quote : '\\');
        em_str_putc(raw, *value);
    }
    em_str_putc(raw, quote);
}

void em_url_complete(struct em_str *raw, const char *user, const char *password)
{
    const char *text = em_str_c(raw), *scheme_end = strstr(text, "://");
    bool jdbc =
        em_starts(text, "jdbc:") || em_starts(text, "r2dbc:") || em_starts(text, "vertx-reactive:");
    while (raw->len && strchr(" \t\r\n", text[raw->len - 1]))
        em_str_cut(raw, raw->len - 1);
    if (jdbc) {
        if (user)
            add_param(raw, "user", user);
        if (password)
            add_param(raw, "password", password);
    } else if (scheme_end) {
        add_userinfo(raw, (size_t)(scheme_end - text) + 3, user, password);
    } else {
        bool npgsql = em_url_looks_npgsql(text);
        if (user)
            add_pair(raw, npgsql, npgsql ? "Username" : "user", user);
        if (password)
            add_pair(raw, npgsql, npgsql ? "Password" : "password", password);
    }
}
