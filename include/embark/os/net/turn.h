/* Turns of the processes on this machine that log in to one server.
 *
 * Hundreds of replicas that start at the same moment would fill the server up, while the processors
 * can only serve them one after another. A few at a time get as much done, and the others wait: a
 * turn is had at once unless as many are in use, however busy the machine is with other things.
 *
 * A turn is an abstract unix socket with a name: nothing is left of it when its process ends, no
 * file is needed, and it costs three system calls. Processes with network namespaces of their own,
 * such as containers, have turns of their own, too: there the server's answers set the pace alone
 * (core/base/pacing.h).
 */
#ifndef EMBARK_OS_NET_TURN_H
#define EMBARK_OS_NET_TURN_H

#include "embark/core/base/time.h"

/* So many processes have a turn at a time. */
#define EM_TURNS 8

/* Takes a turn for `server` ("db:5432"), and waits for it until `until` if need be; a signal that
 * asks to end ends that, too. Without a turn nothing else is different: it is only a matter of
 * manners. One process has one turn; a second call does nothing. */
void em_turn_take(const char *server, em_time until);
/* Gives it back, if there is one. */
void em_turn_end(void);

#endif
