/* The configuration from outside: EMBARK_<SECTION>_<KEY>, _FILE, EMBARK_SKIP, and names that mean
 * nothing. */
#include "embark/core/config/parse.h"
#include "fake_world.h"

static void replaces(void **state)
{
    struct trial t;

    (void)state;
    trial_run(&t,
              "[require]\ndir = /file/one\n  /file/two\nfile = /kept\n"
              "[database]\ntimeout = 5s\n"
              "[service]\ncommand = from file\n",
              "EMBARK_REQUIRE_DIR=/env/a b\n\n ${HOME}/c \r\n", "EMBARK_DATABASE_TIMEOUT= 1m ",
              "EMBARK_SERVICE_COMMAND=from 'the environment'\nwith ${HOME}", "HOME=/root", NULL);
    assert_string_equal(em_str_c(&t.said), "");
    assert_string_equal(em_str_c(&t.warned), "");
    assert_int_equal(t.config.require_dir.n, 2);
    assert_string_equal(t.config.require_dir.v[0], "/env/a b");
    assert_string_equal(t.config.require_dir.v[1], "/root/c");
    assert_string_equal(t.config.require_dir.where[1], "$EMBARK_REQUIRE_DIR");
    assert_string_equal(t.config.origin[EM_AT_require_dir], "$EMBARK_REQUIRE_DIR");
    assert_int_equal(t.config.require_file.n, 1);
    assert_int_equal(t.config.database_timeout, EM_SEC(60));
    assert_int_equal(t.config.service_command.n, 4);
    assert_string_equal(t.config.service_command.v[1], "the environment");
    assert_string_equal(t.config.service_command.v[3], "/root");
    trial_end(&t);
}

/* What is replaced is looked at all the same, but for what it would need. */
static void replaced_mistakes(void **state)
{
    (void)state;
    assert_says("embark.ini:2: timeout: \"x\" is no duration\n"
                "  hint: write 500ms, 60s, 10m, 1h30m, 1d or none; a bare number is seconds\n"
                "embark.ini:4: [database] url is given twice, first in line 3\n",
                "[database]\ntimeout = x\nurl = ${NOT_SET}\nurl = y\n",
                "EMBARK_DATABASE_TIMEOUT=5s", "EMBARK_DATABASE_URL=z");
}

static void mistakes(void **state)
{
    (void)state;
    assert_says("$EMBARK_DATABASE_URL: $DB is not set\n"
                "  hint: set it, or write ${DB:-default}; $${ is a literal ${\n"
                "$EMBARK_DATABASE_TIMEOUT: timeout: \"a while\" is no duration\n"
                "  hint: write 500ms, 60s, 10m, 1h30m, 1d or none; a bare number is seconds\n"
                "$EMBARK_REQUIRE_DIR: ${file:/none} can't be read: No such file or directory\n"
                "$EMBARK_SERVICE_COMMAND: a ' is not closed\n"
                "$EMBARK_LOG_FORMAT: format: \"xml\" is none of text, json\n",
                NULL, "EMBARK_LOG_FORMAT=xml", "EMBARK_DATABASE_TIMEOUT=a while",
                "EMBARK_DATABASE_URL=x${DB}", "EMBARK_REQUIRE_DIR=/a\n${file:/none}\n/b",
                "EMBARK_SERVICE_COMMAND=it's");
}

static void from_files(void **state)
{
    struct trial t;

    (void)state;
    trial_run(&t, "[database]\nurl = x\n", "EMBARK_DATABASE_URL_FILE=/run/secrets/tricky",
              "EMBARK_REQUIRE_FILE_FILE=/run/lines",
              "EMBARK_MIGRATE_LOCK=", "EMBARK_MIGRATE_LOCK_FILE=/run/secrets/pw",
              "EMBARK_SERVICE_GRACE=5s", "EMBARK_SERVICE_GRACE_FILE=", NULL);
    assert_string_equal(em_str_c(&t.said), "");
    assert_string_equal(em_str_c(&t.warned), "");
    assert_string_equal(t.config.database_url, "a ${HOME} 'b"); /* as it stands */
    assert_string_equal(t.config.origin[EM_AT_database_url], "$EMBARK_DATABASE_URL_FILE");
    assert_true(em_list_has(&t.secrets.list, "a ${HOME} 'b"));
    assert_int_equal(t.config.require_file.n, 2);
    assert_string_equal(t.config.require_file.v[1], "/two");
    assert_string_equal(t.config.require_file.where[1], "$EMBARK_REQUIRE_FILE_FILE");
    assert_string_equal(t.config.migrate_lock, "hunter22");
    assert_int_equal(t.config.service_grace, EM_SEC(5));
    trial_end(&t);
    assert_says("$EMBARK_DATABASE_URL and $EMBARK_DATABASE_URL_FILE are both set\n  hint: unset "
                "one of them\n"
                "$EMBARK_DATABASE_TIMEOUT_FILE: timeout: what the file holds is no duration\n"
                "  hint: write 500ms, 60s, 10m, 1h30m, 1d or none; a bare number is seconds\n"
                "$EMBARK_MIGRATE_LOCK_FILE (/run/none) can't be read: No such file or directory\n"
                "$EMBARK_SERVICE_COMMAND_FILE: a quote is not closed\n",
                NULL, "EMBARK_DATABASE_URL=hunter2", "EMBARK_DATABASE_URL_FILE=/run/secrets/pw",
                "EMBARK_DATABASE_TIMEOUT_FILE=/run/secrets/pw",
                "EMBARK_MIGRATE_LOCK_FILE=/run/none",
                "EMBARK_SERVICE_COMMAND_FILE=/run/secrets/tricky");
}

/* [require] file and [wait] file have the names that a NAME_FILE of EMBARK_REQUIRE would have. */
static void keys_called_file(void **state)
{
    struct trial t;

    (void)state;
    trial_run(&t, NULL, "EMBARK_REQUIRE_FILE=/app/a\n/app/b", "EMBARK_WAIT_FILE=/run/none", NULL);
    assert_string_equal(em_str_c(&t.said), "");
    assert_string_equal(em_str_c(&t.warned), "");
    assert_int_equal(t.config.require_file.n, 2);
    assert_string_equal(t.config.require_file.v[0], "/app/a");
    assert_string_equal(t.config.wait_file.v[0], "/run/none");
    assert_int_equal(t.secrets.list.n, 0);
    trial_end(&t);
}

static void skips(const char *setting, const char *expected)
{
    struct trial t;
    EM_STR_AUTO out = EM_STR_INIT;

    trial_run(&t, NULL, setting, NULL);
    assert_string_equal(em_str_c(&t.said), "");
    for (size_t i = 0; i < t.config.skip.n; i++) {
        em_str_printf(&out, "%s ", t.config.skip.v[i]);
        assert_true(em_config_skips(&t.config, t.config.skip.v[i]));
    }
    assert_false(em_config_skips(&t.config, "all"));
    assert_false(em_config_skips(&t.config, "service"));
    assert_string_equal(em_str_c(&out), expected);
    trial_end(&t);
}

static void skipping(void **state)
{
    (void)state;
    skips("X=y", "");
    skips("EMBARK_SKIP=", "");
    skips("EMBARK_SKIP= , ", "");
    skips("EMBARK_SKIP=wait", "wait ");
    skips("EMBARK_SKIP=wait,migrate", "wait migrate ");
    skips("EMBARK_SKIP= migrate\twait ,, migrate", "migrate wait ");
    skips("EMBARK_SKIP=all", "check wait bootstrap migrate ");
    skips("EMBARK_SKIP=migrate,all", "migrate check wait bootstrap ");
    assert_says("$EMBARK_SKIP: there is no step \"migrat\"\n  hint: did you mean migrate?\n"
                "$EMBARK_SKIP: there is no step \"Wait\"\n  hint: did you mean wait?\n"
                "$EMBARK_SKIP: there is no step \"1\"\n"
                "  hint: check, wait, bootstrap, migrate or all, separated by commas\n",
                NULL, "EMBARK_SKIP=migrat,Wait,check 1");
}

static void logs(const char *format, const char *level, bool timestamps, const char *file,
                 const char *setting, const char *second)
{
    struct trial t;
    EM_STR_AUTO was = EM_STR_INIT;
    EM_STR_AUTO least = EM_STR_INIT;

    trial_run(&t, file, setting, second, NULL);
    assert_string_equal(em_str_c(&t.said), "");
    assert_string_equal(em_str_c(&t.warned), "");
    em_choice_word(&em_keys[EM_AT_log_format], t.config.log_format, &was);
    em_choice_word(&em_keys[EM_AT_log_level], t.config.log_level, &least);
    assert_string_equal(em_str_c(&was), format);
    assert_string_equal(em_str_c(&least), level);
    assert_int_equal(t.config.log_timestamps, timestamps);
    trial_end(&t);
}

static void log_words(void **state)
{
    static const char file[] = "[log]\nformat = json\nlevel = error\ntimestamps = yes\n";
    struct trial t;

    (void)state;
    logs("text", "info", false, NULL, "X=y", NULL);
    logs("text", "debug", false, NULL, "EMBARK_LOG=debug", NULL);
    logs("json", "info", false, NULL, "EMBARK_LOG=json", NULL);
    logs("json", "debug", true, NULL, "EMBARK_LOG= json,debug\ttimestamps ", NULL);
    logs("json", "error", true, file, "EMBARK_LOG=", NULL);
    logs("text", "warn", true, file, "EMBARK_LOG=text,warn", NULL);
    logs("text", "error", true, file, "EMBARK_LOG_LEVEL=debug", "EMBARK_LOG=text error");
    trial_run(&t, file, "EMBARK_LOG=debug", NULL);
    assert_string_equal(t.config.origin[EM_AT_log_level], "$EMBARK_LOG");
    assert_string_equal(t.config.origin[EM_AT_log_format], "embark.ini:2");
    trial_end(&t);
    assert_says(
        "$EMBARK_LOG: there is no word \"loud\"\n"
        "  hint: text or json; error, warn, info or debug; timestamps; separated by commas\n",
        NULL, "EMBARK_LOG=json,loud,louder");
    assert_says(
        "$EMBARK_LOG: \"info\" is a second level\n"
        "  hint: text or json; error, warn, info or debug; timestamps; separated by commas\n",
        NULL, "EMBARK_LOG=error,info");
}

static void unknown(void **state)
{
    (void)state;
    assert_warns(
        "$EMBARK_DATABASE_TIMOUT means nothing to embark\n  hint: did you mean "
        "EMBARK_DATABASE_TIMEOUT?\n"
        "$EMBARK_SKIPS means nothing to embark\n  hint: did you mean EMBARK_SKIP?\n"
        "$EMBARK_ means nothing to embark\n"
        "$EMBARK_FROBNICATE means nothing to embark\n"
        "$EMBARK_WAIT_DIR_FILE means nothing to embark\n"
        "$EMBARK_DATABASE_NAME means nothing to embark\n"
        "$EMBARK_database_url means nothing to embark\n  hint: did you mean EMBARK_DATABASE_URL?\n",
        NULL, "EMBARK_DATABASE_TIMOUT=5s", "EMBARK_SKIPS=wait", "EMBARK_=", "EMBARK_FROBNICATE=x",
        "EMBARK_WAIT_DIR_FILE=/x", "EMBARK_DATABASE_NAME=app", "EMBARK_database_url=x",
        "EMBARKED=x", "embark_skip=wait", "MY_EMBARK_SKIP=x", "EMBARK_WITHOUT_VALUE");
}

static void known(void **state)
{
    (void)state;
    assert_warns("", NULL, "EMBARK_CONFIG=/etc/embark.ini", "EMBARK_STATE=x", "EMBARK_LOG=info",
                 "EMBARK_SKIP=", "EMBARK_DATABASE_URL_FILE=", "EMBARK_REQUIRE_FILE=");
}

/* As Kubernetes sets them in every pod of the namespace, for services called embark and embark-db;
 * and Docker's links. */
static void orchestrators(void **state)
{
    (void)state;
    assert_warns("", NULL, "EMBARK_SERVICE_HOST=10.0.0.1", "EMBARK_SERVICE_PORT=80",
                 "EMBARK_SERVICE_PORT_HTTP=80", "EMBARK_PORT=tcp://10.0.0.1:80",
                 "EMBARK_PORT_80_TCP=tcp://10.0.0.1:80", "EMBARK_PORT_80_TCP_PROTO=tcp",
                 "EMBARK_PORT_80_TCP_PORT=80", "EMBARK_PORT_80_TCP_ADDR=10.0.0.1",
                 "EMBARK_PORT_53_UDP=udp://10.0.0.1:53", "EMBARK_DB_SERVICE_HOST=10.0.0.2",
                 "EMBARK_DB_SERVICE_PORT=5432", "EMBARK_DB_PORT=tcp://10.0.0.2:5432",
                 "EMBARK_DB_PORT_5432_TCP_ADDR=10.0.0.2", "EMBARK_NAME=/web/embark",
                 "EMBARK_ENV_PATH=/bin");
    assert_warns("$EMBARK_PORT_80 means nothing to embark\n"
                 "$EMBARK_PORT_TCP means nothing to embark\n"
                 "$EMBARK_PORTS means nothing to embark\n",
                 NULL, "EMBARK_PORT_80=x", "EMBARK_PORT_TCP=x", "EMBARK_PORTS=x");
}

/* A key of such a name would be set by any service of the cluster that is called embark. */
static void no_key_is_an_orchestrators(void **state)
{
    (void)state;
    for (size_t i = 0; i < EM_KEY_COUNT; i++) {
        EM_STR_AUTO name = EM_STR_INIT;

        em_key_env(&em_keys[i], &name);
        assert_false(em_ends(em_str_c(&name), "_HOST"));
        assert_false(em_ends(em_str_c(&name), "_PORT"));
        assert_null(strstr(em_str_c(&name), "_PORT_"));
    }
}

/* NAME_FILE of one key mustn't be another key: the other would win without a word. */
static void no_key_is_anothers_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < EM_KEY_COUNT; i++) {
        EM_STR_AUTO name = EM_STR_INIT;

        em_key_env(&em_keys[i], &name);
        em_str_puts(&name, "_FILE");
        for (size_t j = 0; j < EM_KEY_COUNT; j++) {
            EM_STR_AUTO other = EM_STR_INIT;

            em_key_env(&em_keys[j], &other);
            assert_string_not_equal(em_str_c(&name), em_str_c(&other));
        }
    }
}

static void nothing_at_all(void **state)
{
    struct em_config_source world = fake_world(NULL);
    struct em_config config = {0};
    struct em_secrets secrets = {0};
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    EM_ERRS_AUTO warnings = EM_ERRS_INIT;

    (void)state;
    world.environ = NULL;
    assert_true(em_config_parse(&config, NULL, NULL, 0, &world, &secrets, &errs, &warnings));
    assert_null(config.path);
    assert_null(config.database_url);
    assert_int_equal(warnings.n, 0);
    em_config_free(&config);
    em_config_free(&config);
    em_secrets_free(&secrets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaces),
        cmocka_unit_test(replaced_mistakes),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(from_files),
        cmocka_unit_test(keys_called_file),
        cmocka_unit_test(skipping),
        cmocka_unit_test(log_words),
        cmocka_unit_test(unknown),
        cmocka_unit_test(known),
        cmocka_unit_test(orchestrators),
        cmocka_unit_test(no_key_is_an_orchestrators),
        cmocka_unit_test(no_key_is_anothers_file),
        cmocka_unit_test(nothing_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
