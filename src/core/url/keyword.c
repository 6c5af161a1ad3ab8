#include <string.h>

#include "parser.h"

/* The pairs of a string, and for each whether its value was quoted ("1") or not ("0"). */
struct pairs {
    struct em_list names, values;
    struct em_str quoted;
};

enum outcome { PAIRS_GOOD, PAIRS_NO_EQUALS, PAIRS_UNTERMINATED, PAIRS_AFTER_QUOTE };

static void free_pairs(struct pairs *pairs)
{
    em_url_wipe_list(&pairs->names); /* a piece of a password may have been taken for a name */
    em_url_wipe_list(&pairs->values);
    em_str_free(&pairs->quoted);
}
#define PAIRS_AUTO __attribute__((cleanup(free_pairs))) struct pairs

static void add_pair(struct pairs *pairs, const char *name, size_t n, struct em_str *value,
                     bool quoted)
{
    em_list_take(&pairs->names, em_strndup(name, n));
    em_list_add(&pairs->values, em_str_c(value));
    em_str_putc(&pairs->quoted, quoted ? '1' : '0');
}

/* isspace() of the C locale, as core asks for no locale. */
static const char *skip_space(const char *p)
{
    while (em_is_space(*p))
        p++;
    return p;
}

/* ---- keyword=value ---- */

/* Adds the value at `p`, as conninfo_parse of libpq reads it, to `value` and returns what follows;
 * NULL: the quote isn't closed. */
static const char *read_value(const char *p, struct em_str *value)
{
    bool quoted = *p == '\'';
    p += quoted;
    while (quoted ? *p != '\'' : *p && !em_is_space(*p)) {
        if (!*p)
            return NULL;
        if (*p == '\\' && !*++p)
            continue; /* libpq drops a backslash at the end */
        em_str_putc(value, *p++);
    }
    return p + quoted;
}

static enum outcome split_keywords(const char *text, struct pairs *pairs)
{
    for (const char *p = skip_space(text); *p; p = skip_space(p)) {
        EM_STR_WIPED value = EM_STR_INIT;
        const char *name = p;
        while (*p && *p != '=' && !em_is_space(*p))
            p++;
        size_t n = (size_t)(p - name);
        p = skip_space(p);
        if (*p != '=')
            return PAIRS_NO_EQUALS;
        p = skip_space(p + 1);
        bool quoted = *p == '\'';
        p = read_value(p, &value);
        if (!p)
            return PAIRS_UNTERMINATED;
        add_pair(pairs, name, n, &value, quoted);
    }
    return PAIRS_GOOD;
}

/* ---- Npgsql: the grammar of .NET's DbConnectionStringBuilder ---- */

/* Reads the quoted value at `p`, whose quote is doubled inside, as read_value does. */
static const char *read_quoted(const char *p, struct em_str *value)
{
    char quote = *p++;
    for (; *p != quote || p[1] == quote; p++) {
        if (!*p)
            return NULL;
        if (*p == quote)
            p++;
        em_str_putc(value, *p);
    }
    return skip_space(p + 1);
}

static const char *read_plain(const char *p, struct em_str *value)
{
    size_t n = strcspn(p, ";"), end = n;
    while (end > 0 && em_is_space(p[end - 1]))
        end--;
    em_str_add(value, p, end);
    return p + n;
}

static enum outcome split_npgsql(const char *text, struct pairs *pairs)
{
    for (const char *p = text;;) {
        EM_STR_WIPED value = EM_STR_INIT;
        while (*p == ';' || em_is_space(*p))
            p++;
        if (!*p)
            return PAIRS_GOOD;
        const char *name = p;
        size_t n = strcspn(p, "=;");
        p += n;
        if (*p != '=')
            return PAIRS_NO_EQUALS;
        while (n > 0 && em_is_space(name[n - 1]))
            n--;
        p = skip_space(p + 1);
        bool quoted = *p == '"' || *p == '\'';
        p = quoted ? read_quoted(p, &value) : read_plain(p, &value);
        if (!p)
            return PAIRS_UNTERMINATED;
        if (*p && *p != ';')
            return PAIRS_AFTER_QUOTE;
        add_pair(pairs, name, n, &value, quoted);
    }
}

/* ---- Which of the two ---- */

/* "x;Port=1" or "x;": a semicolon that separates. */
static bool holds_separator(const char *value)
{
    for (const char *p = value; (p = strchr(p, ';')) != NULL; p++) {
        EM_STR_WIPED name = EM_STR_INIT;
        const char *start = skip_space(p + 1);
        size_t n = strcspn(start, "=;");
        if (!*start)
            return true;
        em_str_add(&name, start, n);
        if (start[n] == '=' && em_url_is_npgsql_name(em_str_c(&name)))
            return true;
    }
    return false;
}

/* How many pairs, from the first on, have names that libpq, or a driver that uses it, knows. */
static size_t count_known(const struct pairs *pairs)
{
    static const struct em_url_parser as_keyword = {.form = EM_URL_KEYWORD};
    size_t n = 0;

    while (n < pairs->names.n && em_url_well_known(&as_keyword, pairs->names.v[n]))
        n++;
    return n;
}

/* "host=h;port=1" and "host=h; port=1" read as keyword=value too: then a semicolon in the first
 * value decides, since a host, user or database with one in its name is rarer than such strings. */
bool em_url_looks_npgsql(const char *text)
{
    PAIRS_AUTO keywords = {0};
    PAIRS_AUTO npgsql = {0};
    bool good = split_keywords(text, &keywords) == PAIRS_GOOD;
    size_t known = count_known(&keywords);

    split_npgsql(text, &npgsql);
    if (!npgsql.names.n || !em_url_is_npgsql_name(npgsql.names.v[0]))
        return false;
    if (known == 0)
        return true; /* "Host=h" */
    if (keywords.quoted.data[0] == '0' && holds_separator(keywords.values.v[0]))
        return true;
    if (good && known == keywords.names.n)
        return false;
    return npgsql.names.n > 1 &&
           em_url_is_npgsql_name(npgsql.names.v[1]); /* "host = h ; port = 1" */
}

/* ---- Both ---- */

static int take_pairs(struct em_url_parser *p, enum outcome outcome, const struct pairs *pairs)
{
    for (size_t i = 0; outcome == PAIRS_GOOD && i < pairs->names.n; i++) {
        int code = em_url_param(p, pairs->names.v[i], pairs->values.v[i]);
        if (code)
            return code;
    }
    if (outcome == PAIRS_GOOD)
        return 0;
    if (outcome == PAIRS_UNTERMINATED)
        em_fail(p->err, EM_EXIT_CONFIG,
                "the connection string holds a quotation mark that is not closed");
    else if (outcome == PAIRS_AFTER_QUOTE)
        em_fail(p->err, EM_EXIT_CONFIG,
                "parameter %zu of the connection string goes on behind its closing quotation mark",
                pairs->names.n + 1);
    else if (!pairs->names.n)
        em_fail(p->err, EM_EXIT_CONFIG, "the text is neither a URL nor keyword=value");
    else
        em_fail(p->err, EM_EXIT_CONFIG,
                "parameter %zu of the connection string has no =", pairs->names.n + 1);
    if (!pairs->names.n && outcome == PAIRS_NO_EQUALS)
        em_hint(p->err, "a URL starts with postgresql://");
    else if (p->form == EM_URL_KEYWORD)
        em_hint(p->err,
                "a value that holds a blank must stand in '…', with \\' for ' and \\\\ for \\");
    else
        em_hint(p->err,
                "a value that holds a ; or a quotation mark must stand in \"…\", with \"\" for \"");
    return EM_EXIT_CONFIG;
}

int em_url_parse_keywords(struct em_url_parser *p, const char *text)
{
    PAIRS_AUTO pairs = {0};
    enum outcome outcome = split_keywords(text, &pairs);
    return take_pairs(p, outcome, &pairs);
}

int em_url_parse_npgsql(struct em_url_parser *p, const char *text)
{
    PAIRS_AUTO pairs = {0};
    enum outcome outcome = split_npgsql(text, &pairs);
    return take_pairs(p, outcome, &pairs);
}
