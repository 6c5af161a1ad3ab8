/* What of a migration's file is run: the rest is made blank, so that lines keep their numbers. */
#include <string.h>

#include "embark/core/sql/lint/transaction.h"
#include "embark/core/sql/position.h"
#include "outline.h"
#include "parts.h"

struct cut {
    struct em_sql_tree *tree;
    struct em_sql_tree_file *file;
    bool up, down; /* a mark of it was seen */
    bool runs;     /* what is read now is run */
    size_t from;   /* where that began */
    size_t block;  /* where one that is one statement began; 0: none */
    size_t block_line, down_line;
    struct range {
        size_t from, to;
    } * variables; /* where they are put in */
    size_t n;
    bool with_variables;
};

static void blank(struct em_str *s, size_t from, size_t to)
{
    for (; from < to && from < s->len; from++)
        if (s->data[from] != '\n')
            s->data[from] = ' ';
}

static void wrong(struct cut *c, size_t line, const char *hint, const char *format, ...)
    EM_PRINTF(4, 5);
static void wrong(struct cut *c, size_t line, const char *hint, const char *format, ...)
{
    EM_STR_AUTO text = EM_STR_INIT;
    va_list args;
    va_start(args, format);
    em_str_vprintf(&text, format, args);
    va_end(args);
    struct em_err *err = em_errs_add(&c->tree->errs, EM_EXIT_SQL, "%s:%zu:1: %s", c->file->path,
                                     line, em_str_c(&text));
    em_hint(err, "%s", hint);
}

/* ---- Marks -------------------------------------------------------------------------------------- */

/* Those tools that want a mark in front of all that is run. */
static bool wants_up(enum em_sql_format format)
{
    return format == EM_SQL_DBMATE || format == EM_SQL_GOOSE || format == EM_SQL_MIGRATE;
}

static void close_variables(struct cut *c, size_t at)
{
    if (c->with_variables)
        c->variables[c->n - 1].to = at;
    c->with_variables = false;
}

static void open_variables(struct cut *c, size_t at)
{
    if (c->with_variables)
        return;
    c->variables = em_realloc(c->variables, c->n + 1, sizeof *c->variables);
    c->variables[c->n++] = (struct range){at, at};
    c->with_variables = true;
}

/* Ends what was read up to here. */
static void end_part(struct cut *c, const struct em_sql_mark *mark, bool runs)
{
    if (!c->runs)
        blank(&c->file->run, c->from, mark->at);
    c->runs = runs;
    c->from = mark->at;
}

/* Most tools pass over, or refuse, what stands there. */
static bool nothing_before(struct cut *c, const struct em_sql_mark *mark)
{
    struct em_sql_outline outline;
    struct em_sql_source source =
        em_sql_source(c->file->path, em_str_c(&c->file->text), c->file->text.len);
    em_sql_outline(em_str_c(&c->file->text), mark->at, &outline);
    if (!outline.statements)
        return true;
    wrong(c, em_sql_place(&source, outline.first).line, "move it behind the mark",
          "a statement in front of %s's first mark, which %s does not run", mark->tool, mark->tool);
    return false;
}

static bool take_up(struct cut *c, const struct em_sql_mark *mark)
{
    bool again = c->up && (c->tree->format != EM_SQL_MIGRATE || c->runs);
    if (again || (c->down && (mark->format == EM_SQL_DBMATE || mark->format == EM_SQL_GOOSE))) {
        wrong(c, mark->line, "a file has one part that goes up, and then one that takes it back",
              "%s's mark for the part that goes up stands %s", mark->tool,
              again ? "here again" : "behind the one that takes back");
        return false;
    }
    if (!c->up && !c->down && !nothing_before(c, mark))
        return false;
    end_part(c, mark, true);
    c->up = true;
    c->file->alone |= mark->alone;
    return true;
}

static bool no_up(struct cut *c, size_t line)
{
    wrong(c, line, "write its mark in front of what is to be applied",
          "begins the part that takes the migration back (%s), and no part that goes up is marked",
          em_sql_format_tool(c->tree->format));
    return false;
}

static bool take_down(struct cut *c, const struct em_sql_mark *mark)
{
    if (!c->up && (mark->format == EM_SQL_DBMATE || mark->format == EM_SQL_GOOSE))
        return no_up(c, mark->line);
    if (!c->up && !c->down && !c->runs && !nothing_before(c, mark))
        return false;
    close_variables(c, mark->at);
    end_part(c, mark, false);
    if (!c->down)
        c->down_line = mark->line;
    c->down = true;
    return true;
}

/* What a block holds is sent as one: its last statement may lack the semicolon. */
static void end_block(struct cut *c, const struct em_sql_mark *mark)
{
    struct em_sql_outline outline;
    struct em_str *run = &c->file->run;
    em_sql_outline(run->data + c->block, mark->at - c->block, &outline);
    if (c->runs && outline.open) {
        blank(run, mark->at, mark->end);
        run->data[mark->at] = ';';
    }
    c->block = 0;
}

static bool take_block(struct cut *c, const struct em_sql_mark *mark)
{
    bool begins = mark->kind == EM_SQL_BLOCK_BEGIN;
    if ((!c->up && !c->down) || begins == (c->block != 0)) {
        wrong(c, mark->line, "each StatementBegin has one StatementEnd, in the same part",
              "%s's mark stands where none can be", mark->tool);
        return false;
    }
    if (begins) {
        c->block = mark->next;
        c->block_line = mark->line;
    } else {
        end_block(c, mark);
    }
    return true;
}

static bool take_mark(struct cut *c, const struct em_sql_mark *mark)
{
    if ((mark->kind == EM_SQL_UP || mark->kind == EM_SQL_DOWN) && c->block) {
        wrong(c, c->block_line, "each StatementBegin has one StatementEnd, in the same part",
              "%s's block has no end", mark->tool);
        return false;
    }
    switch (mark->kind) {
    case EM_SQL_UP:
        return take_up(c, mark);
    case EM_SQL_DOWN:
        return take_down(c, mark);
    case EM_SQL_BLOCK_BEGIN:
    case EM_SQL_BLOCK_END:
        return take_block(c, mark);
    case EM_SQL_ALONE:
        c->file->alone = true;
        return true;
    case EM_SQL_VARIABLES:
        if (c->runs)
            open_variables(c, mark->next);
        return true;
    case EM_SQL_NO_VARIABLES:
        close_variables(c, mark->at);
        return true;
    default:
        return true;
    }
}

/* A mark that isn't the format's, or isn't understood. */
static bool refuse_mark(struct cut *c, const struct em_sql_mark *mark)
{
    const char *tool = em_sql_format_tool(c->tree->format);
    if (mark->kind == EM_SQL_REMARK)
        return false;
    if (mark->format != c->tree->format && mark->kind == EM_SQL_DOWN)
        wrong(c, mark->line,
              "keep that tool as [migrate] command, or move that part out of the folder",
              "begins the part that takes the migration back (%s), and the folder's files are %s's",
              mark->tool, tool);
    else if (mark->format != c->tree->format)
        wrong(c, mark->line, "a folder holds the files of one tool; [migrate] format says of which",
              "a mark of %s's, and the folder's files are %s's", mark->tool, tool);
    else if (mark->kind == EM_SQL_ODD)
        wrong(c, mark->line, "write the mark as its tool has it, or take it out", "%s", mark->why);
    else
        return false;
    return true;
}

/* node-pg-migrate takes a file without marks for one that goes up, and one that has only the way
 * back as well. */
static bool starts_running(struct cut *c)
{
    struct em_sql_mark mark;
    size_t at = 0, line = 1;
    bool up = false;
    if (c->tree->format != EM_SQL_NODE_PG)
        return !wants_up(c->tree->format);
    while (em_sql_mark_next(em_str_c(&c->file->text), c->file->text.len, &at, &line, &mark))
        up |= mark.format == EM_SQL_NODE_PG && mark.kind == EM_SQL_UP;
    return !up;
}

static bool cut_marks(struct cut *c)
{
    const struct em_str *text = &c->file->text;
    struct em_sql_mark mark = {0};
    size_t at = 0, line = 1;
    c->runs = starts_running(c);
    while (em_sql_mark_next(em_str_c(text), text->len, &at, &line, &mark)) {
        if (refuse_mark(c, &mark) || !take_mark(c, &mark))
            return false;
    }
    if (c->block)
        wrong(c, c->block_line, "each StatementBegin has one StatementEnd, in the same part",
              "%s's block has no end", em_sql_format_tool(c->tree->format));
    else if (!c->up && c->down)
        no_up(c, c->down_line);
    else if (!c->up && wants_up(c->tree->format))
        wrong(c, 1,
              c->file->alone ? "write its mark in front of what is to be applied; in a file of no "
                               "tool's the comment is -- embark: no transaction"
                             : "write its mark in front of what is to be applied",
              "no part that goes up is marked, as %s's files have it",
              em_sql_format_tool(c->tree->format));
    else {
        close_variables(c, text->len);
        if (!c->runs)
            blank(&c->file->run, c->from, text->len);
        return true;
    }
    return false;
}

/* ---- Transactions ------------------------------------------------------------------------------- */

const char *em_sql_format_alone(enum em_sql_format format)
{
    switch (format) {
    case EM_SQL_DBMATE:
        return "put it in a file of its own, whose mark is -- migrate:up transaction:false";
    case EM_SQL_GOOSE:
        return "put it in a file of its own that starts with -- +goose NO TRANSACTION";
    case EM_SQL_MIGRATE:
        return "put it in a file of its own, whose mark is -- +migrate Up notransaction";
    case EM_SQL_SQLX:
        return "put it in a file of its own that starts with the line -- no-transaction";
    case EM_SQL_ATLAS:
        return "put it in a file of its own that starts with -- atlas:txmode none and an empty "
               "line";
    case EM_SQL_FLYWAY:
        return "put it in a file of its own, with executeInTransaction=false in a file beside it "
               "that has the same name and .conf behind";
    default:
        return "take it out, or start the file with the comment -- embark: no transaction";
    }
}

/* As the format's tool would run it. A file's own BEGIN and COMMIT around all of it are what embark
 * does anyway. */
static void find_transaction(struct cut *c)
{
    struct em_sql_tree_file *file = c->file;
    enum em_sql_format format = c->tree->format;
    struct em_sql_outline o;
    bool as_is = format == EM_SQL_GOLANG || format == EM_SQL_PAIRS || format == EM_SQL_PRISMA;
    file->alone |= em_sql_wants_no_transaction(em_str_c(&file->text));
    if (format == EM_SQL_OWN)
        return;
    if (format == EM_SQL_SQLX || format == EM_SQL_PAIRS)
        file->alone |= em_starts(em_str_c(&file->text), "-- no-transaction");
    em_sql_outline(em_str_c(&file->run), file->run.len, &o);
    if (as_is && ((o.statements == 1 && o.outside) || (o.controls && !o.wrapped)))
        file->alone = true;
    if (format == EM_SQL_FLYWAY && o.outside && o.outside == o.statements)
        file->alone = true;
    if (o.wrapped && !file->alone) {
        blank(&file->run, o.begin_at, o.begin_end);
        blank(&file->run, o.commit_at, o.commit_end);
    }
}

/* ---- All of it ---------------------------------------------------------------------------------- */

void em_sql_cut(struct em_sql_tree *tree, struct em_sql_tree_file *file)
{
    struct cut c = {.tree = tree, .file = file};
    em_str_cut(&file->run, 0);
    em_str_add(&file->run, em_str_c(&file->text), file->text.len);
    bool good = cut_marks(&c);
    /* From the last one on, as each may change the length. */
    for (size_t i = c.n; good && i-- > 0;)
        em_sql_substitute_env(tree, file, c.variables[i].from, c.variables[i].to);
    if (good && tree->format == EM_SQL_FLYWAY && file->placeholders)
        em_sql_substitute_flyway(tree, file);
    if (good)
        find_transaction(&c);
    em_free_ptr(&c.variables);
}
