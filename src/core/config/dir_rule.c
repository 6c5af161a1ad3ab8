#include "embark/core/config/dir_rule.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char blank[] = " \t";

bool em_size_read(const char *text, uint64_t *size)
{
    static const char units[] = "KMGT";
    uint64_t n = 0;
    int shift = 0;

    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');

        if (n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    text += strspn(text, blank);
    if (*text && strchr(units, *text & ~0x20)) {
        shift = 10 * (1 + (int)(strchr(units, *text & ~0x20) - units));
        text++;
        if (strcasecmp(text, "iB") == 0)
            text += 2;
    }
    if ((*text == 'B' || *text == 'b') && !text[1])
        text++;
    if (*text || n == 0 || n > UINT64_MAX >> shift)
        return false;
    *size = n << shift;
    return true;
}

void em_size_print(uint64_t size, struct em_str *out)
{
    static const char units[] = "KMGTPE";
    double value = (double)size;
    size_t unit = 0;

    if (size < 1024) {
        em_str_printf(out, "%u bytes", (unsigned)size);
        return;
    }
    for (value /= 1024; value >= 1024 && unit + 2 < sizeof(units); unit++)
        value /= 1024;
    em_str_printf(out, value < 10 ? "%.1f %ciB" : "%.0f %ciB", value, units[unit]);
}

static int read_option(const char *text, size_t length, struct em_dir_rule *rule,
                       struct em_err *err)
{
    EM_STR_AUTO option = EM_STR_INIT;
    const char *size;

    while (length && strchr(blank, text[length - 1]))
        length--;
    em_str_add(&option, text, length);
    if (strcmp(em_str_c(&option), "not-empty") == 0) {
        rule->not_empty = true;
        return 0;
    }
    if (em_starts(em_str_c(&option), "free") && strchr(blank, em_str_c(&option)[4])) {
        size = em_str_c(&option) + 4 + strspn(em_str_c(&option) + 4, blank);
        free(rule->free_text);
        rule->free_text = em_strdup(size);
        if (em_size_read(size, &rule->free))
            return 0;
    }
    em_fail(err, EM_EXIT_CONFIG, "\"%s\" is neither not-empty nor free SIZE", em_str_c(&option));
    em_hint(err, "dir = /data : not-empty, free 100M");
    return err->code;
}

/* The last " : ", or NULL. */
static const char *find_separator(const char *value)
{
    const char *found = NULL;

    for (const char *p = value; (p = strchr(p, ':')); p++)
        if ((p == value || strchr(blank, p[-1])) && p[1] && strchr(blank, p[1]))
            found = p;
    return found;
}

int em_dir_rule_read(const char *value, struct em_dir_rule *rule, struct em_err *err)
{
    const char *colon = find_separator(value), *p;
    size_t length = colon ? (size_t)(colon - value) : strlen(value);

    *rule = (struct em_dir_rule){0};
    while (length && colon && strchr(blank, value[length - 1]))
        length--;
    rule->path = em_strndup(value, length);
    if (!length)
        return em_fail(err, EM_EXIT_CONFIG, "\"%s\" names no directory", value);
    for (p = colon; p && *p;) {
        size_t n;

        p++; /* the colon or a comma */
        p += strspn(p, blank);
        n = strcspn(p, ",");
        if (read_option(p, n, rule, err) != 0)
            return err->code;
        p += n;
    }
    return 0;
}

void em_dir_rule_free(struct em_dir_rule *rule)
{
    free(rule->path);
    free(rule->free_text);
    *rule = (struct em_dir_rule){0};
}
