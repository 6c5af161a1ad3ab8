/* How names are resolved: resolv.conf(5) and hosts(5) as texts, and what is an answer of the DNS. */
#ifndef EMBARK_CORE_NET_NAMES_H
#define EMBARK_CORE_NET_NAMES_H

#include "embark/core/base/str.h"

enum { EM_NAME_SERVERS = 3 }; /* as many as libcs ask */

struct em_resolv_conf {
    struct em_list servers; /* numeric addresses, in their order, at most EM_NAME_SERVERS */
    struct em_list search;  /* domains; `domain` is a search list of one */
    unsigned ndots;
};

/* `conf` starts as zeroes. What a libc passes over is passed over. */
void em_resolv_conf_parse(const char *text, struct em_resolv_conf *conf);
void em_resolv_conf_free(struct em_resolv_conf *conf);

/* `name` as hosts(5) spells it, added to `out`; false: the text has no such name, in any case.
 * glibc compares without case, musl with it. */
bool em_hosts_spelling(const char *text, const char *name, struct em_str *out);

/* Of nsswitch.conf(5) the sources for hosts that aren't files and dns (mdns4_minimal, resolve,
 * myhostname, ldap …), separated by blanks. */
void em_nsswitch_others(const char *text, struct em_str *out);

enum { EM_DNS_HEADER = 12 };
/* Whether `answer` is one to `query`, of `size` bytes: its number, and the question again, in any
 * case (RFC 5452, 9.1). What says that it can't read the question may leave it out. */
bool em_dns_is_answer(const unsigned char *query, size_t size, const unsigned char *answer,
                      size_t length);

#endif
