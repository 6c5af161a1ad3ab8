#include "embark/core/sql/variables.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "embark/core/redact/secret_names.h"
#include "embark/core/sql/lexer.h"

/* ---- The set ---- */

static void wipe(char *value)
{
    if (value)
        explicit_bzero(value, strlen(value));
    free(value);
}

void em_sql_vars_free(struct em_sql_vars *vars)
{
    for (size_t i = 0; i < vars->n; i++) {
        free(vars->v[i].name);
        wipe(vars->v[i].value);
    }
    free(vars->v);
    memset(vars, 0, sizeof(*vars));
}

static struct em_sql_var *find(const struct em_sql_vars *vars, const char *name, size_t length)
{
    for (size_t i = 0; i < vars->n; i++)
        if (strlen(vars->v[i].name) == length && memcmp(vars->v[i].name, name, length) == 0)
            return &vars->v[i];
    return NULL;
}

bool em_sql_vars_set(struct em_sql_vars *vars, const char *name, const char *value)
{
    struct em_sql_var *var = find(vars, name, strlen(name));
    char *copy;

    if (!em_sql_vars_name(name))
        return false;
    if (!var) {
        vars->v = em_realloc(vars->v, vars->n + 1, sizeof(*vars->v));
        var = &vars->v[vars->n++];
        *var = (struct em_sql_var){em_strdup(name), NULL, true, false};
    }
    copy = em_strdup(value); /* first: it may be the old value itself */
    wipe(var->value);
    var->value = copy;
    var->changed = true;
    return true;
}

void em_sql_vars_unset(struct em_sql_vars *vars, const char *name)
{
    struct em_sql_var *var = find(vars, name, strlen(name));

    if (!var)
        return;
    free(var->name);
    wipe(var->value);
    *var = vars->v[--vars->n];
}

const char *em_sql_vars_find(const struct em_sql_vars *vars, const char *name, size_t length)
{
    const struct em_sql_var *var = find(vars, name, length);

    return var ? var->value : NULL;
}

const char *em_sql_vars_get(const struct em_sql_vars *vars, const char *name)
{
    return em_sql_vars_find(vars, name, strlen(name));
}

/* ---- Names ---- */

bool em_sql_vars_name(const char *name)
{
    const char *p = name;

    while (em_sql_name_byte(*p))
        p++;
    return p > name && *p == '\0';
}

bool em_sql_vars_secret(const char *name)
{
    static const char *const words[] = {"pass",   "pwd",     "secret",     "token",
                                        "apikey", "api_key", "credential", "private_key"};

    for (size_t i = 0; i < EM_COUNT(words); i++)
        if (strcasestr(name, words[i]))
            return true;
    return em_is_secret_name(name, strlen(name));
}

bool em_sql_vars_setting(const char *name)
{
    return em_sql_vars_name(name) && !(*name >= '0' && *name <= '9');
}

/* ---- Values ---- */

void em_sql_quote_literal(struct em_str *out, const char *value)
{
    bool backslash = strchr(value, '\\') != NULL;

    em_str_puts(out, backslash ? " E'" : "'");
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            em_str_putc(out, *value);
        em_str_putc(out, *value);
    }
    em_str_putc(out, '\'');
}

void em_sql_quote_ident(struct em_str *out, const char *value)
{
    em_str_putc(out, '"');
    for (; *value; value++) {
        if (*value == '"')
            em_str_putc(out, '"');
        em_str_putc(out, *value);
    }
    em_str_putc(out, '"');
}

static bool starts(const char *word, const char *text, size_t least)
{
    size_t n = strlen(text);

    return strncasecmp(word, text, n > least ? n : least) == 0;
}

bool em_sql_bool(const char *text, bool *value)
{
    static const struct {
        const char *word;
        size_t least; /* "o" could be either */
        bool value;
    } words[] = {
        {"true", 1, true}, {"false", 1, false}, {"yes", 1, true}, {"no", 1, false},
        {"on", 2, true},   {"off", 2, false},   {"1", 2, true},   {"0", 2, false},
    };

    for (size_t i = 0; i < EM_COUNT(words); i++)
        if (starts(words[i].word, text, words[i].least)) {
            *value = words[i].value;
            return true;
        }
    return false;
}

bool em_sql_vars_builtin(const char *name)
{
    static const char *const names[] = {
        "DBNAME",
        "USER",
        "HOST",
        "PORT",
        "ENCODING",
        "SERVER_VERSION_NUM",
        "SERVER_VERSION_NAME",
        "ROW_COUNT",
        "ERROR",
        "SQLSTATE",
        "LAST_ERROR_SQLSTATE",
        "LAST_ERROR_MESSAGE",
        "ON_ERROR_STOP",
        "AUTOCOMMIT",
    };

    for (size_t i = 0; i < EM_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}
