#include "message.h"

#include <string.h>

struct em_span em_span(const char *text)
{
    return (struct em_span){text ? text : "", text ? strlen(text) : 0};
}

bool em_span_equal(struct em_span a, struct em_span b)
{
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

bool em_span_starts(struct em_span s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.len >= n && memcmp(s.at, prefix, n) == 0;
}

const char *em_span_find(struct em_span s, const char *needle)
{
    for (; s.len; em_span_skip(&s, 1))
        if (em_span_starts(s, needle))
            return s.at;
    return NULL;
}

void em_span_skip(struct em_span *s, size_t n)
{
    s->at += n;
    s->len -= n;
}

struct em_span em_span_line(struct em_span *rest)
{
    const char *end = memchr(rest->at, '\n', rest->len);
    struct em_span line = {rest->at, end ? (size_t)(end - rest->at) : rest->len};
    em_span_skip(rest, line.len + (end ? 1 : 0));
    return line;
}

/* Whether this line starts an attempt, in libpq's words (fe-connect.c). Before there is an address,
 * the message itself names the host. *skip is the length of what stands in front of the text. */
static bool starts_attempt(struct em_span line, struct em_span *target, size_t *skip)
{
    static const char *const nameless[] = {
        "could not translate host name ",
        "could not translate Unix-domain socket path ",
        "could not parse network address ",
        "Unix-domain socket path ",
        "invalid port number: ",
    };
    size_t prefix = 0;
    *target = (struct em_span){line.at, 0};
    *skip = 0;
    for (size_t i = 0; i < EM_COUNT(nameless); i++)
        if (em_span_starts(line, nameless[i]))
            return true;
    if (em_span_starts(line, "connection to server at "))
        prefix = strlen("connection to server at ");
    else if (em_span_starts(line, "connection to server on socket "))
        prefix = strlen("connection to server on socket ");
    const char *failed = em_span_find(line, " failed: ");
    if (!prefix || !failed)
        return false;
    *target = (struct em_span){line.at + prefix, (size_t)(failed - line.at) - prefix};
    *skip = (size_t)(failed - line.at) + strlen(" failed: ");
    return true;
}

/* A message that doesn't start as that of a login is one attempt as a whole: an error of dblink has
 * such lines in its DETAIL. */
static bool take_one(struct em_span *rest, struct em_attempt *a)
{
    struct em_span after = *rest, unused;
    size_t skip, unused_skip;
    if (!rest->len)
        return false;
    bool login = starts_attempt(em_span_line(&after), &a->target, &skip);
    while (after.len) {
        struct em_span next = after;
        if (login && starts_attempt(em_span_line(&next), &unused, &unused_skip))
            break;
        after = login ? next : (struct em_span){after.at + after.len, 0};
    }
    a->text.at = rest->at + skip;
    a->text.len = (size_t)(after.at - a->text.at);
    a->fell_back = false;
    *rest = after;
    return true;
}

/* Whether `b` is libpq's second try at the same address after the server had refused the login, and
 * says only that pg_hba.conf wants it otherwise. */
static bool is_fallback(const struct em_attempt *a, const struct em_attempt *b)
{
    char first[6], second[6];
    return a->target.len && em_span_equal(a->target, b->target) && em_attempt_state(a, first) &&
           em_attempt_state(b, second) && em_starts(first, "28") && strcmp(second, "28000") == 0;
}

bool em_attempt_take(struct em_span *rest, struct em_attempt *a)
{
    struct em_attempt next;
    if (!take_one(rest, a))
        return false;
    for (struct em_span after = *rest; take_one(&after, &next) && is_fallback(a, &next);
         *rest = after)
        a->fell_back = true;
    return true;
}

/* The labels of pqBuildErrorMessage3 (fe-protocol3.c). */
bool em_message_label(struct em_span line, const char **shown)
{
    static const char *const labels[] = {
        "DETAIL:  ",          "HINT:  ",       "QUERY:  ",       "CONTEXT:  ",
        "SCHEMA NAME:  ",     "TABLE NAME:  ", "COLUMN NAME:  ", "DATATYPE NAME:  ",
        "CONSTRAINT NAME:  ", "LOCATION:  ",
    };
    for (size_t i = 0; i < EM_COUNT(labels); i++) {
        if (!em_span_starts(line, labels[i]))
            continue;
        *shown = i < 2 ? labels[i] : NULL;
        return true;
    }
    return false;
}

/* The severity is in any language, but without a colon; libpq writes two blanks after it. */
size_t em_state_prefix(struct em_span line)
{
    const char *shown, *colon = memchr(line.at, ':', line.len);
    size_t at = colon ? (size_t)(colon - line.at) : 0;
    if (!at || at + 10 > line.len || memcmp(colon, ":  ", 3) != 0 ||
        memcmp(colon + 8, ": ", 2) != 0)
        return 0;
    for (const char *c = colon + 3; c < colon + 8; c++)
        if (!((*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z')))
            return 0;
    return em_message_label(line, &shown) ? 0 : at + 10;
}

bool em_attempt_state(const struct em_attempt *a, char sqlstate[6])
{
    struct em_span rest = a->text;
    sqlstate[0] = '\0';
    while (rest.len) {
        struct em_span line = em_span_line(&rest);
        size_t prefix = em_state_prefix(line);
        if (!prefix)
            continue;
        memcpy(sqlstate, line.at + prefix - 7, 5);
        sqlstate[5] = '\0';
        return true;
    }
    return false;
}
