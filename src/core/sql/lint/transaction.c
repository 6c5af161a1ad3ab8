#include "embark/core/sql/lint/transaction.h"

#include <string.h>
#include <strings.h>

#include "embark/core/sql/splitter.h"
#include "lint_quoted.h"

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

/* The words that a statement starts with. */
struct opening {
    struct em_str words; /* "rollback to ", with a blank behind each */
    size_t at, n;
};
enum { OPENING_WORDS = 3 };

static void on_token(void *ctx, struct em_sql_split *split, const struct em_sql_token *token,
                     size_t offset)
{
    struct opening *opening = ctx;
    (void)split;
    if (token->kind == EM_SQL_SPACE || token->kind == EM_SQL_COMMENT ||
        token->kind == EM_SQL_BLOCK || token->kind == EM_SQL_BACKSLASH)
        return;
    if (opening->n == 0)
        opening->at = offset;
    if (opening->n++ >= OPENING_WORDS || token->kind != EM_SQL_WORD)
        return;
    em_str_add(&opening->words, token->at, token->len);
    em_str_putc(&opening->words, ' ');
}

static bool starts_with_any(const char *words, const char *const *any)
{
    for (; *any; any++)
        if (strncasecmp(words, *any, strlen(*any)) == 0)
            return true;
    return false;
}

bool em_sql_is_control(const char *words)
{
    static const char *const are[] = {"begin ", "start transaction ", "commit ", "end ",
                                      "abort ", "rollback ",          NULL};
    static const char *const are_not[] = {
        "rollback to ",     "rollback work to ",  "rollback transaction to ",
        "commit prepared ", "rollback prepared ", NULL};
    return strncasecmp(words, "prepare transaction ", 20) == 0 ||
           (starts_with_any(words, are) && !starts_with_any(words, are_not));
}

static void finish_statement(struct em_sql_lint *lint, struct em_sql_source *source,
                             struct opening *opening)
{
    EM_FREE char *word =
        em_strndup(em_str_c(&opening->words), strcspn(em_str_c(&opening->words), " "));
    struct em_err *err = NULL;
    if (em_sql_is_control(em_str_c(&opening->words)))
        err = em_sql_finding(lint, source, true, opening->at,
                             "%s: the file is run in a transaction that embark begins and ends",
                             word);
    if (err)
        em_hint(err, "take it out, or start the file with the comment -- embark: no transaction");
    em_str_cut(&opening->words, 0);
    opening->n = 0;
}

void em_sql_lint_transaction(struct em_sql_lint *lint, struct em_sql_source *source)
{
    struct opening opening = {EM_STR_INIT, 0, 0};
    struct em_sql_split split;
    enum em_sql_event event;
    size_t start, length;
    bool closed;
    em_sql_split_start(&split, source, NULL);
    split.token = on_token;
    split.ctx = &opening;
    while ((event = em_sql_split_next(&split)) != EM_SQL_END) {
        if (event == EM_SQL_META) {
            split.lex.at = split.lex.end; /* its words are no SQL */
            continue;
        }
        finish_statement(lint, source, &opening);
        for (; split.copies > 0; split.copies--)
            em_sql_split_data(&split, &start, &length, &closed);
        em_sql_split_clear(&split);
        if (event == EM_SQL_REST)
            break;
    }
    em_sql_split_free(&split);
    em_str_free(&opening.words);
}
