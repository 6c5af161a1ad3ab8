/* TLS of a login, and certificates. */
#include <string.h>
#include <strings.h>
#include <time.h>

#include "embark/core/base/time.h"
#include "embark/db/certificate.h"
#include "session.h"

enum { DAY = 24 * 60 * 60, SOON = 14, SHOWN_NAMES = 4 };

#define RENEW "renew the server's certificate (ssl_cert_file, and a reload)"

static void add_date(struct em_str *out, int64_t seconds)
{
    time_t at = (time_t)seconds;
    struct tm tm;
    char text[16] = "?";
    if (gmtime_r(&at, &tm))
        strftime(text, sizeof text, "%Y-%m-%d", &tm);
    em_str_puts(out, text);
}

static void describe(const struct em_tls *tls, struct em_str *out)
{
    em_str_printf(out, "for %s", tls->subject.len ? em_str_c(&tls->subject) : "nobody by name");
    for (size_t i = 0; i < tls->names.n && i < SHOWN_NAMES; i++)
        em_str_printf(out, "%s%s", i ? ", " : " (", tls->names.v[i]);
    if (tls->names.n > SHOWN_NAMES)
        em_str_printf(out, " and %zu more", tls->names.n - SHOWN_NAMES);
    em_str_printf(out, "%s, issued by %s", tls->names.n ? ")" : "",
                  tls->issuer.len ? em_str_c(&tls->issuer) : "?");
    if (!tls->until)
        return;
    em_str_puts(out, ", valid from ");
    add_date(out, tls->from);
    em_str_puts(out, " to ");
    add_date(out, tls->until);
}

/* What is wrong with its dates: false, nothing. */
static bool say_dates(const struct em_tls *tls, struct em_str *out)
{
    int64_t now = (int64_t)time(NULL);
    if (!tls->until)
        return false;
    if (now > tls->until)
        em_str_puts(out, "it has expired");
    else if (now < tls->from)
        em_str_puts(out, "it is not valid yet, by this container's clock");
    else if (tls->until - now < SOON * DAY)
        em_str_printf(out, "it expires in %d days", (int)((tls->until - now) / DAY));
    return out->len > 0;
}

static void say_certificate(struct em_doctor_session *at, const struct em_tls *tls)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO dates = EM_STR_INIT;
    if (!tls->has_certificate)
        return;
    describe(tls, &text);
    bool late = say_dates(tls, &dates);
    em_doctor_add(at, "certificate", late ? EM_MARK_WARN : EM_MARK_NONE, 0, "%s%s%s",
                  em_str_c(&text), late ? "; " : "", em_str_c(&dates));
    if (late)
        em_doctor_row_hint(at->looks, RENEW "; clients that verify it refuse it otherwise");
}

static const char *mode_of(const struct em_doctor_session *at)
{
    const char *mode = em_url_get(at->url, "sslmode");
    return mode ? mode : "prefer";
}

static bool is_local(const struct em_doctor_session *at)
{
    return !at->host;
}

void em_doctor_tls(struct em_doctor_session *at)
{
    EM_TLS_AUTO tls = {0};
    em_db_tls(at->db, at->url, &tls);
    if (!tls.used) {
        em_doctor_add(at, "TLS", EM_MARK_NONE, 0, "none: %s",
                      !EMBARK_TLS    ? "this build of embark has no TLS"
                      : is_local(at) ? "a unix socket needs none"
                      : strcmp(mode_of(at), "disable") == 0
                          ? "sslmode=disable"
                          : "the server offers none, and sslmode allows that");
        return;
    }
    em_doctor_add(at, "TLS", EM_MARK_NONE, 0, "%s, %s; the certificate is %s (sslmode=%s)",
                  em_str_c(&tls.protocol), em_str_c(&tls.cipher),
                  tls.name_checked    ? "verified"
                  : tls.chain_checked ? "of a trusted authority, its name isn't compared"
                                      : "not verified",
                  mode_of(at));
    say_certificate(at, &tls);
}

/* RFC 6125: a * stands for the first label. */
static bool covers(const char *pattern, const char *host)
{
    if (!em_starts(pattern, "*."))
        return strcasecmp(pattern, host) == 0;
    const char *dot = strchr(host, '.');
    return dot && strcasecmp(pattern + 1, dot) == 0;
}

static bool names_host(const struct em_tls *tls, const char *host)
{
    for (size_t i = 0; i < tls->names.n; i++)
        if (covers(tls->names.v[i], host))
            return true;
    return !tls->names.n && covers(em_str_c(&tls->subject), host);
}

/* Which of the reasons there are it was, libpq doesn't tell. */
static void say_why(const struct em_doctor_session *at, const struct em_tls *tls,
                    struct em_str *text, struct em_err *err)
{
    EM_STR_AUTO dates = EM_STR_INIT;
    const char *root = em_url_get(at->url, "sslrootcert");
    int64_t now = (int64_t)time(NULL);
    bool other = strcmp(mode_of(at), "verify-full") == 0 && !names_host(tls, at->host);
    if (say_dates(tls, &dates))
        em_str_printf(text, "; %s", em_str_c(&dates));
    if (other)
        em_str_printf(text, "; it is not for the host %s", at->host);
    if (tls->until && now > tls->until)
        em_hint(err, RENEW);
    else if (tls->until && now < tls->from)
        em_hint(err, "is this machine's clock right?");
    else if (other)
        em_hint(err,
                "connect by a name that the certificate is for, or give the server one for %s "
                "(subjectAltName)",
                at->host);
    else
        em_hint(err, "is the certificate of its authority (\"%s\") in %s (sslrootcert)?",
                em_str_c(&tls->issuer), root ? root : "~/.postgresql/root.crt");
}

void em_doctor_refused_certificate(struct em_doctor_session *at, struct em_str *text,
                                   struct em_err *err)
{
    EM_TLS_AUTO tls = {0};
    EM_ERR_AUTO none = EM_ERR_INIT;
    if (!at->host || !strstr(em_str_c(&err->text), "certificate") ||
        em_db_certificate(at->host, at->address, at->port, at->deadline, &tls, &none) != 0 ||
        !tls.has_certificate)
        return;
    describe(&tls, text);
    say_why(at, &tls, text, err);
}
