/* The server's messages about a statement of a file, with their place in it. */
#include <stdlib.h>
#include <string.h>

#include "embark/os/log/log.h"
#include "file.h"

enum {
    SHOWN = 110,
    BEFORE = 70
}; /* bytes of a long line that are shown, and of those before the caret */

static const char *step_of(const struct em_sql_sent *sent)
{
    return sent->file->run->options.step;
}

/* ---- Places ---- */

/* Data that a COPY didn't like: "COPY t, line 2, column id: …" counts lines of its data. 0: none.
 */
static size_t line_of_data(const struct em_sql_sent *sent, const struct em_db_message *m)
{
    const char *line = em_starts(m->context, "COPY ") ? strstr(m->context, ", line ") : NULL;
    unsigned long n = line ? strtoul(line + 7, NULL, 10) : 0;

    return n && sent->data_line ? sent->data_line + n - 1 : 0;
}

static size_t offset_of(const struct em_sql_sent *sent, const struct em_db_message *m)
{
    if (sent->made || m->at == EM_DB_NOWHERE)
        return sent->at;
    return em_sql_text_origin(&sent->file->split.text, m->at);
}

static void add_place(const struct em_sql_sent *sent, const struct em_db_message *m,
                      struct em_str *out)
{
    size_t line = line_of_data(sent, m);

    if (line)
        em_str_printf(out, "%s:%zu", sent->file->source.name, line);
    else
        em_sql_place_print(&sent->file->source, offset_of(sent, m), out);
}

/* ---- LINE and caret ---- */

/* The characters that `bytes` takes in the log: redacted and escaped. */
static size_t width(const char *bytes, size_t length)
{
    EM_STR_WIPED clean = EM_STR_INIT;
    EM_STR_AUTO shown = EM_STR_INIT;
    size_t n = 0;

    em_str_add(&clean, bytes, length);
    em_redact(em_log_secrets(), &clean);
    em_escape(&shown, em_str_c(&clean), clean.len);
    for (size_t at = 0; at < shown.len; n++)
        at += em_sql_char(shown.data + at, shown.len - at);
    return n;
}

static size_t back_to_char(const char *line, size_t at)
{
    while (at > 0 && ((unsigned char)line[at] & 0xC0) == 0x80)
        at--;
    return at;
}

/* The line of `text` that `at` is in, and a caret below. */
static void say_line(const char *step, const char *label, size_t number, const char *bytes,
                     size_t length, size_t at)
{
    EM_STR_AUTO line = EM_STR_INIT;
    EM_STR_WIPED clean = EM_STR_INIT;
    const char *text, *start, *end;
    size_t head;

    /* First, since the line is cut, and a part of a secret isn't known for one. */
    em_str_add(&clean, bytes, length);
    em_redact_at(em_log_secrets(), &clean, &at);
    text = em_str_c(&clean);
    length = clean.len;
    start = at ? memrchr(text, '\n', at) : NULL;
    start = start ? start + 1 : text;
    end = memchr(start, '\n', length - (size_t)(start - text));
    end = end ? end : text + length;
    while (end > start && end[-1] == '\r')
        end--;
    at -= (size_t)(start - text);
    em_str_printf(&line, "%s %zu: ", label, number);
    if (at > BEFORE) {
        size_t cut = back_to_char(start, at - BEFORE);

        start += cut;
        at -= cut;
        em_str_puts(&line, "...");
    }
    head = line.len;
    em_str_add(&line, start, (size_t)(end - start));
    if (line.len > head + SHOWN) {
        em_str_cut(&line, back_to_char(line.data, head + SHOWN));
        em_str_puts(&line, "...");
    }
    for (size_t i = 0; i < line.len; i++)
        if (line.data[i] == '\t')
            line.data[i] = ' ';
    em_log(EM_LOG_ERROR, step, "%s", em_str_c(&line));
    em_log(EM_LOG_ERROR, step, "%*s^", (int)(head + width(line.data + head, at)), "");
}

static size_t count_lines(const char *text, size_t at)
{
    size_t n = 1;

    for (size_t i = 0; i < at; i++)
        n += text[i] == '\n';
    return n;
}

/* Of the file where the text stands there, so that a variable is shown by its name; of what was
 * sent where it was made by a \gexec; of the query that a function ran. */
static void say_lines(const struct em_sql_sent *sent, const struct em_db_message *m)
{
    struct em_sql_source *source = &sent->file->source;
    size_t at = offset_of(sent, m);

    if (m->at != EM_DB_NOWHERE && sent->made)
        say_line(step_of(sent), "LINE", count_lines(sent->sql, m->at), sent->sql, strlen(sent->sql),
                 m->at);
    else if (m->at != EM_DB_NOWHERE && !line_of_data(sent, m))
        say_line(step_of(sent), "LINE", em_sql_place(source, at).line,
                 source->bytes + source->start, source->length - source->start, at - source->start);
    if (*m->query && m->query_at != EM_DB_NOWHERE)
        say_line(step_of(sent), "QUERY LINE", count_lines(m->query, m->query_at), m->query,
                 strlen(m->query), m->query_at);
}

/* ---- The rest of a message ---- */

/* "LABEL: text", one line for each of its own. */
static void say_part(enum em_level level, const char *step, const char *label, const char *part)
{
    EM_STR_WIPED clean = EM_STR_INIT;
    const char *text;

    em_str_puts(&clean, part);
    em_redact(em_log_secrets(), &clean); /* a secret may have several lines */
    text = em_str_c(&clean);
    while (*text) {
        size_t n = strcspn(text, "\n");

        em_log(level, step, "%s: %.*s", label, (int)n, text);
        text += n + (text[n] == '\n');
    }
}

static void say_details(enum em_level level, const struct em_sql_sent *sent,
                        const struct em_db_message *m)
{
    say_part(level, step_of(sent), "DETAIL", m->detail);
    say_part(level, step_of(sent), "CONTEXT", m->context);
}

void em_sql_log_notice(const struct em_sql_sent *sent, const struct em_db_message *m)
{
    enum em_level level = strcmp(m->severity, "WARNING") == 0 ? EM_LOG_WARN : EM_LOG_INFO;
    struct em_sql_source *source = &sent->file->source;

    em_log_hint(level, step_of(sent), m->hint, "%s:%zu: %s: %s", source->name,
                em_sql_place(source, sent->at).line, m->severity, m->text);
    /* The context of a RAISE NOTICE is the line that raised it: psql leaves it out, too. */
    say_part(level, step_of(sent), "DETAIL", m->detail);
}

/* What the server's own hint doesn't say. */
static const char *own_hint(const struct em_sql_sent *sent, const struct em_db_message *m)
{
    const struct em_sql_run *run = sent->file->run;

    if (*m->hint)
        return m->hint;
    /* 55P04: a label that ALTER TYPE … ADD VALUE has added in this transaction. */
    if (run->options.callers &&
        (strcmp(m->sqlstate, "25001") == 0 || strcmp(m->sqlstate, "55P04") == 0))
        return run->options.alone;
    if (strcmp(m->sqlstate, "25001") == 0 && run->began)
        return "-1 runs all files in one transaction: leave it out, or give this statement a run "
               "of "
               "its own";
    if (strcmp(m->sqlstate, "25001") == 0 && sent->file->split.compound)
        return "statements that are joined by \\; are one transaction";
    if (strcmp(m->sqlstate, "42704") == 0 && strstr(m->text, "\"embark."))
        return "give the variable with -v NAME=VALUE; current_setting('embark.NAME', true) is NULL "
               "without";
    return NULL;
}

static void keep(struct em_err *err, const struct em_str *text, const char *hint)
{
    if (!err)
        return;
    em_fail(err, EM_EXIT_SQL, "%s", em_str_c(text));
    if (hint)
        em_hint(err, "%s", hint);
}

void em_sql_log_failure(const struct em_sql_sent *sent, const struct em_db_message *m,
                        struct em_err *err)
{
    EM_STR_AUTO text = EM_STR_INIT;
    const char *hint = own_hint(sent, m);

    add_place(sent, m, &text);
    em_str_printf(&text, ": %s", sent->made ? "in a statement that \\gexec made: " : "");
    if (*m->severity)
        em_str_printf(&text, "%s %s: ", m->severity, m->sqlstate);
    em_str_puts(&text, m->text);
    em_log_hint(EM_LOG_ERROR, step_of(sent), hint, "%s", em_str_c(&text));
    say_lines(sent, m);
    say_details(EM_LOG_ERROR, sent, m);
    sent->file->run->failures++;
    keep(err, &text, hint);
}

int em_sql_wrong(struct em_sql_file *file, size_t offset, struct em_err *err, const char *hint,
                 const char *format, ...)
{
    EM_STR_AUTO text = EM_STR_INIT;
    va_list args;

    em_sql_place_print(&file->source, offset, &text);
    em_str_puts(&text, ": ");
    va_start(args, format);
    em_str_vprintf(&text, format, args);
    va_end(args);
    em_log_hint(EM_LOG_ERROR, file->run->options.step, hint, "%s", em_str_c(&text));
    file->run->failures++;
    keep(err, &text, hint);
    return file->run->options.go_on ? 0 : EM_EXIT_SQL;
}
