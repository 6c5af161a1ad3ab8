#include "embark/core/sql/lint/transaction.h"

#include <string.h>
#include <strings.h>

#include "embark/core/sql/opening.h"

bool em_sql_wants_no_transaction(const char *text)
{
    static const char mark[] = "embark: no transaction";
    const char *p = em_starts(text, "\xEF\xBB\xBF") ? text + 3 : text;
    for (;;) {
        p += strspn(p, " \t\r\n");
        bool line = em_starts(p, "--");
        const char *end = line ? p + strcspn(p, "\n") : NULL;
        if (em_starts(p, "/*"))
            end = strstr(p, "*/");
        if (!end)
            return false;
        EM_FREE char *comment = em_strndup(p, (size_t)(end - p));
        if (strcasestr(comment, mark))
            return true;
        p = line ? end : end + 2;
    }
}

/* As many words tell whether a statement is one of those. */
enum { OPENING_WORDS = 3 };

bool em_sql_is_control(const char *words)
{
    static const char *const are[] = {"begin ", "start transaction ", "commit ", "end ",
                                      "abort ", "rollback ",          NULL};
    static const char *const are_not[] = {
        "rollback to ",     "rollback work to ",  "rollback transaction to ",
        "commit prepared ", "rollback prepared ", NULL};
    return strncasecmp(words, "prepare transaction ", 20) == 0 ||
           (em_sql_opens_with(words, are) && !em_sql_opens_with(words, are_not));
}

static void check_statement(struct em_sql_lint *lint, struct em_sql_source *source,
                            const struct em_sql_opening *opening)
{
    const char *words = em_str_c(&opening->words);
    if (!em_sql_is_control(words))
        return;
    struct em_err *err =
        em_sql_finding(lint, source, true, opening->at,
                       "%.*s: the file is run in a transaction that embark begins and ends",
                       (int)strcspn(words, " "), words);
    if (err)
        em_hint(err, "take it out, or start the file with the comment -- embark: no transaction");
}

void em_sql_lint_transaction(struct em_sql_lint *lint, struct em_sql_source *source)
{
    struct em_sql_opening opening;
    em_sql_opening_start(&opening, source, OPENING_WORDS, false);
    while (em_sql_opening_next(&opening))
        check_statement(lint, source, &opening);
    em_sql_opening_free(&opening);
}
