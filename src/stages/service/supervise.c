#include "embark/stages/service/supervise.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "embark/core/config/remap_exit.h"
#include "embark/core/config/remap_signal.h"
#include "embark/init/init.h"
#include "embark/os/files/outlet.h"
#include "embark/os/log/log.h"
#include "embark/os/process/child_env.h"
#include "embark/os/process/group.h"
#include "embark/os/process/spawn.h"
#include "embark/os/process/terminal.h"

/* A running service. */
struct run {
    struct em_child child;
    struct em_earlier_children family;
    int terminal; /* -1: none */
    bool gives;   /* it is given the foreground wherever that is embark's to give */
    char *room;   /* what the init keeps of the process's memory, */
    size_t room_size;
    struct em_init *init; /* which is at its end */
};

/* Adds FROM:TO to a map; false: it is none. */
typedef bool (*add_fn)(void *map, const char *text);

static bool add_exit(void *map, const char *text)
{
    return em_remap_exit_add(map, text);
}

static bool add_signal(void *map, const char *text)
{
    return em_remap_signal_add(map, text);
}

/* A key whose values are FROM:TO. */
struct pairs {
    const char *key;
    const struct em_items *items;
    add_fn add;
    const char *hint;
};

static void add_pairs(const struct pairs *pairs, void *map, struct em_errs *errs)
{
    const struct em_items *items = pairs->items;
    for (size_t i = 0; i < items->n; i++) {
        if (pairs->add(map, items->v[i]) || !errs)
            continue;
        struct em_err *err = em_errs_add(errs, EM_EXIT_CONFIG,
                                         "%s: %s: \"%s\" is not FROM:TO, or FROM has another TO",
                                         items->where[i], pairs->key, items->v[i]);
        em_hint(err, "%s", pairs->hint);
    }
}

/* Only what was validated comes to em_supervise(), which has no `errs`. */
static void read_maps(const struct em_config *config, struct em_remap_exit *codes,
                      struct em_remap_signal *signals, struct em_errs *errs)
{
    const struct pairs exits = {
        "remap_exit", &config->service_remap_exit, add_exit,
        "143:0 passes on 143, the end by SIGTERM, as 0; codes are from 0 to 255"};
    const struct pairs names = {"remap_signal", &config->service_remap_signal, add_signal,
                                "TERM:QUIT passes on SIGTERM as SIGQUIT, HUP:0 drops SIGHUP; KILL, "
                                "STOP and CHLD can't be passed on"};
    em_remap_exit_init(codes);
    add_pairs(&exits, codes, errs);
    em_remap_signal_init(signals);
    add_pairs(&names, signals, errs);
}

static void warn_of_no_effect(const char *key, const char *origin, const char *why,
                              struct em_errs *warnings)
{
    em_errs_add(warnings, EM_EXIT_CONFIG, "%s: %s has no effect without init = yes: %s", origin,
                key, why);
}

bool em_supervise_validate(const struct em_config *config, struct em_errs *errs,
                           struct em_errs *warnings)
{
    size_t before = errs->n;
    struct em_remap_exit codes;
    struct em_remap_signal signals;
    read_maps(config, &codes, &signals, errs);
    if (config->service_remap_exit.n && !config->service_init)
        warn_of_no_effect("remap_exit", config->origin[EM_AT_service_remap_exit],
                          "the exit code is the service's own", warnings);
    if (config->service_remap_signal.n && !config->service_init)
        warn_of_no_effect("remap_signal", config->origin[EM_AT_service_remap_signal],
                          "signals go to the service itself", warnings);
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

/* All but those that can't be handled and those by which a terminal stops processes, which keep what
 * they do, if they aren't to be passed on as others. Without a terminal TSTP is one of these. */
static uint64_t signals_to_take(const struct em_remap_signal *map, bool has_terminal)
{
    uint64_t taken = 0;
    for (int signal = 1; signal <= EM_INIT_SIGNALS; signal++) {
        bool left = signal == SIGKILL || signal == SIGSTOP || signal == SIGTTIN ||
                    signal == SIGTTOU || (signal == SIGTSTP && !has_terminal);
        if (!left || map->signal[signal] != signal)
            taken |= EM_INIT_BIT(signal);
    }
    return taken;
}

/* Of the init. */
#define STACK ((size_t)16384)

/* What is said of the rest, if it comes to that. */
static int complaint(struct em_str *line)
{
    int time_at = -1;
    em_log_line(EM_LOG_WARN, "service",
                "some of what it has left behind can't be killed (uninterruptible sleep, another "
                "user's?)",
                line, &time_at);
    return time_at;
}

/* The room of the init: its stack, then itself with all that it points to. It is there before the
 * service is started, as there is no way back then. */
static int make_init(const struct em_config *config, struct run *run, struct em_err *err)
{
    EM_STR_AUTO line = EM_STR_INIT;
    struct em_remap_exit codes;
    struct em_remap_signal signals;
    int time_at = complaint(&line);
    size_t page = getauxval(AT_PAGESZ), earlier = run->family.n * sizeof *run->family.pids;
    size_t needed = sizeof(struct em_init) + earlier + line.len;
    run->room_size = (STACK + needed + page - 1) / page * page;
    run->room =
        mmap(NULL, run->room_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (run->room == MAP_FAILED)
        return em_fail_errno(err, EM_EXIT_SYSTEM, "can't have memory for the init");
    struct em_init *init = (void *)(run->room + (run->room_size - needed) / 16 * 16);
    run->init = init;
    read_maps(config, &codes, &signals, NULL);
    init->terminal = run->terminal;
    init->gives = run->gives;
    init->handled = signals_to_take(&signals, run->terminal >= 0);
    init->grace = config->service_grace;
    memcpy(init->signal, signals.signal, sizeof init->signal);
    memcpy(init->code, codes.code, sizeof init->code);
    init->earlier = memcpy(init + 1, run->family.pids ? run->family.pids : (pid_t *)init, earlier);
    init->earlier_n = run->family.n;
    init->complaint = memcpy((char *)(init + 1) + earlier, em_str_c(&line), line.len);
    init->complaint_length = line.len;
    init->complaint_time = time_at;
    /* Below the words and the environment, on the stack that the kernel has made. */
    init->lowest = (const char *)getauxval(AT_RANDOM);
    return 0;
}

static int start(const struct em_config *config, char *const *argv, int death_signal,
                 struct run *run, struct em_err *err)
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
    if (make_init(config, run, err) != 0)
        return err->code;
    return em_spawn(&spawn, &run->child, err);
}

/* The service runs: nothing of embark is needed but its init. */
static int become_init(struct run *run)
{
    run->init->service = run->child.pid;
    em_outlet_replaced(STDOUT_FILENO);
    em_outlet_replaced(STDERR_FILENO);
    em_close_inherited();
    em_loop_end();
#ifdef __GLIBC__ /* for tests: the sanitizers' memory can't be given back */
    return em_init_run(run->init);
#else
    em_init_alone(run->init, run->room, run->room_size, getauxval(AT_PAGESZ));
#endif
}

int em_supervise(const struct em_config *config, char *const *argv, int death_signal, int *code,
                 struct em_err *err)
{
    struct run run = {.family = EM_FAMILY_INIT, .terminal = em_terminal_open()};
    struct em_remap_exit codes;
    struct em_remap_signal signals;
    /* Not in a pipeline, whose other ends may be using it: a service that needs it will show it. */
    run.gives = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    read_maps(config, &codes, &signals, NULL);
    em_loop_drain();
    if (em_loop_stopped())
        return em_fail_stopped(err);
    if (em_loop_take(signals_to_take(&signals, run.terminal >= 0), err) != 0)
        return err->code;
    /* Before a service that is quick can have itself looked at. */
    em_title("init");
    if (start(config, argv, death_signal, &run, err) == 0) {
        *code = become_init(&run);
        em_child_forget(&run.child);
    }
    em_terminal_take_back(run.terminal, run.child.pid);
    em_earlier_children_free(&run.family);
    return err->code;
}
