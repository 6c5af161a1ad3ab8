/* Who is at the other end of a connection, and whether it is still there: a server that answers
 * late is not one that is gone. Its kernel acknowledges what arrives, also while the server itself
 * is busy, stopped or swapped out. */
#ifndef EMBARK_DB_ALIVE_H
#define EMBARK_DB_ALIVE_H

#include "embark/db/connection.h"

/* Asks the kernel to give a TCP connection up once what was sent on it has not been acknowledged
 * for `limit` (tcp(7), TCP_USER_TIMEOUT). Nothing for a unix socket. */
void em_db_give_up_after(const struct em_db *db, em_time limit);
/* For how long the peer's kernel has acknowledged nothing, though something was sent that it is to
 * acknowledge; 0: it has acknowledged all, or it can't be told (a unix socket). */
em_time em_db_unheard(const struct em_db *db);
/* Our own TCP port; 0 for a unix socket. The server's inet_client_port() is another one where
 * somebody stands between who has a connection of his own to it. */
int em_db_local_port(const struct em_db *db);
/* Whether the session stands in a transaction that hasn't failed, as the server said with its last
 * answer. */
bool em_db_in_transaction(const struct em_db *db);

#endif
