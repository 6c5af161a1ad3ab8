/* Inside of the db layer: what a server may make libpq do while embark is in it.
 *
 * libpq trusts its server. It reads what is announced, up to 1 GB; keeps every parameter and every
 * notification that it is told of; answers every request of a login, and waits without a limit
 * where such an answer can't be sent; and computes as many rounds of SCRAM as it is asked for. So
 * each operation on a connection stands between em_peer_enter() and em_peer_leave(): what is read
 * is counted, and whatever takes its time looks at the clock and at the signals. The linker's
 * --wrap puts functions of peer.c in the place of recv(2) and poll(2).
 */
#ifndef EMBARK_DB_PEER_H
#define EMBARK_DB_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "embark/core/base/err.h"
#include "embark/core/base/time.h"

enum {
    EM_PEER_LOGIN = 1024 * 1024,      /* bytes that a login may take */
    EM_PEER_ANSWER = 8 * 1024 * 1024, /* and an answer; of a statement of the users', one message:
                                         what has been handed on is not counted */
    EM_PEER_ROUNDS = 10 * 1000 * 1000 /* of SCRAM; PostgreSQL's default is 4096 */
};

struct em_peer {
    em_time until;
    size_t left;  /* bytes that may still be read */
    bool too_big; /* there were more: reading has failed */
    bool late;    /* the deadline has passed, or a signal asks to end */
    int rounds;   /* of SCRAM, that were asked for and refused */
};

/* What was entered before, NULL for none: for em_peer_leave(). They nest, as the connection that
 * holds a lock is looked at while another one is waited for. `until`: as of em_wait_fd(). */
struct em_peer *em_peer_enter(struct em_peer *peer, em_time until);
void em_peer_leave(struct em_peer *before);

/* Waits for `events` at a connection. False: the deadline has passed or a signal asks to end, also
 * when the descriptor is ready all the time. */
bool em_peer_await(struct em_peer *peer, int fd, short events);

/* For a long computation: whether the one that is entered may go on. True without one. */
bool em_peer_in_time(void);
void em_peer_refuse_rounds(int rounds);

/* Whether an operation failed by one of these bounds, rather than by what libpq says: with the
 * message, about `where`. */
bool em_peer_bounded(const struct em_peer *peer, const char *where, struct em_err *err);

#endif
