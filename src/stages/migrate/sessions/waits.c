#include "embark/stages/migrate/sessions/waits.h"

#include "embark/os/loop/clock.h"
#include "embark/os/machine/host.h"
#include "embark/stages/lock/backends.h"

#define LOGIN EM_SEC(5)
/* A wait that is shorter is over before it is asked about. */
#define GAP EM_MS(100)

static em_time due(void *ctx)
{
    const struct em_waits *waits = ctx;
    return waits->next;
}

/* What it can't learn it does without. */
static bool look(void *ctx)
{
    struct em_waits *waits = ctx;
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    if (em_now() >= waits->next) {
        waits->next = EM_NEVER;
        if (em_db_start(waits->db, em_str_c(&waits->sql), &ignored) != 0)
            waits->guard.fd = -1;
        return true;
    }
    int answered = em_db_finish(waits->db, &ignored);
    if (answered < 0)
        waits->guard.fd = -1;
    if (answered <= 0)
        return true;
    const char *blocker = em_db_rows(waits->db) ? em_db_value(waits->db, 0, 3) : NULL;
    if (blocker) {
        em_str_cut(&waits->seen, 0);
        em_str_puts(&waits->seen, blocker);
    }
    waits->next = em_in(GAP);
    return true;
}

void em_waits_start(struct em_waits *waits, const struct em_url *url, const char *application)
{
    EM_STR_AUTO name = EM_STR_INIT;
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    em_application_name("activity", &name);
    if (em_db_open(url, em_str_c(&name), em_in(LOGIN), &waits->db, NULL, &ignored) != 0)
        return;
    em_backends_sql(application, waits->db, &waits->sql);
    waits->next = em_in(GAP);
    waits->guard = (struct em_guard){em_db_socket(waits->db), due, look, waits, false, NULL};
    em_loop_guard(&waits->guard);
}

void em_waits_end(struct em_waits *waits)
{
    em_loop_guard(NULL);
    em_db_close(waits->db);
    em_str_free(&waits->seen);
    em_str_free(&waits->sql);
}
