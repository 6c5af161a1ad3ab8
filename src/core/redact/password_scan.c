#include "password_scan.h"

#include <string.h>
#include <strings.h>

#include "embark/core/redact/secret_names.h"

struct range {
    const char *start, *end;
};

/* What is looked through, and what was found out about a stretch of it, so that a text of many
 * names takes no time that grows with its square. */
struct scan {
    const char *start, *end;
    struct range word; /* of a URL, and the last @ in it */
    const char *at;
    struct range pairs; /* where next_pair() has looked, and what it found */
    const char *pair;
    bool *mark;
    struct range marked; /* the last stretch that was */
    size_t crowd;        /* names in a row that stand within it */
};

/* So many values that begin within others are no text of anybody's: all that follows is hidden. */
enum { CROWD = 64 };

static bool is_name(char c)
{
    return em_is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

static const char *word_end(const char *p, const char *end)
{
    while (p < end && !em_is_space(*p))
        p++;
    return p;
}

static const char *find_byte(const char *p, char c, const char *end)
{
    const char *found = memchr(p, c, (size_t)(end - p));
    return found ? found : end;
}

/* ---- URLs ---- */

/* `p` is behind "://". An @, / or quote that was not percent-encoded must not cut the password
 * short: the last @ of the word ends it. A colon behind the host (after a /, ? or #) is none of a
 * user's. */
static const char *url_password(struct scan *scan, const char *p, const char **password_end)
{
    if (p < scan->word.start || p >= scan->word.end) {
        scan->word = (struct range){p, word_end(p, scan->end)};
        scan->at = scan->word.end;
        while (scan->at > p && *scan->at != '@')
            scan->at--;
    }
    *password_end = scan->at;
    const char *colon = p;
    while (colon < scan->at && !strchr(":/?#", *colon))
        colon++;
    return colon < scan->at && *colon == ':' ? colon + 1 : NULL;
}

size_t em_password_scan_open_url(const char *line, size_t length)
{
    const char *end = line + length, *word = end;
    while (word > line && !em_is_space(word[-1]))
        word--;
    for (const char *p = word; p < end; p++) {
        /* "postgresql:" may be all that has come of it. */
        if (*p == ':' && p > word && em_is_letter(p[-1]) &&
            strncmp(p, "://", (size_t)(end - p < 3 ? end - p : 3)) == 0)
            return (size_t)(p - line);
    }
    return length;
}

/* ---- Names with a value ---- */

/* The length of the word at `p` that makes a name one of a password, or 0. $PWD is the working
 * directory. */
static size_t keyword(const char *start, const char *p)
{
    static const char *const words[] = {"password", "passwd", "passphrase", "secret",
                                        "pass",     "pwd",    "psw"};
    if (*p != 'p' && *p != 'P' && *p != 's' && *p != 'S')
        return 0;
    for (size_t i = 0; i < EM_COUNT(words); i++) {
        size_t n = strlen(words[i]);
        if (strncasecmp(p, words[i], n) != 0 || em_is_letter(p[n]))
            continue;
        if (n > 4)
            return n;
        bool part_of_word = p > start && em_is_letter(p[-1]);
        return part_of_word || strncmp(p, "PWD", 3) == 0 ? 0 : n;
    }
    return 0;
}

/* The closing quote of the value whose opening one is at `p`, or the end. Backslashes and doubled
 * quotes as in keyword=value strings, SQL, JSON and Npgsql: to take one too many for an escape
 * hides more, never less. */
static const char *quoted_end(const char *p, const char *end)
{
    char quote = *p++;
    for (; p < end; p++) {
        if (*p == '\\' && p + 1 < end)
            p++;
        else if (*p == quote && p[1] == quote)
            p++;
        else if (*p == quote)
            return p;
    }
    return end;
}

/* The length of "$tag$" at `p`, or 0: $1 is a parameter. */
static size_t dollar_tag(const char *p)
{
    size_t n = 1;
    if (*p != '$' || (p[1] >= '0' && p[1] <= '9'))
        return 0;
    while (is_name(p[n]) || (unsigned char)p[n] >= 0x80)
        n++;
    return p[n] == '$' ? n + 1 : 0;
}

/* Where the string that starts with a tag of `n` bytes at `p` has its closing one, or the end. */
static const char *dollar_end(const char *p, size_t n, const char *end)
{
    for (const char *q = p + n; q + n <= end; q++)
        if (memcmp(q, p, n) == 0)
            return q;
    return end;
}

/* The first ";" of the line behind which "Key=" stands: Npgsql's separator, or NULL. */
static const char *find_pair(const char *p, const char *end)
{
    for (p = find_byte(p, ';', end); p < end; p = find_byte(p + 1, ';', end)) {
        const char *name = p + 1;
        while (name < end && (is_name(*name) || em_is_blank(*name)))
            name++;
        if (name > p + 1 && *name == '=')
            return p;
    }
    return NULL;
}

static const char *next_pair(struct scan *scan, const char *p)
{
    if (!scan->pairs.start || p < scan->pairs.start || p > scan->pairs.end) {
        const char *line_end = find_byte(p, '\n', scan->end);
        scan->pair = find_pair(p, line_end);
        scan->pairs = (struct range){p, scan->pair ? scan->pair : line_end};
    }
    return scan->pair;
}

/* The end of an unquoted value at `p`, whose name follows `before` ("?", "&", ";", or something
 * else). */
static const char *plain_end(struct scan *scan, const char *p, char before)
{
    const char *q = p, *pair, *end = scan->end;
    if (before == ';')
        return p + strcspn(p, ";\n");
    for (; q < end && !em_is_space(*q); q++) {
        if ((before == '?' || before == '&') && *q == '&')
            return q;
        if (*q == '\\' && q + 1 < end)
            q++; /* keyword=value: a blank may be escaped */
    }
    pair = next_pair(scan, p);
    return pair && pair > q ? pair : q;
}

/* What stands before the name that `p` is in, blanks skipped: "\0" at the start. */
static char char_before(const char *start, const char *p)
{
    while (p > start && is_name(p[-1]))
        p--;
    while (p > start && em_is_blank(p[-1]))
        p--;
    return p > start ? p[-1] : '\0';
}

/* SQL: ALTER ROLE app PASSWORD 'x' */
static bool find_sql(const char *p, const char *end, struct range *value)
{
    size_t tag = dollar_tag(p);
    if ((*p == 'E' || *p == 'e') && p[1] == '\'')
        p++;
    if (!tag && *p != '\'')
        return false;
    value->start = p + (tag ? tag : 1);
    value->end = tag ? dollar_end(p, tag, end) : quoted_end(p, end);
    return true;
}

/* The value of the name that starts with, or before, `name` and ends at `p`; false if there is
 * none. */
static bool find_value(struct scan *scan, const char *name, const char *p, struct range *value)
{
    const char *q = p, *end = scan->end;
    bool quoted_name = *q == '"' || *q == '\'' || (*q == '\\' && q[1] == '"');
    if (quoted_name)
        q += *q == '\\' ? 2 : 1;
    q = em_skip_blanks(q, end);
    if (*q == '=' || (quoted_name && *q == ':')) {
        q += q[1] == '>' ? 2 : 1;
        while (q < end && em_is_space(*q))
            q++; /* libpq goes on in the next line */
        char before = char_before(scan->start, name);
        value->start = q + (*q == '\'' || *q == '"');
        value->end = value->start > q ? quoted_end(q, end) : plain_end(scan, q, before);
        /* A quotation mark may be a byte of the password like any other. */
        bool closed = quoted_name || value->end + 1 >= end || em_is_space(value->end[1]) ||
                      (before == ';' && value->end[1] == ';');
        if (value->start > q && !closed)
            value->end = plain_end(scan, value->end, before);
        return true;
    }
    return q > p && find_sql(q, end, value);
}

/* The length of the name that starts at `p` and sounds secret, or 0. */
static size_t named(const struct scan *scan, const char *p)
{
    size_t n = 0;
    if (p > scan->start && is_name(p[-1]))
        return 0;
    while (is_name(p[n]))
        n++;
    return n && em_is_secret_name(p, n) ? n : 0;
}

/* API_TOKEN=VALUE, "api_key": "VALUE", --token VALUE: any name that sounds secret, where nothing
 * but a value can follow. */
static bool find_named(struct scan *scan, const char *p, size_t length, struct range *value)
{
    const char *name_end = p + length, *q, *end = scan->end;
    bool quoted =
        *name_end == '"' || *name_end == '\'' || (*name_end == '\\' && name_end[1] == '"');
    if (quoted || (*name_end == '=' && name_end[1] != '=' && !em_is_space(name_end[1])))
        return find_value(scan, p, name_end, value);
    if (strncmp(p, "--", 2) != 0 || strncmp(p, "--no-", 5) == 0 || !em_is_blank(*name_end))
        return false;
    q = em_skip_blanks(name_end, end);
    if (q == end || em_is_space(*q) || *q == '-')
        return false;
    value->start = q + (*q == '\'' || *q == '"');
    value->end = value->start > q ? quoted_end(q, end) : word_end(q, end);
    /* A sentence's, or a script's. */
    while (value->end > value->start + 1 && strchr(";,)'\"", value->end[-1]))
        value->end--;
    return true;
}

/* replace_password = yes: a setting's word is no password. */
static bool is_switch(const char *from, const char *to)
{
    static const char *const words[] = {"yes", "no", "true", "false"};
    for (size_t i = 0; i < EM_COUNT(words); i++)
        if ((size_t)(to - from) == strlen(words[i]) &&
            strncasecmp(from, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

/* Most values that begin within another one end where that does. */
static void set(struct scan *scan, const char *from, const char *to)
{
    if (to <= from || is_switch(from, to))
        return;
    bool within = from >= scan->marked.start && from <= scan->marked.end;
    const char *fresh = within ? scan->marked.end : from;
    if (to > fresh)
        memset(scan->mark + (fresh - scan->start), true, (size_t)(to - fresh));
    if (!within)
        scan->marked = (struct range){from, to};
    else if (to > scan->marked.end)
        scan->marked.end = to;
}

/* A value is about to be looked for at `p`. True: there are too many. */
static bool is_crowded(struct scan *scan, const char *p)
{
    scan->crowd = p >= scan->marked.start && p < scan->marked.end ? scan->crowd + 1 : 0;
    if (scan->crowd > CROWD)
        memset(scan->mark + (p - scan->start), true, (size_t)(scan->end - p));
    return scan->crowd > CROWD;
}

void em_password_scan(const char *text, size_t length, bool *mark)
{
    struct scan scan = {.start = text, .end = text + length};
    scan.mark = mark;
    for (const char *p = text; p < scan.end; p++) {
        struct range value;
        size_t n = keyword(text, p);
        if (strncmp(p, "://", 3) == 0) {
            value.start = url_password(&scan, p + 3, &value.end);
            if (value.start)
                set(&scan, value.start, value.end);
        }
        if (n && is_crowded(&scan, p))
            return;
        if (n && find_value(&scan, p, p + n, &value))
            set(&scan, value.start, value.end);
    }
}

void em_password_scan_named(const char *text, size_t length, bool *mark)
{
    struct scan scan = {.start = text, .end = text + length};
    scan.mark = mark;
    for (const char *p = text; p < scan.end; p++) {
        struct range value;
        size_t n = named(&scan, p);
        if (n && is_crowded(&scan, p))
            return;
        if (n && find_named(&scan, p, n, &value))
            set(&scan, value.start, value.end);
    }
}
