/* peak COMMAND [ARG…]: runs it until it ends or executes another program, and prints its exit status (0 when it executed another) and its peak
 * resident memory in KiB.
 *
 * The kernel's own count (ru_maxrss, VmHWM) is kept for each processor and only added up in steps: for a process of a megabyte it may be
 * off by a quarter, or 0. Memory is given back by system calls only, so that the largest of all sizes that are seen right before each system call is
 * the peak; smaps_rollup walks the page tables and is exact. */
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static long resident(pid_t pid) {
    char path[64], line[256];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f) && sscanf(line, "Rss: %ld", &kib) != 1)
        ;
    if (f)
        fclose(f);
    return kib;
}

static int finish(int status, long peak) {
    printf("%d %ld\n", status, peak);
    return 0;
}

int main(int argc, char **argv) {
    int status;
    long peak = 0;
    if (argc < 2)
        return 64;
    pid_t pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execv(argv[1], argv + 1);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 71;
    ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
    for (long deliver = 0; WIFSTOPPED(status); deliver = 0) {
        long now = 0;
        if (WSTOPSIG(status) == (SIGTRAP | 0x80))
            now = resident(pid);
        else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
            return finish(0, peak);
        else if (WSTOPSIG(status) != SIGTRAP)
            deliver = WSTOPSIG(status);
        if (now > peak)
            peak = now;
        if (ptrace(PTRACE_SYSCALL, pid, 0, deliver) != 0 || waitpid(pid, &status, 0) != pid)
            return 71;
    }
    return finish(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), peak);
}
