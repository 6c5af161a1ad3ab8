#include "embark/db/certificate.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "connection_internal.h"

void em_tls_free(struct em_tls *tls)
{
    em_str_free(&tls->protocol);
    em_str_free(&tls->cipher);
    em_str_free(&tls->subject);
    em_str_free(&tls->issuer);
    em_list_free(&tls->names);
    *tls = (struct em_tls){0};
}

#if EMBARK_TLS

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static void add_common_name(const X509_NAME *name, struct em_str *out)
{
    char text[256];
    int length = X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof text);
    if (length > 0)
        em_str_add(out, text, strnlen(text, sizeof text));
}

static void add_name(struct em_list *names, const GENERAL_NAME *name)
{
    char text[INET6_ADDRSTRLEN];
    const ASN1_STRING *value = name->d.ia5;
    const unsigned char *bytes = ASN1_STRING_get0_data(value);
    int length = ASN1_STRING_length(value);
    if (name->type == GEN_DNS && length > 0)
        em_list_take(names, em_strndup((const char *)bytes, (size_t)length));
    else if (name->type == GEN_IPADD && (length == 4 || length == 16) &&
             inet_ntop(length == 4 ? AF_INET : AF_INET6, bytes, text, sizeof text))
        em_list_add(names, text);
}

static int64_t seconds(const ASN1_TIME *at)
{
    struct tm tm;
    return ASN1_TIME_to_tm(at, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static void read_certificate(const SSL *ssl, struct em_tls *tls)
{
    X509 *certificate = SSL_get1_peer_certificate(ssl);
    if (!certificate)
        return;
    tls->has_certificate = true;
    add_common_name(X509_get_subject_name(certificate), &tls->subject);
    add_common_name(X509_get_issuer_name(certificate), &tls->issuer);
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++)
        add_name(&tls->names, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
    tls->from = seconds(X509_get0_notBefore(certificate));
    tls->until = seconds(X509_get0_notAfter(certificate));
    X509_free(certificate);
}

static void read_tls(PGconn *conn, struct em_tls *tls)
{
    const SSL *ssl = PQsslStruct(conn, "OpenSSL");
    const char *protocol = PQsslAttribute(conn, "protocol");
    const char *cipher = PQsslAttribute(conn, "cipher");
    tls->used = PQsslInUse(conn) && ssl;
    if (!tls->used)
        return;
    em_str_puts(&tls->protocol, protocol ? protocol : "TLS");
    em_str_puts(&tls->cipher, cipher ? cipher : "?");
    /* libpq verifies where it has a file of authorities, whatever sslmode is. */
    tls->chain_checked = (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) != 0;
    read_certificate(ssl, tls);
}

void em_db_tls(const struct em_db *db, const struct em_url *url, struct em_tls *tls)
{
    const char *mode = em_url_get(url, "sslmode");
    read_tls(db->conn, tls);
    tls->name_checked = tls->used && mode && strcmp(mode, "verify-full") == 0;
}

/* Up to the end of the handshake. The startup message, with the role's name, would be sent next. */
static int shake_hands(PGconn *conn, struct em_peer *peer, const char *host, struct em_err *err)
{
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    if (!conn)
        return em_fail(err, EM_EXIT_SYSTEM, "libpq has no memory for a connection");
    while (PQstatus(conn) != CONNECTION_BAD && next != PGRES_POLLING_FAILED) {
        if (PQsslInUse(conn) && PQstatus(conn) != CONNECTION_SSL_STARTUP)
            return 0;
        short events = next == PGRES_POLLING_WRITING ? POLLOUT : POLLIN;
        if (!em_peer_await(peer, PQsocket(conn), events))
            return em_loop_stopped()
                       ? em_fail_stopped(err)
                       : em_fail(err, EM_EXIT_UNREACHABLE, "%s does not answer", host);
        next = PQconnectPoll(conn);
    }
    if (em_peer_bounded(peer, host, err))
        return err->code;
    EM_STR_AUTO brief = EM_STR_INIT;
    em_sqlstate_brief(PQerrorMessage(conn), &brief);
    return em_fail(err, EM_EXIT_REFUSED, "%s: %s", host, em_str_c(&brief));
}

int em_db_certificate(const char *host, const char *address, const char *port, em_time until,
                      struct em_tls *tls, struct em_err *err)
{
    /* Files of these names can't be: without one of authorities libpq verifies nothing. */
    static const char none[] = "/dev/null/none";
    const char *const keys[] = {"host",        "hostaddr", "port",     "sslmode", "gssencmode",
                                "sslrootcert", "sslcert",  "sslkey",   "sslcrl",  "user",
                                "dbname",      "password", "passfile", NULL};
    const char *const values[] = {host,      address ? address : "",
                                  port,      "require",
                                  "disable", none,
                                  none,      none,
                                  none,      "embark",
                                  "",        "",
                                  none,      NULL};
    struct em_peer peer = {.left = EM_PEER_LOGIN}, *before = em_peer_enter(&peer, until);
    PGconn *conn = PQconnectStartParams(keys, values, 0);
    int code = shake_hands(conn, &peer, host, err);
    if (code == 0)
        read_tls(conn, tls);
    PQfinish(conn);
    em_peer_leave(before);
    return code;
}

#else

void em_db_tls(const struct em_db *db, const struct em_url *url, struct em_tls *tls)
{
    (void)db;
    (void)url;
    (void)tls;
}

int em_db_certificate(const char *host, const char *address, const char *port, em_time until,
                      struct em_tls *tls, struct em_err *err)
{
    (void)address;
    (void)port;
    (void)until;
    (void)tls;
    return em_fail(err, EM_EXIT_REFUSED, "%s: this build of embark has no TLS", host);
}

#endif
