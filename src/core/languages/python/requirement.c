#include "embark/core/languages/python/requirement.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/python/marker.h"
#include "embark/core/languages/python/pep440.h"
#include "name.h"

static const char *blanks(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static bool name_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("-_.", c));
}

/* Letters, digits and -_. with a letter or digit at both ends. 0: none. */
static size_t name_length(const char *p)
{
    size_t n = 0;

    while (name_byte(p[n]))
        n++;
    while (n && strchr("-_.", p[n - 1]))
        n--;
    return n && !strchr("-_.", p[0]) ? n : 0;
}

static int read_extras(const char **p, struct em_list *extras, struct em_err *err)
{
    do {
        EM_STR_AUTO key = EM_STR_INIT;
        size_t n;

        *p = blanks(*p + 1);
        n = name_length(*p);
        if (n == 0 && **p == ']' && extras->n == 0)
            break;
        if (n == 0)
            return em_fail(err, EM_EXIT_REQUIREMENT, "no extra's name at \"%s\"", *p);
        em_requirement_key(*p, n, &key);
        em_list_add(extras, em_str_c(&key));
        *p = blanks(*p + n);
    } while (**p == ',');
    if (**p != ']')
        return em_fail(err, EM_EXIT_REQUIREMENT, "[ without ]");
    *p = blanks(*p + 1);
    return 0;
}

/* What is left of a line, without the blanks at its ends. */
static char *trimmed(const char *start, const char *end)
{
    while (start < end && strchr(" \t\r\n", *start))
        start++;
    while (end > start && strchr(" \t\r\n", end[-1]))
        end--;
    return em_strndup(start, (size_t)(end - start));
}

/* An URL ends at a blank, since it may hold a ";" itself. */
static int read_url(const char **p, struct em_requirement *r, struct em_err *err)
{
    size_t n;

    *p = blanks(*p + 1);
    n = strcspn(*p, " \t\r\n");
    if (n == 0)
        return em_fail(err, EM_EXIT_REQUIREMENT, "no URL behind @");
    r->url = em_strndup(*p, n);
    *p = blanks(*p + n);
    return 0;
}

static int read_spec(const char **p, struct em_requirement *r, struct em_err *err)
{
    size_t n = strcspn(*p, ";");
    const char *end = *p + n;
    EM_FREE char *text = trimmed(*p, end);
    size_t length = strlen(text);

    *p = end;
    if (text[0] == '(' && length > 1 && text[length - 1] == ')') {
        free(r->spec);
        r->spec = trimmed(text + 1, text + length - 1);
    } else {
        free(r->spec);
        r->spec = em_strdup(text);
    }
    if (!em_pep440_is_spec(r->spec))
        return em_fail(err, EM_EXIT_REQUIREMENT, "\"%s\" says no version", text);
    return 0;
}

int em_requirement_read(const char *text, struct em_requirement *r, struct em_err *err)
{
    EM_STR_AUTO key = EM_STR_INIT;
    const char *p = blanks(text);
    size_t n = name_length(p);

    *r = (struct em_requirement){.spec = em_strdup("")};
    if (n == 0)
        return em_fail(err, EM_EXIT_REQUIREMENT, "no distribution's name");
    r->name = em_strndup(p, n);
    em_requirement_key(p, n, &key);
    r->key = em_str_take(&key);
    p = blanks(p + n);
    if (*p == '[' && read_extras(&p, &r->extras, err) != 0)
        return err->code;
    if ((*p == '@' ? read_url(&p, r, err) : read_spec(&p, r, err)) != 0)
        return err->code;
    if (*p == '\0')
        return 0;
    if (*p != ';')
        return em_fail(err, EM_EXIT_REQUIREMENT, "what is \"%s\"?", p);
    r->marker = trimmed(p + 1, p + strlen(p));
    if (!em_marker_valid(r->marker))
        return em_fail(err, EM_EXIT_REQUIREMENT, "\"%s\" is no marker", r->marker);
    return 0;
}

void em_requirement_free(struct em_requirement *r)
{
    free(r->name);
    free(r->key);
    free(r->spec);
    free(r->url);
    free(r->marker);
    em_list_free(&r->extras);
    *r = (struct em_requirement){0};
}
