/* Ending a child with everything that it started.
 *
 * A child that was started with own_group leads a process group. What is in the group, and (as PID
 * 1 or subreaper, see em_reaper_start) descendants that left it by setsid(2) and became our
 * orphans, count as its own. Children that embark had before, such as those of a shell that exec'd
 * it, are left alone: em_earlier_children_note() is called before the spawn.
 */
#ifndef EMBARK_OS_PROCESS_GROUP_H
#define EMBARK_OS_PROCESS_GROUP_H

#include "embark/os/loop/loop.h"
#include "embark/os/process/relay.h"

struct em_earlier_children {
    pid_t *pids; /* children that were ours before */
    size_t n;
};
#define EM_FAMILY_INIT \
    {                  \
        NULL, 0        \
    }

void em_earlier_children_note(struct em_earlier_children *family);
void em_earlier_children_free(struct em_earlier_children *family);

/* Sends `signal` to the group (and not to escaped descendants: this is for passing signals on). */
void em_group_signal(const struct em_child *child, int signal);

/* Ends all of it: TERM, and CONT for what is stopped, once for each process, also for one that
 * becomes ours on the way; up to `grace` for everything to go, then KILL. Returns when nothing is
 * left, or 5 s after KILL when something can't be killed (uninterruptible sleep, another user's).
 * SIGTERM, SIGINT or SIGQUIT during the grace cuts it short if it isn't the first that asks to end
 * (em_loop_stopped). What they write meanwhile is passed on by `output`; NULL: embark doesn't read
 * it. True if nothing is left. */
bool em_group_end(const struct em_child *child, const struct em_earlier_children *family,
                  em_time grace, struct em_relay *output);

/* Whether something of a child that has ended is still there; of what has left the group what /proc
 * shows. */
bool em_group_left(const struct em_child *child, const struct em_earlier_children *family);

#endif
