/* The words of the command line, the configuration's place, and the process's exit. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embark/commands/commands.h"
#include "embark/core/config/parse.h"
#include "embark/core/redact/command_secrets.h"
#include "embark/core/redact/secret_sources.h"
#include "embark/os/files/files.h"
#include "embark/os/files/outlet.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/loop.h"
#include "embark/os/loop/refused.h"
#include "embark/os/process/spawn.h"
#include "embark/os/process/trim.h"
#include "embark/stages/service/exec.h"
#include "embark/start/report.h"

#define CONFIG_LIMIT (1024 * 1024)

typedef int (*command_fn)(const struct em_call *call);

static const struct {
    const char *name;
    enum em_config_use use;
    command_fn run;
} commands[] = {
#define X(name, use, words, text) {#name, use, em_command_##name},
    EM_COMMANDS(X)
#undef X
};

struct words {
    const char *config; /* --config */
    command_fn run;
    enum em_config_use use;
    bool named;        /* a subcommand was given by name */
    char *const *argv; /* after the command's name */
};

static void out_of_memory(void)
{
    static const char text[] = "embark: out of memory\n";
    ssize_t n = em_write_now(STDERR_FILENO, text, sizeof text - 1);
    (void)n;
    _exit(EM_EXIT_SYSTEM);
}

/* With 0, 1 or 2 closed, the next descriptor opened would be taken for stdin, stdout or stderr, and
 * a log line could end up in a database's socket. They are filled with /dev/null and, being
 * close-on-exec, are closed again for the service, as it was given to us. */
static void fill_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        int got = open("/dev/null", (fd == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
        int ends[2];
        if (got < 0 && pipe2(ends, O_CLOEXEC) == 0 && ends[1] <= 2)
            continue; /* no /dev: a pipe's two ends do */
    }
}

static int usage(const char *what, const char *word)
{
    em_log_hint(EM_LOG_ERROR, NULL, "embark help", "%s%s%s", what, word ? " " : "",
                word ? word : "");
    return EM_EXIT_USAGE;
}

static bool find_command(const char *name, struct words *words)
{
    for (size_t i = 0; i < EM_COUNT(commands); i++)
        if (strcmp(commands[i].name, name) == 0) {
            words->run = commands[i].run;
            words->use = commands[i].use;
            return true;
        }
    return false;
}

static bool is_help(const char *word)
{
    return strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0;
}

/* The first word that is not an option decides (embark(1), Commands). `--` ends embark's own words.
 * 0 or EM_EXIT_USAGE. */
static int parse_words(char **argv, struct words *words)
{
    char **at = argv + 1;
    words->run = em_command_run;
    words->use = EM_CONFIG_GOOD;
    for (; argv[0] && *at && (*at)[0] == '-'; at++) {
        if (strcmp(*at, "--") == 0) {
            words->argv = at + 1;
            return 0;
        }
        if (is_help(*at)) {
            find_command("help", words);
        } else if (strcmp(*at, "--version") == 0) {
            find_command("version", words);
        } else if (em_starts(*at, "--config=")) {
            words->config = *at + strlen("--config=");
        } else if (strcmp(*at, "--config") == 0) {
            if (!at[1])
                return usage("--config needs a file", NULL);
            words->config = *++at;
        } else {
            return usage("unknown option", *at);
        }
    }
    words->argv = argv[0] ? at : argv;
    if (words->run != em_command_run || !*words->argv || !find_command(*at, words))
        return 0;
    /* Alone: `embark sql -h db FILE` is psql's, and no success. */
    if (at[1] && is_help(at[1]) && !at[2]) {
        find_command("help", words); /* on the command */
        return 0;
    }
    words->argv++; /* its own options are the command's business */
    words->named = true;
    return 0;
}

/* `docker run -it image sh` is somebody debugging. */
static bool is_bare_shell(const struct words *words)
{
    static const char *const shells[] = {"sh", "bash", "ash", "dash", "zsh", "fish"};
    if (words->run != em_command_run || words->named || !words->argv[0])
        return false;
    const char *slash = strrchr(words->argv[0], '/');
    const char *name = slash ? slash + 1 : words->argv[0];
    for (char *const *arg = words->argv + 1; *arg; arg++)
        if (strcmp(*arg, "-i") != 0 && strcmp(*arg, "-l") != 0 && strcmp(*arg, "-il") != 0 &&
            strcmp(*arg, "-li") != 0)
            return false;
    for (size_t i = 0; i < EM_COUNT(shells); i++)
        if (strcmp(name, shells[i]) == 0)
            return true;
    return false;
}

static int run_shell(const struct words *words)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    em_log(EM_LOG_INFO, NULL, "a bare shell: all steps are skipped (embark run -- %s takes them)",
           words->argv[0]);
    int code = em_service_exec(words->argv, 0, &err);
    em_log_err(EM_LOG_ERROR, "service", &err);
    return code;
}

/* --config, else $EMBARK_CONFIG, else ./embark.ini, else /etc/embark.ini. NULL: none of these. A
 * file that was named must be there; one that is only looked for may be missing, but nothing else
 * may be wrong with it. */
static const char *look_for_config(const char *option)
{
    static const char *const places[] = {"embark.ini", "/etc/embark.ini"};
    const char *env = getenv("EMBARK_CONFIG");
    struct stat ignored;
    if (option)
        return option;
    if (env && *env)
        return env;
    for (size_t i = 0; i < EM_COUNT(places); i++)
        if (lstat(places[i], &ignored) == 0 || (errno != ENOENT && errno != ENOTDIR))
            return places[i];
    return NULL;
}

/* /dev/null is what people write for none. */
static const char *find_config(const char *option)
{
    const char *path = look_for_config(option);
    return path && strcmp(path, "/dev/null") == 0 ? NULL : path;
}

/* A healthcheck's output is no log: docker inspect shows it. */
static void set_up_log(const struct words *words, const struct em_config *config)
{
    if (words->run == em_command_health)
        em_log_setup(EM_LOG_TEXT, EM_LOG_INFO, false);
    else
        em_log_setup((enum em_log_format)config->log_format, (enum em_level)config->log_level,
                     config->log_timestamps);
}

/* The environment's [log] settings hold for messages before the configuration is read, or without
 * one. Mistakes in them are reported when it is read. */
static void set_up_early_log(const struct words *words)
{
    struct em_config config = {0};
    em_config_log_words(&config, getenv("EMBARK_LOG_FORMAT"), NULL, NULL);
    em_config_log_words(&config, getenv("EMBARK_LOG_LEVEL"), NULL, NULL);
    em_config_log_words(&config, getenv("EMBARK_LOG"), NULL, NULL);
    set_up_log(words, &config);
}

/* Of a healthcheck's mistakes the first one is told: docker inspect shows one line. */
static void say_mistakes(const struct words *words, struct em_errs *errs, struct em_errs *warnings)
{
    bool build_time = words->run == em_command_check;
    if (words->run == em_command_health) {
        if (errs->n)
            em_health_refuse(&errs->v[0]);
        return;
    }
    EM_STR_AUTO unseen = EM_STR_INIT;
    if (build_time && em_config_unseen(warnings, &unseen))
        em_log(EM_LOG_INFO, "configuration", "%s", em_str_c(&unseen));
    for (size_t i = 0; i < warnings->n; i++)
        em_log_err(build_time ? EM_LOG_INFO : EM_LOG_WARN, "configuration", &warnings->v[i]);
    for (size_t i = 0; i < errs->n; i++)
        em_log_err(EM_LOG_ERROR, "configuration", &errs->v[i]);
}

/* As those of curl -H. */
static void learn_headers(const struct em_items *headers, struct em_secrets *secrets)
{
    for (size_t i = 0; i < headers->n; i++)
        em_secrets_of_command((char *[]){(char[]){"-H"}, headers->v[i], NULL}, secrets);
}

/* What is secret by its name or its place, whatever it is used for. */
static void learn_secrets(const struct words *words, const struct em_config *config)
{
    struct em_secrets *secrets = em_log_secrets();
    em_secrets_of_environment(environ, secrets);
    for (size_t i = 0; i < config->bootstrap_var.n; i++)
        em_secrets_of_pair(config->bootstrap_var.v[i], secrets);
    learn_headers(&config->wait_header, secrets);
    learn_headers(&config->health_header, secrets);
    em_secrets_of_command(config->migrate_command.v, secrets);
    em_secrets_of_command(config->service_command.v, secrets);
    em_secrets_of_command(words->argv, secrets);
}

/* True: there was no mistake. `config` holds what could be read in any case. */
static bool read_config(const struct words *words, struct em_config *config, struct em_errs *errs,
                        struct em_errs *warnings)
{
    EM_STR_AUTO bytes = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    const char *path = find_config(words->config);
    struct em_config_source world = em_config_source_real;
    world.build_time = words->run == em_command_check;
    if (path && !em_file_read(path, CONFIG_LIMIT, &bytes, &why)) {
        em_errs_add(errs, EM_EXIT_CONFIG, "%s: %s", path, em_str_c(&why));
        if (words->use != EM_CONFIG_ANY)
            return false;
        path = NULL;
    }
    bool good = em_config_parse(config, path, path ? em_str_c(&bytes) : NULL, bytes.len, &world,
                                em_log_secrets(), errs, warnings);
    set_up_log(words, config);
    learn_secrets(words, config);
    em_str_wipe(&bytes);
    return good;
}

static int load_config(const struct words *words, struct em_config *config, struct em_errs *errs,
                       struct em_errs *warnings)
{
    bool good = read_config(words, config, errs, warnings);
    if (words->use == EM_CONFIG_ANY)
        return 0;
    say_mistakes(words, errs, warnings);
    return good ? 0 : EM_EXIT_CONFIG;
}

static int run(const struct words *words)
{
    struct em_config config;
    EM_ERRS_AUTO errs = EM_ERRS_INIT;
    EM_ERRS_AUTO warnings = EM_ERRS_INIT;
    struct em_call call = {&config, words->named, words->argv, &errs, &warnings};
    int code = 0;
    memset(&config, 0, sizeof config);
    if (words->run == em_command_run)
        em_title("start");
    if (words->use != EM_CONFIG_NONE)
        code = load_config(words, &config, &errs, &warnings);
    if (words->run == em_command_health)
        em_release_code_pages();
    if (code == 0)
        code = words->run(&call);
    if (words->run == em_command_health)
        em_release_code_pages();
    em_config_free(&config);
    /* Docker knows 0, 1 and, reserved, 2. */
    return words->run == em_command_health && code ? 1 : code;
}

/* What was said of the image or the configuration is not to be trusted where the system had no
 * descriptors or memory to look with. */
static int judge_system(const struct words *words, int code)
{
    EM_STR_AUTO why = EM_STR_INIT;
    if (code == EM_EXIT_SYSTEM && em_loop_stopped())
        return 128 + em_loop_stopped(); /* while nobody took what was written */
    if (!em_refused() || words->run == em_command_health ||
        (code != EM_EXIT_SQL && code != EM_EXIT_REQUIREMENT && code != EM_EXIT_BAKED &&
         code != EM_EXIT_REFUSED && code != EM_EXIT_CONFIG && code != EM_EXIT_OLDER))
        return code;
    em_str_puts(&why, em_why(em_refused()));
    em_log_hint(EM_LOG_ERROR, NULL,
                "a limit on open files (ulimit -n, docker run --ulimit nofile) or on memory may be "
                "reached",
                "the system refused what was needed to look: %s", em_str_c(&why));
    return EM_EXIT_SYSTEM;
}

int main(int argc, char **argv)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct words words = {0};
    (void)argc;
    em_out_of_memory = out_of_memory;
    if (argv[0] && argv[1] && strcmp(argv[1], "health") == 0)
        em_release_code_pages(); /* a healthcheck is to be small: what starts a C program lies apart */
    fill_standard_descriptors();
    em_outlets_open();
    em_start_report_begin();
    set_up_early_log(&words);
    int code = parse_words(argv, &words);
    if (words.run == em_command_health)
        em_release_code_pages();
    if (words.run != em_command_run || (code == 0 && is_bare_shell(&words)))
        em_start_report_forget();
    if (code == 0 && em_loop_start(&err) != 0) {
        em_log_err(EM_LOG_ERROR, NULL, &err);
        return err.code;
    }
    if (code == 0)
        code = is_bare_shell(&words) ? run_shell(&words) : run(&words);
    code = judge_system(&words, code);
    if (code)
        em_start_report_failed(code);
    em_secrets_free(em_log_secrets());
    return code;
}
