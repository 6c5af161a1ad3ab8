#include "embark/os/net/turn.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "embark/os/loop/clock.h"
#include "embark/os/loop/loop.h"

/* Those that wait for one of them. */
#define WAITERS 1000
/* Where a turn can't be waited for. */
#define GAP EM_MS(20)

static int held = -1;

static int new_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static socklen_t name_of(const char *server, unsigned turn, struct sockaddr_un *name)
{
    memset(name, 0, sizeof *name);
    name->sun_family = AF_UNIX;
    /* A first byte of 0: no file. */
    int n = snprintf(name->sun_path + 1, sizeof name->sun_path - 1, "embark-turn %u %.80s", turn,
                     server);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

/* False: another process has it. True: it is ours, or there can't be turns here. */
static bool claim(const char *server, unsigned turn)
{
    struct sockaddr_un name;
    socklen_t size = name_of(server, turn, &name);
    int fd = new_socket();
    if (fd < 0)
        return true;
    if (bind(fd, (struct sockaddr *)&name, size) == 0 && listen(fd, WAITERS) == 0) {
        held = fd;
        return true;
    }
    bool taken = errno == EADDRINUSE;
    close(fd);
    return !taken;
}

/* Until the turn's owner gives it back, which ends the connection to its socket. */
static void await(const char *server, unsigned turn, em_time until)
{
    struct sockaddr_un name;
    socklen_t size = name_of(server, turn, &name);
    int fd = new_socket();
    if (fd >= 0 && connect(fd, (struct sockaddr *)&name, size) == 0)
        em_wait_fd(fd, POLLIN, until);
    else
        em_wait_fd(-1, 0, em_time_min(until, em_in(GAP)));
    if (fd >= 0)
        close(fd);
}

void em_turn_take(const char *server, em_time until)
{
    unsigned turn = (unsigned)(em_random_seed() % EM_TURNS);
    if (held >= 0)
        return;
    for (unsigned i = 0; i < EM_TURNS; i++)
        if (claim(server, (turn + i) % EM_TURNS))
            return;
    while (em_now() < until && !em_loop_stopped()) {
        await(server, turn, until);
        if (claim(server, turn))
            return;
    }
}

void em_turn_end(void)
{
    if (held >= 0)
        close(held);
    held = -1;
}
