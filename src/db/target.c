#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection_internal.h"
#include "embark/core/config/config.h"
#include "embark/os/files/files.h"
#include "embark/os/files/roots.h"
#include "embark/os/log/log.h"
#include "files.h"

static bool libpq_knows(const char *keyword)
{
    /* libpq's own list; it is the same for the life of the process. PQconndefaults() would read the
     * service's file for it. */
    static PQconninfoOption *options;
    if (!options)
        options = PQconninfoParse("", NULL);
    for (PQconninfoOption *o = options; o && o->keyword; o++)
        if (strcmp(o->keyword, keyword) == 0)
            return true;
    return false;
}

static char *local_user;

void em_db_local_user(const char *name)
{
    em_free_ptr(&local_user);
    local_user = name ? em_strdup(name) : NULL;
}

/* PQconndefaults() reads the service that PGSERVICE names, and asks who runs this process where
 * neither that nor PGUSER names a role: it has no other way to be told one. The environment is put
 * back at once: it is the service's. */
static PQconninfoOption *defaults_for(const char *service)
{
    const char *user = getenv("PGUSER") ? NULL : local_user;
    EM_FREE char *before = getenv("PGSERVICE") ? em_strdup(getenv("PGSERVICE")) : NULL;
    if (service)
        setenv("PGSERVICE", service, 1);
    if (user)
        setenv("PGUSER", user, 1);
    PQconninfoOption *options = PQconndefaults();
    if (user)
        unsetenv("PGUSER");
    if (service && before)
        setenv("PGSERVICE", before, 1);
    else if (service)
        unsetenv("PGSERVICE");
    return options;
}

/* sslrootcert=system means the certificate authorities that the image trusts, and
 * sslmode=verify-full. To libpq that is where this OpenSSL's own defaults are; the image is another
 * system than the one that embark was built on. */
static int system_roots(struct em_url *url, struct em_err *err)
{
    const char *root = em_url_get(url, "sslrootcert"), *mode = em_url_get(url, "sslmode");
    if (!root || strcmp(root, "system") != 0)
        return 0;
    if (mode && strcmp(mode, "verify-full") != 0)
        return em_fail(err, EM_EXIT_CONFIG, "sslrootcert=system needs sslmode=verify-full, not %s",
                       mode);
    root = em_system_roots();
    if (!root) {
        em_fail(err, EM_EXIT_CONFIG,
                "sslrootcert=system: this image has no bundle of certificate authorities");
        em_hint(err, "install ca-certificates in the image, or set SSL_CERT_FILE");
        return EM_EXIT_CONFIG;
    }
    em_url_set(url, "sslmode", "verify-full");
    em_url_set(url, "sslrootcert", root);
    return 0;
}

/* What libpq would take from PG* variables, a service file or its own defaults for what the URL
 * leaves open. It is put in explicitly, since the host has to be known to be resolved outside of
 * libpq, and to be named in messages. PGPASSWORD_FILE is ours (embark.ini(5), NAME_FILE). */
static int fill_defaults(struct em_url *url, struct em_errs *warnings, struct em_err *err)
{
    EM_STR_AUTO password = EM_STR_INIT;
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    if (em_db_check_service_file(url, err) != 0)
        return err->code;
    PQconninfoOption *options = defaults_for(em_url_get(url, "service"));
    if (!options)
        return em_fail(err, EM_EXIT_SYSTEM, "libpq has no memory for its defaults");
    for (PQconninfoOption *o = options; o->keyword; o++) {
        if (!o->val || !*o->val || em_url_get(url, o->keyword))
            continue;
        /* A compiled-in default needs no saying, and target_session_attrs=any would be taken for
         * the user's word. The port is named in messages. */
        if (o->compiled && strcmp(o->val, o->compiled) == 0 && strcmp(o->keyword, "port") != 0)
            continue;
        /* hostaddr and host belong together: PGHOSTADDR must not send a URL's host to another
         * machine. */
        if (strcmp(o->keyword, "hostaddr") == 0 && em_url_get(url, "host"))
            continue;
        em_url_set(url, o->keyword, o->val);
    }
    PQconninfoFree(options);
    if (!em_url_get(url, "dbname") && em_url_get(url, "user"))
        em_url_set(url, "dbname", em_url_get(url, "user"));
    if (em_url_get(url, "password") && !getenv("PGPASSWORD_FILE"))
        return 0;
    int found = em_config_source_get(&em_config_source_real, "PGPASSWORD", &password,
                                     em_log_secrets(), &errs, warnings);
    if (found < 0) {
        int code = em_fail(err, EM_EXIT_CONFIG, "%s", em_str_c(&errs.v[0].text));
        em_hint(err, "%s", em_str_c(&errs.v[0].hint));
        return code;
    }
    if (found > 0 && !em_url_get(url, "password"))
        em_url_set(url, "password", em_str_c(&password));
    em_str_wipe(&password);
    return 0;
}

/* Keywords whose values are fixed words (manual, 34.1.2). libpq looks at them only when it
 * connects, which may be after a wait for a name to appear. NULL-terminated. */
static const struct {
    const char *keyword;
    const char *words[8];
} fixed[] = {
    {"sslmode", {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}},
    {"channel_binding", {"disable", "prefer", "require"}},
    {"gssencmode", {"disable", "prefer", "require"}},
    {"sslnegotiation", {"postgres", "direct"}},
    {"sslcertmode", {"disable", "allow", "require"}},
    {"load_balance_hosts", {"disable", "random"}},
    {"min_protocol_version", {"3.0", "3.2", "latest"}},
    {"max_protocol_version", {"3.0", "3.2", "latest"}},
    {"target_session_attrs",
     {"any", "read-write", "read-only", "primary", "standby", "prefer-standby"}},
};

static bool is_one_of(const char *value, const char *const words[8])
{
    for (size_t i = 0; i < 8 && words[i]; i++)
        if (strcmp(words[i], value) == 0)
            return true;
    return false;
}

static int check_words(const struct em_url *url, struct em_err *err)
{
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        const char *value = em_url_get(url, fixed[i].keyword);
        EM_STR_AUTO words = EM_STR_INIT;
        if (!value || is_one_of(value, fixed[i].words))
            continue;
        for (size_t w = 0; w < 8 && fixed[i].words[w]; w++)
            em_str_printf(&words, "%s%s", w ? ", " : "", fixed[i].words[w]);
        em_fail(err, EM_EXIT_CONFIG, "%s=%s is none of %s", fixed[i].keyword, value,
                em_str_c(&words));
        return EM_EXIT_CONFIG;
    }
    return 0;
}

static bool any_pg_variable(void)
{
    static const char *const names[] = {"PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i]) && *getenv(names[i]))
            return true;
    return false;
}

/* One of [database] user and password. */
static int lend(struct em_url *url, const char *keyword, const char *value, const char *at,
                bool optional, struct em_err *err)
{
    const char *own = em_url_get(url, keyword);
    if (!value || !*value || (own && (optional || strcmp(own, value) == 0)))
        return 0;
    if (own) {
        em_fail(err, EM_EXIT_CONFIG, "names a %s, and [database] %s (%s) another one",
                strcmp(keyword, "user") == 0 ? "user" : "password", keyword, at ? at : "?");
        em_hint(err, "leave one of them out");
        return EM_EXIT_CONFIG;
    }
    em_url_set(url, keyword, value);
    return 0;
}

/* A password is for the user that it belongs to: a URL that names another one doesn't get it. */
static int lend_login(struct em_url *url, const struct em_db_login *login, struct em_err *err)
{
    const char *user = em_url_get(url, "user");
    bool others = login && login->optional && user && login->user && strcmp(user, login->user) != 0;
    if (!login || others)
        return 0;
    int code = lend(url, "user", login->user, login->user_at, login->optional, err);
    return code ? code
                : lend(url, "password", login->password, login->password_at, login->optional, err);
}

/* A password with a %XX, which may have been meant as it stands. */
static bool has_encoded_password(const char *text)
{
    const char *p = strstr(text, "://"), *at = p ? strrchr(p, '@') : NULL;
    const char *colon = at ? memchr(p + 3, ':', (size_t)(at - p - 3)) : NULL;
    return colon && memchr(colon, '%', (size_t)(at - colon)) != NULL;
}

/* What of the login the text lacks is put into it. */
static void complete(struct em_url *url, bool named, bool known, bool lent_user, struct em_str *raw)
{
    const char *user = named ? NULL : em_url_get(url, "user");
    const char *password = known ? NULL : em_url_get(url, "password");
    url->lent = password != NULL || lent_user;
    if (raw && raw->len && url->lent && !em_url_get(url, "service"))
        em_url_complete(raw, user, password);
}

int em_db_target(struct em_url *url, const char *value, const char *origin,
                 const struct em_db_login *login, bool *none, struct em_str *raw,
                 struct em_errs *warnings, struct em_err *err)
{
    EM_STR_AUTO from_env = EM_STR_INIT;
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    *none = false;
    if (!value) {
        int found = em_config_source_get(&em_config_source_real, "DATABASE_URL", &from_env,
                                         em_log_secrets(), &errs, warnings);
        if (found < 0) {
            int code = em_fail(err, EM_EXIT_CONFIG, "%s", em_str_c(&errs.v[0].text));
            em_hint(err, "%s", em_str_c(&errs.v[0].hint));
            return code;
        }
        if (found > 0 && from_env.len > 0) {
            value = em_str_c(&from_env);
            origin = "$DATABASE_URL";
        }
    }
    if (!value && !any_pg_variable()) {
        *none = true;
        return em_fail(err, EM_EXIT_CONFIG, "no database is configured");
    }
    int code = value ? em_url_parse(url, value, libpq_knows, err) : 0;
    if (!value)
        *url = (struct em_url)EM_URL_INIT;
    if (value && raw)
        em_str_puts(raw, value);
    url->encoded = code == 0 && value && has_encoded_password(value);
    em_str_wipe(&from_env);
    if (code) {
        em_context(err, "%s", origin ? origin : "database URL");
        return code;
    }
    bool named = em_url_get(url, "user") != NULL, known = em_url_get(url, "password") != NULL;
    code = lend_login(url, login, err);
    bool lent_user = !named && em_url_get(url, "user");
    if (code == 0)
        code = fill_defaults(url, warnings, err);
    if (code == 0 && !em_url_get(url, "user") && !em_url_get(url, "service")) {
        code =
            em_fail(err, EM_EXIT_CONFIG, "names no user, and this uid has no name (/etc/passwd)");
        em_hint(err, "name the role in the URL, or set PGUSER");
    }
    if (code == 0)
        code = check_words(url, err);
    if (code == 0)
        code = system_roots(url, err);
    if (code == 0)
        code = em_db_check_password_file(url, err);
    if (code == 0)
        code = em_db_check_tls_files(url, err);
    if (code)
        em_context(err, "%s", origin ? origin : "database URL");
    if (code == 0)
        complete(url, named, known, lent_user, raw);
    em_url_secrets(url, em_log_secrets());
    return code;
}

bool em_db_standby_ok(const struct em_url *url)
{
    static const char *const standby[] = {"any", "read-only", "standby", "prefer-standby"};
    const char *wanted = em_url_get(url, "target_session_attrs");
    for (size_t i = 0; wanted && i < sizeof standby / sizeof *standby; i++)
        if (strcmp(wanted, standby[i]) == 0)
            return true;
    return false;
}
