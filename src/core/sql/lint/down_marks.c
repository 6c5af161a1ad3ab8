#include "embark/core/sql/lint/down_marks.h"

#include <string.h>
#include <strings.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Behind the dashes of a comment, with one blank for any number of blanks, and in any case. */
static const struct mark {
    const char *text, *tool;
} marks[] = {
    {"migrate:down", "dbmate"},
    {"+goose down", "goose"},
    {"+migrate down", "sql-migrate"},
    {"down migration", "node-pg-migrate"},
    {"rambler down", "rambler"},
    {"+micrate down", "micrate"},
    {"//@undo", "MyBatis Migrations"},
    {"!downs", "Play"},
    {"#downs", "Play"},
};

static const char hint[] =
    "keep that tool as [migrate] command, or move that part out of the folder: [migrate] sql runs "
    "each file whole, and takes nothing back";

/* What stands behind the dashes of a line that is a comment, with single blanks; "" for another
 * line. */
static void comment_of(const char *line, size_t length, struct em_str *out)
{
    size_t at = 0;
    while (at < length && (line[at] == ' ' || line[at] == '\t'))
        at++;
    if (length - at < 2 || line[at] != '-' || line[at + 1] != '-')
        return;
    while (at < length && strchr("- \t", line[at]))
        at++;
    for (bool blank = false; at < length && line[at] != '\r'; at++) {
        if (line[at] == ' ' || line[at] == '\t') {
            blank = true;
            continue;
        }
        if (blank)
            em_str_putc(out, ' ');
        blank = false;
        em_str_putc(out, line[at]);
    }
}

static const struct mark *mark_of(const char *comment)
{
    for (size_t i = 0; i < COUNT(marks); i++) {
        size_t length = strlen(marks[i].text);
        if (strncasecmp(comment, marks[i].text, length) == 0 &&
            (comment[length] == '\0' || comment[length] == ' '))
            return &marks[i];
    }
    return NULL;
}

static bool refuse(struct em_err *err)
{
    em_hint(err, "%s", hint);
    return false;
}

bool em_sql_has_no_down_marks(const char *path, const char *text, struct em_err *err)
{
    if (em_ends(path, ".down.sql")) {
        em_fail(
            err, EM_EXIT_SQL,
            "%s: by its name it takes a migration back (golang-migrate, sqlx), and would be run",
            path);
        return refuse(err);
    }
    for (size_t line = 1; *text; line++) {
        EM_STR_AUTO comment = EM_STR_INIT;
        size_t length = strcspn(text, "\n");
        comment_of(text, length, &comment);
        const struct mark *mark = mark_of(em_str_c(&comment));
        if (mark) {
            em_fail(err, EM_EXIT_SQL,
                    "%s:%zu:1: \"-- %s\" begins the part that takes the migration back (%s), and "
                    "would be run, too",
                    path, line, mark->text, mark->tool);
            return refuse(err);
        }
        text += length + (text[length] == '\n');
    }
    return true;
}
