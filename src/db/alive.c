#include "embark/db/alive.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "connection_internal.h"

static int family_of(const struct em_db *db, struct sockaddr_storage *own)
{
    socklen_t size = sizeof *own;
    *own = (struct sockaddr_storage){0};
    if (getsockname(PQsocket(db->conn), (struct sockaddr *)own, &size) != 0)
        return AF_UNSPEC;
    return own->ss_family;
}

int em_db_local_port(const struct em_db *db)
{
    struct sockaddr_storage own;
    switch (family_of(db, &own)) {
    case AF_INET:
        return ntohs(((const struct sockaddr_in *)&own)->sin_port);
    case AF_INET6:
        return ntohs(((const struct sockaddr_in6 *)&own)->sin6_port);
    default:
        return 0;
    }
}

void em_db_give_up_after(const struct em_db *db, em_time limit)
{
    unsigned ms = (unsigned)em_time_min(limit / EM_MS(1), INT_MAX);
    if (em_db_local_port(db) != 0)
        setsockopt(PQsocket(db->conn), IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

em_time em_db_unheard(const struct em_db *db)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    if (getsockopt(PQsocket(db->conn), IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        info.tcpi_unacked == 0)
        return 0;
    return EM_MS((em_time)info.tcpi_last_ack_recv);
}

bool em_db_in_transaction(const struct em_db *db)
{
    return PQtransactionStatus(db->conn) == PQTRANS_INTRANS;
}
