#include "embark/core/redact/redactor.h"

#include <stdlib.h>
#include <string.h>

#include "password_scan.h"
#include "secret_match.h"

enum {
    CONTEXT = 8192,  /* bytes, at most, that were let out and are kept */
    GUESSES = 65536, /* bytes that are held back for what is only a guess */
};

void em_redactor_add(struct em_redactor *r, const char *bytes, size_t length)
{
    em_str_add(&r->text, bytes, length);
    for (size_t i = 0; i < length; i++)
        em_str_putc(&r->marks, '0');
}

size_t em_redactor_held(const struct em_redactor *r)
{
    return r->text.len - r->out;
}

/* Marks stay: a secret may have begun in what is not kept any more. */
static void mark(struct em_redactor *r, const struct em_secrets *secrets, bool more)
{
    EM_FREE bool *secret = em_alloc(r->text.len * sizeof *secret);
    em_password_scan(r->text.data, r->text.len, secret);
    em_password_scan_named(r->text.data, r->text.len, secret);
    for (size_t i = 0; secrets && i < em_secrets_count(secrets); i++)
        em_secret_mark(em_secrets_form(secrets, i), &r->text, r->out, more, secret);
    for (size_t i = r->out; i < r->text.len; i++)
        if (secret[i])
            r->marks.data[i] = '1';
}

/* Where, from r->out on, the text's end may be the beginning of a secret; its length for none.
 * `telling`: of so much of it that it must not be shown. */
static size_t find_beginning(const struct em_redactor *r, const struct em_secrets *secrets,
                             bool telling)
{
    size_t end = r->text.len, first = end;
    for (size_t s = 0; secrets && s < em_secrets_count(secrets); s++) {
        const char *secret = em_secrets_form(secrets, s);
        size_t longest = 3 * strlen(secret);
        size_t i = end - r->out > longest ? end - longest : r->out;
        for (; i < first; i++) {
            size_t n = em_secret_begins(secret, r->text.data + i, r->text.data + end);
            if (n && (!telling || em_secret_tells(secret, n)))
                first = i;
        }
    }
    return first;
}

static size_t line_start(const struct em_redactor *r, size_t end)
{
    const char *newline = end ? memrchr(r->text.data, '\n', end) : NULL;
    return newline ? (size_t)(newline - r->text.data) + 1 : 0;
}

/* Where, in the line that has not ended, something begins that may turn out to be a password, or to
 * go on with one. */
static size_t find_guess(const struct em_redactor *r)
{
    size_t end = r->text.len, start = line_start(r, end);
    size_t first = end;
    if (end - r->out > GUESSES)
        return end;
    for (size_t i = start > r->out ? start : r->out; i < first; i++)
        if (r->marks.data[i] == '1')
            first = i;
    size_t url = em_password_scan_open_url(r->text.data + start, end - start) + start;
    if (url < first)
        first = url > r->out ? url : r->out;
    return first;
}

/* What was let out is needed for what stands before a value: the line, and the one before it. */
static void forget(struct em_redactor *r)
{
    size_t from = line_start(r, r->out);
    from = from ? line_start(r, from - 1) : 0;
    if (r->out - from > CONTEXT)
        from = r->out - CONTEXT;
    if (!from)
        return;
    explicit_bzero(r->text.data, from);
    memmove(r->text.data, r->text.data + from, r->text.len - from);
    memmove(r->marks.data, r->marks.data + from, r->marks.len - from);
    explicit_bzero(r->text.data + r->text.len - from, from);
    em_str_cut(&r->text, r->text.len - from);
    em_str_cut(&r->marks, r->marks.len - from);
    r->out -= from;
}

static void let_out(struct em_redactor *r, size_t end, struct em_str *out)
{
    for (; r->out < end; r->out++) {
        bool secret = r->marks.data[r->out] == '1';
        if (!secret)
            em_str_putc(out, r->text.data[r->out]);
        else if (!r->hiding)
            em_str_puts(out, "****");
        r->hiding = secret;
    }
    forget(r);
}

void em_redactor_lines(struct em_redactor *r, const struct em_secrets *secrets, struct em_str *out)
{
    size_t end = line_start(r, r->text.len);
    if (end <= r->out)
        return;
    mark(r, secrets, true);
    size_t beginning = find_beginning(r, secrets, false);
    let_out(r, beginning < end ? beginning : end, out);
}

void em_redactor_pause(struct em_redactor *r, const struct em_secrets *secrets, struct em_str *out)
{
    if (!em_redactor_held(r))
        return;
    mark(r, secrets, true);
    size_t beginning = find_beginning(r, secrets, false), guess = find_guess(r);
    let_out(r, beginning < guess ? beginning : guess, out);
}

void em_redactor_end(struct em_redactor *r, const struct em_secrets *secrets, struct em_str *out)
{
    if (!em_redactor_held(r))
        return;
    mark(r, secrets, false);
    size_t beginning = find_beginning(r, secrets, true);
    memset(r->marks.data + beginning, '1', r->text.len - beginning);
    let_out(r, r->text.len, out);
}

void em_redactor_free(struct em_redactor *r)
{
    em_str_wipe(&r->text);
    em_str_free(&r->marks);
    r->out = 0;
    r->hiding = false;
}
