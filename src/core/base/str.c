#include "embark/core/base/str.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void (*em_out_of_memory)(void) = abort;

static _Noreturn void out_of_memory(void)
{
    em_out_of_memory();
    abort(); /* a handler that returns has broken its promise, and there is nothing to go on with */
}

void *em_alloc(size_t size)
{
    /* calloc(0) may be NULL, which callers would take for a failure */
    void *memory = calloc(1, size ? size : 1);

    if (!memory)
        out_of_memory();
    return memory;
}

void *em_realloc(void *old, size_t count, size_t size)
{
    size_t total;
    void *memory;

    if (__builtin_mul_overflow(count, size, &total))
        out_of_memory();
    memory = realloc(old, total ? total : 1);
    if (!memory)
        out_of_memory();
    return memory;
}

char *em_strdup(const char *text)
{
    return em_strndup(text, strlen(text));
}

char *em_strndup(const char *text, size_t length)
{
    size_t n = strnlen(text, length);
    char *copy = em_alloc(n + 1);

    memcpy(copy, text, n);
    return copy;
}

/* Makes room for `more` bytes and the closing NUL. Doubling, so that adding byte by byte is linear.
 */
static void reserve(struct em_str *s, size_t more)
{
    size_t need, cap = s->cap ? s->cap : 32;

    if (__builtin_add_overflow(s->len, more, &need) || __builtin_add_overflow(need, 1, &need))
        out_of_memory();
    if (need <= s->cap)
        return;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    s->data = em_realloc(s->data, cap, 1);
    s->cap = cap;
}

const char *em_str_c(const struct em_str *s)
{
    return s->data ? s->data : "";
}

void em_str_add(struct em_str *s, const char *bytes, size_t length)
{
    reserve(s, length);
    if (length) /* memcpy from NULL is undefined even for no bytes */
        memcpy(s->data + s->len, bytes, length);
    s->len += length;
    s->data[s->len] = '\0';
}

void em_str_puts(struct em_str *s, const char *text)
{
    em_str_add(s, text, strlen(text));
}

void em_str_putc(struct em_str *s, char c)
{
    em_str_add(s, &c, 1);
}

void em_str_printf(struct em_str *s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    em_str_vprintf(s, format, args);
    va_end(args);
}

void em_str_vprintf(struct em_str *s, const char *format, va_list args)
{
    va_list again;
    int n;

    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (n < 0) /* more than INT_MAX bytes: %ls, which could fail otherwise, isn't used */
        out_of_memory();
    reserve(s, (size_t)n);
    vsnprintf(s->data + s->len, (size_t)n + 1, format, args);
    s->len += (size_t)n;
}

void em_str_insert(struct em_str *s, size_t at, const char *bytes, size_t length)
{
    if (at > s->len)
        at = s->len;
    reserve(s, length);
    memmove(s->data + at + length, s->data + at, s->len - at);
    if (length)
        memcpy(s->data + at, bytes, length);
    s->len += length;
    s->data[s->len] = '\0';
}

void em_str_cut(struct em_str *s, size_t length)
{
    if (length >= s->len)
        return;
    s->len = length;
    s->data[length] = '\0';
}

char *em_str_take(struct em_str *s)
{
    char *text = s->data ? s->data : em_alloc(1);

    *s = (struct em_str)EM_STR_INIT;
    return text;
}

void em_str_free(struct em_str *s)
{
    free(s->data);
    *s = (struct em_str)EM_STR_INIT;
}

void em_str_wipe(struct em_str *s)
{
    if (s->data)
        explicit_bzero(s->data, s->cap);
    em_str_free(s);
}

void em_list_add(struct em_list *l, const char *text)
{
    em_list_take(l, em_strdup(text));
}

void em_list_take(struct em_list *l, char *text)
{
    /* Room is n rounded up to a power of two, so that no field has to remember it: it grows when n
     * + 1 entries and the closing NULL are about to pass such a bound. */
    if (!l->v)
        l->v = em_realloc(NULL, 2, sizeof(*l->v));
    else if (((l->n + 1) & l->n) == 0)
        l->v = em_realloc(l->v, (l->n + 1) * 2, sizeof(*l->v));
    l->v[l->n++] = text;
    l->v[l->n] = NULL;
}

void em_list_drop_first(struct em_list *l)
{
    if (!l->n)
        return;
    free(l->v[0]);
    memmove(l->v, l->v + 1, l->n * sizeof *l->v); /* the closing NULL too */
    l->n--;
}

bool em_list_has(const struct em_list *l, const char *text)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->v[i], text) == 0)
            return true;
    return false;
}

void em_list_free(struct em_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i]);
    free(l->v);
    *l = (struct em_list)EM_LIST_INIT;
}

void em_free_ptr(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}
