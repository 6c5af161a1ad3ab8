#include "embark/core/report/rows.h"

#include <stdlib.h>
#include <string.h>

static struct em_doctor_row *add(struct em_doctor_rows *looks, const char *section, const char *key,
                                 enum em_mark mark, int code)
{
    looks->v = em_realloc(looks->v, looks->n + 1, sizeof *looks->v);
    struct em_doctor_row *look = &looks->v[looks->n++];
    *look = (struct em_doctor_row){.section = section, .key = em_strdup(key), .mark = mark};
    look->code = mark == EM_MARK_BAD ? code : 0;
    return look;
}

void em_doctor_row_add(struct em_doctor_rows *looks, const char *section, const char *key,
                       enum em_mark mark, int code, const char *format, ...)
{
    struct em_str text = EM_STR_INIT;
    va_list args;
    va_start(args, format);
    em_str_vprintf(&text, format, args);
    va_end(args);
    add(looks, section, key, mark, code)->text = em_str_take(&text);
}

void em_doctor_row_hint(struct em_doctor_rows *looks, const char *format, ...)
{
    struct em_str text = EM_STR_INIT;
    va_list args;
    va_start(args, format);
    em_str_vprintf(&text, format, args);
    va_end(args);
    if (looks->n && text.len) {
        free(looks->v[looks->n - 1].hint);
        looks->v[looks->n - 1].hint = em_str_take(&text);
    }
    em_str_free(&text);
}

void em_doctor_row_name(struct em_doctor_rows *looks, const char *name)
{
    if (looks->n)
        em_list_add(&looks->v[looks->n - 1].names, name);
}

void em_doctor_row_add_err(struct em_doctor_rows *looks, const char *section, const char *key,
                           enum em_mark mark, const struct em_err *err)
{
    em_doctor_row_add(looks, section, key, mark, err->code, "%s", em_str_c(&err->text));
    em_doctor_row_hint(looks, "%s", em_str_c(&err->hint));
}

int em_doctor_rows_code(const struct em_doctor_rows *looks, const char *section)
{
    for (size_t i = 0; i < looks->n; i++)
        if (looks->v[i].code && (!section || strcmp(looks->v[i].section, section) == 0))
            return looks->v[i].code;
    return 0;
}

const struct em_doctor_row *em_doctor_rows_cause(const struct em_doctor_rows *looks, int code)
{
    for (size_t i = 0; code && i < looks->n; i++)
        if (looks->v[i].code == code)
            return &looks->v[i];
    return NULL;
}

static size_t rank(const char *section)
{
    static const char *const order[] = {"image",   "configuration", "requirements", "bundle",
                                        "wait",    "bootstrap",     "database",     "migrations",
                                        "service", "container"};
    size_t i = 0;
    while (i < EM_COUNT(order) && strcmp(order[i], section) != 0)
        i++;
    return i;
}

void em_doctor_rows_sort(struct em_doctor_rows *looks)
{
    for (size_t i = 1; i < looks->n; i++) {
        struct em_doctor_row look = looks->v[i];
        size_t at = i, own = rank(look.section);
        for (; at > 0 && rank(looks->v[at - 1].section) > own; at--)
            looks->v[at] = looks->v[at - 1];
        looks->v[at] = look;
    }
}

size_t em_doctor_rows_count(const struct em_doctor_rows *looks, enum em_mark mark)
{
    size_t n = 0;
    for (size_t i = 0; i < looks->n; i++)
        n += looks->v[i].mark == mark;
    return n;
}

void em_doctor_rows_free(struct em_doctor_rows *looks)
{
    for (size_t i = 0; i < looks->n; i++) {
        free(looks->v[i].key);
        free(looks->v[i].text);
        free(looks->v[i].hint);
        em_list_free(&looks->v[i].names);
    }
    free(looks->v);
    *looks = (struct em_doctor_rows)EM_DOCTOR_ROWS_INIT;
}
