#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "embark/core/redact/secrets.h"
#include "embark/os/files/files.h"
#include "embark/os/loop/clock.h"
#include "embark/os/loop/refused.h"
#include "embark/os/machine/last_start_file.h"
#include "embark/os/machine/phase.h"
#include "embark/stages/doctor/doctor.h"

#define SECTION     "container"
#define SHOWN_LINES 8

/* "process 1 (uvicorn)" */
static void add_process(int64_t pid, struct em_str *out)
{
    EM_STR_AUTO path = EM_STR_INIT;
    EM_STR_AUTO name = EM_STR_INIT;
    EM_STR_AUTO ignored = EM_STR_INIT;
    em_str_printf(&path, "/proc/%lld/comm", (long long)pid);
    em_str_printf(out, "process %lld", (long long)pid);
    if (em_file_read(em_str_c(&path), 64, &name, &ignored) && name.len > 1)
        em_str_printf(out, " (%.*s)", (int)strcspn(em_str_c(&name), "\n"), em_str_c(&name));
}

/* "2026-11-24T18:58:14.123Z, 2 h 3 min ago"; the wall clock may have been set since. */
static void add_when(const struct em_last_start *last, struct em_str *out)
{
    int64_t ago = em_wall_now() - last->began;
    em_str_puts(out, em_str_c(&last->began_text));
    if (ago < 0)
        return;
    em_str_puts(out, ", ");
    em_time_print(out, ago);
    em_str_puts(out, " ago");
}

static void say_took(const struct em_last_start *last, struct em_doctor_rows *looks)
{
    EM_STR_AUTO line = EM_STR_INIT;
    em_time_print(&line, last->took);
    if (last->steps.len)
        em_str_printf(&line, " (%s)", em_str_c(&last->steps));
    em_doctor_row_add(looks, SECTION, "took", EM_MARK_NONE, 0, "%s", em_str_c(&line));
}

/* One row a line; without `all` the last ones, which tell how it ended. */
static void say_lines(const struct em_last_start *last, bool all, struct em_doctor_rows *looks)
{
    const char *text = em_str_c(&last->log);
    size_t lines = 0, skip;
    for (size_t i = 0; i < last->log.len; i++)
        lines += text[i] == '\n';
    skip = !all && lines > SHOWN_LINES ? lines - SHOWN_LINES : 0;
    if (skip)
        em_doctor_row_add(looks, SECTION, "said", EM_MARK_NONE, 0,
                          "(%zu lines more: embark doctor --all)", skip);
    while (*text) {
        size_t n = strcspn(text, "\n");
        if (skip)
            skip--;
        else
            em_doctor_row_add(looks, SECTION, "said", EM_MARK_NONE, 0, "%.*s", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

static void say_start(const struct em_last_start *last, bool all, struct em_doctor_rows *looks)
{
    EM_STR_AUTO who = EM_STR_INIT;
    EM_STR_AUTO when = EM_STR_INIT;
    struct em_process now;
    bool lives =
        em_process_read(last->process.pid, &now, NULL) && em_process_same(&now, &last->process);
    add_when(last, &when);
    add_process(last->process.pid, &who);
    if (last->executed && lives)
        em_doctor_row_add(looks, SECTION, "start", EM_MARK_OK, 0,
                          "%s was started by embark %s at %s", em_str_c(&who),
                          em_str_c(&last->version), em_str_c(&when));
    else if (last->executed)
        em_doctor_row_add(
            looks, SECTION, "start", EM_MARK_NONE, 0,
            "the last one that is known, by embark %s at %s; its process %lld is gone",
            em_str_c(&last->version), em_str_c(&when), (long long)last->process.pid);
    else
        em_doctor_row_add(looks, SECTION, "start", EM_MARK_NONE, 0,
                          "the last one that is known, by embark %s at %s, ended with exit code %d",
                          em_str_c(&last->version), em_str_c(&when), last->code);
    if (last->executed)
        em_doctor_row_add(looks, SECTION, "became", EM_MARK_NONE, 0, "%s",
                          em_str_c(&last->command));
    say_took(last, looks);
    say_lines(last, all, looks);
}

/* Why there is no report is told to those who may expect one. */
static void say_none(struct em_str *why, struct em_doctor_rows *looks)
{
    EM_STR_AUTO who = EM_STR_INIT;
    bool named;
    const char *folder = em_last_start_file_folder(&named);
    int error = named && !why->len ? em_path_access(folder, W_OK | X_OK) : 0;
    if (error)
        em_str_printf(why, "%s can't be written: %s", folder, em_why(error));
    if (why->len) {
        em_doctor_row_add(looks, SECTION, "report", EM_MARK_WARN, 0, "%s", em_str_c(why));
        em_doctor_row_hint(looks,
                           "the reports of starts are kept in the folder $EMBARK_STATE, else in "
                           "/run/embark, if embark's user can write there");
    } else if (named) {
        em_doctor_row_add(looks, SECTION, "report", EM_MARK_NONE, 0, "%s holds none of a start yet",
                          folder);
    } else if (em_phase_entered_by_exec() && em_phase_ours(1)) {
        add_process(1, &who);
        em_doctor_row_add(looks, SECTION, "start", EM_MARK_NONE, 0,
                          "of %s nothing is known: there is no report of it in %s", em_str_c(&who),
                          folder);
    }
}

/* Told to those from outside: below PID 1, what starts may be our own surroundings', or an
 * unrelated one's on a machine without containers. */
static bool say_phase(struct em_doctor_rows *looks)
{
    EM_STR_AUTO phase = EM_STR_INIT;
    pid_t pid;
    if (!em_phase_entered_by_exec() || !em_phase_find(&pid, &phase))
        return false;
    em_doctor_row_add(looks, SECTION, "start", EM_MARK_WARN, 0,
                      "process %d is embark, and not through: %s (embark:%s)", (int)pid,
                      em_phase_what(em_str_c(&phase)), em_phase_name(em_str_c(&phase)));
    return true;
}

void em_doctor_start(bool all, struct em_doctor_rows *looks)
{
    EM_STR_AUTO bytes = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    struct em_last_start last = {0};
    bool named, starting = say_phase(looks);
    bool read = em_last_start_file_read(&bytes, &why);
    if (read && em_last_start_parse(&last, em_str_c(&bytes), bytes.len)) {
        say_start(&last, all, looks);
    } else if (read) {
        em_str_printf(&why, "%s/" EM_LAST_START_FILE " is no report of embark's, or not all of one",
                      em_last_start_file_folder(&named));
        say_none(&why, looks);
    } else if (!starting || why.len) {
        say_none(&why, looks);
    }
    em_last_start_free(&last);
}
