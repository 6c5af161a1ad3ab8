#include "embark/stages/migrate/run_command.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embark/core/linux/signal_name.h"
#include "embark/core/redact/command_secrets.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/clock.h"
#include "embark/os/machine/host.h"
#include "embark/os/process/child_env.h"
#include "embark/os/process/group.h"
#include "embark/os/process/keeper.h"
#include "embark/os/process/relay.h"
#include "embark/os/process/spawn.h"
#include "embark/stages/lock/backends.h"
#include "embark/stages/migrate/sessions/settings.h"

/* A server that doesn't answer the lock's heartbeat before and after the command within so long is
 * taken for lost. */
#define CHECK_LIMIT EM_SEC(60)
#define PROGRESS    EM_SEC(5)
/* For what the command's backend does; one that can't be asked is left alone for a while. */
#define ASK_LIMIT EM_SEC(2)
#define ASK_AGAIN EM_SEC(30)
/* While it is asked, the command's output is read as often. */
#define PUMP EM_MS(20)
/* Bytes of the migration's last line that its failure repeats. */
enum { LAST_LINE = 300 };

void em_run_prefix(int64_t key, struct em_str *out)
{
    em_str_printf(out, "embark:run %016" PRIx64 " ", (uint64_t)key);
}

void em_run_application(int64_t key, const char *run, struct em_str *out)
{
    em_run_prefix(key, out);
    em_str_printf(out, "%s ", run);
    em_host_name(out);
    if (out->len > 63) /* PostgreSQL would cut it there (NAMEDATALEN - 1) */
        em_str_cut(out, 63);
}

/* A running command. */
struct run {
    struct em_migrate_command *command;
    struct em_child child;
    struct em_keeper keeper;
    struct em_earlier_children family;
    struct em_relay relay;
    em_time started, deadline;
    int stopped; /* the signal that asked embark to end, once it was passed on */
    bool lost;   /* the lock */
    em_time say_at, ask_at, pump_at; /* the next line; not before that it is asked for; a guard's */
    struct em_err how;               /* how the lock was lost while it was asked */
};

/* A login that no URL holds, such as PGPASSWORD_FILE's, is known to embark alone: libpq and the
 * drivers that read what it reads get it in the variables that they know. */
static void lend_login(const struct em_url *url, struct em_list *env)
{
    const char *user = em_url_get(url, "user"), *password = em_url_get(url, "password");
    if (user && !getenv("PGUSER"))
        em_env_set(env, "PGUSER", user);
    if (password)
        em_env_set(env, "PGPASSWORD", password);
}

/* embark's own environment, the direct URL in the variables that were named, and a name for its
 * connections: PGAPPNAME is libpq's default for application_name, and node-postgres reads it too.
 */
static void build_environment(const struct em_migrate_command *command, struct em_list *env)
{
    em_env_copy(env);
    em_env_set(env, "PGAPPNAME", command->application);
    if (command->direct->lent)
        lend_login(command->direct, env);
    if (command->config->migrate_set.n) {
        EM_STR_AUTO options = EM_STR_INIT;
        em_migration_settings_options(command->config, command->direct, &options);
        em_env_set(env, "PGOPTIONS", em_str_c(&options));
    }
    for (size_t i = 0; i < command->config->migrate_env.n && *command->direct_raw; i++)
        em_env_set(env, command->config->migrate_env.v[i], command->direct_raw);
}

/* A signal for us is one for the migration. One that asks to end also starts the grace. */
static void pass_signal(struct run *run)
{
    int signal = em_loop_signal();
    em_group_signal(&run->child, signal);
    if (em_loop_stopped() && !run->stopped) {
        run->stopped = em_loop_stopped();
        em_log(EM_LOG_INFO, "migrate", "%s: passed on to the migration",
               em_signal_name(run->stopped));
        run->deadline = em_time_min(run->deadline, em_in(run->command->config->service_grace));
    }
}

static int out_of_time(const struct run *run, struct em_err *err)
{
    EM_STR_AUTO limit = EM_STR_INIT;
    em_time_print(&limit, run->command->config->migrate_timeout);
    em_fail(err, EM_EXIT_MIGRATION, "the migration did not end within %s", em_str_c(&limit));
    em_hint(err,
            "it was ended, and the lock given back; [migrate] timeout sets how long it may take");
    run->command->failed = true;
    return EM_EXIT_MIGRATION;
}

/* When the lock is lost, another replica may start at any moment: there is little time for a clean
 * end. */
static int lock_lost(struct run *run, struct em_err *err)
{
    run->lost = true;
    em_context(err, "the lock \"%s\" was lost while the migration ran", run->command->lock->name);
    em_hint(err, "the migration was ended, since another replica may have the lock now; the next "
                 "start runs it again");
    err->code = EM_EXIT_MIGRATION;
    return err->code;
}

static em_time ask_due(void *ctx)
{
    const struct run *run = ctx;
    return em_time_min(run->pump_at, em_lock_due(run->command->lock));
}

/* False: nobody wants to know any more. */
static bool ask_look(void *ctx)
{
    struct run *run = ctx;
    em_relay_pump(&run->relay);
    run->pump_at = em_in(PUMP);
    run->lost = em_lock_watch(run->command->lock, &run->how) < 0;
    return !run->lost && !run->child.done && em_now() < run->deadline;
}

static void ask_signalled(void *ctx)
{
    pass_signal(ctx);
}

/* On a connection that lives for the question: the lock's gets nothing that can fail. */
static void add_activity(struct run *run, struct em_str *line)
{
    const struct em_migrate_command *command = run->command;
    EM_STR_AUTO application = EM_STR_INIT;
    EM_STR_AUTO sql = EM_STR_INIT;
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    struct em_db *db = NULL;
    struct em_guard guard = {
        em_db_socket(command->lock->db), ask_due, ask_look, run, false, ask_signalled};
    em_time until = em_in(ASK_LIMIT);
    run->pump_at = em_in(PUMP);
    em_application_name("activity", &application);
    em_loop_guard(&guard);
    int code = em_db_open(command->direct, em_str_c(&application), until, &db, NULL, &ignored);
    if (code == 0) {
        em_backends_sql(command->application, db, &sql);
        code = em_db_query(db, until, NULL, &ignored, em_str_c(&sql), 0, NULL);
    }
    em_loop_guard(NULL);
    if (code == 0)
        em_backends_describe(db, line);
    else
        run->ask_at = em_in(ASK_AGAIN);
    em_db_close(db);
}

static void say_progress(struct run *run)
{
    EM_STR_AUTO line = EM_STR_INIT;
    run->say_at = em_in(PROGRESS);
    em_str_puts(&line, "runs for ");
    em_time_print(&line, em_now() - run->started);
    if (em_now() >= run->ask_at && !run->stopped)
        add_activity(run, &line);
    if (!run->child.done)
        em_log(EM_LOG_INFO, "migrate", "%s", em_str_c(&line));
}

/* The lock's part of a wake-up. False: it is lost. */
static bool lock_holds(struct run *run, bool readable, struct em_err *err)
{
    struct em_lock *lock = run->command->lock;
    if (!run->lost && em_now() >= run->say_at)
        say_progress(run);
    if (run->lost) {
        em_err_free(err);
        *err = run->how;
        run->how = (struct em_err)EM_ERR_INIT;
        return false;
    }
    return (!readable && em_now() < em_lock_due(lock)) || em_lock_watch(lock, err) >= 0;
}

/* Waits for the command's end. 0: it ended by itself (run->child.status); else an error, and it is
 * still to be ended. */
static int watch(struct run *run, struct em_err *err)
{
    struct em_lock *lock = run->command->lock;
    while (!run->child.done) {
        struct pollfd fds[1 + EM_RELAY_STREAMS] = {{em_db_socket(lock->db), POLLIN, 0}};
        em_relay_poll(&run->relay, fds + 1);
        em_time until =
            em_time_min(em_time_min(run->deadline, em_lock_due(lock)), em_relay_due(&run->relay));
        if (em_wait(fds, EM_COUNT(fds), em_time_min(until, run->say_at)) == EM_WAKE_SIGNAL)
            pass_signal(run);
        em_relay_pump(&run->relay);
        if (run->child.done)
            break;
        if (em_now() >= run->deadline)
            return run->stopped ? em_fail_stopped(err) : out_of_time(run, err);
        if (!lock_holds(run, fds[0].revents != 0, err))
            return lock_lost(run, err);
        if (em_loop_stopped() && !run->stopped)
            pass_signal(run);
    }
    return 0;
}

/* The last line of its output that says something, as a rule why it failed. */
static void last_line(const struct em_relay *relay, struct em_str *out)
{
    for (size_t i = relay->kept.n; i > 0; i--) {
        const char *line = relay->kept.v[i - 1] + strspn(relay->kept.v[i - 1], " \t\r");
        size_t length = strcspn(line, "\r");
        if (!length)
            continue;
        em_str_printf(out, ": %.*s", length < LAST_LINE ? (int)length : LAST_LINE, line);
        return;
    }
}

static int judge(const struct run *run, struct em_err *err)
{
    EM_STR_AUTO how = EM_STR_INIT;
    EM_STR_AUTO what = EM_STR_INIT;
    int status = run->child.status;
    if (run->stopped)
        return em_fail_stopped(err);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    run->command->failed = true;
    if (run->command->body && WIFEXITED(status)) {
        em_fail(err, WEXITSTATUS(status), "the SQL migrations failed");
        em_hint(err, "what failed is above; the service was not started");
        return err->code;
    }
    em_child_explain(status, &how);
    if (run->command->body)
        em_str_puts(&what, "the SQL migrations' process");
    else
        em_command_print(run->command->config->migrate_command.v, false, &what);
    em_fail(err, EM_EXIT_MIGRATION, "%s %s", em_str_c(&what), em_str_c(&how));
    last_line(&run->relay, &err->text);
    em_hint(err, "its own output is above; the service was not started");
    return EM_EXIT_MIGRATION;
}

/* When embark itself is asked to end, the grace began with the signal. */
static em_time grace_left(const struct run *run)
{
    if (run->lost)
        return EM_LOCK_LOST_GRACE;
    if (!run->stopped)
        return run->command->config->service_grace;
    em_time left = run->deadline - em_now();
    return left > 0 ? left : 0;
}

/* Whatever happened: nothing of the migration is left when this returns, or an error is logged. */
static void clean_up(struct run *run)
{
    bool ended_itself = run->child.done;
    if (!em_group_left(&run->child, &run->family))
        return;
    if (ended_itself)
        em_log(EM_LOG_WARN, "migrate", "the migration left processes behind: they are ended");
    if (!em_group_end(&run->child, &run->family, grace_left(run), &run->relay))
        em_log(EM_LOG_ERROR, "migrate",
               "some of the migration's processes can't be killed (uninterruptible sleep?)");
}

static int start(struct run *run, struct em_err *err)
{
    EM_LIST_AUTO env = EM_LIST_INIT;
    int ends[2];
    build_environment(run->command, &env);
    if (!em_relay_open(&run->relay, run->command->body != NULL, ends))
        return em_fail_errno(err, EM_EXIT_SYSTEM, "can't open a pipe");
    int null = em_open_null();
    /* stdin is the service's, and so is stdout. */
    struct em_spawn spawn = {.argv = run->command->config->migrate_command.v,
                             .environ = env.v,
                             .in = null,
                             .out = ends[0],
                             .err = ends[1],
                             .own_group = true};
    em_reaper_start();
    em_keeper_start(&run->keeper); /* a child of before, to the family */
    em_earlier_children_note(&run->family);
    int code = run->command->body ? em_spawn_function(&spawn, run->command->body, run->command->ctx,
                                                      &run->child, err)
                                  : em_spawn(&spawn, &run->child, err);
    if (code == 0)
        em_keeper_watch(&run->keeper, run->child.pid);
    em_relay_close_ends(ends);
    if (null >= 0)
        close(null);
    return code;
}

/* It ended well: was it alone to its end? A replica that was frozen learns here that it was not. */
static int check_end(struct run *run, struct em_err *err)
{
    int code = em_lock_check(run->command->lock, em_in(CHECK_LIMIT), err);
    if (code != EM_EXIT_MIGRATION)
        return code;
    em_context(err, "the lock \"%s\" was lost before the migration had ended",
               run->command->lock->name);
    em_hint(err, "another replica may have migrated beside it; the next start runs it again");
    return code;
}

static int run_to_end(struct run *run, struct em_err *err)
{
    int code = start(run, err);
    if (code)
        return code;
    code = watch(run, err);
    clean_up(run);
    em_keeper_end(&run->keeper);
    em_relay_finish(&run->relay);
    em_relay_tail(&run->relay, &run->command->output);
    em_child_forget(&run->child);
    code = code ? code : judge(run, err);
    return code ? code : check_end(run, err);
}

int em_migrate_run_command(struct em_migrate_command *command, struct em_err *err)
{
    struct run run = {.command = command,
                      .keeper = EM_KEEPER_INIT,
                      .family = EM_FAMILY_INIT,
                      .started = em_now()};
    /* What was done between the lock's taking and now may have taken long. */
    int code = em_lock_check(command->lock, em_in(CHECK_LIMIT), err);
    if (code == EM_EXIT_MIGRATION)
        em_context(err, "the lock \"%s\" was lost before the migration began", command->lock->name);
    if (code)
        return code;
    run.deadline = em_in(command->config->migrate_timeout);
    run.say_at = em_in(PROGRESS);
    code = run_to_end(&run, err);
    em_keeper_end(&run.keeper);
    em_relay_free(&run.relay);
    em_earlier_children_free(&run.family);
    em_err_free(&run.how);
    return code;
}
