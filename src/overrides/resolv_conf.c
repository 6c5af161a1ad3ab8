/* One name server of resolv.conf at a time: embark/os/net/name_server.h says why.
 *
 * The linker's --wrap puts this in the place of musl's reader of the file.
 */
#include <stddef.h>
#include <stdint.h>

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

int __wrap___get_resolv_conf(struct resolvconf *conf, char *search, size_t size)
{
    int code = __real___get_resolv_conf(conf, search, size), chosen = em_name_server_chosen();
    if (code == 0 && chosen >= 0 && (unsigned)chosen < conf->nns) {
        conf->ns[0] = conf->ns[chosen];
        conf->nns = 1;
    }
    return code;
}

#endif
