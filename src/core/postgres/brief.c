#include <string.h>

#include "embark/core/postgres/sqlstate.h"
#include "message.h"

static struct em_span trimmed(struct em_span s)
{
    while (s.len && strchr(" \t\r\n", s.at[0]))
        em_span_skip(&s, 1);
    while (s.len && strchr(" \t\r\n", s.at[s.len - 1]))
        s.len--;
    return s;
}

/* Without "FATAL:  28P01: ", or "FATAL:  " where the verbosity was not set yet, or libpq's name of
 * a function. */
static struct em_span without_severity(struct em_span line)
{
    static const char *const plain[] = {"FATAL:  ", "ERROR:  ", "PANIC:  ", "fe_sendauth: "};
    size_t prefix = em_state_prefix(line);
    for (size_t i = 0; !prefix && i < EM_COUNT(plain); i++)
        if (em_span_starts(line, plain[i]))
            prefix = strlen(plain[i]);
    em_span_skip(&line, prefix);
    return line;
}

/* Where the walk over an attempt's lines is. */
struct brief {
    struct em_str *out;
    bool server;  /* a server's message: unlabelled lines continue the one above */
    bool skip;    /* in a part that is left out */
    bool bracket; /* one is open */
};

static void add_text(struct brief *b, struct em_span text)
{
    text = trimmed(text);
    if (!text.len)
        return;
    if (b->out->len && b->out->data[b->out->len - 1] != '(')
        em_str_putc(b->out, ' ');
    em_str_add(b->out, text.at, text.len);
}

static void close_bracket(struct brief *b)
{
    if (!b->bracket)
        return;
    if (b->out->data[b->out->len - 1] == '.')
        em_str_cut(b->out, b->out->len - 1);
    em_str_putc(b->out, ')');
    b->bracket = false;
}

static void open_bracket(struct brief *b, struct em_span text)
{
    close_bracket(b);
    if (b->out->len && trimmed(text).len) {
        em_str_puts(b->out, " (");
        b->bracket = true;
    }
    add_text(b, text);
}

/* A line of a server's message below the first. False: nothing follows that belongs to it. */
static bool add_server_line(struct brief *b, struct em_span line)
{
    const char *shown;
    if (em_message_label(line, &shown)) {
        bool last = em_span_starts(line, "LOCATION:  ");
        b->skip = !shown;
        if (shown) {
            em_span_skip(&line, strlen(shown));
            open_bracket(b, line);
        }
        return !last;
    }
    if (em_span_starts(line, "LINE "))
        b->skip = true; /* the caret below it too */
    if (!b->skip)
        add_text(b, line);
    return true;
}

static bool add_line(struct brief *b, struct em_span line)
{
    if (b->server)
        return add_server_line(b, line);
    /* "\tIs the server running …?" is advice, and embark has better; a full line is libpq's
     * explanation. */
    if (line.len && line.at[0] != '\t')
        open_bracket(b, line);
    return true;
}

static void brief_attempt(const struct em_attempt *a, struct em_str *out)
{
    static const char with_tls[] = ", SSL encryption";
    struct em_span rest = a->text, line = em_span_line(&rest);
    struct brief b = {out, em_state_prefix(line) > 0, false, false};
    line = trimmed(without_severity(line));
    /* It was no other without. */
    if (a->fell_back && line.len > strlen(with_tls) &&
        memcmp(line.at + line.len - strlen(with_tls), with_tls, strlen(with_tls)) == 0)
        line.len -= strlen(with_tls);
    add_text(&b, line);
    while (rest.len && add_line(&b, em_span_line(&rest)))
        ;
    close_bracket(&b);
}

static void add_once(struct em_list *list, const struct em_str *text)
{
    if (text->len && !em_list_has(list, em_str_c(text)))
        em_list_add(list, em_str_c(text));
}

void em_sqlstate_brief(const char *message, struct em_str *out)
{
    EM_LIST_AUTO plain = EM_LIST_INIT; /* the texts, each once */
    EM_LIST_AUTO named = EM_LIST_INIT; /* the same with their addresses in front */
    struct em_span rest = em_span(message), first = {NULL, 0};
    struct em_attempt a;
    bool one_target = true;
    while (em_attempt_take(&rest, &a)) {
        EM_STR_AUTO text = EM_STR_INIT;
        EM_STR_AUTO with_name = EM_STR_INIT;
        brief_attempt(&a, &text);
        if (!first.at)
            first = a.target;
        one_target = one_target && em_span_equal(first, a.target);
        if (a.target.len)
            em_str_printf(&with_name, "%.*s: ", (int)a.target.len, a.target.at);
        em_str_puts(&with_name, em_str_c(&text));
        add_once(&plain, &text);
        add_once(&named, &with_name);
    }
    const struct em_list *list = one_target || plain.n < 2 ? &plain : &named;
    for (size_t i = 0; i < list->n; i++)
        em_str_printf(out, "%s%s", i ? "; " : "", list->v[i]);
    if (!list->n)
        em_str_puts(out, "no reason was given");
}
