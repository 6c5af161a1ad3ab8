#include "embark/os/machine/phase.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TITLE       "embark:"
#define GENERATIONS 64
/* Of /proc/PID/cgroup: a dozen lines. Longer ones are compared as far as that. */
#define CGROUP_BYTES 2048

/* /proc/PID/NAME into `bytes`, with a NUL behind it: its length, or -1 and errno. It is read by the
 * leanest way, as this is done for each process of the machine where its PID namespace is ours. */
static ssize_t read_of(pid_t pid, const char *name, char *bytes, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, bytes, size - 1);
    int error = errno;
    close(fd);
    errno = error;
    bytes[n > 0 ? n : 0] = '\0';
    return n;
}

/* What is in the title behind "embark:"; NULL: it has another one. */
static const char *phase_of(pid_t pid, char *bytes, size_t size)
{
    if (read_of(pid, "comm", bytes, size) <= 0 || !em_starts(bytes, TITLE))
        return NULL;
    bytes[strcspn(bytes, "\n")] = '\0';
    return bytes + strlen(TITLE);
}

/* Titles of what isn't the start itself: its helper (a healthcheck's has it, too), SQL files that a
 * service, or somebody, runs, and the init that a start has become. */
static bool is_of_a_start(const char *phase)
{
    return strcmp(phase, "resolve") != 0 && strcmp(phase, "sql") != 0 && strcmp(phase, "init") != 0;
}

static bool has_our_cgroups(pid_t pid)
{
    char theirs[CGROUP_BYTES], ours[CGROUP_BYTES];
    ssize_t m = read_of(pid, "cgroup", theirs, sizeof theirs);
    ssize_t n = read_of(getpid(), "cgroup", ours, sizeof ours);
    return m < 0 || n < 0 || strcmp(theirs, ours) == 0;
}

bool em_phase_ours(pid_t pid)
{
    char path[64], theirs[64], ours[64];
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)pid);
    ssize_t m = readlink(path, theirs, sizeof theirs);
    if (m <= 0 && (errno == EACCES || errno == EPERM))
        return has_our_cgroups(pid);
    ssize_t n = readlink("/proc/self/ns/mnt", ours, sizeof ours);
    return n > 0 && m == n && memcmp(theirs, ours, (size_t)n) == 0;
}

/* 0: it has none in this namespace, or is gone. */
static pid_t parent_of(pid_t pid)
{
    char stat[256];
    if (read_of(pid, "stat", stat, sizeof stat) <= 0)
        return 0;
    const char *end = strrchr(stat, ')'); /* "1 (name) S 0 …": a name may hold anything */
    return end && strlen(end) > 4 ? (pid_t)strtol(end + 4, NULL, 10) : 0;
}

static bool descends_from_pid_1(pid_t pid)
{
    for (int i = 0; i < GENERATIONS && pid > 1; i++)
        pid = parent_of(pid);
    return pid == 1;
}

bool em_phase_find(pid_t *pid, struct em_str *phase)
{
    const char *found = NULL;
    char title[32];
    pid_t self = getpid();
    DIR *proc = opendir("/proc");
    if (!proc)
        return false;
    for (struct dirent *entry = readdir(proc); entry && !found; entry = readdir(proc)) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        *pid = (pid_t)strtol(entry->d_name, NULL, 10);
        found = *pid == self ? NULL : phase_of(*pid, title, sizeof title);
        if (found && (!is_of_a_start(found) || !em_phase_ours(*pid) ||
                      (em_phase_ours(1) && !descends_from_pid_1(*pid))))
            found = NULL;
    }
    closedir(proc);
    if (found)
        em_str_puts(phase, found);
    return found != NULL;
}

bool em_phase_entered_by_exec(void)
{
    return !descends_from_pid_1(getpid());
}

/* The kernel cuts a title after 15 bytes. */
static const struct known {
    const char *name, *text;
} known[] = {{"check", "the image is looked at"},
             {"wait", "it waits for the database, or for what [wait] names"},
             {"bootstrap", "role and database are set up"},
             {"lock", "it waits for the migration lock"},
             {"migrate", "the migration runs"}};

static const struct known *known_of(const char *phase)
{
    for (size_t i = 0; *phase && i < EM_COUNT(known); i++)
        if (em_starts(known[i].name, phase))
            return &known[i];
    return NULL;
}

const char *em_phase_what(const char *phase)
{
    const struct known *k = known_of(phase);
    return k ? k->text : "start-up goes on";
}

const char *em_phase_name(const char *phase)
{
    const struct known *k = known_of(phase);
    return k ? k->name : phase;
}
