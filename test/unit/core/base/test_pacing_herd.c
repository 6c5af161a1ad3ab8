/* A model of hundreds of replicas that start at once and of a server that is too small for them,
 * with embark's own gaps (core/base/pacing.h) and no clock but its own.
 *
 * The server shares its processors evenly among its processes that have something to do, as an
 * operating system does: the postmaster, which makes a backend for one connection after the other,
 * and the backends. It has a number of slots, without one of which a try is refused after its first
 * word. A connection that its waiter has given up is worked on for a while all the same. Each
 * waiter logs in, finds that there is something to be migrated, and tries for the lock; who has it
 * needs a second login, then the migration's, sleeps, and notes the end with a third. Every other
 * one serves after the first try that began to look after that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embark/core/base/pacing.h"

/* Of a processor's time, in µs: as measured with PostgreSQL 15. */
#define FORK   700.0   /* the postmaster's, for each connection */
#define WORD   800.0   /* until a backend says its first word, or that the server is full */
#define LOGIN  3400.0  /* all of a login in the backend, with its end */
#define LOOK   800.0   /* the first look for the ledger */
#define TRY    2700.0  /* the ledger's news, and the lock */
#define WASTED 1500.0  /* what a try that was given up still costs, at most */
#define WORK   40000.0 /* the migration's, beside its sleep */

#define MANY            300
#define DATABASE_TIME   EM_SEC(60)
#define CONNECT_TIMEOUT EM_SEC(5)

#define NEVER 1e18

static double lesser(double a, double b)
{
    return a < b ? a : b;
}

static double greater(double a, double b)
{
    return a > b ? a : b;
}

enum state { AWAY, QUEUED, TRYING, SLEEPING, SERVES, GAVE_UP };
enum step { WAITS, LOCKS, OPENS, MIGRATES, NOTES };

struct waiter {
    struct em_pace pace;
    enum state state;
    enum step step;
    double began, at; /* of the try; the end of the gap */
    double work, heard_at, linger;
    bool refused, heard;
};

struct world {
    double now, cores, sleep;
    int slots, held, runs;
    unsigned wasted_n;
    double wasted[64 * MANY]; /* what is left of tries that were given up */
    double ended;             /* the migration; < 0: not yet */
    int queue[64 * MANY];     /* before the postmaster; -1: given up */
    unsigned first, last;
    double forking; /* what is left to be done for the first in the queue */
    int n;
    struct waiter w[MANY];
};

static bool queued(const struct world *m)
{
    return m->first != m->last;
}

/* Processes that want a processor. */
static int busy(const struct world *m)
{
    int n = (int)m->wasted_n + queued(m);
    for (int i = 0; i < m->n; i++)
        n += m->w[i].state == TRYING;
    return n;
}

static int slots_taken(const struct world *m)
{
    int n = (int)m->wasted_n + (m->held >= 0 && m->ended < 0);
    for (int i = 0; i < m->n; i++)
        n += (m->w[i].state == TRYING && !m->w[i].refused) || m->w[i].state == SLEEPING;
    return n;
}

static double cost_of(enum step step)
{
    switch (step) {
    case WAITS:
        return LOGIN + LOOK;
    case LOCKS:
        return LOGIN + TRY;
    case MIGRATES:
        return LOGIN + WORK;
    default:
        return LOGIN;
    }
}

static void begin(struct world *m, int i)
{
    struct waiter *w = &m->w[i];
    w->state = QUEUED;
    w->heard = false;
    w->began = m->now;
    w->linger = (double)em_pace_linger(&w->pace);
    if (!queued(m))
        m->forking = FORK;
    m->queue[m->last++ % (64 * MANY)] = i;
}

/* The postmaster has made a backend for the first in the queue. */
static void forked(struct world *m)
{
    int i = m->queue[m->first++ % (64 * MANY)];
    m->forking = FORK;
    if (i < 0) {
        m->wasted[m->wasted_n++] = WORD;
        return;
    }
    struct waiter *w = &m->w[i];
    w->refused = slots_taken(m) >= m->slots;
    w->state = TRYING;
    w->work = w->refused ? WORD : cost_of(w->step);
    w->heard_at = w->work - WORD;
}

static void stay_away(struct world *m, struct waiter *w, enum em_try_outcome tried)
{
    double from = m->now;
    if (tried == EM_TRY_UNANSWERED && !w->heard)
        from = w->began + (double)em_pace_silent(&w->pace);
    em_time gap = em_pace_gap(&w->pace, (em_time)m->now, (em_time)(from - w->began), tried,
                              tried != EM_TRY_UNANSWERED || w->heard);
    if (w->step == WAITS)
        gap = em_pace_until(&w->pace, gap, DATABASE_TIME - (em_time)from);
    w->state = AWAY;
    w->at = greater(m->now, from + (double)gap);
    if (w->step == WAITS && w->at >= (double)DATABASE_TIME)
        w->state = GAVE_UP;
}

/* The holder's further logins; one that finds no slot gives the lock back. */
static void hold(struct world *m, struct waiter *w)
{
    switch (w->step) {
    case OPENS:
        w->step = MIGRATES;
        m->runs++;
        begin(m, (int)(w - m->w));
        break;
    case MIGRATES:
        w->state = SLEEPING;
        w->at = m->now + m->sleep;
        break;
    default:
        m->ended = m->now;
        w->state = SERVES;
        break;
    }
}

static void lock(struct world *m, struct waiter *w, int i)
{
    if (m->ended >= 0 && w->began <= m->now) {
        w->state = SERVES;
    } else if (m->held < 0) {
        m->held = i;
        w->step = OPENS;
        begin(m, i);
    } else {
        stay_away(m, w, EM_TRY_ANSWERED);
    }
}

static void finish(struct world *m, int i)
{
    struct waiter *w = &m->w[i];
    if (w->refused && w->step >= OPENS) {
        m->held = w->step == OPENS ? -1 : m->held;
        w->step = w->step == OPENS ? LOCKS : w->step;
        stay_away(m, w, EM_TRY_FULL);
    } else if (w->refused) {
        stay_away(m, w, EM_TRY_FULL);
    } else if (w->step == WAITS) {
        w->step = LOCKS; /* over the same connection */
        em_pace_start(&w->pace, EM_PACE_LOCK, (em_time)m->now, CONNECT_TIMEOUT,
                      (uint64_t)i * 77 + 5);
        w->pace.answered = true;
        w->work = TRY;
        w->heard_at = TRY;
    } else if (w->step == LOCKS) {
        lock(m, w, i);
    } else {
        hold(m, w);
    }
}

static void give_up(struct world *m, struct waiter *w)
{
    if (w->state == TRYING)
        m->wasted[m->wasted_n++] = lesser(w->work, WASTED);
    for (unsigned q = m->first; w->state == QUEUED && q != m->last; q++)
        if (m->queue[q % (64 * MANY)] == w - m->w)
            m->queue[q % (64 * MANY)] = -1;
    stay_away(m, w, EM_TRY_UNANSWERED);
}

static double limit_of(const struct waiter *w)
{
    if (w->heard)
        return w->began + (double)em_pace_heard(&w->pace);
    return w->began + (double)em_pace_silent(&w->pace) + w->linger;
}

/* The next moment at which anything happens. */
static double next_event(const struct world *m, double rate)
{
    double next = queued(m) ? m->now + m->forking / rate : NEVER;
    for (unsigned i = 0; i < m->wasted_n; i++)
        next = lesser(next, m->now + m->wasted[i] / rate);
    for (int i = 0; i < m->n; i++) {
        const struct waiter *w = &m->w[i];
        if (w->state == AWAY || w->state == SLEEPING)
            next = lesser(next, w->at);
        if (w->state == TRYING || w->state == QUEUED)
            next = lesser(next, limit_of(w));
        if (w->state == TRYING)
            next = lesser(next, m->now + w->work / rate);
        if (w->state == TRYING && !w->heard)
            next = lesser(next, m->now + (w->work - w->heard_at) / rate);
    }
    return greater(next, m->now);
}

static void work(struct world *m, double done)
{
    m->forking -= done;
    for (unsigned i = 0; i < m->wasted_n;) {
        m->wasted[i] -= done;
        if (m->wasted[i] <= 1e-6)
            m->wasted[i] = m->wasted[--m->wasted_n];
        else
            i++;
    }
    for (int i = 0; i < m->n; i++)
        if (m->w[i].state == TRYING)
            m->w[i].work -= done;
}

/* Until all serve, or have given up; false: there is no end. */
static bool run(struct world *m)
{
    for (int events = 0; events < 2000000; events++) {
        double rate = lesser(1, m->cores / greater(1, busy(m)));
        double next = next_event(m, rate);
        if (next >= NEVER)
            return true;
        work(m, (next - m->now) * rate);
        m->now = next;
        if (queued(m) && m->forking <= 1e-6)
            forked(m);
        for (int i = 0; i < m->n; i++) {
            struct waiter *w = &m->w[i];
            if (w->state == AWAY && w->at <= next)
                begin(m, i);
            else if (w->state == SLEEPING && w->at <= next)
                w->step = NOTES, begin(m, i);
            else if (w->state == TRYING && w->work <= 1e-6)
                finish(m, i);
            else if (w->state == TRYING && !w->heard && w->work <= w->heard_at + 1e-6)
                w->heard = true;
            else if ((w->state == TRYING || w->state == QUEUED) && limit_of(w) <= next)
                give_up(m, w);
        }
    }
    return false;
}

static void start(struct world *m, double cores, int slots, int n, double sleep, uint64_t seed)
{
    memset(m, 0, sizeof *m);
    m->cores = cores;
    m->slots = slots;
    m->n = n;
    m->sleep = sleep;
    m->held = -1;
    m->ended = -1;
    for (int i = 0; i < n; i++) {
        em_pace_start(&m->w[i].pace, EM_PACE_LOGIN, 0, CONNECT_TIMEOUT,
                      seed * 1000003 + (uint64_t)i);
        m->w[i].state = AWAY;
    }
}

static struct world world; /* too large for a stack */

struct end {
    int served;
    double late, logins; /* seconds after the migration's end; what as many tries take, at least */
};

static struct end play(double cores, int slots, int n, double sleep, uint64_t seed)
{
    struct world *m = &world;
    struct end end = {0, 0, n * (FORK + LOGIN + TRY) / cores / 1e6};
    start(m, cores, slots, n, sleep, seed);
    assert_true(run(m));
    assert_int_equal(m->runs, 1);
    for (int i = 0; i < n; i++)
        end.served += m->w[i].state == SERVES;
    end.late = (m->now - m->ended) / 1e6;
    if (getenv("VERBOSE"))
        printf("%4.2f processors, %2d slots, %3d replicas, %2.0f s: %3d serve, the last %5.2f s "
               "after the end; "
               "as many tries take %5.2f s\n",
               cores, slots, n, sleep / 1e6, end.served, end.late, end.logins);
    return end;
}

/* All serve, and the last one not much later than the server can serve them one after another: 3 s
 * on a fast one, whose waiters come again after 2.5 s, and 20 logins' time where so few wait that
 * they take less than that. */
static void all_serve_soon(void **state)
{
    static const double cores[] = {0.1, 0.25, 0.5, 1, 2};
    static const int counts[] = {5, 50, 300}, slots[] = {47, 97};
    (void)state;
    for (int s = 0; s < 2; s++)
        for (int c = 0; c < 5; c++)
            for (int k = 0; k < 3; k++)
                for (int sleep = 3; sleep <= 60; sleep += 57) {
                    struct end end = play(cores[c], slots[s], counts[k], sleep * 1e6, 1);
                    assert_int_equal(end.served, counts[k]);
                    assert_true(end.late <= greater(3, 1.5 * end.logins));
                }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_serve_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
