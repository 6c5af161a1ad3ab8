#include "embark/os/net/dns.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "embark/core/net/names.h"
#include "embark/os/loop/clock.h"
#include "embark/os/loop/refused.h"

enum { HEADER = EM_DNS_HEADER, LONGEST_NAME = 253, LONGEST_LABEL = 63, PACKET = 512 };

/* A question for A, RFC 1035, 4.1; 0: the name is none. */
static size_t make_query(const char *name, uint16_t id, unsigned char *out)
{
    static const unsigned char rest[] = {0, 0, 1, 0, 1}; /* the root, A, IN */
    unsigned char *p = out + HEADER;
    size_t length = strlen(name);
    if (length == 0 || length > LONGEST_NAME)
        return 0;
    memcpy(out, (unsigned char[HEADER]){(unsigned char)(id >> 8), (unsigned char)id, 1, 0, 0, 1},
           HEADER);
    while (*name) {
        size_t n = strcspn(name, ".");
        if (n == 0 || n > LONGEST_LABEL)
            return 0;
        *p++ = (unsigned char)n;
        memcpy(p, name, n);
        p += n;
        name += n + (name[n] == '.');
    }
    memcpy(p, rest, sizeof rest);
    return (size_t)(p - out) + sizeof rest;
}

static int connect_to(const char *server)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST}, *at = NULL;
    if (getaddrinfo(server, "53", &hints, &at) != 0)
        return -1;
    int fd = socket(at->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(at);
    return fd;
}

static bool say(const unsigned char *answer, struct em_str *out)
{
    static const char *const codes[] = {NULL,           "FORMERR", "SERVFAIL",
                                        "no such name", "NOTIMP",  "REFUSED"};
    unsigned code = answer[3] & 15, count = answer[6] * 256u + answer[7];
    if (code >= EM_COUNT(codes))
        em_str_printf(out, "error %u", code);
    else if (code)
        em_str_puts(out, codes[code]);
    else if (answer[2] & 2)
        em_str_puts(out, "an answer that needs TCP");
    else if (count == 0)
        em_str_puts(out, "no address");
    else
        em_str_printf(out, "%u record%s", count, count == 1 ? "" : "s");
    return code == 0 && (count > 0 || answer[2] & 2);
}

static bool exchange(int fd, const char *name, em_time until, struct em_str *out)
{
    unsigned char query[PACKET], answer[PACKET];
    uint16_t id = (uint16_t)em_random_seed();
    size_t size = make_query(name, id, query);
    if (size == 0) {
        em_str_puts(out, "not asked, as it is no name");
        return false;
    }
    if (send(fd, query, size, MSG_NOSIGNAL) < 0 && errno != EAGAIN) {
        em_str_puts(out, em_why(errno));
        return false;
    }
    /* The clock is looked at in every round: what always has something would never end by time. */
    bool late = false;
    while (!late && em_wait_fd(fd, POLLIN, until) == EM_WAKE_FD) {
        late = em_now() >= until;
        ssize_t n = recv(fd, answer, sizeof answer, 0);
        if (n > 0 && em_dns_is_answer(query, size, answer, (size_t)n))
            return say(answer, out);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            em_str_puts(out, errno == ECONNREFUSED ? "nobody listens there" : em_why(errno));
            return false;
        }
    }
    em_str_puts(out, "no answer");
    return false;
}

bool em_dns_ask(const char *server, const char *name, em_time until, struct em_str *out)
{
    int fd = connect_to(server);
    if (fd < 0) {
        em_str_puts(out, "can't be reached");
        return false;
    }
    bool found = exchange(fd, name, until, out);
    close(fd);
    return found;
}
