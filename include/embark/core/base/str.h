/* Growable byte strings, and lists of strings.
 *
 * struct em_str owns its bytes; `data` is NUL-terminated as soon as it was touched, may hold NUL
 * bytes, and is NULL only while nothing was ever added: em_str_c() gives "" then. Initialise with
 * EM_STR_INIT (all zero), free with em_str_free(), which makes it empty again and may be called
 * twice.
 *
 * Memory: the allocating functions of embark never return NULL. When the system refuses, they call
 * em_out_of_memory, which doesn't return. main sets it to something that says so and exits 71; a
 * program that sets nothing aborts. It is the one exception to "only main exits"
 * (include/embark/core/base/err.h).
 */
#ifndef EMBARK_CORE_BASE_STR_H
#define EMBARK_CORE_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "embark/core/base/text.h"

#define EM_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

extern void (*em_out_of_memory)(void);

void *em_alloc(size_t size); /* zeroed; free() releases it */
void *em_realloc(void *old, size_t count,
                 size_t size); /* count * size, overflow checked; new bytes are not zeroed */
char *em_strdup(const char *text);
char *em_strndup(const char *text, size_t length); /* always NUL-terminated */

struct em_str {
    char *data;
    size_t len; /* without the closing NUL */
    size_t cap;
};

#define EM_STR_INIT \
    {               \
        NULL, 0, 0  \
    }

const char *em_str_c(const struct em_str *s); /* never NULL; valid until the next change */
void em_str_add(struct em_str *s, const char *bytes, size_t length);
void em_str_puts(struct em_str *s, const char *text);
void em_str_putc(struct em_str *s, char c);
void em_str_printf(struct em_str *s, const char *format, ...) EM_PRINTF(2, 3);
void em_str_vprintf(struct em_str *s, const char *format, va_list args);
void em_str_insert(struct em_str *s, size_t at, const char *bytes, size_t length);
void em_str_cut(struct em_str *s, size_t length); /* keeps the first `length` bytes */
char *em_str_take(
    struct em_str *s); /* the caller owns the result; never NULL; s is empty afterwards */
void em_str_free(struct em_str *s);
void em_str_wipe(
    struct em_str *s); /* as em_str_free, but the bytes are zeroed first: for secrets */

/* A list of strings. It owns the strings. `v` is always NULL-terminated once something was added,
 * so that it can be given to execv(); it is NULL while empty. */
struct em_list {
    char **v;
    size_t n;
};

#define EM_LIST_INIT \
    {                \
        NULL, 0      \
    }

void em_list_add(struct em_list *l, const char *text); /* copies */
void em_list_take(struct em_list *l, char *text);      /* takes ownership */
void em_list_drop_first(struct em_list *l);            /* nothing on an empty list */
bool em_list_has(const struct em_list *l, const char *text);
void em_list_free(struct em_list *l);

/* `_cleanup_` attributes: one way out of a function, nothing forgotten. */
#define EM_STR_AUTO  __attribute__((cleanup(em_str_free))) struct em_str
#define EM_STR_WIPED __attribute__((cleanup(em_str_wipe))) struct em_str
#define EM_LIST_AUTO __attribute__((cleanup(em_list_free))) struct em_list
void em_free_ptr(void *pointer_to_pointer);
#define EM_FREE __attribute__((cleanup(em_free_ptr)))

#endif
