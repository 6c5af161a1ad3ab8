#include "embark/stages/require/ruby/ruby.h"

#include <string.h>

#include "embark/core/languages/ruby/gems.h"
#include "embark/os/log/log.h"
#include "embark/os/process/child_env.h"
#include "embark/stages/require/interpreter/probe.h"
#include "embark/stages/require/interpreter/script.h"
#include "stages/require/ruby/probe.rb.h"

static void command_line(const struct em_interpreter_probe *ask, struct em_list *argv)
{
    em_list_add(argv, ask->word);
    em_list_add(argv, "-e");
    em_list_take(argv, EM_SCRIPT(probe_rb));
    em_list_add(argv, "--");
    for (size_t i = 0; i < ask->modules.n; i++) {
        em_list_add(argv, "module");
        em_list_add(argv, ask->modules.v[i]);
        em_list_add(argv, ask->allowed.v[i][0] ? ask->allowed.v[i] : ">=0");
    }
    for (size_t i = 0; i < ask->imports.n; i++) {
        em_list_add(argv, "import");
        em_list_add(argv, ask->imports.v[i]);
    }
}

/* Where nothing is to be imported nothing is executed: not what RUBYOPT requires, nor what stands
 * in RUBYLIB before the standard library. */
static void build_environment(struct em_list *env)
{
    em_env_copy(env);
    em_env_rename(env, "RUBYLIB", "EMBARK_RUBYLIB");
    em_env_rename(env, "RUBYOPT", "EMBARK_RUBYOPT");
}

static void judge(const struct em_interpreter_probe *ask, const struct em_reply *reply,
                  struct em_errs *errs)
{
    struct em_gems answer;

    em_gems_read(&answer, em_str_c(&reply->out), reply->out.len);
    if (!answer.complete || answer.n != ask->modules.n) {
        const char *line = em_str_c(&reply->said);

        em_hint(em_errs_add(errs, EM_EXIT_REQUIREMENT,
                            "module: %s can't say what it finds: it %s%s%.*s (%s)", ask->word,
                            em_str_c(&reply->ended), *line ? ": " : "", (int)strcspn(line, "\n"),
                            line,
                            ask->modules.n ? ask->module_wheres.v[0] : ask->import_wheres.v[0]),
                "try %s -e 'p Gem.path'", ask->word);
        em_gems_free(&answer);
        return;
    }
    for (size_t i = 0; i < answer.n; i++) {
        EM_ERR_AUTO err = EM_ERR_INIT;

        if (em_gem_check(&answer, i, ask->allowed.v[i], ask->word, &err)) {
            em_log(EM_LOG_DEBUG, "require", "module %s: found", answer.v[i].name);
            continue;
        }
        em_str_printf(&err.text, " (%s)", ask->module_wheres.v[i]);
        em_errs_take(errs, &err);
    }
    em_gems_free(&answer);
    em_interpreter_check_imports(ask, reply, "-e 'require \"%\"'", errs);
}

int em_require_ruby(const struct em_config *config, em_time until, struct em_errs *errs,
                    struct em_err *err)
{
    struct em_interpreter_probes asks = {0};
    int code = 0;

    em_interpreter_probes_collect(config, EM_LANGUAGE_RUBY, &asks);
    for (size_t i = 0; i < asks.n && code == 0; i++) {
        EM_LIST_AUTO argv = EM_LIST_INIT;
        EM_LIST_AUTO env = EM_LIST_INIT;
        struct em_reply reply = {0};

        command_line(&asks.v[i], &argv);
        if (!asks.v[i].imports.n)
            build_environment(&env);
        code = em_interpreter_run(&asks.v[i], &argv, env.n ? &env : NULL, until, &reply, errs, err);
        if (code == 0 && reply.ended.len)
            judge(&asks.v[i], &reply, errs);
        em_reply_free(&reply);
    }
    em_interpreter_probes_free(&asks);
    return code;
}
