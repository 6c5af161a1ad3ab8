/* One statement of a file: sent, its rows printed or used, its errors said. */
#include <stdlib.h>
#include <string.h>

#include "embark/core/sql/lint/transaction.h"
#include "embark/core/sql/opening.h"
#include "embark/os/log/log.h"
#include "file.h"

enum { PRINT_CHUNK = 64 * 1024 };

/* One em_db_run(). */
struct exec {
    struct em_sql_sent sent; /* first: the reader's calls are about it */
    enum em_sql_purpose purpose;
    const char *prefix; /* of \gset */
    struct em_str out;  /* what is to be printed; … */
    size_t complete; /* … of it, what no error takes back: results that are whole, COPY's data */
    struct em_list made;    /* \gexec: statements */
    struct em_sql_vars got; /* \gset: columns with a value, */
    struct em_list unset;   /* … without */
    struct em_str bad;      /* … whose names are none of a variable's */
    size_t rows;
    struct em_str tag, sqlstate, message;
    size_t copies; /* blocks of data that were sent */
    bool idle;     /* it is sent outside of a transaction */
    struct em_err *err;
};

static bool print_out(struct exec *exec)
{
    bool ok = em_sql_put(exec->sent.file->run, em_str_c(&exec->out), exec->out.len);

    em_str_cut(&exec->out, 0);
    exec->complete = 0;
    return ok;
}

/* ---- Rows ---- */

static void keep_column(struct exec *exec, const struct em_db *db, int column)
{
    const char *value = em_db_value(db, 0, column);
    EM_STR_AUTO name = EM_STR_INIT;

    if (exec->purpose == EM_SQL_GEXEC) {
        if (value)
            em_list_add(&exec->made, value);
        return;
    }
    em_str_printf(&name, "%s%s", exec->prefix ? exec->prefix : "", em_db_column(db, column));
    if (!em_sql_vars_name(em_str_c(&name)) && !exec->bad.len)
        em_str_puts(&exec->bad, em_str_c(&name));
    if (value)
        em_sql_vars_set(&exec->got, em_str_c(&name), value);
    else
        em_list_add(&exec->unset, em_str_c(&name));
}

static bool on_row(void *ctx, const struct em_db *db, int columns)
{
    struct exec *exec = ctx;

    exec->rows++;
    for (int i = 0; i < columns; i++) {
        const char *value = em_db_value(db, 0, i);

        if (exec->purpose != EM_SQL_SHOW) {
            if (exec->purpose == EM_SQL_GEXEC || exec->rows == 1)
                keep_column(exec, db, i);
            continue;
        }
        if (i)
            em_str_putc(&exec->out, '|');
        em_sql_add_shown(&exec->out, value ? value : "");
    }
    if (exec->purpose != EM_SQL_SHOW)
        return true;
    if (columns)
        em_str_putc(&exec->out, '\n');
    return exec->out.len < PRINT_CHUNK || print_out(exec);
}

static bool on_copy_out(void *ctx, const char *bytes, size_t length)
{
    struct exec *exec = ctx;

    if (memchr(bytes, '\0', length))
        em_str_add(&exec->out, bytes, length); /* binary */
    else
        em_sql_add_shown(&exec->out, bytes);
    exec->complete = exec->out.len;
    return exec->out.len < PRINT_CHUNK || print_out(exec);
}

/* ---- COPY's data ---- */

static void on_copy_in(void *ctx, bool binary, const char **bytes, size_t *length, const char **why)
{
    struct exec *exec = ctx;
    struct em_sql_file *file = exec->sent.file;
    bool closed;
    size_t start;

    if (binary) {
        *why = "data in the binary format can't stand in a SQL file";
        return;
    }
    em_sql_split_data(&file->split, &start, length, &closed);
    *bytes = file->source.bytes + start;
    exec->sent.data = start;
    exec->sent.data_line = em_sql_place(&file->source, start).line;
    exec->copies++;
}

/* A COPY that failed before it took its data: what follows, if it looks like data, isn't SQL. */
static void skip_data(struct em_sql_file *file, size_t copies)
{
    size_t start, length;
    bool closed;

    for (; copies > 0 && em_sql_split_has_data(&file->split); copies--)
        em_sql_split_data(&file->split, &start, &length, &closed);
}

/* ---- What else the server says ---- */

static void on_notice(void *ctx, const struct em_db_message *message)
{
    struct exec *exec = ctx;

    em_sql_log_notice(&exec->sent, message);
}

/* Statements that the server does in one transaction, or that may be repeated at any place. What
 * begins otherwise may have ended one already (CALL, DO), or leave something behind (… INDEX
 * CONCURRENTLY). */
static bool is_repeatable(const struct exec *exec)
{
    static const char words[] =
        "alter \0create \0drop \0truncate \0insert \0update \0delete \0merge \0"
        "comment \0grant \0revoke \0refresh \0vacuum \0analyze \0";
    const char *sql = exec->sent.sql;
    return exec->idle && !exec->sent.file->split.compound && em_sql_opens_with(sql, words) &&
           (!strcasestr(sql, "concurrently") || em_starts(sql, "refresh "));
}

/* lock_timeout, NOWAIT; a deadlock's victim. */
static bool is_blocked(const struct exec *exec, const struct em_db_message *message)
{
    const struct em_sql_run *run = exec->sent.file->run;
    return run->options.retries && *run->options.retries &&
           (strcmp(message->sqlstate, "55P03") == 0 || strcmp(message->sqlstate, "40P01") == 0) &&
           (run->began ? !run->ended && !run->doubted : is_repeatable(exec));
}

static void on_failed(void *ctx, const struct em_db_message *message)
{
    struct exec *exec = ctx;

    if (is_blocked(exec, message)) {
        EM_STR_AUTO place = EM_STR_INIT;

        em_sql_place_print(&exec->sent.file->source, exec->sent.at, &place);
        em_fail(exec->err, EM_EXIT_SQL, "%s: %s", em_str_c(&place), message->text);
        exec->sent.file->run->blocked = true;
        exec->rows = 0;
        em_list_free(&exec->made);
        em_str_cut(&exec->out, 0);
        return;
    }

    /* As with psql, a result that an error cuts short isn't shown: not the part of it that wasn't
     * printed yet, at least. */
    em_str_cut(&exec->out, exec->complete);
    print_out(exec);
    em_str_cut(&exec->sqlstate, 0);
    em_str_puts(&exec->sqlstate, message->sqlstate);
    em_str_cut(&exec->message, 0);
    em_str_puts(&exec->message, message->text);
    em_sql_log_failure(&exec->sent, message, exec->err);
}

static void on_done(void *ctx, const char *tag)
{
    struct exec *exec = ctx;

    em_str_cut(&exec->tag, 0);
    em_str_puts(&exec->tag, tag);
    exec->complete = exec->out.len;
    em_sql_settings_after(exec->sent.file->run, tag);
    em_sql_held_tag(exec->sent.file->run, tag);
}

/* ---- psql's variables about the last statement ---- */

static void set_results(const struct exec *exec, bool failed)
{
    struct em_sql_vars *vars = exec->sent.file->run->options.vars;
    const char *tag = em_str_c(&exec->tag), *count = strrchr(tag, ' ');
    bool number = count && count[1] >= '0' && count[1] <= '9';

    em_sql_vars_set(vars, "ERROR", failed ? "true" : "false");
    em_sql_vars_set(vars, "SQLSTATE", failed ? em_str_c(&exec->sqlstate) : "00000");
    em_sql_vars_set(vars, "ROW_COUNT", number && !failed ? count + 1 : "0");
    if (!failed)
        return;
    em_sql_vars_set(vars, "LAST_ERROR_SQLSTATE", em_str_c(&exec->sqlstate));
    em_sql_vars_set(vars, "LAST_ERROR_MESSAGE", em_str_c(&exec->message));
}

/* ---- Before and after ---- */

/* Where bytes below 128 may be the second half of a character, quotes can't be told from text. */
static bool is_readable(const char *encoding)
{
    static const char *const unsafe[] = {"SJIS",    "BIG5",  "GBK",           "UHC",
                                         "GB18030", "JOHAB", "SHIFT_JIS_2004"};

    for (size_t i = 0; encoding && i < EM_COUNT(unsafe); i++)
        if (strcmp(encoding, unsafe[i]) == 0)
            return false;
    return true;
}

static const char *trouble_hint(enum em_sql_trouble trouble)
{
    if (trouble == EM_SQL_UNSET)
        return "give it with -v NAME=VALUE, or \\set it before; a colon that starts no variable is "
               "written \\: in psql and here";
    return NULL;
}

/* A statement that can't be sent as it is. */
static int refuse(struct em_sql_file *file, struct em_err *err)
{
    static const char *const texts[] = {
        [EM_SQL_UNSET] = "the variable %s is not set",
        [EM_SQL_RECURSIVE] = "the variable %s holds itself",
        [EM_SQL_TOO_LONG] = "the variable %s makes the statement too long",
    };
    struct em_sql_split *split = &file->split;
    const char *text = texts[split->trouble], *name = em_str_c(&split->trouble_name);
    size_t before = (size_t)(strstr(text, "%s") - text);
    int code = em_sql_wrong(file, split->trouble_at, err, trouble_hint(split->trouble), "%.*s%s%s",
                            (int)before, text, name, text + before + 2);

    skip_data(file, split->copies);
    return code;
}

/* What follows isn't all or nothing any more: said, where that was the caller's wish alone. */
static void say_ended(const struct exec *exec)
{
    struct em_sql_run *run = exec->sent.file->run;
    struct em_sql_source *source = &exec->sent.file->source;

    if (!run->warned)
        em_log_hint(EM_LOG_WARN, run->options.step,
                    "leave out -1, or the file's own BEGIN and COMMIT",
                    "%s:%zu: %s ends the one transaction that -1 began", source->name,
                    em_sql_place(source, exec->sent.at).line, em_str_c(&run->ended_by));
    run->warned = true;
}

/* Whatever became of the statement itself: `code`. */
static int watch_transaction(struct exec *exec, int code)
{
    struct em_sql_run *run = exec->sent.file->run;
    struct em_sql_file *file = exec->sent.file;

    if (em_sql_held(run))
        return code;
    if (!run->options.callers) {
        say_ended(exec);
        return code;
    }
    run->options.go_on = false;
    em_err_free(exec->err);
    return em_sql_wrong(file, exec->sent.at, exec->err, run->options.alone,
                        "%s ends the transaction that the file is run in",
                        em_str_c(&run->ended_by));
}

/* What would end the caller's transaction isn't sent: in a message with other statements nobody
 * could say what became of it, if the connection breaks. This is the text that the server gets, so
 * it makes no difference where it comes from; watch_transaction() is for what is still not seen. */
static bool is_refused(struct exec *exec, const char *sql, int *code)
{
    struct em_sql_file *file = exec->sent.file;
    EM_STR_AUTO word = EM_STR_INIT;
    size_t at;

    if (!file->run->options.callers ||
        !em_sql_finds_control(sql, strlen(sql), file->split.std_strings, &at, &word))
        return false;
    at = exec->sent.made ? exec->sent.at : em_sql_text_origin(&file->split.text, at);
    file->run->options.go_on = false;
    *code = em_sql_wrong(file, at, exec->err, file->run->options.alone,
                         "%s: the file is run in a transaction that embark begins and ends",
                         em_str_c(&word));
    return true;
}

static void follow_settings(struct em_sql_file *file)
{
    const char *strings = em_db_parameter(file->run->db, "standard_conforming_strings");

    file->split.std_strings = !strings || strcmp(strings, "off") != 0;
}

/* ---- Statements ---- */

static void exec_free(struct exec *exec)
{
    em_str_free(&exec->out);
    em_list_free(&exec->made);
    em_sql_vars_free(&exec->got);
    em_list_free(&exec->unset);
    em_str_free(&exec->bad);
    em_str_free(&exec->tag);
    em_str_free(&exec->sqlstate);
    em_str_free(&exec->message);
}

static int send(struct exec *exec, const char *sql)
{
    struct em_sql_file *file = exec->sent.file;
    struct em_sql_run *run = file->run;
    const struct em_db_reader reader = {.ctx = exec,
                                        .notice = on_notice,
                                        .failed = on_failed,
                                        .row = on_row,
                                        .done = on_done,
                                        .copy_out = on_copy_out,
                                        .copy_in = on_copy_in};
    int code;

    if (is_refused(exec, sql, &code))
        return code;
    exec->sent.sql = sql;
    run->statements++;
    do {
        run->blocked = false;
        exec->idle = em_db_transaction(run->db) == EM_DB_IDLE;
        code = em_db_run(run->db, run->options.until, sql, &reader, exec->err);
        if (run->blocked && code == EM_EXIT_SQL)
            code = run->began ? code : run->options.pause(run->options.ctx, exec->err);
    } while (run->blocked && code == 0);
    if (run->blocked)
        return code;
    if (!print_out(exec) && (code == 0 || code == EM_EXIT_SQL))
        code = em_fail(exec->err, EM_EXIT_SYSTEM, "results can't be written");
    if (code == 0 || code == EM_EXIT_SQL) {
        run->done += code == 0;
        set_results(exec, code != 0);
        code = watch_transaction(exec, code);
        follow_settings(file);
    } else {
        EM_STR_AUTO place = EM_STR_INIT;

        em_sql_place_print(&file->source, exec->sent.at, &place);
        em_context(exec->err, "%s", em_str_c(&place));
    }
    return code == EM_EXIT_SQL && run->options.go_on ? 0 : code;
}

/* The one row of \gset. */
static int take_row(struct exec *exec)
{
    struct em_sql_vars *vars = exec->sent.file->run->options.vars;

    if (exec->rows != 1)
        return em_sql_wrong(exec->sent.file, exec->sent.at, exec->err, NULL,
                            "\\gset needs one row, and there %s",
                            exec->rows ? "are several" : "is none");
    if (exec->bad.len)
        return em_sql_wrong(exec->sent.file, exec->sent.at, exec->err,
                            "give the column a name of letters, digits and _: SELECT … AS name",
                            "\\gset: %s is no name of a variable", em_str_c(&exec->bad));
    for (size_t i = 0; i < exec->unset.n; i++)
        em_sql_vars_unset(vars, exec->unset.v[i]);
    for (size_t i = 0; i < exec->got.n; i++) {
        em_sql_vars_set(vars, exec->got.v[i].name, exec->got.v[i].value);
        if (em_sql_vars_secret(exec->got.v[i].name))
            em_secrets_add(em_log_secrets(), exec->got.v[i].value);
    }
    return 0;
}

/* The statements that \gexec got. */
static int run_made(const struct exec *from)
{
    int code = 0;

    for (size_t i = 0; i < from->made.n && code == 0; i++) {
        struct exec exec = {.sent = from->sent, .purpose = EM_SQL_SHOW, .err = from->err};

        exec.sent.made = true;
        code = em_sql_settings_send(from->sent.file->run, from->made.v[i], from->err);
        if (code == 0)
            code = send(&exec, from->made.v[i]);
        exec_free(&exec);
    }
    return code;
}

static int run_text(struct em_sql_file *file, struct exec *exec)
{
    struct em_sql_split *split = &file->split;
    const char *sql = em_str_c(&split->text.bytes);
    const char *encoding = em_db_parameter(file->run->db, "client_encoding");
    size_t failures = file->run->failures;
    int code;

    if (!is_readable(encoding))
        return em_sql_wrong(file, exec->sent.at, exec->err,
                            "make it UTF-8: iconv -f CP932 -t UTF-8",
                            "with client_encoding %s quotes can't be told from text", encoding);
    code = em_sql_settings_send(file->run, sql, exec->err);
    if (code == 0)
        code = send(exec, sql);
    if (file->run->failures > failures) {
        if (split->copies > exec->copies)
            skip_data(file, split->copies - exec->copies);
    } else if (code == 0 && exec->purpose == EM_SQL_GSET) {
        code = take_row(exec);
    } else if (code == 0 && exec->purpose == EM_SQL_GEXEC) {
        code = run_made(exec);
    }
    return code;
}

int em_sql_execute(struct em_sql_file *file, enum em_sql_purpose purpose, const char *prefix,
                   size_t offset, struct em_err *err)
{
    struct em_sql_split *split = &file->split;
    struct exec exec = {.purpose = purpose, .prefix = prefix, .err = err};
    int code;

    exec.sent.file = file;
    exec.sent.at = split->statement != EM_SQL_NOWHERE ? split->statement : offset;
    code = split->trouble == EM_SQL_FINE ? run_text(file, &exec) : refuse(file, err);
    exec_free(&exec);
    em_str_wipe(&file->run->previous);
    em_str_add(&file->run->previous, em_str_c(&split->text.bytes), split->text.bytes.len);
    em_sql_split_clear(split);
    return code;
}
