#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/languages/manifest.h"
#include "embark/core/languages/module.h"
#include "embark/core/languages/php/composer.h"
#include "embark/core/languages/reply/missing_library.h"

static void expect(const char *value, bool import, const char *expected)
{
    struct em_modules modules;
    struct em_err err = EM_ERR_INIT;
    struct em_str out = EM_STR_INIT;

    if (em_modules_read(value, import, &modules, &err) != 0) {
        assert_int_equal(err.code, EM_EXIT_CONFIG);
        em_str_printf(&out, "! %s", em_str_c(&err.text));
    } else {
        em_str_printf(&out, "%s:", modules.word);
        for (size_t i = 0; i < modules.n; i++)
            em_str_printf(&out, " %s|%s", modules.v[i].name, modules.v[i].allowed);
    }
    assert_string_equal(em_str_c(&out), expected);
    em_modules_free(&modules);
    em_err_free(&err);
    em_str_free(&out);
}

static void test_python(void **state)
{
    (void)state;
    expect("python: alembic", false, "python: alembic|");
    expect(" python :alembic , alembic.config,\tpsycopg2 ", false,
           "python: alembic| alembic.config| psycopg2|");
    expect("/venv/bin/python: _a1.b2", false, "/venv/bin/python: _a1.b2|");
    expect("python: größe", false, "python: größe|");
    expect("python: alembic>=1.14,<2, psycopg2 ~= 2.9 ,!=2.9.3", false,
           "python: alembic|>=1.14,<2 psycopg2|~= 2.9,!=2.9.3");
    expect("python: a===foo", false, "python: a|===foo");
    expect("alembic", false, "! \"alembic\" has no language before a colon");
    expect(": alembic", false, "! \": alembic\" has no language before a colon");
    expect("python:", false, "! \"python:\" names no module");
    expect("python: a,", false, "! an empty name");
    expect("python: a,,b", false, "! an empty name");
    expect("python: a..b", false, "! \"a..b\" can't be a module's name");
    expect("python: .a", false, "! \".a\" can't be a module's name");
    expect("python: a.", false, "! \"a.\" can't be a module's name");
    expect("python: a b", false, "! \"a b\" can't be a module's name");
    expect("python: 1a", false, "! \"1a\" can't be a module's name");
    expect("python: psycopg2-binary", false, "! \"psycopg2-binary\" can't be a module's name");
    expect("python: -c", false, "! \"-c\" can't be a module's name");
    expect("python: +", false, "! \"+\" can't be a module's name");
    expect("python: a^1", false, "! a: \"^1\" says no version");
    expect("python: a=1", false, "! a: \"=1\" says no version");
    expect("python: a, <2", false, "! an empty name");
    expect("python: a>=1", true, "! a>=1: import takes no versions");
    expect("python: numpy", true, "python: numpy|");
}

static void test_others(void **state)
{
    (void)state;
    expect("node: express, @scope/pkg, pkg/sub, ./dist/main.js, node:fs, fs/promises, next", false,
           "node: express| @scope/pkg| pkg/sub| ./dist/main.js| node:fs| fs/promises| next|");
    expect("node: express@^4.18, @a/b@1.x, c>=4 <6, d@>=1 || 0.5.0, lodash.merge@~4", false,
           "node: express|^4.18 @a/b|1.x c|>=4 <6 d|>=1 || 0.5.0 lodash.merge|~4");
    expect("node: c>=4, <6", false, "node: c|>=4 <6");
    expect("nodejs: express@latest", false, "! express: \"latest\" says no version");
    expect("node: @scope", false, "! \"@scope\" can't be a module's name");
    expect("node: @/x", false, "! \"@/x\" can't be a module's name");
    expect("node: @x/", false, "! \"@x/\" can't be a module's name");
    expect("node: a b", false, "! \"a b\" can't be a module's name");
    expect("node: -e", false, "! \"-e\" can't be a module's name");
    expect("ruby: pg, rails>=7,<8, rack ~> 3.0", false, "ruby: pg| rails|>=7,<8 rack|~> 3.0");
    expect("ruby: active_support/all", false, "! \"active_support/all\" can't be a gem's name");
    expect("ruby3.1: active_support/all", true, "ruby3.1: active_support/all|");
    expect("ruby: pg^1", false, "! pg: \"^1\" says no version");
    expect("php: monolog/monolog:^3.1, ext-pdo_pgsql, a/b>=2 <3", false,
           "php: monolog/monolog|^3.1 ext-pdo_pgsql| a/b|>=2 <3");
    expect("php: monolog", false, "! \"monolog\" can't be a package's name");
    expect("php8.2: Monolog\\Logger, ext-pdo", true, "php8.2: Monolog\\Logger| ext-pdo|");
    expect("java: org.postgresql.Driver, a.B$C", false, "java: org.postgresql.Driver| a.B$C|");
    expect("java: a.B>=1", false, "! a.B>=1: a class has no version");
    expect("java: a.B", true, "! java is not supported, only python, node, ruby and php are");
    expect("cobol: x", false,
           "! cobol is not supported, only python, node, ruby, php and java are");
    expect("nodemon: x", false,
           "! nodemon is not supported, only python, node, ruby, php and java are");
}

static void expect_manifest(const char *value, int kind, const char *expected)
{
    struct em_manifest m;
    struct em_err err = EM_ERR_INIT;
    struct em_str out = EM_STR_INIT;

    if (em_manifest_read(value, &m, &err) != 0) {
        em_str_printf(&out, "! %s", em_str_c(&err.text));
    } else {
        assert_int_equal(m.kind, kind);
        em_str_printf(&out, "%s|%s", m.file, m.extras);
    }
    assert_string_equal(em_str_c(&out), expected);
    em_manifest_free(&m);
    em_err_free(&err);
    em_str_free(&out);
}

static void test_manifests(void **state)
{
    (void)state;
    expect_manifest("requirements.txt", EM_MANIFEST_REQUIREMENTS, "requirements.txt|");
    expect_manifest("/a/dev-requirements.in", EM_MANIFEST_REQUIREMENTS, "/a/dev-requirements.in|");
    expect_manifest("pyproject.toml", EM_MANIFEST_PYPROJECT, "pyproject.toml|");
    expect_manifest("a/pyproject.toml [ postgres, tracing ]", EM_MANIFEST_PYPROJECT,
                    "a/pyproject.toml|postgres,tracing");
    expect_manifest("package.json", EM_MANIFEST_PACKAGE, "package.json|");
    expect_manifest("web/package-lock.json", EM_MANIFEST_LOCK, "web/package-lock.json|");
    expect_manifest("npm-shrinkwrap.json", EM_MANIFEST_LOCK, "npm-shrinkwrap.json|");
    expect_manifest("package.json[dev]", 0,
                    "! package.json has no extras, only a pyproject.toml has");
    expect_manifest("Cargo.lock", 0,
                    "! Cargo.lock is not supported, only requirements.txt (or another .txt), "
                    "pyproject.toml, package.json and package-lock.json are");
}

static void test_composer(void **state)
{
    static const struct {
        const char *range, *version;
        enum em_tristate expected;
    } cases[] = {
        {"^3.1", "3.2.0", EM_YES},
        {"^3.1", "v3.1.0", EM_YES},
        {"^3.1", "4.0.0", EM_NO},
        {"^3.1", "4.0.0-beta1", EM_NO},
        {"^0.3", "0.3.9", EM_YES},
        {"^0.3", "0.4.0", EM_NO},
        {"^0.0.3", "0.0.4", EM_NO},
        {"~1.2", "1.9.0", EM_YES},
        {"~1.2", "2.0.0", EM_NO},
        {"~1.2.3", "1.2.9", EM_YES},
        {"~1.2.3", "1.3.0", EM_NO},
        {"~1", "1.9", EM_YES},
        {"3.*", "3.9.1", EM_YES},
        {"3.*", "4.0", EM_NO},
        {">=3 <4", "3.5", EM_YES},
        {">=3,<4", "4.0", EM_NO},
        {">= 3 , < 4", "3.0", EM_YES},
        {"^2 || ^3", "3.1", EM_YES},
        {"^2 | ^3", "1.9", EM_NO},
        {"1.0 - 2.0", "2.0.5", EM_YES},
        {"1.0 - 2.0", "2.1.0", EM_NO},
        {"1.0.0 - 2.1.0", "2.1.1", EM_NO},
        {"3.1.0", "3.1.0.0", EM_YES},
        {"!=3.1", "3.1.0", EM_NO},
        {"*", "1.0", EM_YES},
        {">1.0", "1.0.1", EM_YES},
        {">=1.0.0", "1.0.0-RC1", EM_NO},
        {"^1.0@dev", "1.5", EM_YES},
        {"*", "dev-main", EM_UNKNOWN},
        {"dev-main", "1.0", EM_UNKNOWN},
        {"", "1.0", EM_UNKNOWN},
        {"^", "1.0", EM_UNKNOWN},
        {"1.x-dev", "1.0", EM_UNKNOWN},
        {"=1.", "1.0", EM_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (em_composer_allows(cases[i].range, cases[i].version) != cases[i].expected)
            fail_msg("%s and %s: not %d", cases[i].range, cases[i].version, (int)cases[i].expected);
}

static void expect_installed(const char *json, const char *name, enum em_tristate expected,
                             const char *version)
{
    struct em_str said = EM_STR_INIT, path = EM_STR_INIT;

    assert_int_equal(em_composer_installed(json, strlen(json), name, &said, &path), expected);
    assert_string_equal(em_str_c(&said), version);
    em_str_free(&said);
    em_str_free(&path);
}

static void test_installed(void **state)
{
    static const char json[] = "{\"packages\": [{\"name\": \"monolog/monolog\", \"version\": "
                               "\"3.5.0\", \"install-path\": \"../monolog/monolog\","
                               "\"provide\": {\"psr/log-implementation\": \"3.0.0\"}}, {\"name\": "
                               "\"a/all\", \"version\": \"2.1\", "
                               "\"replace\": {\"a/part\": \"self.version\"}}, 1, {\"name\": 2}]}";

    (void)state;
    expect_installed(json, "monolog/monolog", EM_YES, "3.5.0");
    expect_installed(json, "Monolog/Monolog", EM_YES, "3.5.0");
    expect_installed(json, "psr/log-implementation", EM_YES, "3.0.0");
    expect_installed(json, "a/part", EM_YES, "2.1");
    expect_installed(json, "b/b", EM_NO, "");
    expect_installed("[{\"name\": \"a/b\", \"version\": \"1\"}]", "a/b", EM_YES, "1");
    expect_installed("{\"packages\": 1}", "a/b", EM_UNKNOWN, "");
    expect_installed("{", "a/b", EM_UNKNOWN, "");
    expect_installed("", "a/b", EM_UNKNOWN, "");
}

static void expect_library(const char *message, const char *what, const char *hint)
{
    struct em_str said = EM_STR_INIT, hinted = EM_STR_INIT;

    assert_int_equal(em_missing_library_explain(message, &said, &hinted), what != NULL);
    assert_string_equal(em_str_c(&said), what ? what : "");
    assert_non_null(strstr(em_str_c(&hinted), hint));
    em_str_free(&said);
    em_str_free(&hinted);
}

static void test_libraries(void **state)
{
    (void)state;
    expect_library("libpq.so.5: cannot open shared object file: No such file or directory",
                   "the shared library libpq.so.5 is missing", "libpq5 in Debian");
    expect_library(
        "ImportError: libfoo.so.7: cannot open shared object file: No such file or directory",
        "the shared library libfoo.so.7 is missing", "apt-file search libfoo.so.7");
    expect_library("Error loading shared library libpq.so.5: No such file or directory (needed by "
                   "/a/_psycopg.so)",
                   "the shared library libpq.so.5 is missing, needed by /a/_psycopg.so",
                   "libpq in Alpine");
    expect_library("/lib/libm.so.6: version `GLIBC_2.29' not found (required by /a/x.so)",
                   "the image's /lib/libm.so.6 is too old: it has no GLIBC_2.29, needed by /a/x.so",
                   "base image");
    expect_library("/a/x.so: undefined symbol: PQfoo", "a shared library has no symbol PQfoo",
                   "install both anew");
    expect_library("Error relocating /a/x.so: __memcpy_chk: symbol not found",
                   "a symbol is missing for /a/x.so", "musl");
    expect_library("No module named 'x'", NULL, "");
    expect_library(": cannot open shared object file", NULL, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_python),    cmocka_unit_test(test_others),
        cmocka_unit_test(test_manifests), cmocka_unit_test(test_composer),
        cmocka_unit_test(test_installed), cmocka_unit_test(test_libraries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
