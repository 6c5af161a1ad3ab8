/* What embark makes of versions, ranges and URLs, a line each, for test/fuzz/compare, which asks the references as well.
 *
 *     OPERATION TAB A [TAB B]  →  one line of answer
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/node/semver.h"
#include "embark/core/languages/python/pep440.h"
#include "embark/core/languages/python/requirement.h"
#include "embark/core/url/url.h"

static const char *said(enum em_tristate is)
{
    return is == EM_UNKNOWN ? "unknown" : is == EM_YES ? "yes" : "no";
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void semver(const char *a, const char *b)
{
    struct em_semver va, vb;
    bool both = em_semver_read(a, &va) & em_semver_read(b, &vb);

    printf("%s %d\n", both ? "versions" : "none", both ? sign(em_semver_compare(&va, &vb)) : 0);
}

static void pep440(const char *a, const char *b)
{
    struct em_pep440 va, vb;
    bool both = em_pep440_read(a, &va) & em_pep440_read(b, &vb);

    printf("%s %d\n", both ? "versions" : "none", both ? sign(em_pep440_compare(&va, &vb)) : 0);
}

static bool known(const char *keyword)
{
    PQconninfoOption *all = PQconndefaults();
    bool found = false;

    for (PQconninfoOption *o = all; o && o->keyword; o++)
        found = found || strcmp(o->keyword, keyword) == 0;
    PQconninfoFree(all);
    return found;
}

/* A list of hosts or ports of which all are the default is none. */
static const char *of_list(const char *value)
{
    return value && value[strspn(value, ",")] ? value : "";
}

/* Where both take it: each of libpq's values is embark's. */
static void url(const char *text)
{
    struct em_url u = EM_URL_INIT;
    struct em_err err = EM_ERR_INIT;
    char *why = NULL;
    PQconninfoOption *all = PQconninfoParse(text, &why);
    int code = em_url_parse(&u, text, known, &err);

    printf("%s %s", all ? "taken" : "refused", code ? "refused" : "taken");
    for (PQconninfoOption *o = all; !code && o && o->keyword; o++) {
        const char *ours = em_url_get(&u, o->keyword);
        if (strcmp(of_list(o->val), of_list(ours)) != 0)
            printf(" %s=%s/%s", o->keyword, o->val ? o->val : "", ours ? ours : "");
    }
    printf("\n");
    PQconninfoFree(all);
    PQfreemem(why);
    em_url_free(&u);
    em_err_free(&err);
}

static void answer(const char *operation, const char *a, const char *b)
{
    if (strcmp(operation, "semver") == 0)
        semver(a, b);
    else if (strcmp(operation, "range") == 0)
        printf("%s\n", said(em_semver_allows(a, b)));
    else if (strcmp(operation, "pep440") == 0)
        pep440(a, b);
    else if (strcmp(operation, "spec") == 0)
        printf("%s\n", said(em_pep440_allows(a, b)));
    else if (strcmp(operation, "url") == 0)
        url(a);
    else
        printf("?\n");
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stdin) > 0) {
        line[strcspn(line, "\n")] = '\0';
        char *a = strchr(line, '\t'), *b = a ? strchr(a + 1, '\t') : NULL;
        if (a)
            *a++ = '\0';
        if (b)
            *b++ = '\0';
        answer(line, a ? a : "", b ? b : "");
    }
    free(line);
    return 0;
}
