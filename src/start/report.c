#include "embark/start/report.h"

#include <unistd.h>

#include "embark/core/redact/command_secrets.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/os/machine/last_start_file.h"
#include "embark/os/machine/phase.h"
#include "version.h"

/* Bytes of the service's command. */
#define SHOWN_COMMAND 1000
#define GENERATIONS   64

static struct {
    bool active;
    int64_t began;
    em_time started;
    struct em_str steps;
} report;

void em_start_report_begin(void)
{
    report.active = true;
    report.began = em_wall_now();
    report.started = em_now();
    em_log_keep(EM_LAST_START_LOG);
}

void em_start_report_forget(void)
{
    report.active = false;
    em_log_keep(0);
}

void em_start_report_steps(const char *timings)
{
    em_str_cut(&report.steps, 0);
    em_str_puts(&report.steps, timings);
}

void em_shown_command(char *const *argv, size_t limit, struct em_str *out)
{
    EM_STR_WIPED words = EM_STR_INIT;
    em_command_print(argv, false, &words);
    em_redact(em_log_secrets(), &words);
    if (words.len > limit) {
        em_str_cut(&words, limit);
        em_str_puts(&words, "…");
    }
    em_str_puts(out, em_str_c(&words));
}

/* The report that is there may be of a service that embark has started, and that runs above us:
 * then this start is a job of that service's. */
static bool is_below_a_service(void)
{
    EM_STR_AUTO bytes = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    struct em_last_start last = {0};
    struct em_process now;
    bool below = false;
    if (getpid() != 1 && em_last_start_file_read(&bytes, &why) &&
        em_last_start_parse(&last, em_str_c(&bytes), bytes.len) && last.process.pid != getpid() &&
        em_process_read(last.process.pid, &now, NULL) && em_process_same(&now, &last.process)) {
        int64_t pid = getpid(), parent = 0;
        for (int i = 0; i < GENERATIONS && pid > 0 && !below; i++, pid = parent)
            below = em_process_read(pid, &now, &parent) && parent == last.process.pid;
    }
    em_last_start_free(&last);
    return below;
}

/* Whether there is a place for a report, and this start is the container's. */
static bool is_wanted(void)
{
    return report.active && em_last_start_file_wanted() &&
           !(em_phase_entered_by_exec() && em_phase_ours(1)) && !is_below_a_service();
}

static void write_report(struct em_last_start *last)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    em_str_puts(&last->version, EMBARK_VERSION);
    em_wall_print(report.began, &last->began_text);
    last->began = report.began < 0 ? 0 : report.began;
    last->took = em_now() - report.started;
    em_str_puts(&last->steps, em_str_c(&report.steps));
    em_str_add(&last->log, em_str_c(em_log_kept()), em_log_kept()->len);
    if (em_process_read(getpid(), &last->process, NULL)) {
        em_last_start_print(last, &text);
        if (!em_last_start_file_write(em_str_c(&text), text.len, &why) && why.len)
            em_log(EM_LOG_DEBUG, "start", "no report is kept: %s", em_str_c(&why));
    }
    em_last_start_free(last);
}

void em_start_report_executes(const char *timings, char *const *argv)
{
    struct em_last_start last = {.executed = true};
    EM_STR_AUTO words = EM_STR_INIT;
    if (!is_wanted())
        return;
    em_start_report_steps(timings);
    em_shown_command(argv, SHOWN_COMMAND, &words);
    em_escape(&last.command, em_str_c(&words), words.len);
    write_report(&last);
}

void em_start_report_failed(int code)
{
    struct em_last_start last = {.code = code};
    if (is_wanted())
        write_report(&last);
}
