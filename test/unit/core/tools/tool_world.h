/* A world for the tests of the tools' rules: files and variables in memory, and what a search in it
 * found, as one line. */
#ifndef EMBARK_TEST_TOOL_WORLD_H
#define EMBARK_TEST_TOOL_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "embark/core/config/config.h"
#include "embark/core/tools/tools.h"

/* "path", "text", "path", "text"…, NULL; a path that ends in '/' is a folder. */
static const char *const *tool_files;
static const char *const *tool_env; /* "NAME=VALUE"…, NULL */
static const char *tool_python;     /* folders with colons between; NULL: can't be told */

static const char *tool_world_env(void *ctx, const char *name)
{
    size_t n = strlen(name);
    (void)ctx;
    for (const char *const *e = tool_env; e && *e; e++)
        if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
            return *e + n + 1;
    return NULL;
}

static enum em_tool_kind tool_world_kind(void *ctx, const char *path)
{
    size_t n = strlen(path);
    (void)ctx;
    while (em_starts(path, "./")) {
        path += 2;
        n -= 2;
    }
    for (const char *const *f = tool_files; f && *f; f += 2) {
        if (strcmp(*f, path) == 0)
            return EM_TOOL_FILE;
        if (strncmp(*f, path, n) == 0 && (*f)[n] == '/')
            return EM_TOOL_FOLDER;
    }
    return strcmp(path, ".") == 0 ? EM_TOOL_FOLDER : EM_TOOL_NOTHING;
}

static bool tool_world_read(void *ctx, const char *path, struct em_str *out, struct em_str *why)
{
    (void)ctx;
    while (em_starts(path, "./"))
        path += 2;
    for (const char *const *f = tool_files; f && *f; f += 2)
        if (strcmp(*f, path) == 0 && strcmp(f[1], "UNREADABLE") != 0) {
            em_str_puts(out, f[1]);
            return true;
        }
    em_str_puts(why, "Permission denied");
    return false;
}

static bool tool_world_names(void *ctx, const char *folder, struct em_list *names)
{
    size_t n = strlen(folder);
    (void)ctx;
    if (strcmp(folder, ".") == 0)
        n = 0;
    for (const char *const *f = tool_files; f && *f; f += 2) {
        if (n && (strncmp(*f, folder, n) != 0 || (*f)[n] != '/'))
            continue;
        const char *name = *f + n + (n > 0);
        EM_FREE char *first = em_strndup(name, strcspn(name, "/"));
        if (*first && !em_list_has(names, first))
            em_list_add(names, first);
    }
    return true;
}

static bool tool_world_python(void *ctx, struct em_list *folders, struct em_str *why)
{
    (void)ctx;
    if (!tool_python) {
        em_str_puts(why, "no Python");
        return false;
    }
    for (const char *p = tool_python; *p;) {
        size_t n = strcspn(p, ":");
        em_list_take(folders, em_strndup(p, n));
        p += n + (p[n] == ':');
    }
    return true;
}

static void tool_world_variables(void *ctx, const char *prefix, struct em_list *out)
{
    (void)ctx;
    for (const char *const *e = tool_env; e && *e; e++)
        if (em_starts(*e, prefix))
            em_list_add(out, *e);
}

static bool tool_world_program(void *ctx, const char *name, struct em_str *path)
{
    (void)ctx;
    if (strcmp(name, "gone") == 0)
        return false;
    em_str_printf(path, "/opt/%s/%s", name, name);
    return true;
}

static const struct em_tool_world tool_world = {
    tool_world_env,    tool_world_kind,      tool_world_read,    tool_world_names,
    tool_world_python, tool_world_variables, tool_world_program, NULL,
};

/* A deep place ends in slash and two stars, apps' in "+apps", installed ones' in "+installed";
 * named ones begin with '!'. */
static void tool_found(const char *command, struct em_str *out)
{
    static const char *const depth[] = {"", "/**", "+apps", "+installed"};
    EM_LIST_AUTO words = EM_LIST_INIT;
    EM_TOOL_SEARCH_AUTO s = {.world = &tool_world};
    assert_true(em_command_line_split(command, &words));
    em_tool_search(&s, &words);
    em_str_printf(out, "%s%s", s.tool ? s.tool->name : "none", s.compound ? " (compound)" : "");
    for (size_t i = 0; i < s.n; i++)
        em_str_printf(out, "%s%s%s%s", i ? ", " : ": ", s.places[i].named ? "!" : "",
                      s.places[i].path, depth[s.places[i].depth]);
    if (s.tool)
        em_str_printf(out, " | %s%s%s", em_str_c(&s.schema), s.schema.len ? "." : "",
                      s.table_why.len ? em_str_c(&s.table_why) : em_str_c(&s.table));
    if (s.tool && s.doubt.len)
        em_str_printf(out, " | ? %s", em_str_c(&s.doubt));
    if (s.tool)
        assert_true(s.n > 0 || s.doubt.len > 0);
    else
        assert_true(s.doubt.len > 0);
}

/* What steers it beside. */
static inline void tool_settings(const char *command, struct em_str *out)
{
    EM_LIST_AUTO words = EM_LIST_INIT;
    EM_TOOL_SEARCH_AUTO s = {.world = &tool_world};
    assert_true(em_command_line_split(command ? command : "", &words));
    em_tool_search(&s, &words);
    em_str_puts(out, em_str_c(&s.settings));
}

static inline void finds(const char *command, const char *expected)
{
    EM_STR_AUTO out = EM_STR_INIT;
    tool_found(command, &out);
    assert_string_equal(em_str_c(&out), expected);
}

/* The same, of which only a part is looked for. */
static inline void finds_part(const char *command, const char *part)
{
    EM_STR_AUTO out = EM_STR_INIT;
    tool_found(command, &out);
    if (!strstr(em_str_c(&out), part))
        assert_string_equal(em_str_c(&out), part);
}

#define FILES(...)                     \
    tool_files = (const char *const[]) \
    {                                  \
        __VA_ARGS__, NULL              \
    }
#define ENV(...)                     \
    tool_env = (const char *const[]) \
    {                                \
        __VA_ARGS__, NULL            \
    }

static inline int tool_reset(void **state)
{
    (void)state;
    tool_files = tool_env = NULL;
    tool_python = NULL;
    return 0;
}

#endif
