#include "embark/core/sql/lint/transaction.h"

#include <string.h>
#include <strings.h>

#include "embark/core/sql/opening.h"
#include "lint_meta.h"

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

bool em_sql_is_control(const char *words)
{
    static const char are[] = "begin \0start transaction \0commit \0end \0abort \0rollback \0";
    static const char are_not[] = "rollback to \0rollback work to \0rollback transaction to \0"
                                  "commit prepared \0rollback prepared \0";
    return strncasecmp(words, "prepare transaction ", 20) == 0 ||
           (em_sql_opens_with(words, are) && !em_sql_opens_with(words, are_not));
}

/* Behind "reindex ": what is more than one index or table. */
static bool reindexes_many(const char *words)
{
    static const char many[] = "database \0system \0schema \0";
    words += strncasecmp(words, "verbose ", 8) == 0 ? 8 : 0;
    return em_sql_opens_with(words, many);
}

static bool alters_outside(const char *words)
{
    if (strncasecmp(words, "alter table ", 12) == 0)
        return strcasestr(words, " detach partition ") && strcasestr(words, " concurrently ");
    if (strncasecmp(words, "alter database ", 15) == 0)
        return strcasestr(words, " set tablespace ");
    if (strncasecmp(words, "alter subscription ", 19) != 0)
        return false;
    return strcasestr(words, " refresh publication ") ||
           (strcasestr(words, " publication ") && !strcasestr(words, " refresh "));
}

bool em_sql_runs_outside(const char *words)
{
    static const char always[] =
        "vacuum \0create database \0drop database \0alter system \0create tablespace \0"
        "drop tablespace \0commit prepared \0rollback prepared \0discard all \0"
        "drop subscription \0";
    static const char concurrently[] =
        "create index \0create unique index \0drop index \0reindex \0";
    if (em_sql_opens_with(words, always) || alters_outside(words))
        return true;
    if (strncasecmp(words, "reindex ", 8) == 0 && reindexes_many(words + 8))
        return true;
    if (strcasecmp(words, "cluster ") == 0 || strcasecmp(words, "cluster verbose ") == 0)
        return true;
    /* Without a slot, or a connection, it can; what these options are set to isn't looked at. */
    if (strncasecmp(words, "create subscription ", 20) == 0)
        return !strcasestr(words, " create_slot ") && !strcasestr(words, " connect ");
    /* CREATE INDEX concurrently_made ON …: the key word stands alone. */
    return em_sql_opens_with(words, concurrently) && strcasestr(words, " concurrently ");
}

bool em_sql_finds_control(const char *text, size_t length, bool std_strings, size_t *at,
                          struct em_str *word)
{
    struct em_sql_source source = em_sql_source("", text, length);
    struct em_sql_opening opening;
    bool found = false;
    em_sql_opening_start(&opening, &source, 3, false);
    opening.split.std_strings = std_strings;
    while (!found && em_sql_opening_next(&opening)) {
        const char *words = em_str_c(&opening.words);
        found = em_sql_is_control(words);
        *at = opening.at;
        if (found)
            em_str_add(word, words, strcspn(words, " "));
    }
    em_sql_opening_free(&opening);
    return found;
}

/* ---- The linter's part ------------------------------------------------------------------------- */

static void find(struct em_sql_walk *walk, bool fatal, size_t at, const char *format, ...)
    EM_PRINTF(4, 5);
static void find(struct em_sql_walk *walk, bool fatal, size_t at, const char *format, ...)
{
    EM_STR_AUTO text = EM_STR_INIT;
    va_list args;
    if (walk->conds.n)
        return;
    va_start(args, format);
    em_str_vprintf(&text, format, args);
    va_end(args);
    struct em_err *err = em_sql_finding(walk->lint, walk->source, fatal, at, "%s", em_str_c(&text));
    if (err)
        em_hint(err, "%s", walk->lint->alone);
}

static bool adds_label(const char *words)
{
    return strncasecmp(words, "alter type ", 11) == 0 && strcasestr(words, " add value ");
}

/* A label, or where one is used. */
static void take_string(struct em_sql_walk *walk, const struct em_sql_token *token, size_t offset)
{
    struct em_sql_lint *lint = walk->lint;
    EM_FREE char *text = em_strndup(token->at, token->len);
    const char *words = em_str_c(&walk->opening);
    bool adds = adds_label(words);
    if (!token->opens || !token->closes)
        return;
    /* Behind BEFORE and AFTER stands one that is there. */
    if (adds && !strcasestr(words, " before ") && !strcasestr(words, " after "))
        em_list_add(&lint->labels, text);
    else if (!adds && em_list_has(&lint->labels, text))
        find(walk, false, offset,
             "%s: if it is the label that ALTER TYPE … ADD VALUE has added above, it can't be used "
             "until the file's transaction has ended",
             text);
}

void em_sql_lint_transaction(struct em_sql_walk *walk, const struct em_sql_token *token,
                             size_t offset)
{
    if (token->kind == EM_SQL_FORCED && token->at[1] == ';') {
        em_sql_lint_transaction_end(walk);
        return;
    }
    if (token->kind == EM_SQL_BACKSLASH)
        return;
    if (walk->tokens == 0)
        walk->opening_at = offset;
    if (walk->tokens++ < EM_SQL_OPENING_WORDS &&
        (token->kind == EM_SQL_WORD || token->kind == EM_SQL_QUOTED)) {
        em_str_add(&walk->opening, token->at, token->len);
        em_str_putc(&walk->opening, ' ');
    } else if (token->kind == EM_SQL_STRING) {
        take_string(walk, token, offset);
    }
}

void em_sql_lint_transaction_end(struct em_sql_walk *walk)
{
    const char *words = em_str_c(&walk->opening);
    int first = (int)strcspn(words, " "), three = first;
    for (int n = 0; n < 2 && first && words[three + 1]; n++)
        three += 1 + (int)strcspn(words + three + 1, " ");
    if (em_sql_is_control(words))
        find(walk, true, walk->opening_at,
             "%.*s: the file is run in a transaction that embark begins and ends", first, words);
    else if (em_sql_runs_outside(words))
        find(walk, strncasecmp(words, "drop sub", 8) != 0, walk->opening_at,
             "%.*s can't run in a transaction, and the file is run in one", three, words);
    em_str_cut(&walk->opening, 0);
    walk->tokens = 0;
}
