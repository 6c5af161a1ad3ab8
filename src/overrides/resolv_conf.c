/* One name server of resolv.conf at a time: embark/os/net/name_server.h says why. And an answer
 * counts only if it is to what was asked: musl looks at its number alone, glibc at the question as
 * well.
 *
 * The linker's --wrap puts these in the place of musl's reader of the file and of its exchange with
 * the servers.
 */
#include <stddef.h>
#include <stdint.h>

#include "embark/core/net/names.h"
#include "embark/os/net/name_server.h"

#ifndef __GLIBC__

/* musl's src/network/lookup.h, which is not installed. */
struct address {
    int family;
    unsigned scopeid;
    uint8_t addr[16];
    int sortkey;
};
struct resolvconf {
    struct address ns[3];
    unsigned nns, attempts, ndots;
    unsigned timeout;
};

/* The linker's names. */
int __real___get_resolv_conf(struct resolvconf *conf, char *search, size_t size);
int __wrap___get_resolv_conf(struct resolvconf *conf, char *search, size_t size);
typedef const unsigned char *query;
int __real___res_msend_rc(int count, const query *queries, const int *sizes,
                          unsigned char *const *answers, int *lengths, int room,
                          const struct resolvconf *conf);
int __wrap___res_msend_rc(int count, const query *queries, const int *sizes,
                          unsigned char *const *answers, int *lengths, int room,
                          const struct resolvconf *conf);

int __wrap___get_resolv_conf(struct resolvconf *conf, char *search, size_t size)
{
    int code = __real___get_resolv_conf(conf, search, size), chosen = em_name_server_chosen();
    if (code == 0 && chosen >= 0 && (unsigned)chosen < conf->nns) {
        conf->ns[0] = conf->ns[chosen];
        conf->nns = 1;
    }
    return code;
}

/* A length of 0 is no answer. It may be more than there is room for, over TCP. */
int __wrap___res_msend_rc(int count, const query *queries, const int *sizes,
                          unsigned char *const *answers, int *lengths, int room,
                          const struct resolvconf *conf)
{
    int code = __real___res_msend_rc(count, queries, sizes, answers, lengths, room, conf);
    for (int i = 0; code == 0 && i < count; i++) {
        int length = lengths[i] < room ? lengths[i] : room;
        if (length > 0 &&
            !em_dns_is_answer(queries[i], (size_t)sizes[i], answers[i], (size_t)length))
            lengths[i] = 0;
    }
    return code;
}

#endif
