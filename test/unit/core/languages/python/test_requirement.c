#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/languages/python/name.h"
#include "embark/core/languages/python/marker.h"
#include "embark/core/languages/python/requirement.h"
#include "embark/core/languages/python/requirements_txt.h"

/* A requirement as "key|extra,extra|spec|url|marker", or "! what is wrong". */
static void show(const char *text, struct em_str *out)
{
    struct em_requirement r;
    struct em_err err = EM_ERR_INIT;

    if (em_requirement_read(text, &r, &err) != 0) {
        em_str_printf(out, "! %s", em_str_c(&err.text));
    } else {
        em_str_printf(out, "%s|", r.key);
        for (size_t i = 0; i < r.extras.n; i++)
            em_str_printf(out, "%s%s", i ? "," : "", r.extras.v[i]);
        em_str_printf(out, "|%s|%s|%s", r.spec, r.url ? r.url : "", r.marker ? r.marker : "");
    }
    em_requirement_free(&r);
    em_err_free(&err);
}

static void test_requirements(void **state)
{
    static const char *const cases[][2] = {
        {"A", "a|||| "},
        {"A.B-C_D", "a-b-c-d|||| "},
        {"name", "name|||| "},
        {"name<=1", "name||<=1||"},
        {"name>=3,<2", "name||>=3,<2||"},
        {"name>=3, < 2", "name||>=3, < 2||"},
        {"name (>=1.0)", "name||>=1.0||"},
        {"name(==1.0)", "name||==1.0||"},
        {"name@http://foo.com", "name|||http://foo.com|"},
        {"name [fred,bar] @ http://foo.com ; python_version=='2.7'",
         "name|fred,bar||http://foo.com|python_version=='2.7'"},
        {"name[quux, Strange_Extra];python_version<'2.7' and platform_version=='2'",
         "name|quux,strange-extra|||python_version<'2.7' and platform_version=='2'"},
        {"name; os_name=='a' or os_name=='b'", "name||||os_name=='a' or os_name=='b'"},
        {"name; os_name=='a' and (os_name=='b' or os_name=='c')",
         "name||||os_name=='a' and (os_name=='b' or os_name=='c')"},
        {"name[]", "name|||| "},
        {"zope.interface~=5.0", "zope-interface||~=5.0||"},
        {"pip @ file:///localbuilds/pip-1.3.1.zip", "pip|||file:///localbuilds/pip-1.3.1.zip|"},
        {"x==1.* ; extra == \"dev\"", "x||==1.*||extra == \"dev\""},
        {"", "! no distribution's name"},
        {"-x", "! no distribution's name"},
        {"name[", "! no extra's name at \"\""},
        {"name[a", "! [ without ]"},
        {"name[a b]", "! [ without ]"},
        {"name[a,]", "! no extra's name at \"]\""},
        {"name @", "! no URL behind @"},
        {"name 1.0", "! \"1.0\" says no version"},
        {"name=1.0", "! \"=1.0\" says no version"},
        {"name^1.0", "! \"^1.0\" says no version"},
        {"name; fish == 'x'", "! \"fish == 'x'\" is no marker"},
        {"name; python_version", "! \"python_version\" is no marker"},
        {"name; 'a' == 'b'", "! \"'a' == 'b'\" is no marker"},
        {"name; os_name == 'a", "! \"os_name == 'a\" is no marker"},
        {"name; (os_name == 'a'", "! \"(os_name == 'a'\" is no marker"},
        {"name; os_name == 'a' os_name == 'b'", "! \"os_name == 'a' os_name == 'b'\" is no marker"},
        {"name @ http://x y", "! what is \"y\"?"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct em_str out = EM_STR_INIT, expected = EM_STR_INIT;

        show(cases[i][0], &out);
        em_str_puts(&expected, cases[i][1]);
        if (em_ends(em_str_c(&expected), "| "))
            em_str_cut(&expected, expected.len - 1);
        if (strcmp(em_str_c(&out), em_str_c(&expected)) != 0)
            fail_msg("%s: %s", cases[i][0], em_str_c(&out));
        em_str_free(&out);
        em_str_free(&expected);
    }
}

static void test_key(void **state)
{
    static const char *const cases[][2] = {{"Django", "django"},
                                           {"zope.interface", "zope-interface"},
                                           {"a__b--c..d", "a-b-c-d"},
                                           {"A-_.B", "a-b"},
                                           {"", ""}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct em_str key = EM_STR_INIT;

        em_requirement_key(cases[i][0], strlen(cases[i][0]), &key);
        assert_string_equal(em_str_c(&key), cases[i][1]);
        em_str_free(&key);
    }
}

static const char *variable(void *ctx, const char *name)
{
    static const char *const values[][2] = {
        {"python_version", "3.11"},
        {"python_full_version", "3.11.2"},
        {"os_name", "posix"},
        {"sys_platform", "linux"},
        {"platform_machine", "x86_64"},
        {"platform_system", "Linux"},
        {"implementation_name", "cpython"},
        {"platform_python_implementation", "CPython"},
    };

    (void)ctx;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        if (strcmp(values[i][0], name) == 0)
            return values[i][1];
    return NULL;
}

static void test_markers(void **state)
{
    static const struct {
        const char *marker, *extra;
        enum em_tristate expected;
    } cases[] = {
        {"python_version >= '3.9'", "", EM_YES},
        {"python_version < '3.9'", "", EM_NO},
        {"'3.9' <= python_version", "", EM_YES},
        {"python_full_version == '3.11.*'", "", EM_YES},
        {"python_version ~= '3.8'", "", EM_YES},
        {"os_name == 'posix' and sys_platform != 'win32'", "", EM_YES},
        {"os_name == 'nt' or sys_platform == 'linux'", "", EM_YES},
        {"os_name == 'nt' or os_name == 'java' and os_name == 'posix'", "", EM_NO},
        {"(os_name == 'nt' or os_name == 'posix') and os_name == 'posix'", "", EM_YES},
        {"sys_platform in 'linux darwin'", "", EM_YES},
        {"sys_platform not in 'linux darwin'", "", EM_NO},
        {"sys_platform   not   in 'win32'", "", EM_YES},
        {"extra == 'dev'", "", EM_NO},
        {"extra == 'dev'", "dev", EM_YES},
        {"extra == 'My_Extra'", "my-extra", EM_YES},
        {"extra == 'dev' and python_version < '3'", "dev", EM_NO},
        {"platform_release >= '5'", "", EM_UNKNOWN},
        {"platform_release >= '5' or os_name == 'posix'", "", EM_YES},
        {"platform_release >= '5' and os_name == 'nt'", "", EM_NO},
        {"platform_machine == 'x86_64'", "", EM_YES},
        {"platform_machine >= 'x86'", "", EM_YES},
        {"platform_machine ~= 'x86'", "", EM_UNKNOWN},
        {"os.name == 'posix'", "", EM_YES},
        {"sys.platform == \"linux\"", "", EM_YES},
        {"python_implementation == 'CPython'", "", EM_YES},
        {"nonsense == 'x'", "", EM_UNKNOWN},
        {"", "", EM_UNKNOWN},
    };
    struct em_str deep = EM_STR_INIT;
    struct em_marker_world world = {variable, NULL, ""};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        world.extra = cases[i].extra;
        if (em_marker_holds(cases[i].marker, &world) != cases[i].expected)
            fail_msg("%s: not %d", cases[i].marker, (int)cases[i].expected);
    }
    for (int i = 0; i < 100000; i++)
        em_str_putc(&deep, '(');
    assert_false(em_marker_valid(em_str_c(&deep)));
    em_str_free(&deep);
}

static void test_file(void **state)
{
    static const char text[] =
        "\xef\xbb\xbf# a comment\r\n"
        "alembic>=1.14  # why\n"
        "\n"
        "--index-url https://example.com/simple\n"
        "-i https://example.com/simple\n"
        "--pre\n"
        "uvicorn[standard] \\\n"
        "    >=0.30 \\\n"
        "    --hash=sha256:abc \\\n"
        "    --hash=sha256:def\n"
        "-r base.txt\n"
        "--requirement=more.txt\n"
        "-rtight.txt\n"
        "-c constraints.txt\n"
        "-e .\n"
        "--editable git+https://example.com/x.git@main#egg=x_y&subdirectory=pkg\n"
        "git+https://example.com/z.git\n"
        "./downloads/numpy-1.9.2-cp34-none-win32.whl\n"
        "https://example.com/urllib3-1.26.8-py2.py3-none-any.whl ; os_name == 'nt'\n"
        "name @ https://example.com/a.zip#sha1=da9234ee\n"
        "a==1 \\\n"
        "# ends it\n"
        "b==2\\\n"
        "\n"
        "last==1";
    static const char expected[] =
        "2 0 alembic>=1.14\n"
        "7 0 uvicorn[standard]     >=0.30\n"
        "11 1 base.txt\n"
        "12 1 more.txt\n"
        "13 1 tight.txt\n"
        "14 2 constraints.txt\n"
        "15 3 .\n"
        "16 0 x_y @ git+https://example.com/x.git@main#egg=x_y&subdirectory=pkg\n"
        "17 3 git+https://example.com/z.git\n"
        "18 0 numpy @ ./downloads/numpy-1.9.2-cp34-none-win32.whl\n"
        "19 0 urllib3 @ https://example.com/urllib3-1.26.8-py2.py3-none-any.whl ; os_name == 'nt'\n"
        "20 0 name @ https://example.com/a.zip#sha1=da9234ee\n"
        "21 0 a==1\n"
        "23 0 b==2\n"
        "25 0 last==1\n";
    struct em_requirements_lines lines;
    struct em_str out = EM_STR_INIT;

    (void)state;
    em_requirements_read(text, sizeof(text) - 1, &lines);
    for (size_t i = 0; i < lines.n; i++)
        em_str_printf(&out, "%zu %d %s\n", lines.v[i].number, (int)lines.v[i].kind,
                      lines.v[i].text);
    assert_string_equal(em_str_c(&out), expected);
    em_str_free(&out);
    em_requirements_free(&lines);
    em_requirements_read(NULL, 0, &lines);
    assert_int_equal(lines.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requirements),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_markers),
        cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
