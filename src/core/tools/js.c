/* What a JavaScript, TypeScript or JSON file sets a key to, as far as literals go. */
#include <ctype.h>
#include <string.h>

#include "search.h"

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$';
}

static const char *skip(const char *p)
{
    for (;;) {
        p += strspn(p, " \t\r\n");
        if (p[0] == '/' && p[1] == '/')
            p += strcspn(p, "\n");
        else if (p[0] == '/' && p[1] == '*')
            p = strstr(p + 2, "*/") ? strstr(p + 2, "*/") + 2 : p + strlen(p);
        else
            return p;
    }
}

/* "…", '…', `…`; `${__dirname}` is `here`. */
static bool take_string(const char **p, const char *here, struct em_str *out)
{
    char quote = **p;
    const char *at = *p + 1;
    bool good = true;
    for (; *at && *at != quote; at++) {
        if (*at == '\n' && quote != '`')
            return false;
        if (quote == '`' && em_starts(at, "${__dirname}")) {
            em_str_puts(out, here);
            at += strlen("${__dirname}") - 1;
        } else if (*at == '\\' && at[1]) {
            good &= strchr("'\"`\\/", *++at) != NULL;
            em_str_putc(out, *at);
        } else {
            good &= !(quote == '`' && at[0] == '$' && at[1] == '{');
            em_str_putc(out, *at);
        }
    }
    if (!*at)
        return false;
    *p = at + 1;
    return good;
}

static bool take_word(const char **p, const char *word)
{
    const char *at = skip(*p);
    size_t length = strlen(word);
    if (strncmp(at, word, length) != 0 || (is_name(word[length - 1]) && is_name(at[length])))
        return false;
    *p = at + length;
    return true;
}

static bool take_path(const char **p, const char *here, struct em_str *out);

/* path.join(a, b), path.resolve(a, b), resolve(…). */
static bool take_call(const char **p, const char *here, struct em_str *out)
{
    while (!take_word(p, ")")) {
        EM_STR_AUTO part = EM_STR_INIT;
        if (!take_path(p, here, &part))
            return false;
        EM_STR_AUTO before = EM_STR_INIT;
        em_str_puts(&before, em_str_c(out));
        em_str_cut(out, 0);
        /* path.join() takes "/x" for a part, path.resolve() for a root: here it is a part of what
         * stands before. */
        const char *text = em_str_c(&part);
        em_tool_join(em_str_c(&before), before.len && *text == '/' ? text + 1 : text, out);
        if (!take_word(p, ",") && *skip(*p) != ')')
            return false;
    }
    return out->len > 0;
}

static bool take_path(const char **p, const char *here, struct em_str *out)
{
    static const char *const calls[] = {"path.join(", "path.resolve(", "join(", "resolve(",
                                        "path.posix.join("};
    static const char *const folders[] = {"__dirname", "import.meta.dirname"};
    const char *at = skip(*p);
    bool good = false;
    for (size_t i = 0; i < EM_COUNT(calls) && !good; i++)
        if (em_starts(at, calls[i])) {
            at += strlen(calls[i]);
            if (!take_call(&at, here, out))
                return false;
            good = true;
        }
    for (size_t i = 0; i < EM_COUNT(folders) && !good; i++)
        if (take_word(&at, folders[i])) {
            em_str_puts(out, here);
            good = true;
        }
    if (!good && take_word(&at, "process.cwd()")) {
        em_str_puts(out, ".");
        good = true;
    }
    if (!good && *at && strchr("'\"`", *at))
        good = take_string(&at, here, out);
    *p = at;
    return good;
}

/* One value, or a sum of them. */
static bool take_sum(const char **p, const char *here, struct em_list *values)
{
    EM_STR_AUTO sum = EM_STR_INIT;
    do {
        if (!take_path(p, here, &sum))
            return false;
    } while (take_word(p, "+"));
    em_list_add(values, em_str_c(&sum));
    return true;
}

static bool ends_value(const char *p)
{
    const char *at = skip(p);
    return !*at || strchr(",}", *at);
}

static bool take_value(const char *p, const char *here, struct em_list *values)
{
    p = skip(p);
    if (*p != '[')
        return take_sum(&p, here, values) && ends_value(p);
    for (p++; !take_word(&p, "]");)
        if (!take_sum(&p, here, values) || (!take_word(&p, ",") && *skip(p) != ']'))
            return false;
    return ends_value(p);
}

/* A token's end; `name` gets its text if it is a name or a string. */
static const char *token(const char *p, struct em_str *name)
{
    if (strchr("'\"`", *p)) {
        const char *at = p;
        if (take_string(&at, "", name) || at > p)
            return at;
        em_str_cut(name, 0);
        return p + 1 + strcspn(p + 1, "'\"`\n");
    }
    if (!is_name(*p))
        return p + 1;
    const char *end = p;
    while (is_name(*end))
        end++;
    em_str_add(name, p, (size_t)(end - p));
    return end;
}

enum em_tool_said em_tool_js(const char *text, const char *key, const char *here,
                             struct em_list *values)
{
    enum em_tool_said said = EM_TOOL_SILENT;
    for (const char *p = skip(text); *p && said != EM_TOOL_UNCLEAR; p = skip(p)) {
        EM_STR_AUTO name = EM_STR_INIT;
        bool quoted = strchr("'\"`", *p) != NULL;
        bool member = p > text && p[-1] == '.';
        const char *end = token(p, &name);
        if (strcmp(em_str_c(&name), key) == 0) {
            const char *next = skip(end);
            if (*next == ':')
                said = take_value(next + 1, here, values) ? EM_TOOL_LITERAL : EM_TOOL_UNCLEAR;
            else if (!quoted || member || *next == ']')
                said = EM_TOOL_UNCLEAR;
        }
        p = end;
    }
    return said;
}

/* ---- What else is imported -------------------------------------------------------------------- */

/* Packages that hold no settings of a project. */
static bool is_harmless(const char *name)
{
    static const char *const packages[] = {
        "path",           "url",           "os",          "fs",          "process",
        "util",           "dotenv",        "pg",          "knex",        "objection",
        "sequelize",      "sequelize-cli", "drizzle-kit", "drizzle-orm", "prisma",
        "@prisma/client", "typeorm",       "ts-node",     "tslib",       "zod",
        "dotenv-flow",    "dotenv-expand", "dotenv-safe", "module",
    };
    EM_FREE char *package = em_strdup(em_starts(name, "node:") ? name + 5 : name);
    char *slash = strchr(package, '/');
    if (slash && *package == '@')
        slash = strchr(slash + 1, '/');
    if (slash)
        *slash = '\0';
    for (size_t i = 0; i < EM_COUNT(packages); i++)
        if (strcmp(packages[i], package) == 0)
            return true;
    return false;
}

/* Behind `require`, `import` and `from`. False: it takes something of elsewhere. */
static bool takes_own(const char *p, bool import)
{
    EM_STR_AUTO name = EM_STR_INIT;
    p = skip(p);
    bool call = *p == '(';
    if (call)
        p = skip(p + 1);
    else if (*p == '.')
        return import && (em_starts(p, ".meta.dirname") || em_starts(p, ".meta.url") ||
                          em_starts(p, ".meta.filename"));
    if (!*p || !strchr("'\"`", *p))
        return !call; /* import NAME from "…": that says it */
    return take_string(&p, "", &name) && (!call || *skip(p) == ')') && is_harmless(em_str_c(&name));
}

bool em_tool_js_alone(const char *text)
{
    if (strstr(text, "..."))
        return false;
    for (const char *p = skip(text); *p; p = skip(p)) {
        EM_STR_AUTO name = EM_STR_INIT;
        bool word = is_name(*p);
        bool member = p > text && p[-1] == '.';
        const char *end = token(p, &name);
        const char *w = em_str_c(&name);
        bool import = strcmp(w, "import") == 0;
        if (word && !member && (import || !strcmp(w, "require") || !strcmp(w, "from")) &&
            !takes_own(end, import))
            return false;
        if (word &&
            (!strcmp(w, "createRequire") || !strcmp(w, "eval") || !strcmp(w, "readFileSync")))
            return false;
        p = end;
    }
    return true;
}
