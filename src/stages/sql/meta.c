/* psql's meta-commands, as a file gives them. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "embark/core/sql/meta.h"
#include "embark/core/sql/meta_words.h"
#include "embark/os/log/log.h"
#include "embark/stages/sql/check.h"
#include "file.h"

enum { MOST_NESTED = 32 }; /* files that include each other */

struct meta {
    struct em_sql_file *file;
    struct em_sql_meta_words slash;
    const char *name;
    size_t offset; /* of the backslash */
    struct em_err *err;
    int code;    /* what the command came to */
    bool failed; /* the error is logged already */
};

static void wrong(struct meta *m, const char *hint, const char *text)
{
    if (m->failed)
        return;
    m->failed = true;
    m->code = em_sql_wrong(m->file, m->offset, m->err, hint, "\\%s: %s", m->name, text);
}

/* The next argument. False: no more, or it is wrong (m->failed). */
static bool next_arg(struct meta *m, struct em_str *arg)
{
    enum em_sql_arg got = m->failed ? EM_SQL_ARG_NONE : em_sql_meta_words_arg(&m->slash, arg);
    EM_STR_AUTO text = EM_STR_INIT;

    if (got == EM_SQL_ARG_OPEN)
        wrong(m, NULL, "a quote is not closed at the line's end");
    else if (m->slash.shell)
        wrong(m,
              "give the value with -v NAME=VALUE, or take it from the environment with \\getenv "
              "NAME VARIABLE",
              "no shell is run for `…`");
    if (got == EM_SQL_ARG_OK && m->slash.unset) {
        em_str_printf(&text, "the variable %.*s is not set", (int)m->slash.unset_length,
                      m->slash.unset_name);
        wrong(m, "give it with -v NAME=VALUE, or \\set it before; '…' keeps a colon as it is",
              em_str_c(&text));
    }
    return got == EM_SQL_ARG_OK && !m->failed;
}

static void too_few(struct meta *m, const char *needed)
{
    EM_STR_AUTO text = EM_STR_INIT;

    em_str_printf(&text, "%s is needed", needed);
    wrong(m, NULL, em_str_c(&text));
}

/* ---- Variables ---- */

static void set(struct meta *m, const char *name, const char *value)
{
    struct em_sql_run *run = m->file->run;
    EM_STR_AUTO text = EM_STR_INIT;
    const char *why;
    bool on;

    if (em_sql_special(name, value, &why)) {
        em_str_printf(&text, "%s can't be %s here", name, *value ? value : "on");
        wrong(m, why, em_str_c(&text));
    } else if (strcmp(name, "ON_ERROR_STOP") == 0) {
        if (em_sql_bool(*value ? value : "on", &on))
            run->options.go_on = !on;
        else
            wrong(m, NULL, "ON_ERROR_STOP is on or off");
    }
    if (m->failed)
        return;
    if (!em_sql_vars_set(run->options.vars, name, value)) {
        em_str_printf(&text, "%s is no name of a variable: letters, digits and _", name);
        wrong(m, NULL, em_str_c(&text));
    } else if (em_sql_vars_secret(name)) {
        em_secrets_add(em_log_secrets(), value);
    }
}

static void run_set(struct meta *m)
{
    EM_STR_AUTO name = EM_STR_INIT;
    EM_STR_WIPED value = EM_STR_INIT;

    if (!next_arg(m, &name)) {
        too_few(m, "a variable's name");
        return;
    }
    while (next_arg(m, &value)) /* one after the other, nothing between */
        ;
    if (!m->failed)
        set(m, em_str_c(&name), em_str_c(&value));
}

static void run_unset(struct meta *m)
{
    EM_STR_AUTO name = EM_STR_INIT;

    if (next_arg(m, &name))
        em_sql_vars_unset(m->file->run->options.vars, em_str_c(&name));
    else
        too_few(m, "a variable's name");
}

static void run_getenv(struct meta *m)
{
    EM_STR_AUTO name = EM_STR_INIT;
    EM_STR_AUTO variable = EM_STR_INIT;
    const char *value;

    if (!next_arg(m, &name) || !next_arg(m, &variable)) {
        too_few(m, "a variable's name and that of one in the environment");
        return;
    }
    value = getenv(em_str_c(&variable));
    if (value)
        set(m, em_str_c(&name), value);
}

/* ---- Output ---- */

static void run_echo(struct meta *m, bool warn)
{
    EM_STR_AUTO line = EM_STR_INIT;
    bool newline = true, first = true;

    for (;;) {
        EM_STR_AUTO word = EM_STR_INIT;

        if (!next_arg(m, &word))
            break;
        if (first && newline && !m->slash.quoted && strcmp(em_str_c(&word), "-n") == 0) {
            newline = false;
            continue;
        }
        if (!first)
            em_str_putc(&line, ' ');
        em_str_add(&line, em_str_c(&word), word.len);
        first = false;
    }
    if (m->failed)
        return;
    if (warn) {
        em_log(EM_LOG_WARN, m->file->run->options.step, "%s:%zu: %s", m->file->source.name,
               em_sql_place(&m->file->source, m->offset).line, em_str_c(&line));
        return;
    }
    if (newline)
        em_str_putc(&line, '\n');
    if (!em_sql_print(m->file->run, em_str_c(&line), line.len, *m->name == 'q'))
        m->code = em_fail(m->err, EM_EXIT_SYSTEM, "results can't be written");
}

/* ---- Branches ---- */

/* The expression of \if and \elif. */
static bool is_true(struct meta *m)
{
    EM_STR_AUTO word = EM_STR_INIT;
    EM_STR_AUTO text = EM_STR_INIT;
    bool value = false;

    while (next_arg(m, &word)) /* all of them; more than one is no boolean */
        em_str_putc(&word, ' ');
    if (word.len)
        em_str_cut(&word, word.len - 1);
    else
        too_few(m, "true or false");
    if (!m->failed && !em_sql_bool(em_str_c(&word), &value)) {
        em_str_printf(&text, "\"%s\" is neither true nor false", em_str_c(&word));
        wrong(m, "on, true, yes, 1 or off, false, no, 0; SELECT … AS name \\gset asks the server",
              em_str_c(&text));
    }
    return value;
}

static void run_branch(struct meta *m, enum em_sql_what what)
{
    struct em_sql_file *file = m->file;
    const char *mistake = NULL;
    bool ask = false;

    if (what == EM_SQL_META_IF)
        em_sql_cond_if(&file->conds, &file->split, m->offset,
                       em_sql_conds_active(&file->conds) && is_true(m));
    else if (what == EM_SQL_META_ELIF)
        mistake = em_sql_cond_elif(&file->conds, &file->split, &ask);
    else if (what == EM_SQL_META_ELSE)
        mistake = em_sql_cond_else(&file->conds, &file->split);
    else
        mistake = em_sql_cond_endif(&file->conds, &file->split);
    if (ask) {
        m->slash.vars = file->run->options.vars;
        em_sql_cond_decide(&file->conds, is_true(m));
    }
    if (mistake)
        wrong(m, NULL, mistake);
    file->split.active = em_sql_conds_active(&file->conds);
}

/* ---- Results into files ---- */

/* *fd: -1 for standard output. A program is never run. */
static bool open_output(struct meta *m, const char *path, int *fd)
{
    EM_ERR_AUTO err = EM_ERR_INIT;

    *fd = -1;
    if (*path == '|')
        wrong(m, "write them to a file, or to standard output", EM_SQL_NO_PIPE);
    else if (*path && (*fd = em_sql_output_open(path, &err)) < 0)
        wrong(m, NULL, em_str_c(&err.text));
    return !m->failed;
}

static void close_output(struct em_sql_run *run, int before)
{
    if (run->output >= 0)
        close(run->output);
    run->output = before;
}

static void run_output(struct meta *m)
{
    EM_STR_AUTO path = EM_STR_INIT;
    int fd;

    next_arg(m, &path);
    if (!m->failed && open_output(m, em_str_c(&path), &fd))
        close_output(m->file->run, fd);
}

/* ---- The buffer ---- */

/* \g, \gexec and \gset run what is in the buffer, or the last statement again. */
static void run_statement(struct meta *m, enum em_sql_what what)
{
    struct em_sql_file *file = m->file;
    struct em_sql_split *split = &file->split;
    struct em_str *previous = &file->run->previous;
    EM_STR_AUTO word = EM_STR_INIT;
    enum em_sql_purpose purpose = what == EM_SQL_META_GSET    ? EM_SQL_GSET
                                  : what == EM_SQL_META_GEXEC ? EM_SQL_GEXEC
                                                              : EM_SQL_SHOW;
    bool has_word = what != EM_SQL_META_GEXEC && next_arg(m, &word);
    int before = file->run->output, fd;

    /* \g (format=unaligned): options of the output; they may hold blanks. */
    if (what == EM_SQL_META_GO && has_word && *em_str_c(&word) == '(') {
        while (!em_ends(em_str_c(&word), ")") && next_arg(m, &word))
            ;
        em_str_cut(&word, 0);
        has_word = next_arg(m, &word);
    }
    if (what == EM_SQL_META_GO && has_word && open_output(m, em_str_c(&word), &fd))
        file->run->output = fd;
    if (!m->failed && !split->text.bytes.len)
        em_sql_text_made(&split->text, em_str_c(previous), previous->len, m->offset);
    if (!m->failed && split->text.bytes.len)
        m->code =
            em_sql_execute(file, purpose, has_word ? em_str_c(&word) : NULL, m->offset, m->err);
    if (file->run->output != before)
        close_output(file->run, before);
    em_sql_split_reset(split);
}

static void run_print(struct meta *m)
{
    const struct em_str *text = &m->file->split.text.bytes;
    EM_STR_WIPED line = EM_STR_INIT;

    if (!text->len)
        text = &m->file->run->previous;
    em_str_add(&line, em_str_c(text), text->len);
    em_str_putc(&line, '\n');
    if (!em_sql_print(m->file->run, em_str_c(&line), line.len, false))
        m->code = em_fail(m->err, EM_EXIT_SYSTEM, "standard output can't be written");
}

/* ---- Files ---- */

static void run_include(struct meta *m, bool relative)
{
    struct em_sql_run *run = m->file->run;
    EM_STR_AUTO word = EM_STR_INIT;

    m->slash.strip = true;
    if (!next_arg(m, &word)) {
        too_few(m, "a file's name");
        return;
    }
    if (run->depth >= MOST_NESTED) {
        wrong(m, NULL, "files include each other more than 32 deep");
        return;
    }
    if (strcmp(em_str_c(&word), "-") == 0) {
        wrong(m, NULL, "standard input can't be included");
        return;
    }
    run->depth++;
    m->code = em_sql_run_included(m->file, em_str_c(&word), relative, m->err);
    m->failed = m->code != 0;
    run->depth--;
}

/* ---- pg_dump's protection against what a dump's texts may smuggle in ---- */

static void run_restrict(struct meta *m)
{
    struct em_str *key = &m->file->run->restricted;

    em_str_cut(key, 0);
    if (!next_arg(m, key) || !key->len)
        too_few(m, "a key");
}

static void run_unrestrict(struct meta *m)
{
    struct em_str *key = &m->file->run->restricted;
    EM_STR_AUTO word = EM_STR_INIT;

    if (!next_arg(m, &word))
        too_few(m, "the key of \\restrict");
    else if (!key->len)
        wrong(m, NULL, "there was no \\restrict");
    else if (strcmp(em_str_c(&word), em_str_c(key)) != 0)
        wrong(m, NULL, "this is not the key of \\restrict");
    else
        em_str_cut(key, 0);
}

/* ---- All of them ---- */

static void refuse(struct meta *m, const char *why)
{
    size_t start, length;
    bool closed;

    /* Of \copy … from stdin: it is no SQL. */
    if (strcasecmp(m->name, "copy") == 0 && em_sql_split_has_data(&m->file->split))
        em_sql_split_data(&m->file->split, &start, &length, &closed);
    wrong(m, why, "psql's meta-command is refused");
}

static void unknown(struct meta *m)
{
    m->failed = true;
    m->code =
        em_sql_wrong(m->file, m->offset, m->err, NULL,
                     strcmp(m->name, ".") == 0
                         ? "\\%s: it ends the data of a COPY … FROM stdin, and none was asked for"
                         : "there is no meta-command \\%s",
                     m->name);
}

static void run_active(struct meta *m, enum em_sql_what what, const char *why)
{
    switch (what) {
    case EM_SQL_META_SET:
        run_set(m);
        break;
    case EM_SQL_META_UNSET:
        run_unset(m);
        break;
    case EM_SQL_META_GETENV:
        run_getenv(m);
        break;
    case EM_SQL_META_ECHO:
    case EM_SQL_META_WARN:
        run_echo(m, what == EM_SQL_META_WARN);
        break;
    case EM_SQL_META_GO:
    case EM_SQL_META_GSET:
    case EM_SQL_META_GEXEC:
        run_statement(m, what);
        break;
    case EM_SQL_META_INCLUDE:
    case EM_SQL_META_INCLUDE_RELATIVE:
        run_include(m, what == EM_SQL_META_INCLUDE_RELATIVE);
        break;
    case EM_SQL_META_OUTPUT:
        run_output(m);
        break;
    case EM_SQL_META_QUIT:
        m->file->quit = true;
        break;
    case EM_SQL_META_RESET:
        em_sql_split_reset(&m->file->split);
        break;
    case EM_SQL_META_PRINT:
        run_print(m);
        break;
    case EM_SQL_META_RESTRICT:
        run_restrict(m);
        break;
    case EM_SQL_META_REFUSED:
        refuse(m, why);
        break;
    case EM_SQL_META_UNKNOWN:
        unknown(m);
        break;
    default: /* EM_SQL_META_NOTHING */
        break;
    }
}

static void run(struct meta *m)
{
    bool active = em_sql_conds_active(&m->file->conds);
    const char *why;
    enum em_sql_what what = em_sql_meta(m->name, &why);

    if (m->file->split.in_value)
        wrong(m, NULL, "a meta-command in a variable's value is refused");
    else if (what == EM_SQL_META_UNRESTRICT)
        run_unrestrict(m);
    else if (m->file->run->restricted.len)
        wrong(m, NULL, "between \\restrict and \\unrestrict no other meta-command is allowed");
    else if (what >= EM_SQL_META_IF && what <= EM_SQL_META_ENDIF)
        run_branch(m, what);
    else if (active)
        run_active(m, what, why);
    else if (em_sql_meta_whole_line(m->name))
        em_sql_meta_words_drop(&m->slash);
}

int em_sql_meta_run(struct em_sql_file *file, struct em_err *err)
{
    struct em_sql_lex *lex = &file->split.lex;
    EM_STR_AUTO name = EM_STR_INIT;
    EM_STR_AUTO rest = EM_STR_INIT;
    struct meta m = {.file = file, .slash = {.at = lex->at, .end = lex->end}, .err = err};
    size_t at = em_sql_split_offset(&file->split, lex->at);

    m.offset = file->split.in_value ? at : at - 1;
    em_sql_meta_words_name(&m.slash, &name);
    m.name = em_str_c(&name);
    if (em_sql_conds_active(&file->conds))
        m.slash.vars = file->run->options.vars;
    run(&m);
    /* As psql: what is too much is passed over; after a mistake, the whole line. */
    m.slash.vars = NULL;
    if (m.failed)
        em_sql_meta_words_drop(&m.slash);
    while (em_sql_meta_words_arg(&m.slash, &rest) == EM_SQL_ARG_OK)
        ;
    em_sql_meta_words_end(&m.slash);
    lex->at = m.slash.at;
    return m.code;
}
