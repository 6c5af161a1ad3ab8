/* service PORT: the smallest service there is, for images in which nothing else is: no C library, no shell.
 *
 * Answers every request with 200 and `served`; after SIGUSR2, with 503. SIGTERM and SIGINT end it with 0; these and SIGHUP and SIGUSR1 are
 * told of on stdout, as is its pid. Linked statically it stands for a Go or Rust program, linked dynamically for one of its C library. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t got[32];

static void note(int number) { got[number] = 1; }

static int told(int number, const char *name) {
    if (!got[number])
        return 0;
    got[number] = 0;
    printf("service: %s\n", name);
    fflush(stdout);
    return 1;
}

static int serve(int sock) {
    static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nserved\n";
    static const char bad[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\nConnection: close\r\n\r\nsick\n";
    int sick = 0;
    for (;;) {
        char request[4096];
        struct pollfd wanted = {.fd = sock, .events = POLLIN};
        sigset_t none;
        sigemptyset(&none);
        /* signals arrive in here only, so that none is missed */
        int ready = ppoll(&wanted, 1, NULL, &none);
        told(SIGHUP, "SIGHUP");
        told(SIGUSR1, "SIGUSR1");
        sick |= told(SIGUSR2, "SIGUSR2");
        if (told(SIGTERM, "SIGTERM") || told(SIGINT, "SIGINT"))
            return 0;
        if (ready < 0 && errno != EINTR)
            return perror("service: ppoll"), 1;
        int peer = ready > 0 ? accept(sock, NULL, NULL) : -1;
        if (peer < 0)
            continue;
        if (read(peer, request, sizeof request) > 0 && write(peer, sick ? bad : good, sick ? sizeof bad - 1 : sizeof good - 1) < 0)
            perror("service: write");
        close(peer);
    }
}

int main(int argc, char **argv) {
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argc > 1 ? argv[1] : "8000"))};
    struct sigaction action = {.sa_handler = note};
    int sock = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    sigset_t blocked;
    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        sigaddset(&blocked, signals[i]);
        sigaction(signals[i], &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(sock, (struct sockaddr *)&any, sizeof any) != 0 || listen(sock, 64) != 0)
        return perror("service"), 1;
    printf("service: pid %d\n", (int)getpid());
    fflush(stdout);
    return serve(sock);
}
