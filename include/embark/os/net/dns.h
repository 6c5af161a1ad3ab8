/* One question to one name server, for messages: what resolves names is em_resolve(). */
#ifndef EMBARK_OS_NET_DNS_H
#define EMBARK_OS_NET_DNS_H

#include "embark/os/loop/loop.h"

/* Asks `server`, a numeric address, for the IPv4 addresses of `name`, taken as it is, and adds what
 * it says to `out`: "2 records", "no such name", "no address", "SERVFAIL", "REFUSED", "no
 * answer"… True: an address. */
bool em_dns_ask(const char *server, const char *name, em_time until, struct em_str *out);

#endif
