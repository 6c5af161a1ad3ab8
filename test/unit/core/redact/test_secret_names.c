#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/redact/command_secrets.h"
#include "embark/core/redact/secret_names.h"
#include "embark/core/redact/secret_sources.h"

static void names(void **state)
{
    static const char *const secret[] = {
        "DATABASE_KEY",  "apiToken", "APIKey",     "SECRET_KEY_BASE", "PGPASSWORD", "db-pass",
        "MYSQL_PWD",     "my.pw",    "SENTRY_DSN", "HASH_SALT",       "AWS_SECRET", "sslpassword",
        "clientSecret2", "TOKEN_V2", "dbcreds",    "--access-token",  "GH_TOKENS",  "CREDENTIALS"};
    static const char *const others[] = {
        "MONKEY",  "keyboard", "PWD",      "OLDPWD",      "SSL_KEY_FILE", "TOKENIZERS_PARALLELISM",
        "bypass",  "user",     "PASSFILE", "SECRETS_DIR", "KEYCLOAK_URL", "",
        "compass", "passes"};
    (void)state;
    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
        if (!em_is_secret_name(secret[i], strlen(secret[i])))
            fail_msg("%s", secret[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (em_is_secret_name(others[i], strlen(others[i])))
            fail_msg("%s", others[i]);
}

static bool knows(const struct em_secrets *secrets, const char *value)
{
    return em_list_has(&secrets->likely, value);
}

static void environment(void **state)
{
    static char *const env[] = {"API_TOKEN=t0k-en",
                                "REDIS_URL=redis://:r%40dis-pw@h:1/0",
                                "NPG=Host=h;Password=npg pw;Database=d",
                                "SSL_KEY=/etc/ssl/private/a.key",
                                "USE_KEY=true",
                                "DB_PASSWORD=postgres",
                                "PIN_SECRET=12",
                                "HOME=/root",
                                "=odd",
                                "EMPTY_KEY=",
                                NULL};
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
    (void)state;
    em_secrets_of_environment(env, &secrets);
    em_secrets_of_environment(NULL, &secrets);
    assert_true(knows(&secrets, "t0k-en"));
    assert_true(knows(&secrets, "r%40dis-pw"));
    assert_true(knows(&secrets, "r@dis-pw"));
    assert_true(knows(&secrets, "npg pw"));
    assert_int_equal(secrets.likely.n, 4);
}

struct command {
    char *argv[6];
    const char *shown, *secret; /* NULL: none is learnt */
};

static void commands(void **state)
{
    static const struct command examples[] = {
        {{"tool", "--password", "s3cret-01", "x", NULL}, "tool --password **** x", "s3cret-01"},
        {{"tool", "--password=s3cret-02", NULL}, "tool --password=****", "s3cret-02"},
        {{"tool", "-p", "s3cret-03", NULL}, "tool -p ****", "s3cret-03"},
        {{"mysql", "-ps3cret-04", "db", NULL}, "mysql -p**** db", "s3cret-04"},
        {{"tool", "-Ws3cret-05", NULL}, "tool -W****", "s3cret-05"},
        {{"tool", "-W", "s3cret-06", NULL}, "tool -W ****", "s3cret-06"},
        {{"env", "PGPASSWORD=s3cret-07", "psql", NULL}, "env PGPASSWORD=**** psql", "s3cret-07"},
        {{"sh", "-c", "PGPASSWORD='s3cret-08' psql -p 5432", NULL},
         "sh -c PGPASSWORD=**** psql -p 5432",
         "s3cret-08"},
        {{"java", "-Ddb.password=s3cret-09", NULL}, "java -Ddb.password=****", "s3cret-09"},
        {{"tool", "postgres://u:s3cret-10@h/d", NULL}, "tool postgres://u:****@h/d", "s3cret-10"},
        {{"tool", "host=h password=s3cret-11 user=u", NULL},
         "tool host=h password=**** user=u",
         "s3cret-11"},
        {{"curl", "-u", "me:s3cret-12", "h", NULL}, "curl -u me:**** h", "s3cret-12"},
        {{"curl", "-H", "Authorization: Bearer s3cret-13", NULL},
         "curl -H Authorization: ****",
         "Bearer s3cret-13"},
        {{"sh", "-c", "cd /app && exec tool --api-key \"s3cret-14\" -v", NULL},
         "sh -c cd /app && exec tool --api-key \"****\" -v",
         "s3cret-14"},
        {{"sh", "-c", "sh -c 'tool --token s3cret-15; true'", NULL},
         "sh -c sh -c 'tool --token ****; true'",
         "s3cret-15"},
        {{"tool", "--db-pass", "two words", NULL}, "tool --db-pass ****", "two words"},
        {{"tool", "-e", "API_KEY=s3cret-16", NULL}, "tool -e API_KEY=****", "s3cret-16"},
        {{"redis-cli", "-p", "6379", "-a", "s3cret-17", NULL},
         "redis-cli -p 6379 -a ****",
         "s3cret-17"},
        {{"tool", "-pS3", NULL}, "tool -p****", NULL},
        /* nothing to hide */
        {{"psql", "-p", "5432", "-W", "db", NULL}, "psql -p 5432 -W db", NULL},
        {{"mkdir", "-p", "/srv/data", NULL}, "mkdir -p /srv/data", NULL},
        {{"find", ".", "-path", "./x", "-print", NULL}, "find . -path ./x -print", NULL},
        {{"serve", "-p", "3000", NULL}, "serve -p 3000", NULL},
        {{"tool", "--password", "$DB_PASSWORD", NULL}, "tool --password $DB_PASSWORD", NULL},
        {{"tool", "--password-file", "/run/x", NULL}, "tool --password-file /run/x", NULL},
        {{"psql", "--no-password", "db", NULL}, "psql --no-password db", NULL},
        {{"python", "-Wignore", "m.py", NULL}, "python -Wignore m.py", NULL},
        {{"uvicorn", "src.main:app", NULL}, "uvicorn src.main:app", NULL},
        {{"", "-", "=", "'", NULL}, " - = '", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;
        EM_STR_AUTO shown = EM_STR_INIT;
        em_command_print(examples[i].argv, false, &shown);
        assert_string_equal(em_str_c(&shown), examples[i].shown);
        em_secrets_of_command(examples[i].argv, &secrets);
        if (examples[i].secret && !knows(&secrets, examples[i].secret))
            fail_msg("%s: not learnt", examples[i].shown);
        if (!examples[i].secret && secrets.likely.n)
            fail_msg("%s: learnt %s", examples[i].shown, secrets.likely.v[0]);
    }
    em_command_print(NULL, false, NULL);
}

static void quoted_words(void **state)
{
    static char *const argv[] = {"sh", "-c", "PW=x-7y tool 'a'", NULL};
    EM_STR_AUTO shown = EM_STR_INIT;
    (void)state;
    em_command_print(argv, true, &shown);
    assert_string_equal(em_str_c(&shown), "sh -c 'PW=**** tool '\\''a'\\'''");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(environment),
                                       cmocka_unit_test(commands), cmocka_unit_test(quoted_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
