/* Which of the name servers in resolv.conf(5) the C library asks.
 *
 * musl asks all of them at once and takes the first answer, also where that is "no such name" of a
 * public server that is nearer than the one that knows the name. src/overrides/resolv_conf.c gives
 * it one server at a time.
 */
#ifndef EMBARK_OS_NET_NAME_SERVER_H
#define EMBARK_OS_NET_NAME_SERVER_H

/* How many there are to choose from; 1 where there is no choice: none in the file, or a C library
 * that asks them in their order. */
unsigned em_name_servers(void);

/* The i'th one alone is asked by this process from now on. */
void em_name_server_choose(unsigned i);
/* The one that was chosen, or -1. */
int em_name_server_chosen(void);

#endif
