/* The report of a start, as it is kept in a file (os/machine/last_start_file.h) for whoever asks
 * later.
 *
 * A text of its own, that people can read, too:
 *
 *     embark: last start
 *     version: 0.1.0
 *     began: 2026-11-24T18:58:14.123Z 1764010694123456
 *     took: 1840000
 *     steps: check 22 ms, wait 1.20 s, migrate 640 ms
 *     process: 1 4711 4026532201 0f1c…-boot-id
 *     end: exec uvicorn src.main:app          or "end: exit 77"
 *     log: 123                                bytes, to the file's end
 *
 *     2026-11-24T18:58:14.130Z embark: wait: …
 *
 * Texts are redacted and escaped by whoever fills it. A file that was read may hold anything.
 */
#ifndef EMBARK_CORE_REPORT_LAST_START_H
#define EMBARK_CORE_REPORT_LAST_START_H

#include "embark/core/base/str.h"
#include "embark/core/base/time.h"

/* Which process it was. exec changes none of it, and no other process of this machine has the same
 * until it is booted again. */
struct em_process {
    int64_t pid;            /* in its PID namespace */
    uint64_t started;       /* field 22 of /proc/PID/stat: clock ticks since the machine's boot */
    uint64_t pid_namespace; /* its number, of /proc/PID/ns/pid; 0: not known */
    char boot[40];          /* /proc/sys/kernel/random/boot_id; "" not known */
};

struct em_last_start {
    struct em_str version;
    struct em_str began_text; /* for people */
    int64_t began;            /* wall clock, microseconds since 1970 */
    em_time took;             /* until its end */
    struct em_str steps;      /* how long they took; may be empty */
    struct em_process process;
    bool executed;         /* it became `command`; else it ended with `code` */
    struct em_str command; /* the service's */
    int code;
    struct em_str log; /* what it said */
};

enum { EM_LAST_START_LOG = 64 * 1024, EM_LAST_START_MAX = EM_LAST_START_LOG + 8 * 1024 };

void em_last_start_print(const struct em_last_start *start, struct em_str *out);
/* False: `bytes` are no such report, or not all of one. `start` is zeroed before, and to be freed
 * in any case. */
bool em_last_start_parse(struct em_last_start *start, const char *bytes, size_t length);
void em_last_start_free(struct em_last_start *start);

/* Fields 4 and 22 of the contents of /proc/PID/stat. False: malformed. */
bool em_stat_parse(const char *stat, int64_t *parent, uint64_t *started);
bool em_process_same(const struct em_process *a, const struct em_process *b);

#endif
