#include "embark/stages/service/supervise.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embark/core/config/remap_exit.h"
#include "embark/core/linux/signal_name.h"
#include "embark/os/log/log.h"
#include "embark/os/process/child_env.h"
#include "embark/os/process/group.h"
#include "embark/os/process/spawn.h"
#include "embark/os/process/terminal.h"
#include "embark/os/process/trim.h"

/* A running service. */
struct run {
    struct em_child child;
    struct em_earlier_children family;
    int terminal; /* -1: none */
    bool gives;   /* it is given the foreground wherever that is embark's to give */
};

/* Only what was validated comes to em_supervise(). */
static void read_map(const struct em_config *config, struct em_remap_exit *map,
                     struct em_errs *errs)
{
    const struct em_items *items = &config->service_remap_exit;
    em_remap_exit_init(map);
    for (size_t i = 0; i < items->n; i++) {
        if (em_remap_exit_add(map, items->v[i]) || !errs)
            continue;
        struct em_err *err = em_errs_add(
            errs, EM_EXIT_CONFIG, "%s: remap_exit: \"%s\" is not FROM:TO, or FROM has another TO",
            items->where[i], items->v[i]);
        em_hint(err, "143:0 passes on 143, the end by SIGTERM, as 0; codes are from 0 to 255");
    }
}

bool em_supervise_validate(const struct em_config *config, struct em_errs *errs,
                           struct em_errs *warnings)
{
    size_t before = errs->n;
    struct em_remap_exit map;
    read_map(config, &map, errs);
    if (config->service_remap_exit.n && !config->service_init)
        em_errs_add(warnings, EM_EXIT_CONFIG,
                    "%s: remap_exit has no effect without init = yes: the exit code is the "
                    "service's own",
                    config->origin[EM_AT_service_remap_exit]);
    if (config->service_pdeathsig && em_signal_find(config->service_pdeathsig) == 0) {
        struct em_err *err =
            em_errs_add(errs, EM_EXIT_CONFIG, "%s: pdeathsig: \"%s\" is no signal",
                        config->origin[EM_AT_service_pdeathsig], config->service_pdeathsig);
        em_hint(err, "write TERM, SIGTERM, 15, RTMIN+3…; kill -l lists them");
    }
    return errs->n == before;
}

/* embark's environment. Descriptors that systemd passes are for the process that LISTEN_PID names:
 * if that was embark, `pid_text` is where the service's own id is to be written. */
static void build_environment(struct em_list *env, char **pid_text)
{
    static const char name[] = "LISTEN_PID", room[EM_PID_TEXT + 1] = "            ";
    const char *value = getenv(name);
    *pid_text = NULL;
    em_env_copy(env);
    if (!value || strtol(value, NULL, 10) != getpid())
        return;
    em_env_set(env, name, room);
    for (size_t i = 0; i < env->n; i++)
        if (strncmp(env->v[i], "LISTEN_PID=", sizeof name) == 0)
            *pid_text = env->v[i] + sizeof name;
}

static int start(char *const *argv, int death_signal, struct run *run, struct em_err *err)
{
    EM_LIST_AUTO env = EM_LIST_INIT;
    struct em_spawn_service service = {.death_signal = death_signal};
    struct em_spawn spawn = {
        .argv = argv, .in = -1, .out = -1, .err = -1, .own_group = true, .service = &service};
    /* When embark's parent ends, it is passed on like any other. */
    if (death_signal)
        em_parent_signal(death_signal);
    service.terminal = run->gives && em_terminal_is_ours(run->terminal) ? run->terminal : -1;
    build_environment(&env, &service.pid_text);
    spawn.environ = env.v;
    if (!em_reaper_start())
        em_log(EM_LOG_WARN, "service",
               "this kernel has no subreapers (Linux 3.4): orphans of the service are not reaped");
    em_earlier_children_note(&run->family);
    return em_spawn(&spawn, &run->child, err);
}

/* Into the foreground, if that is embark's to give. */
static void give_terminal(const struct run *run)
{
    if (em_terminal_is_ours(run->terminal))
        em_terminal_give(run->terminal, run->child.pid);
}

static void go_on(const struct run *run)
{
    if (run->gives)
        give_terminal(run);
    em_group_signal(&run->child, SIGCONT);
}

/* The service was stopped since it read from the terminal, or changed it, without being in the
 * foreground. If that is embark's, by a shell's fg (which says nothing to a job that runs), or
 * because it is first of all others' in a pipeline, or nobody's, the service gets it. Otherwise it
 * is somebody else's, and the job stops, if there is a shell: SIGCONT will come when it goes on. */
static void wants_terminal(const struct run *run)
{
    if (em_terminal_is_ours(run->terminal) || em_terminal_is_nobodys(run->terminal))
        em_terminal_give(run->terminal, run->child.pid);
    if (tcgetpgrp(run->terminal) == run->child.pid)
        em_group_signal(&run->child, SIGCONT);
    else
        em_terminal_stop();
}

/* For the shell that started embark it is embark's process group that is the job: when ^Z stops the
 * service, that stops, too, and goes on with it; where there is no such shell both do at once. A
 * service that somebody has stopped by SIGSTOP is theirs to continue. */
static void was_stopped(struct run *run)
{
    int signal = run->child.stopped_by;
    run->child.stopped_by = 0;
    if (run->terminal < 0 || signal == SIGSTOP)
        return;
    if (signal != SIGTSTP) {
        wants_terminal(run);
        return;
    }
    em_terminal_stop();
    go_on(run);
}

/* To the group; and to a service that has left it for another one. */
static void pass_on(const struct run *run, int signal)
{
    em_group_signal(&run->child, signal);
    if (!run->child.done && getpgid(run->child.pid) != run->child.pid)
        kill(run->child.pid, signal);
}

static void watch(struct run *run)
{
    while (!run->child.done) {
        enum em_wake woke = em_wait(NULL, 0, EM_NEVER);
        if (woke == EM_WAKE_SIGNAL && em_loop_signal() == SIGCONT)
            go_on(run);
        else if (woke == EM_WAKE_SIGNAL)
            pass_on(run, em_loop_signal());
        if (run->child.stopped_by && !run->child.done)
            was_stopped(run);
    }
}

static int code_of(const struct em_config *config, int status)
{
    struct em_remap_exit map;
    read_map(config, &map, NULL);
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return map.code[code];
}

/* What the service has left behind. A signal that was for the service isn't one for this. */
static void end_rest(const struct run *run, em_time grace)
{
    em_loop_passed_on();
    if (em_group_left(&run->child, &run->family) &&
        !em_group_end(&run->child, &run->family, grace, NULL))
        em_log(EM_LOG_WARN, "service",
               "some of what it has left behind can't be killed (uninterruptible sleep, another "
               "user's?)");
}

int em_supervise(const struct em_config *config, char *const *argv, int death_signal, int *code,
                 struct em_err *err)
{
    struct run run = {.family = EM_FAMILY_INIT, .terminal = em_terminal_open()};
    /* Not in a pipeline, whose other ends may be using it: a service that needs it will show it. */
    run.gives = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    em_loop_drain();
    if (em_loop_stopped())
        return em_fail_stopped(err);
    if (em_loop_take_all(run.terminal >= 0, err) != 0)
        return err->code;
    /* Before a service that is quick can have itself looked at. */
    em_title("init");
    if (start(argv, death_signal, &run, err) == 0) {
        em_close_inherited();
        em_release_code_pages();
        watch(&run);
        *code = code_of(config, run.child.status);
    }
    em_terminal_take_back(run.terminal, run.child.pid);
    if (err->code == 0) {
        end_rest(&run, config->service_grace);
        em_child_forget(&run.child);
    }
    em_earlier_children_free(&run.family);
    return err->code;
}
