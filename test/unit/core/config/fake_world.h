/* A world for the configuration's tests: what the environment and the files hold, and what parsing
 * made of it.
 *
 *     struct trial t;
 *     trial_run(&t, "[database]\nurl = ${URL}\n", "URL=postgres://db/app", NULL);
 *     … t.config, t.ok, t.said …
 *     trial_end(&t);
 */
#ifndef EMBARK_TEST_FAKE_WORLD_H
#define EMBARK_TEST_FAKE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "embark/core/config/config.h"
#include "embark/core/config/parse.h"

/* Files that exist in every trial. */
static const struct fake_file {
    const char *path, *bytes;
    size_t length;
} fake_files[] = {
    {"/run/secrets/pw", "hunter22\n", 9},
    {"/run/secrets/two", "hunter22\n\n", 10},
    {"/run/secrets/crlf", "hunter22\r\n", 10},
    {"/run/secrets/bare", "hunter22", 8},
    {"/run/secrets/blank", "hunter22 \n", 10},
    {"/run/secrets/bom", "\xEF\xBB\xBFhunter22\n", 12},
    {"/run/secrets/empty", "", 0},
    {"/run/secrets/nul", "hunter\00022", 9},
    {"/run/secrets/tricky", "a ${HOME} 'b\n", 13},
    {"/run/lines", "/one\n/two\n", 10},
};

static inline const char *fake_env(void *ctx, const char *name)
{
    size_t n = strlen(name);

    for (char **entry = ctx; entry && *entry; entry++)
        if (strncmp(*entry, name, n) == 0 && (*entry)[n] == '=')
            return *entry + n + 1;
    return NULL;
}

static inline bool fake_read(void *ctx, const char *path, struct em_str *out, struct em_str *why)
{
    (void)ctx;
    for (size_t i = 0; i < sizeof(fake_files) / sizeof(fake_files[0]); i++) {
        if (strcmp(fake_files[i].path, path) == 0) {
            em_str_add(out, fake_files[i].bytes, fake_files[i].length);
            return true;
        }
    }
    em_str_puts(why, "No such file or directory");
    return false;
}

static inline struct em_config_source fake_world(char **env)
{
    return (struct em_config_source){
        .env = fake_env, .environ = env, .read_file = fake_read, .ctx = env};
}

struct trial {
    struct em_config config;
    struct em_secrets secrets;
    struct em_errs errs, warnings;
    struct em_str said;   /* every error as "text\n" and, where it has one, "  hint: …\n" */
    struct em_str warned; /* the same of the warnings */
    bool ok;
};

static inline void fake_say(const struct em_errs *errs, struct em_str *out)
{
    for (size_t i = 0; i < errs->n; i++) {
        em_str_printf(out, "%s\n", em_str_c(&errs->v[i].text));
        if (errs->v[i].hint.len)
            em_str_printf(out, "  hint: %s\n", em_str_c(&errs->v[i].hint));
    }
}

/* `bytes` NULL: no file. */
static inline void trial_bytes(struct trial *t, const char *bytes, size_t length, char **env)
{
    struct em_config_source world = fake_world(env);

    memset(t, 0, sizeof(*t));
    t->ok = em_config_parse(&t->config, "embark.ini", bytes, length, &world, &t->secrets, &t->errs,
                            &t->warnings);
    assert_int_equal(t->ok, t->errs.n == 0);
    for (size_t i = 0; i < t->errs.n; i++)
        assert_int_equal(t->errs.v[i].code, EM_EXIT_CONFIG);
    fake_say(&t->errs, &t->said);
    fake_say(&t->warnings, &t->warned);
}

/* The environment as "NAME=VALUE", …, NULL. */
static inline void trial_run(struct trial *t, const char *text, ...) __attribute__((sentinel));
static inline void trial_run(struct trial *t, const char *text, ...)
{
    char *env[32] = {NULL};
    size_t n = 0;
    va_list args;

    va_start(args, text);
    while ((env[n] = va_arg(args, char *)))
        assert_true(++n < sizeof(env) / sizeof(env[0]));
    va_end(args);
    trial_bytes(t, text, text ? strlen(text) : 0, env);
}

static inline void trial_end(struct trial *t)
{
    em_config_free(&t->config);
    em_secrets_free(&t->secrets);
    em_errs_free(&t->errs);
    em_errs_free(&t->warnings);
    em_str_free(&t->said);
    em_str_free(&t->warned);
}

/* Parsing `text` with the environment says exactly `said`. */
#define assert_says(said_, ...)                         \
    do {                                                \
        struct trial t_;                                \
        trial_run(&t_, __VA_ARGS__, NULL);              \
        assert_string_equal(em_str_c(&t_.said), said_); \
        trial_end(&t_);                                 \
    } while (0)

#define assert_warns(warned_, ...)                          \
    do {                                                    \
        struct trial t_;                                    \
        trial_run(&t_, __VA_ARGS__, NULL);                  \
        assert_string_equal(em_str_c(&t_.said), "");        \
        assert_string_equal(em_str_c(&t_.warned), warned_); \
        trial_end(&t_);                                     \
    } while (0)

#endif
