#include "embark/core/sql/tree/dialect.h"

#include <string.h>
#include <strings.h>

/* A line that is a comment: what stands behind the dashes, with one blank for any number of them.
 */
struct comment {
    const char *line; /* as it stands in the file */
    size_t length;
    const char *text;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static void comment_of(const char *line, size_t length, struct em_str *out)
{
    size_t at = 0;
    while (at < length && is_blank(line[at]))
        at++;
    if (length - at < 2 || line[at] != '-' || line[at + 1] != '-')
        return;
    while (at < length && (line[at] == '-' || is_blank(line[at])))
        at++;
    for (bool blank = false; at < length; at++) {
        if (is_blank(line[at])) {
            blank = true;
            continue;
        }
        if (blank)
            em_str_putc(out, ' ');
        blank = false;
        em_str_putc(out, line[at]);
    }
}

/* Whether `text` starts with `word`, whatever the case, and a blank or the end comes next. */
static bool begins(const char *text, const char *word)
{
    size_t length = strlen(word);
    return strncasecmp(text, word, length) == 0 && (!text[length] || text[length] == ' ');
}

static void odd(struct em_sql_mark *mark, const char *why)
{
    mark->kind = EM_SQL_ODD;
    mark->why = why;
}

/* "--", blanks, then exactly `word`, from the line's first byte on. */
static bool is_exact(const struct comment *c, const char *word)
{
    size_t at = 2, length = strlen(word);
    if (c->length < 2 || c->line[0] != '-' || c->line[1] != '-')
        return false;
    while (at < c->length && is_blank(c->line[at]))
        at++;
    return c->length - at >= length && strncmp(c->line + at, word, length) == 0 &&
           (c->length - at == length || is_blank(c->line[at + length]));
}

/* ---- dbmate ------------------------------------------------------------------------------------ */

static bool dbmate(const struct comment *c, struct em_sql_mark *mark)
{
    bool up = begins(c->text, "migrate:up") || begins(c->text, "migrate: up");
    if (!up && !begins(c->text, "migrate:down") && !begins(c->text, "migrate: down"))
        return false;
    mark->tool = "dbmate";
    mark->format = EM_SQL_DBMATE;
    mark->kind = up ? EM_SQL_UP : EM_SQL_DOWN;
    if (!is_exact(c, up ? "migrate:up" : "migrate:down"))
        odd(mark, "dbmate knows its marks at the start of a line and in small letters only");
    const char *options = strchr(c->text, ' ');
    for (; up && mark->kind == EM_SQL_UP && options; options = strchr(options + 1, ' ')) {
        mark->alone |= begins(options + 1, "transaction:false");
        if (!begins(options + 1, "transaction:false") && !begins(options + 1, "transaction:true"))
            odd(mark, "only the option transaction:false or transaction:true is known");
    }
    return true;
}

/* ---- goose -------------------------------------------------------------------------------------- */

static bool goose(const struct comment *c, struct em_sql_mark *mark)
{
    static const struct {
        const char *text;
        enum em_sql_mark_kind kind;
    } words[] = {
        {"Up", EM_SQL_UP},
        {"Down", EM_SQL_DOWN},
        {"StatementBegin", EM_SQL_BLOCK_BEGIN},
        {"StatementEnd", EM_SQL_BLOCK_END},
        {"NO TRANSACTION", EM_SQL_ALONE},
        {"ENVSUB ON", EM_SQL_VARIABLES},
        {"ENVSUB OFF", EM_SQL_NO_VARIABLES},
    };
    if (strncasecmp(c->text, "+goose", 6) != 0)
        return false;
    mark->tool = "goose";
    mark->format = EM_SQL_GOOSE;
    odd(mark, "goose has no such mark: Up, Down, StatementBegin, StatementEnd, NO TRANSACTION, "
              "ENVSUB ON and ENVSUB OFF are its");
    const char *word = c->text + 6 + (c->text[6] == ' ');
    for (size_t i = 0; i < EM_COUNT(words); i++)
        if (strcasecmp(word, words[i].text) == 0)
            mark->kind = words[i].kind;
    if (mark->kind != EM_SQL_ODD && (is_blank(c->line[0]) || strncmp(c->text, "+goose", 6) != 0))
        odd(mark, "goose knows its marks at the start of a line and as +goose only");
    return true;
}

/* ---- sql-migrate ------------------------------------------------------------------------------- */

static bool sql_migrate(const struct comment *c, struct em_sql_mark *mark)
{
    static const char prefix[] = "-- +migrate ";
    if (!begins(c->text, "+migrate"))
        return false;
    mark->tool = "sql-migrate";
    mark->format = EM_SQL_MIGRATE;
    if (c->length < sizeof prefix - 1 || strncmp(c->line, prefix, sizeof prefix - 1) != 0) {
        odd(mark, "sql-migrate knows its marks as \"-- +migrate \" at the start of a line only");
        return true;
    }
    const char *word = c->text + strlen("+migrate ");
    bool no_transaction = strcmp(word, "Up notransaction") == 0;
    if (strcmp(word, "Up") == 0 || no_transaction)
        mark->kind = EM_SQL_UP;
    else if (strcmp(word, "Down") == 0 || strcmp(word, "Down notransaction") == 0)
        mark->kind = EM_SQL_DOWN;
    else if (strcmp(word, "StatementBegin") == 0)
        mark->kind = EM_SQL_BLOCK_BEGIN;
    else if (strcmp(word, "StatementEnd") == 0)
        mark->kind = EM_SQL_BLOCK_END;
    else
        odd(mark, "sql-migrate has no such mark: Up, Up notransaction, Down, StatementBegin and "
                  "StatementEnd are its");
    mark->alone = no_transaction;
    return true;
}

/* ---- node-pg-migrate ---------------------------------------------------------------------------- */

static bool node_pg(const struct comment *c, struct em_sql_mark *mark)
{
    bool up = strncasecmp(c->text, "up migration", 12) == 0;
    if (!up && strncasecmp(c->text, "down migration", 14) != 0)
        return false;
    mark->tool = "node-pg-migrate";
    mark->format = EM_SQL_NODE_PG;
    mark->kind = up ? EM_SQL_UP : EM_SQL_DOWN;
    return true;
}

/* ---- Atlas -------------------------------------------------------------------------------------- */

static bool atlas(const struct comment *c, struct em_sql_mark *mark)
{
    static const char *const unknown[] = {"delimiter", "checkpoint", "import", "sum", "txtar"};
    if (strncasecmp(c->text, "atlas:", 6) != 0)
        return false;
    mark->tool = "Atlas";
    mark->format = EM_SQL_ATLAS;
    mark->kind = EM_SQL_REMARK; /* nolint, assert… */
    const char *word = c->text + 6;
    for (size_t i = 0; i < EM_COUNT(unknown); i++)
        if (begins(word, unknown[i]))
            odd(mark, "this directive of Atlas's is not taken");
    if (!begins(word, "txmode"))
        return true;
    if (strcmp(word, "txmode none") == 0)
        mark->kind = EM_SQL_ALONE;
    else if (strcmp(word, "txmode file") != 0 && strcmp(word, "txmode all") != 0)
        odd(mark, "Atlas has the modes none, file and all");
    return true;
}

/* ---- Others: their way back --------------------------------------------------------------------- */

static bool foreign(const struct comment *c, struct em_sql_mark *mark)
{
    static const struct {
        const char *text, *tool;
    } marks[] = {
        {"rambler down", "rambler"},
        {"+micrate down", "micrate"},
        {"//@undo", "MyBatis Migrations"},
        {"!downs", "Play"},
        {"#downs", "Play"},
    };
    for (size_t i = 0; i < EM_COUNT(marks); i++) {
        if (!begins(c->text, marks[i].text))
            continue;
        mark->tool = marks[i].tool;
        mark->format = EM_SQL_FOREIGN;
        mark->kind = EM_SQL_DOWN;
        return true;
    }
    return false;
}

static bool is_mark(const struct comment *c, struct em_sql_mark *mark)
{
    return dbmate(c, mark) || goose(c, mark) || sql_migrate(c, mark) || node_pg(c, mark) ||
           atlas(c, mark) || foreign(c, mark);
}

bool em_sql_mark_next(const char *text, size_t length, size_t *at, size_t *line,
                      struct em_sql_mark *mark)
{
    while (*at < length) {
        EM_STR_AUTO comment = EM_STR_INIT;
        const char *start = text + *at;
        const char *end = memchr(start, '\n', length - *at);
        size_t n = end ? (size_t)(end - start) : length - *at;
        memset(mark, 0, sizeof *mark);
        mark->at = *at;
        mark->next = *at + n + (end != NULL);
        mark->line = (*line)++;
        *at = mark->next;
        if (mark->at == 0 && n >= 3 && memcmp(start, "\xEF\xBB\xBF", 3) == 0) {
            start += 3;
            n -= 3;
        }
        while (n && is_blank(start[n - 1]))
            n--;
        mark->end = (size_t)(start - text) + n;
        comment_of(start, n, &comment);
        struct comment c = {start, n, em_str_c(&comment)};
        if (comment.len && is_mark(&c, mark))
            return true;
    }
    return false;
}
