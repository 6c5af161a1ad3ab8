#include "embark/core/base/err.h"

#include <errno.h>
#include <string.h>

/* The new text is made before the old one is dropped: the arguments may point into it. */
static void set(struct em_err *err, int code, const char *format, va_list args)
{
    struct em_str text = EM_STR_INIT;

    em_str_vprintf(&text, format, args);
    em_str_free(&err->text);
    em_str_free(&err->hint);
    err->text = text;
    err->code = code;
}

int em_fail(struct em_err *err, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set(err, code, format, args);
    va_end(args);
    return code;
}

/* The system has none left of something: that is nobody's mistake but its own. */
static bool is_refusal(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

int em_fail_errno(struct em_err *err, int code, const char *format, ...)
{
    int saved = errno; /* allocating may change it */
    va_list args;

    if (is_refusal(saved))
        code = EM_EXIT_SYSTEM;
    va_start(args, format);
    set(err, code, format, args);
    va_end(args);
    em_str_printf(&err->text, ": %s", strerror(saved));
    errno = saved;
    return code;
}

void em_hint(struct em_err *err, const char *format, ...)
{
    struct em_str hint = EM_STR_INIT;
    va_list args;

    va_start(args, format);
    em_str_vprintf(&hint, format, args);
    va_end(args);
    em_str_free(&err->hint);
    err->hint = hint;
}

void em_context(struct em_err *err, const char *format, ...)
{
    struct em_str text = EM_STR_INIT;
    va_list args;

    va_start(args, format);
    em_str_vprintf(&text, format, args);
    va_end(args);
    em_str_puts(&text, ": ");
    em_str_add(&text, em_str_c(&err->text), err->text.len);
    em_str_free(&err->text);
    err->text = text;
}

void em_err_free(struct em_err *err)
{
    em_str_free(&err->text);
    em_str_free(&err->hint);
    err->code = 0;
}

struct em_err *em_errs_add(struct em_errs *errs, int code, const char *format, ...)
{
    struct em_err err = EM_ERR_INIT;
    va_list args;

    va_start(args, format);
    set(&err, code, format, args);
    va_end(args);
    return em_errs_take(errs, &err);
}

struct em_err *em_errs_take(struct em_errs *errs, struct em_err *err)
{
    struct em_err *added;

    if ((errs->n & (errs->n + 1)) == 0) /* room for a power of two */
        errs->v = em_realloc(errs->v, errs->n + 1, 2 * sizeof(*errs->v));
    added = &errs->v[errs->n++];
    *added = *err;
    *err = (struct em_err)EM_ERR_INIT;
    return added;
}

void em_errs_free(struct em_errs *errs)
{
    for (size_t i = 0; i < errs->n; i++)
        em_err_free(&errs->v[i]);
    em_free_ptr(&errs->v);
    *errs = (struct em_errs)EM_ERRS_INIT;
}
