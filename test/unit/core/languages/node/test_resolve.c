#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/languages/node/command_line.h"
#include "embark/core/languages/node/npm.h"
#include "embark/core/languages/node/package_json.h"
#include "embark/core/languages/node/resolve.h"

/* A file system: what isn't here and is no parent of anything here isn't there. */
static const struct {
    const char *path, *text; /* NULL: a broken link */
} tree[] = {
    {"/app/package.json",
     "{\"name\": \"self\", \"exports\": {\".\": \"./main.js\", \"./gone\": \"./gone.js\"}}"},
    {"/app/main.js", ""},
    {"/app/lib/deep/x.js", ""},
    {"/app/node_modules/express/package.json",
     "{\"version\": \"4.18.2\", \"main\": \"lib/express\"}"},
    {"/app/node_modules/express/lib/express.js", ""},
    {"/app/node_modules/plain/index.js", ""},
    {"/app/node_modules/single.js", ""},
    {"/app/node_modules/data/package.json", "{\"main\": \"x\"}"},
    {"/app/node_modules/data/x.json", ""},
    {"/app/node_modules/nomain/package.json",
     "{\"main\": \"dist/index.js\", \"version\": \"2.0.0\"}"},
    {"/app/node_modules/empty/README", ""},
    {"/app/node_modules/broken/package.json", "{"},
    {"/app/node_modules/pnpm", NULL},
    {"/app/node_modules/@scope/pkg/package.json",
     "{\"version\": \"1.0.0\", \"exports\": {\".\": {\"import\": \"./i.mjs\", \"require\": "
     "\"./none.cjs\"},"
     "\"./a\": [{\"browser\": \"./none\"}, \"./a.js\"], \"./f/*.js\": \"./src/*.js\", "
     "\"./f/private/*\": null,"
     "\"./old/\": \"./src/\", \"./types\": {\"types\": \"./t.d.ts\"}}}"},
    {"/app/node_modules/@scope/pkg/i.mjs", ""},
    {"/app/node_modules/@scope/pkg/a.js", ""},
    {"/app/node_modules/@scope/pkg/src/x.js", ""},
    {"/node_modules/above/index.js", ""},
    {"/node_modules/plain/package.json", "{\"version\": \"9.0.0\"}"},
    {"/extra/found/index.js", ""},
};

static enum em_node_kind kind(void *ctx, const char *path)
{
    size_t n = strlen(path);

    (void)ctx;
    for (size_t i = 0; i < sizeof(tree) / sizeof(tree[0]); i++) {
        if (strcmp(tree[i].path, path) == 0)
            return tree[i].text ? EM_NODE_FILE : EM_NODE_BROKEN;
        if (em_starts(tree[i].path, path) && tree[i].path[n] == '/')
            return EM_NODE_DIR;
    }
    return EM_NODE_NOTHING;
}

static bool read_text(void *ctx, const char *path, struct em_str *out)
{
    (void)ctx;
    for (size_t i = 0; i < sizeof(tree) / sizeof(tree[0]); i++)
        if (strcmp(tree[i].path, path) == 0 && tree[i].text) {
            em_str_puts(out, tree[i].text);
            return true;
        }
    return false;
}

static const struct em_node_files files = {kind, read_text, NULL};

/* The file, "built-in", or "! why|link…". */
static void expect(const char *name, const char *expected)
{
    struct em_node_found found = {0};
    struct em_str out = EM_STR_INIT;

    em_node_resolve(&files, "/app/lib/deep", "/nowhere:/extra", name, &found);
    if (found.found)
        em_str_puts(&out, found.builtin ? "built-in" : em_str_c(&found.file));
    else
        em_str_printf(&out, "! %s", em_str_c(&found.why));
    for (size_t i = 0; !found.found && i < found.broken.n; i++)
        em_str_printf(&out, "|%s", found.broken.v[i]);
    if (strcmp(em_str_c(&out), expected) != 0)
        fail_msg("%s: %s, not %s", name, em_str_c(&out), expected);
    em_node_found_free(&found);
    em_str_free(&out);
}

static void test_resolve(void **state)
{
    (void)state;
    expect("fs", "built-in");
    expect("node:fs/promises", "built-in");
    expect("node:nope", "! ");
    expect("express", "/app/node_modules/express/lib/express.js");
    expect("express/lib/express", "/app/node_modules/express/lib/express.js");
    expect("express/nope", "! the package /app/node_modules/express has no ./nope");
    expect("plain", "/app/node_modules/plain/index.js");
    expect("single", "/app/node_modules/single.js");
    expect("data", "/app/node_modules/data/x.json");
    expect("nomain",
           "! /app/node_modules/nomain/package.json names dist/index.js, which does not exist");
    expect("empty", "! the folder /app/node_modules/empty has no package.json and no index.js");
    expect("broken", "! /app/node_modules/broken/package.json is no JSON object");
    expect("pnpm", "! |/app/node_modules/pnpm");
    expect("above", "/node_modules/above/index.js");
    expect("found", "/extra/found/index.js");
    expect("nope", "! ");
    expect("./x.js", "/app/lib/deep/x.js");
    expect("./x", "/app/lib/deep/x.js");
    expect("./y", "! /app/lib/deep/y does not exist");
    expect("/app/main", "/app/main.js");
}

static void test_exports(void **state)
{
    (void)state;
    expect("@scope/pkg", "/app/node_modules/@scope/pkg/i.mjs");
    expect("@scope/pkg/a", "/app/node_modules/@scope/pkg/a.js");
    expect("@scope/pkg/f/x.js", "/app/node_modules/@scope/pkg/src/x.js");
    expect("@scope/pkg/old/x.js", "/app/node_modules/@scope/pkg/src/x.js");
    expect("@scope/pkg/f/y.js", "! /app/node_modules/@scope/pkg/package.json exports ./f/y.js as "
                                "./src/y.js, which does not exist");
    expect("@scope/pkg/f/private/z",
           "! /app/node_modules/@scope/pkg/package.json doesn't export ./f/private/z");
    expect("@scope/pkg/types",
           "! /app/node_modules/@scope/pkg/package.json doesn't export ./types");
    expect("@scope/pkg/a.js", "! /app/node_modules/@scope/pkg/package.json doesn't export ./a.js");
    expect("@scope/nope", "! ");
    expect("self", "/app/main.js");
    expect("self/gone", "! /app/package.json exports ./gone as ./gone.js, which does not exist");
}

static void test_package(void **state)
{
    struct em_str folder = EM_STR_INIT, version = EM_STR_INIT;
    struct em_list broken = EM_LIST_INIT;

    (void)state;
    /* plain's nearest folder has no package.json: the one above tells the version */
    assert_true(em_node_package(&files, "/app", NULL, "plain", &folder, &version, &broken));
    assert_string_equal(em_str_c(&folder), "/node_modules/plain");
    assert_string_equal(em_str_c(&version), "9.0.0");
    assert_false(em_node_package(&files, "/app", NULL, "pnpm", &folder, &version, &broken));
    assert_int_equal(broken.n, 1);
    em_str_free(&folder);
    em_str_free(&version);
    em_list_free(&broken);
    assert_int_equal(em_node_package_length("@a/b/c"), 4);
    assert_int_equal(em_node_package_length("a/b"), 1);
    assert_int_equal(em_node_package_length("@a"), 2);
}

static void test_deep_exports(void **state)
{
    struct em_str text = EM_STR_INIT;
    struct em_node_package_json p;
    struct em_list targets = EM_LIST_INIT;

    (void)state;
    em_str_puts(&text, "{\"exports\": ");
    for (int i = 0; i < 1000; i++)
        em_str_puts(&text, "{\"node\": ");
    em_str_puts(&text, "\"./x\"");
    for (int i = 0; i < 1000; i++)
        em_str_puts(&text, "}");
    em_str_puts(&text, "}");
    em_node_package_json_read(&p, em_str_c(&text), text.len);
    assert_false(p.broken);
    em_node_exports(&p, ".", &targets);
    assert_int_equal(targets.n, 0);
    em_node_package_json_free(&p);
    em_list_free(&targets);
    em_str_free(&text);
}

static size_t script(const char *line)
{
    struct em_list words = EM_LIST_INIT;
    char *copy = em_strdup(line);
    size_t result;

    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        em_list_add(&words, word);
    result = em_node_script(words.v, words.n);
    em_list_free(&words);
    free(copy);
    return result;
}

static void test_script(void **state)
{
    (void)state;
    assert_int_equal(script("node server.js"), 1);
    assert_int_equal(script("tini -- node --enable-source-maps -r ./x dist/main.js --port 1"), 6);
    assert_int_equal(script("env A=1 /usr/local/bin/node --import=x a.mjs"), 4);
    assert_int_equal(script("node -- x"), 2);
    assert_int_equal(script("node --"), 0);
    assert_int_equal(script("node -e code"), 0);
    assert_int_equal(script("node"), 0);
    assert_int_equal(script("npm start"), 0);
    assert_int_equal(script("node --test a.js"), 0);
}

static void show_needs(bool ok, struct em_npm_needs *needs, struct em_str *why,
                       const char *expected)
{
    struct em_str out = EM_STR_INIT;

    for (size_t i = 0; i < needs->n; i++)
        em_str_printf(&out, "%s %s%s%s%s;", needs->v[i].name, needs->v[i].range,
                      needs->v[i].path ? " " : "", needs->v[i].path ? needs->v[i].path : "",
                      needs->v[i].link ? " link" : "");
    if (!ok)
        em_str_printf(&out, "! %s", em_str_c(why));
    assert_string_equal(em_str_c(&out), expected);
    em_str_free(&out);
    em_str_free(why);
    em_npm_needs_free(needs);
}

static void expect_package(const char *json, const char *expected)
{
    struct em_npm_needs needs;
    struct em_str why = EM_STR_INIT;
    bool ok = em_npm_read_package(json, strlen(json), &needs, &why);

    show_needs(ok, &needs, &why, expected);
}

static void expect_lock(const char *json, const char *expected)
{
    struct em_npm_needs needs;
    struct em_str why = EM_STR_INIT;
    bool ok = em_npm_read_lock(json, strlen(json), &needs, &why);

    show_needs(ok, &needs, &why, expected);
}

static void test_npm(void **state)
{
    (void)state;
    expect_package("{}", "");
    expect_package("\xef\xbb\xbf{\"dependencies\": {\"a\": \"^1\", \"o\": \"1\", \"n\": 1}, "
                   "\"devDependencies\": {\"d\": \"1\"},"
                   "\"optionalDependencies\": {\"o\": \"1\"}}",
                   "a ^1;n ?;");
    expect_package("{\"dependencies\": []}", "");
    expect_package("[]", "! holds no JSON object");
    expect_package("{", "! is no JSON: line 1: string or '}' expected near end of file");
    expect_lock(
        "{\"packages\": {\"\": {\"version\": \"1\"}, \"node_modules/a\": {\"version\": \"1.0.0\"},"
        "\"node_modules/a/node_modules/@s/b\": {\"version\": \"2.0.0\"}, \"node_modules/d\": "
        "{\"dev\": true},"
        "\"node_modules/o\": {\"optional\": true}, \"node_modules/w\": {\"link\": true}, "
        "\"packages/w\": {},"
        "\"node_modules/\": {}}}",
        "a 1.0.0 node_modules/a;@s/b 2.0.0 node_modules/a/node_modules/@s/b;w  node_modules/w "
        "link;");
    expect_lock("{\"dependencies\": {\"a\": {\"version\": \"1.0.0\", \"dependencies\": {\"b\": "
                "{\"version\": \"file:b\"}}},"
                "\"d\": {\"dev\": true}}}",
                "a 1.0.0 node_modules/a;b file:b node_modules/a/node_modules/b link;");
    assert_int_equal(em_npm_allows("npm:x@^1", "1.2.0"), EM_YES);
    assert_int_equal(em_npm_allows("npm:@a/x@^1", "2.0.0"), EM_NO);
    assert_int_equal(em_npm_allows("npm:@a/x", "2.0.0"), EM_UNKNOWN);
    assert_int_equal(em_npm_allows("workspace:*", "2.0.0-rc.1"), EM_YES);
    assert_int_equal(em_npm_allows("workspace:^1.0.0", "2.0.0"), EM_NO);
    assert_int_equal(em_npm_allows("*", "1.0.0-rc.1"), EM_YES);
    assert_int_equal(em_npm_allows("latest", "1.0.0"), EM_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolve), cmocka_unit_test(test_exports),
        cmocka_unit_test(test_package), cmocka_unit_test(test_deep_exports),
        cmocka_unit_test(test_script),  cmocka_unit_test(test_npm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
