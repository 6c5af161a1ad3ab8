/* How long one of many waiters stays away from a server between two tries, and how long it gives a
 * try.
 *
 * What a try costs the server is its own time: a login that takes 10 ms of an idle server takes a
 * second of one that hundreds log in to. So the gaps follow the time that tries take, which each
 * waiter measures for itself, and which tells it how many others there are: nobody counts anybody.
 *
 *     the server isn't there, says so      a hundredth of the time waited, 5 to 250 ms
 *     it has answered                      20 times what the try took; for the lock 100 times
 *     it is full                           as above, and twice the last gap
 *     it has not answered in time          as long as the try, and twice the last gap
 *
 * and 15 s at most, less up to half of it at random, so that waiters that come together don't come
 * back together. With gaps of 20 tries a waiter is connected for less than a twentieth of the time:
 * three hundred have some 14 tries under way, however slow the server is.
 *
 *     em_pace_start(&pace, EM_PACE_LOGIN, now, connect_timeout, seed);
 *     for (;;) {
 *         try, for em_pace_silent() while the server says nothing, em_pace_heard() in all;
 *         sleep(em_pace_gap(&pace, now, took, tried));
 *     }
 *
 * A try that is given up is work that the server has done for nothing, and has to do again: where
 * it has ever answered, a try is given more time. Pure: times are handed in, and the same seed
 * gives the same gaps. Model: test/unit/core/base/test_pacing_herd.c.
 */
#ifndef EMBARK_CORE_BASE_PACING_H
#define EMBARK_CORE_BASE_PACING_H

#include "embark/core/base/backoff.h"

enum em_try_outcome {
    EM_TRY_ABSENT,    /* nobody there, at no cost: refused, no such name, a socket missing */
    EM_TRY_ANSWERED,  /* the server did its work, and what is waited for isn't so yet */
    EM_TRY_FULL,      /* it has no connection, or no memory, left (53xxx) */
    EM_TRY_UNANSWERED /* it did not answer, or not to the end, in the time given */
};

enum em_pace_kind {
    EM_PACE_LOGIN, /* for the server, or what [wait] names */
    EM_PACE_LOCK   /* for the lock, while another replica migrates: half of the time waited, at
                      most 2.5 s   unless tries cost more */
};

struct em_pace {
    struct em_backoff backoff; /* the gaps of absent servers, and the random numbers of all */
    enum em_pace_kind kind;
    em_time started;
    em_time limit;    /* of a try at a server that never answered */
    em_time patience; /* internal: of the next try at one that did */
    em_time last;     /* internal: the last gap, before jitter */
    bool last_try;    /* internal: em_pace_until() has made room for one */
    bool answered;    /* it has, once; the caller may know it from elsewhere, and set it */
};

/* `limit`: [database] connect_timeout, which may be EM_NEVER. */
void em_pace_start(struct em_pace *pace, enum em_pace_kind kind, em_time now, em_time limit,
                   uint64_t seed);
/* How long the next try may take while nothing is heard of the server, and in all. */
em_time em_pace_silent(const struct em_pace *pace);
em_time em_pace_heard(const struct em_pace *pace);
/* How long a server that has said nothing so far is listened to in the gap, so that who has waited
 * for it already isn't sent to the end of its queue; that part of the gap is over then. */
em_time em_pace_linger(struct em_pace *pace);
/* Notes what a try took and came to; the gap before the next one. `heard`: the server said at least
 * something. */
em_time em_pace_gap(struct em_pace *pace, em_time now, em_time took, enum em_try_outcome tried,
                    bool heard);
/* That gap, `left` being the time until the deadline: one that would use it up gives way, once, to
 * another try. */
em_time em_pace_until(struct em_pace *pace, em_time gap, em_time left);
/* Something changed ("the database system is starting up" comes right before ready): what follows
 * is waited for with short gaps again, as far as the tries' cost allows. */
void em_pace_again(struct em_pace *pace);

#endif
