#include "search.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/base/sha256.h"
#include "embark/core/redact/secret_names.h"

void em_tool_split(const char *text, const char *separators, struct em_list *out)
{
    while (*text) {
        size_t length = strcspn(text, separators), from = 0, to = length;
        while (from < to && strchr(" \t\r\n", text[from]))
            from++;
        while (to > from && strchr(" \t\r\n", text[to - 1]))
            to--;
        if (to > from)
            em_list_take(out, em_strndup(text + from, to - from));
        text += length + (text[length] != '\0');
    }
}

void em_tool_folder_of(const char *file, struct em_str *out)
{
    const char *slash = strrchr(file, '/');
    if (slash)
        em_str_add(out, file, slash == file ? 1 : (size_t)(slash - file));
    else
        em_str_putc(out, '.');
}

void em_tool_join(const char *base, const char *name, struct em_str *out)
{
    while (em_starts(name, "./"))
        name += 2 + strspn(name + 2, "/");
    if (*name != '/' && *base && strcmp(base, ".") != 0)
        em_str_printf(out, "%s%s", base, em_ends(base, "/") ? "" : "/");
    em_str_puts(out, *name ? name : ".");
    while (out->len > 1 && out->data[out->len - 1] == '/')
        em_str_cut(out, out->len - 1);
}

const char *em_tool_env(const struct em_tool_search *s, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = s->env.n; i-- > 0;)
        if (strncmp(s->env.v[i], name, length) == 0 && s->env.v[i][length] == '=')
            return s->env.v[i] + length + 1;
    return s->world->env(s->world->ctx, name);
}

void em_tool_python_path(struct em_tool_search *s, struct em_list *folders)
{
    for (size_t i = 0; i < s->env.n; i++)
        if (em_starts(s->env.v[i], "PYTHONPATH="))
            em_tool_split(s->env.v[i] + strlen("PYTHONPATH="), ":", folders);
        else if (em_starts(s->env.v[i], "PYTHONHOME=") || em_starts(s->env.v[i], "PATH=") ||
                 em_starts(s->env.v[i], "VIRTUAL_ENV="))
            em_tool_doubt(s, "which Python %s leads to isn't known to embark", s->env.v[i]);
}

static void say(struct em_tool_search *s, struct em_str *into, const char *format, va_list args)
{
    (void)s;
    if (!into->len)
        em_str_vprintf(into, format, args);
}

void em_tool_doubt(struct em_tool_search *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(s, &s->doubt, format, args);
    va_end(args);
}

void em_tool_no_table(struct em_tool_search *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(s, &s->table_why, format, args);
    va_end(args);
}

struct em_tool_place *em_tool_add(struct em_tool_search *s, const char *path,
                                  enum em_tool_depth depth)
{
    EM_STR_AUTO clean = EM_STR_INIT;
    em_tool_join("", path, &clean);
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->places[i].path, em_str_c(&clean)) == 0 && s->places[i].depth == depth)
            return &s->places[i];
    s->places = em_realloc(s->places, s->n + 1, sizeof *s->places);
    s->places[s->n] = (struct em_tool_place){em_str_take(&clean), depth, false, false};
    return &s->places[s->n++];
}

void em_tool_steers(struct em_tool_search *s, const char *kind, const char *name, const char *bytes,
                    size_t length)
{
    char hex[EM_HEX_DIGEST];
    EM_STR_AUTO line = EM_STR_INIT;
    em_hex_sha256(bytes, length, hex);
    em_str_printf(&line, "%s %zu:%s %s\n", kind, strlen(name), name, hex);
    if (!strstr(em_str_c(&s->settings), em_str_c(&line)))
        em_str_puts(&s->settings, em_str_c(&line));
}

void em_tool_steers_env(struct em_tool_search *s, const char *name, const char *value)
{
    if (!em_is_secret_name(name, strlen(name)) && !strstr(value, "://"))
        em_tool_steers(s, "variable", name, value, strlen(value));
}

/* What differs between replicas, and says nothing of migrations. */
static bool is_of_the_host(const char *name)
{
    static const char *const parts[] = {"HOST", "POD",      "NODE_NAME", "PORT",   "ADDR",   "LOG",
                                        "PATH", "HOME",     "USER",      "PWD",    "_ID",    "_IP",
                                        "DSN",  "INSTANCE", "REPLICA",   "WORKER", "ORDINAL"};
    for (size_t i = 0; i < EM_COUNT(parts); i++)
        if (strstr(name, parts[i]))
            return true;
    return false;
}

/* The host's name, or one that is made with it: Docker's and Kubernetes' are long. A short one may
 * be any word's part. */
static bool names_the_host(const struct em_tool_search *s, const char *value)
{
    enum { LONG = 8 };
    const char *host = em_tool_env(s, "HOSTNAME");
    if (!host || !*host)
        return false;
    return strcmp(value, host) == 0 || (strlen(host) >= LONG && strstr(value, host));
}

void em_tool_steers_file(struct em_tool_search *s, const char *path, const char *bytes,
                         size_t length)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    em_tool_steers(s, "file", path, bytes, length);
    for (const char *p = bytes; *p;) {
        size_t word = strspn(p, letters);
        bool begins = p == bytes || !isalnum((unsigned char)p[-1]);
        if (word > 2 && begins && !isdigit((unsigned char)*p) && !islower((unsigned char)p[word])) {
            EM_FREE char *name = em_strndup(p, word);
            const char *value = em_tool_env(s, name);
            if (value && !is_of_the_host(name) && !names_the_host(s, value))
                em_tool_steers_env(s, name, value);
        }
        p += word ? word : 1;
    }
}

bool em_tool_read(struct em_tool_search *s, const char *path, struct em_str *bytes)
{
    size_t before = bytes->len;
    if (!em_tool_peek(s, path, bytes))
        return false;
    em_tool_steers_file(s, path, em_str_c(bytes) + before, bytes->len - before);
    return true;
}

bool em_tool_peek(struct em_tool_search *s, const char *path, struct em_str *bytes)
{
    EM_STR_AUTO why = EM_STR_INIT;
    if (s->world->read(s->world->ctx, path, bytes, &why))
        return true;
    em_tool_doubt(s, "%s can't be read: %s", path, em_str_c(&why));
    return false;
}

const char *em_tool_value(const struct em_tool_search *s, enum em_tool_role role, const char *name)
{
    for (size_t i = s->options.n; i >= 2; i -= 2) {
        const char *key = s->options.v[i - 2];
        if (key[0] == (char)role && (!name || strcmp(key + 1, name) == 0))
            return s->options.v[i - 1];
    }
    return NULL;
}

/* ---- .env files ----------------------------------------------------------------------------- */

static void dotenv_line(struct em_tool_search *s, const char *path, const char *line, size_t length)
{
    EM_FREE char *copy = em_strndup(line, length);
    EM_STR_AUTO value = EM_STR_INIT;
    char *name = copy + strspn(copy, " \t");
    if (em_starts(name, "export "))
        name += strlen("export ") + strspn(name + strlen("export "), " \t");
    char *sign = strpbrk(name, "=:");
    if (!sign || *name == '#')
        return;
    size_t end = (size_t)(sign - name);
    while (end && strchr(" \t", name[end - 1]))
        end--;
    const char *text = sign + 1 + strspn(sign + 1, " \t");
    char quote = *text == '\'' || *text == '"' || *text == '`' ? *text++ : '\0';
    if (quote) {
        em_str_add(&value, text,
                   strchr(text, quote) ? (size_t)(strchr(text, quote) - text) : strlen(text));
    } else {
        const char *comment = strstr(text, " #");
        em_str_add(&value, text, comment ? (size_t)(comment - text) : strlen(text));
        while (value.len && strchr(" \t\r", value.data[value.len - 1]))
            em_str_cut(&value, value.len - 1);
    }
    name[end] = '\0';
    if (em_tool_env(s, name))
        return;
    bool matters =
        strstr(name, "MIGRAT") || em_starts(name, "GOOSE_") || em_starts(name, "FLYWAY_") ||
        em_starts(name, "DBMATE_") || em_starts(name, "ALEMBIC_") || em_starts(name, "FLASK_") ||
        em_starts(name, "DJANGO_") || em_starts(name, "PYTHON") || em_starts(name, "NODE_");
    if (matters && (strpbrk(em_str_c(&value), "$\\") || (quote && !strchr(text, quote))))
        em_tool_doubt(s, "%s: what %s is can't be told", path, name);
    if (matters)
        em_tool_steers_env(s, name, em_str_c(&value));
    EM_STR_AUTO both = EM_STR_INIT;
    em_str_printf(&both, "%s=%s", name, em_str_c(&value));
    em_list_add(&s->env, em_str_c(&both));
}

void em_tool_dotenv(struct em_tool_search *s, const char *path)
{
    EM_STR_AUTO bytes = EM_STR_INIT;
    if (s->world->kind(s->world->ctx, path) != EM_TOOL_FILE || !em_tool_peek(s, path, &bytes))
        return;
    for (const char *line = em_str_c(&bytes); *line;) {
        size_t length = strcspn(line, "\n");
        dotenv_line(s, path, line, length);
        line += length + (line[length] == '\n');
    }
}

/* ---- The search ----------------------------------------------------------------------------- */

bool em_tool_wants(const struct em_tool *tool, const char *name)
{
    EM_LIST_AUTO patterns = EM_LIST_INIT;
    static const char nobody[] =
        "*.md *.rst *.map *.orig *.rej *.swp *~ README* CHANGELOG* LICENSE*";
    em_tool_split(nobody, " ", &patterns);
    for (size_t i = 0; i < patterns.n; i++)
        if (fnmatch(patterns.v[i], name, 0) == 0)
            return false;
    em_list_free(&patterns);
    if (!tool || !tool->wants)
        return true;
    em_tool_split(tool->wants, " ", &patterns);
    for (size_t i = 0; i < patterns.n; i++)
        if (fnmatch(patterns.v[i], name, 0) == 0)
            return true;
    return false;
}

void em_tool_search_free(struct em_tool_search *s)
{
    em_list_free(&s->words);
    em_list_free(&s->env);
    em_list_free(&s->options);
    em_list_free(&s->rest);
    for (size_t i = 0; i < s->n; i++)
        free(s->places[i].path);
    free(s->places);
    em_str_free(&s->doubt);
    em_str_free(&s->hint);
    em_str_free(&s->table);
    em_str_free(&s->schema);
    em_str_free(&s->table_why);
    em_str_free(&s->target);
    em_str_free(&s->settings);
    *s = (struct em_tool_search){.world = s->world};
}
