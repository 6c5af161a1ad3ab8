/* What the configuration comes to: each type of value, each key by file and by environment,
 * defaults, print and help. */
#include "fake_world.h"

#include "core/config/command_line.h"
#include "core/config/value.h"

/* ---- Every key of the table ---- */

/* A value that isn't the default, and what em_config_print() makes of it. */
static void sample(const struct em_key *key, struct em_str *value, struct em_str *printed)
{
    switch (key->type) {
    case EM_KEY_TEXT:
        em_str_puts(value, "some text");
        em_str_puts(printed, "some text");
        break;
    case EM_KEY_SECRET:
        em_str_puts(value, "postgres://app:hunter2@db/app");
        em_str_puts(printed, "****");
        break;
    case EM_KEY_TIME:
        em_str_puts(value, "7m");
        em_str_puts(printed, "7 min");
        break;
    case EM_KEY_BOOL:
        em_str_puts(value, "yes");
        em_str_puts(printed, "yes");
        break;
    case EM_KEY_CHOICE:
        em_choice_word(key, 1, value);
        em_choice_word(key, 1, printed);
        break;
    case EM_KEY_WORDS:
        em_str_puts(value, "prog 'a b'");
        em_str_puts(printed, "prog 'a b'");
        break;
    case EM_KEY_LIST:
        em_str_puts(value, "/a b");
        em_str_puts(printed, "/a b");
        break;
    case EM_KEY_NAMES:
        em_str_puts(value, "x, y z");
        em_str_puts(printed, "x, y, z");
        break;
    }
}

static void expect(struct trial *t, const struct em_key *key, const char *printed,
                   const char *origin)
{
    EM_STR_AUTO out = EM_STR_INIT;

    assert_string_equal(em_str_c(&t->said), "");
    assert_string_equal(em_str_c(&t->warned), "");
    em_config_print(&t->config, key, &out);
    assert_string_equal(em_str_c(&out), printed);
    if (origin)
        assert_string_equal(t->config.origin[key - em_keys], origin);
    else
        assert_null(t->config.origin[key - em_keys]);
}

static void every_key_by_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < EM_KEY_COUNT; i++) {
        EM_STR_AUTO value = EM_STR_INIT;
        EM_STR_AUTO printed = EM_STR_INIT;
        EM_STR_AUTO file = EM_STR_INIT;
        struct trial t;

        sample(&em_keys[i], &value, &printed);
        em_str_printf(&file, "[%s]\n\n%s = %s\n", em_keys[i].section, em_keys[i].name,
                      em_str_c(&value));
        trial_run(&t, em_str_c(&file), NULL);
        expect(&t, &em_keys[i], em_str_c(&printed), "embark.ini:3");
        assert_string_equal(t.config.path, "embark.ini");
        trial_end(&t);
    }
}

static void every_key_by_environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < EM_KEY_COUNT; i++) {
        EM_STR_AUTO value = EM_STR_INIT;
        EM_STR_AUTO printed = EM_STR_INIT;
        EM_STR_AUTO file = EM_STR_INIT;
        EM_STR_AUTO origin = EM_STR_INIT;
        EM_STR_AUTO setting = EM_STR_INIT;
        struct trial t;

        sample(&em_keys[i], &value, &printed);
        em_str_putc(&origin, '$');
        em_key_env(&em_keys[i], &origin);
        em_str_printf(&setting, "%s=%s", em_str_c(&origin) + 1, em_str_c(&value));
        trial_run(&t, NULL, em_str_c(&setting), NULL);
        expect(&t, &em_keys[i], em_str_c(&printed), em_str_c(&origin));
        assert_null(t.config.path);
        trial_end(&t);
        /* it wins over the file, even one that would need something that isn't there */
        em_str_printf(&file, "[%s]\n%s = ${NOT_SET}\n", em_keys[i].section, em_keys[i].name);
        trial_run(&t, em_str_c(&file), em_str_c(&setting), NULL);
        expect(&t, &em_keys[i], em_str_c(&printed), em_str_c(&origin));
        trial_end(&t);
    }
}

static void every_default(void **state)
{
    struct trial t;

    (void)state;
    trial_run(&t, "", NULL);
    for (size_t i = 0; i < EM_KEY_COUNT; i++) {
        const struct em_key *key = &em_keys[i];
        EM_STR_AUTO printed = EM_STR_INIT;
        em_time length;

        if (key->type == EM_KEY_TIME) {
            assert_true(em_time_parse(key->fallback, &length));
            em_time_print(&printed, length);
        } else if (key->type == EM_KEY_CHOICE) {
            em_choice_word(key, 0, &printed);
            assert_true(printed.len > 0);
        } else if (key->type == EM_KEY_BOOL) {
            assert_true(strcmp(key->fallback, "yes") == 0 || strcmp(key->fallback, "no") == 0);
            em_str_puts(&printed, key->fallback);
        } else {
            em_str_puts(&printed, key->fallback);
        }
        expect(&t, key, em_str_c(&printed), NULL);
    }
    assert_null(t.config.database_url);
    assert_int_equal(t.config.database_timeout, EM_SEC(60));
    assert_int_equal(t.config.migrate_timeout, EM_NEVER);
    assert_string_equal(t.config.migrate_lock, "embark");
    assert_null(t.config.migrate_command.v);
    trial_end(&t);
}

/* An empty value is as good as none. */
static void every_key_empty(void **state)
{
    struct trial without, with;

    (void)state;
    trial_run(&without, NULL, NULL);
    for (size_t i = 0; i < EM_KEY_COUNT; i++) {
        EM_STR_AUTO file = EM_STR_INIT;
        EM_STR_AUTO setting = EM_STR_INIT;
        EM_STR_AUTO value = EM_STR_INIT;
        EM_STR_AUTO printed = EM_STR_INIT;
        EM_STR_AUTO ignored = EM_STR_INIT;

        em_config_print(&without.config, &em_keys[i], &printed);
        em_str_printf(&file, "[%s]\n%s = ${NOT_SET:-}\n", em_keys[i].section, em_keys[i].name);
        trial_run(&with, em_str_c(&file), NULL);
        expect(&with, &em_keys[i], em_str_c(&printed), NULL);
        trial_end(&with);
        em_str_cut(&file, 0);
        sample(&em_keys[i], &value, &ignored);
        em_str_printf(&file, "[%s]\n%s = %s\n", em_keys[i].section, em_keys[i].name,
                      em_str_c(&value));
        em_key_env(&em_keys[i], &setting);
        em_str_putc(&setting, '=');
        trial_run(&with, em_str_c(&file), em_str_c(&setting), NULL);
        expect(&with, &em_keys[i], em_str_c(&printed), NULL);
        trial_end(&with);
    }
    trial_end(&without);
}

static void table_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < EM_KEY_COUNT; i++) {
        const struct em_section *section = em_sections;

        while (section->name && strcmp(section->name, em_keys[i].section) != 0)
            section++;
        assert_non_null(section->name);
        assert_true(*em_keys[i].help);
        assert_true(strlen(em_keys[i].section) <= 49);
        assert_true(strlen(em_keys[i].name) <= 49); /* inih's limits */
        for (size_t j = 0; j < i; j++)
            assert_false(strcmp(em_keys[i].name, em_keys[j].name) == 0 &&
                         strcmp(em_keys[i].section, em_keys[j].section) == 0);
    }
}

/* ---- Types ---- */

static void bools(void **state)
{
    static const struct {
        const char *text;
        int result; /* -1: a mistake */
    } words[] = {
        {"yes", 1}, {"true", 1}, {"on", 1}, {"1", 1},  {"no", 0},    {"false", 0}, {"off", 0},
        {"0", 0},   {"YES", -1}, {"y", -1}, {"2", -1}, {"nope", -1}, {"", 0},      {" yes ", 1},
    };
    static const struct em_key key = {"x", "flag", EM_KEY_BOOL, "no", "", 0};
    struct em_config_source world = fake_world(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        EM_ERRS_AUTO errs = EM_ERRS_INIT;
        EM_STR_AUTO said = EM_STR_INIT;
        EM_STR_AUTO expected = EM_STR_INIT;
        struct em_expansion e = {&world, NULL, &errs, NULL, "embark.ini:1"};
        bool flag = !words[i].result;
        bool set = em_value_parse(&flag, &key, &e, words[i].text, false);

        assert_int_equal(set, words[i].result >= 0 && *words[i].text);
        if (set)
            assert_int_equal(flag, words[i].result);
        if (words[i].result < 0)
            em_str_printf(&expected, "embark.ini:1: flag: \"%s\" is neither yes nor no\n",
                          words[i].text);
        fake_say(&errs, &said);
        assert_string_equal(em_str_c(&said), em_str_c(&expected));
    }
}

static void lists(void **state)
{
    struct trial t;

    (void)state;
    trial_run(&t,
              "[require]\n"
              "dir = /one\n"
              "command = psql, pg_dump\n"
              "dir = ${HOME}/two words\n"
              "      /three\n"
              "command =\n"
              "    uvicorn alembic,,\t gunicorn ; a comment\n"
              "\n"
              "    # another\n"
              "    ${MORE}\n"
              "dir=\n",
              "HOME=/app", "MORE=a,b c", NULL);
    assert_string_equal(em_str_c(&t.said), "");
    assert_int_equal(t.config.require_dir.n, 3);
    assert_string_equal(t.config.require_dir.v[1], "/app/two words");
    assert_string_equal(t.config.require_dir.where[0], "embark.ini:2");
    assert_string_equal(t.config.require_dir.where[1], "embark.ini:4");
    assert_string_equal(t.config.require_dir.where[2], "embark.ini:5");
    assert_int_equal(t.config.require_command.n, 8);
    assert_string_equal(t.config.require_command.v[1], "pg_dump");
    assert_string_equal(t.config.require_command.v[4], "gunicorn");
    assert_string_equal(t.config.require_command.where[4], "embark.ini:7");
    assert_string_equal(t.config.require_command.v[7], "c");
    assert_string_equal(t.config.require_command.where[7], "embark.ini:10");
    assert_string_equal(t.config.origin[EM_AT_require_command], "embark.ini:3");
    trial_end(&t);
}

static void commands(void **state)
{
    struct trial t;
    EM_STR_AUTO out = EM_STR_INIT;
    EM_LIST_AUTO again = EM_LIST_INIT;

    (void)state;
    trial_run(&t,
              "[service]\n"
              "command = uvicorn \"${APP}\"\n"
              "    --port ${PORT:-80 80}   ; where\n"
              "    'it''s' \"it's\" sh -c 'echo ${PORT}'\n",
              "APP=src main:app", NULL);
    assert_string_equal(em_str_c(&t.said), "");
    em_config_print(&t.config, &em_keys[EM_AT_service_command], &out);
    assert_string_equal(
        em_str_c(&out),
        "uvicorn 'src main:app' --port '80 80' its 'it'\\''s' sh -c 'echo ${PORT}'");
    assert_true(em_command_line_split(em_str_c(&out), &again));
    assert_int_equal(again.n, t.config.service_command.n);
    for (size_t i = 0; i < again.n; i++)
        assert_string_equal(again.v[i], t.config.service_command.v[i]);
    assert_null(t.config.service_command.v[t.config.service_command.n]);
    trial_end(&t);
}

/* What is as inih does it. */
static void syntax(void **state)
{
    struct trial t;

    (void)state;
    trial_run(&t,
              "\xef\xbb\xbf; a comment\r\n"
              "# another\r\n"
              "   \t\r\n"
              "[migrate] ; a comment\r\n"
              "  lock :  a name;with ; a comment\r\n"
              "timeout=1m\r\n"
              "[wait]\r\n"
              "file = /a=b:c\r\n"
              "[migrate]\r\n"
              "lock_timeout = 90 ;",
              NULL);
    assert_string_equal(em_str_c(&t.said), "");
    assert_string_equal(t.config.migrate_lock, "a name;with");
    assert_string_equal(t.config.origin[EM_AT_migrate_lock], "embark.ini:5");
    assert_int_equal(t.config.migrate_timeout, EM_SEC(60));
    assert_string_equal(t.config.wait_file.v[0], "/a=b:c");
    assert_int_equal(t.config.migrate_lock_timeout, EM_SEC(90));
    assert_string_equal(t.config.origin[EM_AT_migrate_lock_timeout], "embark.ini:10");
    trial_end(&t);
    trial_run(&t, "[migrate]\nlock = caf\xe9 \xff\xc0\n", NULL);
    assert_true(t.ok);
    assert_string_equal(t.config.migrate_lock, "caf\xe9 \xff\xc0");
    trial_end(&t);
}

/* Around the sizes that inih's buffer has, and the longest; whatever ends the line. */
static void long_lines(void **state)
{
    static const char *const ends[] = {"\n", "\r\n", ""};
    static const size_t sizes[] = {197, 198, 199, 200, 201, 398, 399, 400, 401, 4096, 1 << 20};

    (void)state;
    for (size_t at = 0; at < sizeof sizes / sizeof *sizes; at++) {
        size_t length = sizes[at];
        for (size_t i = 0; i < 3; i++) {
            EM_STR_AUTO text = EM_STR_INIT;
            struct trial t;
            size_t value = length - strlen("lock = ");

            em_str_puts(&text, "[migrate]\nlock = ");
            for (size_t n = 0; n < value; n++)
                em_str_putc(&text, 'x');
            em_str_puts(&text, ends[i]);
            trial_run(&t, em_str_c(&text), NULL);
            assert_string_equal(em_str_c(&t.said), "");
            assert_int_equal(strlen(t.config.migrate_lock), value);
            trial_end(&t);
        }
    }
}

static void files(void **state)
{
    struct trial t;

    (void)state;
    trial_run(&t, "[database]\nurl = postgres://app:${file:/run/secrets/pw}@db/app\n", NULL);
    assert_true(t.ok);
    assert_string_equal(t.config.database_url, "postgres://app:hunter22@db/app");
    assert_true(em_list_has(&t.secrets.list, "hunter22"));
    trial_end(&t);
    /* what the image was built from is to be told, not hidden */
    trial_run(&t, "[image]\nbuild = ${file:/run/secrets/bare}\n",
              "EMBARK_IMAGE_EXPECT_FILE=/run/secrets/crlf", NULL);
    assert_true(t.ok);
    assert_string_equal(t.config.image_build, "hunter22");
    assert_string_equal(t.config.image_expect, "hunter22");
    assert_int_equal(t.secrets.list.n, 0);
    trial_end(&t);
}

/* ---- Help ---- */

/* Moves *at behind `text`, which must stand somewhere behind *at. */
static void find_next(const char **at, const char *text)
{
    const char *found = strstr(*at, text);

    if (found)
        *at = found + strlen(text);
    else
        fail_msg("\"%s\" is not in the help, or not in the table's order", text);
}

static void help(void **state)
{
    EM_STR_AUTO out = EM_STR_INIT;
    const char *section = "";
    const char *at;

    (void)state;
    em_config_help(NULL, &out);
    at = em_str_c(&out);
    for (size_t i = 0; i < EM_KEY_COUNT; i++) {
        EM_STR_AUTO line = EM_STR_INIT;

        if (strcmp(section, em_keys[i].section) != 0) {
            section = em_keys[i].section;
            em_str_printf(&line, "[%s]  ", section);
            find_next(&at, em_str_c(&line));
            em_str_cut(&line, 0);
        }
        em_str_printf(&line, "\n  %-17s %s", em_keys[i].name, em_keys[i].help);
        find_next(&at, em_str_c(&line));
    }
    at = em_str_c(&out);
    find_next(&at, "how long the database is waited for; default: 60s\n");
    find_next(&at, "PATH that must exist; may be repeated\n");
    find_next(&at, "text or json; default: text\n");
}

static void choices(void **state)
{
    static const struct em_key key = {"x", "y", EM_KEY_CHOICE, "one|two|three", "", 0};
    static const char *const words[] = {"one", "two", "three", ""};

    (void)state;
    for (int i = -1; i < 5; i++) {
        EM_STR_AUTO out = EM_STR_INIT;

        em_choice_word(&key, i, &out);
        assert_string_equal(em_str_c(&out), words[i < 0 || i > 3 ? 3 : i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_by_file),
        cmocka_unit_test(every_key_by_environment),
        cmocka_unit_test(every_default),
        cmocka_unit_test(every_key_empty),
        cmocka_unit_test(table_is_sound),
        cmocka_unit_test(bools),
        cmocka_unit_test(lists),
        cmocka_unit_test(commands),
        cmocka_unit_test(syntax),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(files),
        cmocka_unit_test(help),
        cmocka_unit_test(choices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
