#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embark/os/files/roots.h"
#include "embark/os/loop/clock.h"
#include "embark/os/loop/refused.h"

#if EMBARK_TLS

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct em_tls_stream {
    SSL_CTX *context;
    SSL *ssl;
    em_time until;
};

/* OpenSSL reads on for as long as there is what has no meaning for its caller: requests to shake
 * hands (again), new keys, tickets. Before each read the clock and the signals are looked at. */
static long look(BIO *bio, int what, const char *bytes, size_t size, int number, long argument,
                 int result, size_t *done) /* NOLINT(readability-non-const-parameter) */
{
    const struct em_tls_stream *s = (const void *)BIO_get_callback_arg(bio);
    (void)bytes, (void)size, (void)number, (void)argument, (void)done;
    if (what != BIO_CB_READ)
        return result;
    em_wait_fd(-1, 0, em_now());
    if (!em_loop_stopped() && em_now() < s->until)
        return result;
    BIO_set_retry_read(bio);
    return -1;
}

static const char *last_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason ? reason : "unknown error";
}

static int set_trust(SSL_CTX *context, const struct em_trust *trust, struct em_err *err)
{
    const char *file = trust->ca && *trust->ca ? trust->ca : em_system_roots();
    if (trust->any)
        return 0;
    if (!file) {
        em_fail(err, EM_EXIT_CONFIG, "this image has no bundle of certificate authorities");
        em_hint(err, "install ca-certificates in the image, set SSL_CERT_FILE, or tls_ca = FILE");
        return EM_EXIT_CONFIG;
    }
    if (SSL_CTX_load_verify_file(context, file) != 1)
        return em_fail(err, EM_EXIT_CONFIG, "%s can't be read as certificates (%s)", file,
                       access(file, R_OK) != 0 ? em_why(errno) : last_reason());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return 0;
}

/* For whom the certificate must be. */
static bool set_peer(SSL *ssl, const char *host, bool any)
{
    unsigned char address[sizeof(struct in6_addr)];
    bool numeric =
        inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    if (!numeric && SSL_set_tlsext_host_name(ssl, host) != 1)
        return false;
    if (any)
        return true;
    return numeric ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1
                   : SSL_set1_host(ssl, host) == 1;
}

static short wanted(SSL *ssl, int result)
{
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return POLLIN;
    case SSL_ERROR_WANT_WRITE:
        return POLLOUT;
    default:
        return 0;
    }
}

static int refuse(SSL *ssl, const char *name, struct em_err *err)
{
    long verified = SSL_get_verify_result(ssl);
    if (verified != X509_V_OK) {
        em_fail(err, EM_EXIT_UNREACHABLE, "%s: its certificate is not accepted: %s", name,
                X509_verify_cert_error_string(verified));
        em_hint(err, "tls_ca = FILE names the authority that is to be trusted, tls_verify = no "
                     "takes any certificate");
        return EM_EXIT_UNREACHABLE;
    }
    if (ERR_peek_last_error() == 0)
        return em_fail(err, EM_EXIT_UNREACHABLE, "%s ends the TLS handshake", name);
    em_fail(err, EM_EXIT_UNREACHABLE, "%s: no TLS connection: %s", name, last_reason());
    if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_WRONG_VERSION_NUMBER)
        em_hint(err, "is that a plain http:// port?");
    return EM_EXIT_UNREACHABLE;
}

static int shake_hands(const struct em_tls_stream *s, int fd, const char *name, struct em_err *err)
{
    for (;;) {
        ERR_clear_error();
        int result = SSL_connect(s->ssl);
        if (result == 1)
            return 0;
        short events = wanted(s->ssl, result);
        if (!events)
            return refuse(s->ssl, name, err);
        bool late = em_now() >= s->until;
        enum em_wake woke = em_wait_fd(fd, events, s->until);
        if (woke == EM_WAKE_SIGNAL)
            return em_fail_stopped(err);
        if (woke != EM_WAKE_FD || late)
            return em_fail(err, EM_EXIT_UNREACHABLE, "%s does not complete the TLS handshake",
                           name);
    }
}

int em_tls_open(int fd, const char *host, const struct em_trust *trust, const char *name,
                em_time until, struct em_tls_stream **stream, struct em_err *err)
{
    struct em_tls_stream *s = em_alloc(sizeof *s);
    *stream = NULL;
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    s->context = SSL_CTX_new(TLS_client_method());
    s->ssl = NULL;
    s->until = until;
    int code = s->context ? set_trust(s->context, trust, err)
                          : em_fail(err, EM_EXIT_SYSTEM, "OpenSSL: %s", last_reason());
    if (code == 0) {
        SSL_CTX_set_min_proto_version(s->context, TLS1_2_VERSION);
        SSL_CTX_set_mode(s->context,
                         SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        s->ssl = SSL_new(s->context);
        if (!s->ssl || SSL_set_fd(s->ssl, fd) != 1 || !set_peer(s->ssl, host, trust->any))
            code = em_fail(err, EM_EXIT_SYSTEM, "OpenSSL: %s", last_reason());
    }
    if (code == 0) {
        BIO_set_callback_ex(SSL_get_rbio(s->ssl), look);
        BIO_set_callback_arg(SSL_get_rbio(s->ssl), (char *)s);
        code = shake_hands(s, fd, name, err);
    }
    if (code)
        em_tls_close(s);
    else
        *stream = s;
    return code;
}

static ssize_t outcome(struct em_tls_stream *stream, int result, short *events)
{
    if (result > 0)
        return result;
    int error = SSL_get_error(stream->ssl, result);
    *events = wanted(stream->ssl, result);
    if (error == SSL_ERROR_ZERO_RETURN)
        return 0;
    /* Many servers close without saying so; whether the answer is complete is seen in it. */
    if (error == SSL_ERROR_SSL &&
        ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return 0;
    if (*events)
        errno = EAGAIN;
    else if (error != SSL_ERROR_SYSCALL || errno == 0)
        errno = EPROTO;
    return -1;
}

ssize_t em_tls_send(struct em_tls_stream *stream, const void *bytes, size_t size, short *events)
{
    ERR_clear_error();
    return outcome(stream, SSL_write(stream->ssl, bytes, (int)size), events);
}

ssize_t em_tls_recv(struct em_tls_stream *stream, void *bytes, size_t size, short *events)
{
    ERR_clear_error();
    return outcome(stream, SSL_read(stream->ssl, bytes, (int)size), events);
}

void em_tls_close(struct em_tls_stream *stream)
{
    if (!stream)
        return;
    if (stream->ssl)
        SSL_free(stream->ssl);
    SSL_CTX_free(stream->context);
    free(stream);
}

#else

/* https:// is refused where URLs are parsed. */

int em_tls_open(int fd, const char *host, const struct em_trust *trust, const char *name,
                em_time until, struct em_tls_stream **stream, struct em_err *err)
{
    (void)fd, (void)host, (void)trust, (void)until;
    *stream = NULL;
    return em_fail(err, EM_EXIT_CONFIG, "%s: this embark is built without TLS", name);
}

ssize_t em_tls_send(struct em_tls_stream *stream, const void *bytes, size_t size, short *events)
{
    (void)stream, (void)bytes, (void)size, (void)events;
    errno = EPROTO;
    return -1;
}

ssize_t em_tls_recv(struct em_tls_stream *stream, void *bytes, size_t size, short *events)
{
    (void)stream, (void)bytes, (void)size, (void)events;
    errno = EPROTO;
    return -1;
}

void em_tls_close(struct em_tls_stream *stream)
{
    (void)stream;
}

#endif
