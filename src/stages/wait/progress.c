#include <string.h>

#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/wait/database.h"

#define SAME_AGAIN EM_SEC(5)
#define BACK_AGAIN EM_SEC(1)

void em_progress_start(struct em_progress *p, const char *step, em_time timeout)
{
    *p = (struct em_progress){.step = step, .started = em_now(), .timeout = timeout};
}

void em_progress_free(struct em_progress *p)
{
    em_str_free(&p->last);
    em_str_free(&p->before);
}

/* "1.2 s": tenths are enough here, and the column doesn't jump. */
static void add_seconds(struct em_str *out, em_time length)
{
    if (length < EM_SEC(120))
        em_str_printf(out, "%d.%d s", (int)(length / EM_SEC(1)),
                      (int)(length % EM_SEC(1) / EM_MS(100)));
    else
        em_time_print(out, length);
}

/* Before a limit is set there is nothing to compare with. */
static void add_progress(const struct em_progress *p, struct em_str *out)
{
    em_str_puts(out, " (");
    add_seconds(out, em_now() - p->started);
    if (p->timeout != EM_NEVER) {
        em_str_puts(out, " of ");
        em_time_print(out, p->timeout);
    }
    em_str_putc(out, ')');
}

static bool is_due(const struct em_progress *p, const char *state)
{
    em_time now = em_now();
    if (!p->last.data)
        return true;
    if (strcmp(em_str_c(&p->last), state) == 0)
        return now >= p->next_line;
    if (p->before.data && strcmp(em_str_c(&p->before), state) == 0)
        return now >= p->next_change;
    return true;
}

void em_progress_log(struct em_progress *p, const char *state)
{
    EM_STR_AUTO line = EM_STR_INIT;
    if (!is_due(p, state))
        return;
    em_str_puts(&line, state);
    add_progress(p, &line);
    em_log(EM_LOG_INFO, p->step, "%s", em_str_c(&line));
    if (!p->last.data || strcmp(em_str_c(&p->last), state) != 0) {
        em_str_free(&p->before);
        p->before = p->last;
        p->last = (struct em_str)EM_STR_INIT;
        em_str_puts(&p->last, state);
    }
    p->next_line = em_in(SAME_AGAIN);
    p->next_change = em_in(BACK_AGAIN);
}

void em_progress_ready(struct em_progress *p, const char *state)
{
    EM_STR_AUTO line = EM_STR_INIT;
    em_str_printf(&line, "%s (after ", state);
    em_time_print(&line, em_now() - p->started);
    em_str_putc(&line, ')');
    em_log(p->last.data ? EM_LOG_INFO : EM_LOG_DEBUG, p->step, "%s", em_str_c(&line));
}
