#include "files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#if EMBARK_TLS
#include <openssl/x509.h>
#endif

#include "embark/os/files/files.h"

enum { LARGEST_MIB = 64 };

/* A file that is as good as empty. */
static bool is_null_device(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static int check(const char *what, const char *path, struct em_err *err)
{
    struct stat st;
    if (stat(path, &st) != 0 || is_null_device(&st))
        return 0;
    if (!S_ISREG(st.st_mode))
        return em_fail(err, EM_EXIT_CONFIG, "%s %s is %s, not a file", what, path,
                       em_path_kind(st.st_mode));
    if (st.st_size > (off_t)LARGEST_MIB << 20)
        return em_fail(err, EM_EXIT_CONFIG, "%s %s is larger than %d MiB", what, path, LARGEST_MIB);
    return 0;
}

static int check_in(const char *what, const char *folder, const char *name, struct em_err *err)
{
    EM_STR_AUTO path = EM_STR_INIT;
    if (!folder || !*folder)
        return 0;
    em_str_printf(&path, "%s/%s", folder, name);
    return check(what, em_str_c(&path), err);
}

int em_db_check_service_file(const struct em_url *url, struct em_err *err)
{
    static const char what[] = "the service file";
    const char *named = getenv("PGSERVICEFILE"), *service = getenv("PGSERVICE");
    if (!em_url_get(url, "service") && (!service || !*service))
        return 0;
    int code = named && *named ? check("PGSERVICEFILE", named, err)
                               : check_in(what, getenv("HOME"), ".pg_service.conf", err);
    return code ? code : check_in(what, getenv("PGSYSCONFDIR"), "pg_service.conf", err);
}

/* libpq has OpenSSL read its configuration when the first server speaks TLS. */
static int check_openssl(struct em_err *err)
{
    const char *named = getenv("OPENSSL_CONF");
    if (named)
        return check("OPENSSL_CONF", named, err);
#if EMBARK_TLS
    return check_in("OpenSSL's configuration", X509_get_default_cert_area(), "openssl.cnf", err);
#else
    return 0;
#endif
}

int em_db_check_password_file(const struct em_url *url, struct em_err *err)
{
    EM_STR_AUTO path = EM_STR_INIT;
    const char *named = em_url_get(url, "passfile"), *home = getenv("HOME");
    struct stat st;
    if (named && *named)
        em_str_puts(&path, named);
    else if (home && *home)
        em_str_printf(&path, "%s/.pgpass", home);
    /* A folder in its place is what a volume makes: libpq passes over it. */
    if (em_url_get(url, "password") || !path.len ||
        (stat(em_str_c(&path), &st) == 0 && S_ISDIR(st.st_mode)))
        return 0;
    return check("passfile", em_str_c(&path), err);
}

int em_db_check_tls_files(const struct em_url *url, struct em_err *err)
{
    static const struct {
        const char *keyword, *usual;
    } files[] = {{"sslrootcert", ".postgresql/root.crt"},
                 {"sslcert", ".postgresql/postgresql.crt"},
                 {"sslcrl", ".postgresql/root.crl"}};
    const char *mode = em_url_get(url, "sslmode");
    int code = 0;
    if (mode && strcmp(mode, "disable") == 0)
        return 0;
    for (size_t i = 0; i < sizeof files / sizeof *files && code == 0; i++) {
        const char *path = em_url_get(url, files[i].keyword);
        code = path && *path ? check(files[i].keyword, path, err)
                             : check_in(files[i].keyword, getenv("HOME"), files[i].usual, err);
    }
    return code ? code : check_openssl(err);
}
