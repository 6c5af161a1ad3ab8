/* Which program a command starts in the end: past env, timeout, poetry run, npx, sh -c… */
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/config/config.h"
#include "embark/core/languages/python/command_line.h"
#include "search.h"

/* A command that starts a command that starts … is followed so far. */
enum { DEPTH_MAX = 12 };

/* What only starts the words behind it. `run`: the word that must follow ("" for none);  `values`:
 * options that have their value in the next word; `apart`: options that make it start from
 * elsewhere, or with something that can't be told; `skip`: words in front of the command. */
static const struct wrapper {
    const char *name, *run, *flags, *values, *apart;
    int skip;
} wrappers[] = {
    {"exec", "", "-c -l", "-a", "", 0},
    {"command", "", "-p", "", "", 0},
    {"nohup", "", "", "", "", 0},
    {"setsid", "", "-c -f -w --ctty --fork --wait", "", "", 0},
    {"time", "", "-p -v", "-o -f", "", 0},
    {"nice", "", "", "-n --adjustment", "", 0},
    {"ionice", "", "-t", "-c -n --class --classdata", "", 0},
    {"chrt", "", "-b -f -i -o -r", "", "", 1},
    {"stdbuf", "", "", "-i -o -e", "", 0},
    {"timeout", "", "-v --foreground --preserve-status --verbose", "-s -k --signal --kill-after",
     "", 1},
    {"tini", "", "-s -v -vv -vvv -w -g", "-p -e", "", 0},
    {"tini-static", "", "-s -v -vv -vvv -w -g", "-p -e", "", 0},
    {"docker-init", "", "-s -v -w -g", "-p -e", "", 0},
    {"dumb-init", "", "-c -v --single-child --verbose", "-r --rewrite", "", 0},
    {"catatonit", "", "-P", "", "", 0},
    {"gosu", "", "", "", "", 1},
    {"su-exec", "", "", "", "", 1},
    {"setpriv", "", "--clear-groups --init-groups --keep-groups --no-new-privs",
     "--reuid --regid --groups", "", 0},
    {"uv", "run",
     "--no-sync --frozen --locked --isolated --no-dev --all-extras --no-project --active --offline "
     "-q --quiet -v --exact --no-cache -n --native-tls --no-editable --only-dev --dev",
     "--with --extra --group --no-group --python -p --with-requirements --no-extra --only-group "
     "--index --default-index --color",
     "--directory --project --package --env-file --with-editable -m --module -s --script", 0},
    {"poetry", "run", "-q --quiet -n --no-interaction -v --no-ansi --ansi", "",
     "-C --directory -P --project", 0},
    {"pdm", "run", "-s --site-packages", "", "-p --project", 0},
    {"rye", "run", "", "", "", 0},
    {"hatch", "run", "", "", "-e --env", 0},
    {"pipenv", "run", "", "", "", 0},
    {"bundle", "exec", "--keep-file-descriptors", "", "--gemfile", 0},
    {"npx", "",
     "-y --yes --no-install --no -q --quiet --offline --prefer-offline --ignore-existing",
     "-p --package", "-c --call --prefix -w --workspace", 0},
    {"bunx", "", "--bun -y --yes", "-p --package", "--cwd", 0},
    {"npm", "exec", "-y --yes --no -s --silent", "-p --package",
     "-c --call --prefix -w --workspace -C", 0},
    {"npm", "x", "-y --yes --no -s --silent", "-p --package",
     "-c --call --prefix -w --workspace -C", 0},
    {"pnpm", "exec", "-s --silent", "", "-C --dir -r --recursive --filter -F -c --shell-mode", 0},
    {"pnpm", "dlx", "-s --silent", "--package", "-C --dir -c --shell-mode", 0},
    {"yarn", "exec", "-s --silent", "", "--cwd", 0},
    {"yarn", "dlx", "-q --quiet", "-p --package", "--cwd", 0},
    {"bun", "x", "--bun -y --yes", "-p --package", "--cwd", 0},
    {"ts-node", "", "-T --transpile-only --files --esm --swc",
     "-P --project -O --compiler-options -r --require", "--cwd", 0},
    {"tsx", "", "--no-cache --no-warnings", "--tsconfig", "--env-file", 0},
};

/* "--with" of "--with=x". */
static bool option_among(const char *word, const char *names)
{
    EM_FREE char *name = em_strndup(word, strcspn(word, "="));
    return em_word_among(name, names);
}

/* Its first word that is no option, nor one's value. */
static bool runs(const struct wrapper *w, const struct em_list *words)
{
    size_t at = 1;
    while (at < words->n && words->v[at][0] == '-') {
        bool value = option_among(words->v[at], w->values) || option_among(words->v[at], w->apart);
        at += value && !strchr(words->v[at], '=') ? 2 : 1;
    }
    return at < words->n && strcmp(words->v[at], w->run) == 0;
}

static const struct wrapper *wrapper_of(const struct em_list *words)
{
    const char *name = em_base_name(words->v[0]);
    for (size_t i = 0; i < EM_COUNT(wrappers); i++)
        if (strcmp(wrappers[i].name, name) == 0 && (!*wrappers[i].run || runs(&wrappers[i], words)))
            return &wrappers[i];
    return NULL;
}

static void drop(struct em_list *words, size_t count)
{
    while (count-- && words->n)
        em_list_drop_first(words);
}

static bool untold(struct em_tool_search *s, const char *program, const char *option)
{
    em_tool_doubt(s, "what %s does with %s isn't known to embark", program, option);
    return true;
}

/* -n5, -oL: of an option that has its value in the next word as a rule. nice -5. */
static bool attached_value(const struct wrapper *w, const char *word)
{
    EM_FREE char *letter = em_strndup(word, 2);
    bool number = strcmp(w->name, "nice") == 0 && isdigit((unsigned char)word[1]);
    return number || (word[1] != '-' && strlen(word) > 2 && em_word_among(letter, w->values));
}

/* Programs of the project's own that a manager knows by name: alembic = "alembic -c other.ini". */
static void project_scripts(struct em_tool_search *s, const char *manager, const char *name)
{
    static const struct {
        const char *manager, *file, *section;
    } tables[] = {
        {"pdm", "pyproject.toml", "tool.pdm.scripts"},
        {"rye", "pyproject.toml", "tool.rye.scripts"},
        {"hatch", "pyproject.toml", NULL},
        {"hatch", "hatch.toml", NULL},
        {"pipenv", "Pipfile", "scripts"},
    };
    for (size_t i = 0; i < EM_COUNT(tables); i++) {
        EM_STR_AUTO text = EM_STR_INIT;
        EM_STR_AUTO below = EM_STR_INIT;
        EM_LIST_AUTO values = EM_LIST_INIT;
        const char *file = tables[i].file, *section = tables[i].section;
        if (strcmp(tables[i].manager, manager) != 0 ||
            s->world->kind(s->world->ctx, file) != EM_TOOL_FILE || !em_tool_peek(s, file, &text))
            continue;
        em_str_printf(&below, ".scripts.%s", name);
        if (em_tool_toml(em_str_c(&text), section, name, &values) != EM_TOOL_SILENT ||
            strstr(em_str_c(&text), em_str_c(&below)))
            em_tool_doubt(s, "%s may have a script of its own called %s", file, name);
    }
}

/* What a manager reads beside its words. */
static void manager_settings(struct em_tool_search *s, const char *manager)
{
    const char *file = em_tool_env(s, "UV_ENV_FILE");
    if (strcmp(manager, "uv") == 0 && file && *file)
        em_tool_doubt(s, "what uv makes of UV_ENV_FILE isn't known to embark");
    file = em_tool_env(s, "PIPENV_DOTENV_LOCATION");
    if (strcmp(manager, "pipenv") == 0)
        em_tool_dotenv(s, file && *file ? file : ".env");
}

/* Drops the wrapper's own words. */
static bool pass(struct em_tool_search *s, const struct wrapper *w, struct em_list *words)
{
    bool running = !*w->run;
    drop(words, 1);
    while (words->n) {
        const char *word = words->v[0];
        if (!running && strcmp(word, w->run) == 0) {
            running = true;
            drop(words, 1);
        } else if (strcmp(word, "--") == 0) {
            drop(words, 1);
            break;
        } else if (word[0] != '-' || !word[1]) {
            if (running)
                break;
            return false;
        } else if (option_among(word, w->values)) {
            drop(words, strchr(word, '=') ? 1 : 2);
        } else {
            bool apart = option_among(word, w->apart);
            if (apart || !(option_among(word, w->flags) || attached_value(w, word)))
                untold(s, w->name, word);
            drop(words, apart && !strchr(word, '=') ? 2 : 1);
        }
    }
    drop(words, (size_t)w->skip);
    manager_settings(s, w->name);
    if (words->n)
        project_scripts(s, w->name, words->v[0]);
    return words->n > 0;
}

/* env, cross-env: NAME=VALUE… */
static bool pass_env(struct em_tool_search *s, struct em_list *words)
{
    drop(words, 1);
    while (words->n) {
        const char *word = words->v[0];
        if (word[0] != '-' && strchr(word, '=')) {
            em_list_add(&s->env, word);
            drop(words, 1);
        } else if (strcmp(word, "--") == 0) {
            drop(words, 1);
        } else if (strcmp(word, "-u") == 0 && words->n > 1) {
            EM_STR_AUTO unset = EM_STR_INIT;
            em_str_printf(&unset, "%s=", words->v[1]);
            em_list_add(&s->env, em_str_c(&unset));
            drop(words, 2);
        } else if (word[0] == '-') {
            untold(s, "env", word);
            drop(words, em_word_among(word, "-C --chdir") ? 2 : 1);
        } else {
            break;
        }
    }
    return words->n > 0;
}

/* dotenv of Python (-f FILE run -- …), Node.js (-e FILE -- …) and Ruby (-f FILE …); dotenvx run. */
static bool pass_dotenv(struct em_tool_search *s, struct em_list *words)
{
    bool any = false;
    drop(words, 1);
    while (words->n) {
        const char *word = words->v[0];
        if (em_word_among(word, "-f -e --file --env-file") && words->n > 1) {
            em_tool_dotenv(s, words->v[1]);
            any = true;
            drop(words, 2);
        } else if (strcmp(word, "run") == 0) {
            drop(words, 1);
        } else if (strcmp(word, "--") == 0) {
            drop(words, 1);
            break;
        } else if (word[0] == '-') {
            untold(s, "dotenv", word);
            drop(words, 1);
        } else {
            break;
        }
    }
    if (!any)
        em_tool_dotenv(s, ".env");
    return words->n > 0;
}

/* What node loads first: a module of the project's own may change what the script does. */
static void preloads(struct em_tool_search *s, const char *module)
{
    static const char harmless[] =
        "ts-node ts-node/register ts-node/esm tsx tsx/cjs tsx/esm "
        "tsconfig-paths/register source-map-support/register "
        "@swc-node/register esbuild-register @babel/register "
        "@opentelemetry/auto-instrumentations-node/register dd-trace/init";
    const char *file = em_tool_env(s, "DOTENV_CONFIG_PATH");
    if (em_starts(module, "dotenv"))
        em_tool_dotenv(s, file && *file ? file : ".env");
    else if (!em_word_among(module, harmless))
        em_tool_doubt(s, "what %s changes isn't known to embark", module);
}

/* -C FOLDER, -x FOLDER: Ruby changes there. */
static bool leaves(struct em_tool_search *s, const char *program, const char *word)
{
    return strcmp(program, "ruby") == 0 && (em_starts(word, "-C") || em_starts(word, "-x")) &&
           untold(s, program, word);
}

/* python [OPTION…] -m MODULE | SCRIPT; node [OPTION…] SCRIPT; ruby SCRIPT. */
static bool pass_interpreter(struct em_tool_search *s, struct em_list *words, bool python)
{
    static const char py_values[] = "-W -X --check-hash-based-pycs";
    static const char loads[] = "-r --require --import --loader --experimental-loader";
    static const char values[] =
        "-r --require --import --loader --experimental-loader -C -I --env-file "
        "--env-file-if-exists --conditions";
    EM_FREE char *program = em_strdup(em_base_name(words->v[0]));
    const char *options = em_tool_env(s, "NODE_OPTIONS");
    if (strcmp(program, "node") == 0 && options &&
        (strstr(options, "-r ") || strstr(options, "require") || strstr(options, "import") ||
         strstr(options, "loader")))
        em_tool_doubt(s, "what NODE_OPTIONS loads isn't known to embark");
    drop(words, 1);
    while (words->n && words->v[0][0] == '-') {
        const char *word = words->v[0];
        if (python && strcmp(word, "-m") == 0) {
            drop(words, 1);
            return words->n > 0;
        }
        if (em_word_among(word, python ? "-c -" : "-e -p -i - --eval --print --run --watch --test"))
            return false;
        const char *sign = strchr(word, '='), *next = words->n > 1 ? words->v[1] : "";
        if (leaves(s, program, word)) {
            drop(words, word[2] ? 1 : 2);
            continue;
        }
        if (!python && em_starts(word, "--env-file"))
            em_tool_dotenv(s, sign ? sign + 1 : next);
        else if (!python && option_among(word, loads))
            preloads(s, sign ? sign + 1 : next);
        drop(words, em_word_among(word, python ? py_values : values) ? 2 : 1);
    }
    return words->n > 0;
}

/* ---- npm run -------------------------------------------------------------------------------- */

static json_t *package_json(struct em_tool_search *s)
{
    EM_STR_AUTO bytes = EM_STR_INIT;
    json_error_t error;
    if (s->world->kind(s->world->ctx, "package.json") != EM_TOOL_FILE ||
        !em_tool_peek(s, "package.json", &bytes))
        return NULL;
    json_t *package = json_loadb(em_str_c(&bytes), bytes.len, 0, &error);
    if (!package)
        em_tool_doubt(s, "package.json:%d: %s", error.line, error.text);
    return package;
}

static const char *script_of(json_t *package, const char *prefix, const char *name)
{
    EM_STR_AUTO key = EM_STR_INIT;
    em_str_printf(&key, "%s%s", prefix, name);
    return json_string_value(json_object_get(json_object_get(package, "scripts"), em_str_c(&key)));
}

/* The script's text instead of `npm run NAME`; what follows is added to its words. */
static bool enter_script(struct em_tool_search *s, struct em_list *words, bool *is_script)
{
    json_t *package = package_json(s);
    const char *name = words->v[0], *text = package ? script_of(package, "", name) : NULL;
    bool good = false;
    *is_script = text != NULL;
    if (text)
        em_tool_steers(s, "script", name, text, strlen(text));
    if (text && (script_of(package, "pre", name) || script_of(package, "post", name))) {
        em_tool_doubt(s, "package.json's script %s has a pre or post script, too", name);
        s->compound = true;
    } else if (text) {
        EM_LIST_AUTO inner = EM_LIST_INIT;
        good = em_tool_shell(s, text, &inner);
        drop(words, 1);
        if (words->n && strcmp(words->v[0], "--") == 0)
            drop(words, 1);
        for (size_t i = 0; i < words->n; i++)
            em_list_add(&inner, words->v[i]);
        em_list_free(words);
        *words = inner;
        inner = (struct em_list)EM_LIST_INIT;
    }
    json_decref(package);
    return good;
}

/* npm run X, yarn X, pnpm X, bun run X: false: no such script can be told. */
static bool pass_manager(struct em_tool_search *s, struct em_list *words)
{
    EM_FREE char *manager = em_strdup(em_base_name(words->v[0]));
    static const char elsewhere[] = "--prefix -C --cwd --dir -w --workspace --filter -F";
    bool run = false, is_script;
    drop(words, 1);
    while (words->n) {
        const char *word = words->v[0];
        size_t count = 1;
        if (!run && em_word_among(word, "run run-script"))
            run = true;
        else if (em_word_among(word, "-s --silent -q --quiet --if-present --loglevel=silent --bun"))
            ;
        else if (word[0] == '-')
            count = untold(s, manager, word) && em_word_among(word, elsewhere) ? 2 : 1;
        else
            break;
        drop(words, count);
    }
    if (!words->n || (!run && strcmp(manager, "npm") == 0))
        return false;
    EM_FREE char *name = em_strdup(words->v[0]);
    if (enter_script(s, words, &is_script))
        return true;
    if (!is_script && !s->doubt.len && !em_word_among(manager, "npm"))
        return true; /* yarn knex …: a program of node_modules/.bin */
    if (!s->doubt.len)
        em_tool_doubt(s, "package.json has no script %s", name);
    return false;
}

/* ---- All of them ---------------------------------------------------------------------------- */

static bool is_shell(const char *name)
{
    return em_word_among(name, "sh bash dash ash zsh busybox");
}

/* What a shell reads before its commands: a login's profiles, bash's BASH_ENV. */
static void profiles(struct em_tool_search *s, const char *shell, const char *options)
{
    const char *file = em_tool_env(s, "BASH_ENV");
    if (strchr(options, 'l') || strstr(options, "login"))
        em_tool_doubt(s, "what a login's profiles set for %s isn't known to embark", shell);
    else if (file && *file && strcmp(shell, "bash") == 0)
        em_tool_doubt(s, "what BASH_ENV sets isn't known to embark");
}

/* sh -c TEXT, sh -ec TEXT. */
static bool pass_shell(struct em_tool_search *s, struct em_list *words)
{
    EM_LIST_AUTO inner = EM_LIST_INIT;
    size_t at = 1;
    if (strcmp(em_base_name(words->v[0]), "busybox") == 0)
        at++;
    EM_FREE char *shell = em_strdup(em_base_name(words->v[0]));
    while (at < words->n && words->v[at][0] == '-' && !strchr(words->v[at], 'c'))
        profiles(s, shell, words->v[at++]);
    if (at < words->n)
        profiles(s, shell, words->v[at]);
    if (at + 1 >= words->n || words->v[at][0] != '-' ||
        strspn(words->v[at] + 1, "ceulxa") != strlen(words->v[at] + 1)) {
        em_tool_doubt(s, "a shell's script isn't read");
        return false;
    }
    bool good = em_tool_shell(s, words->v[at + 1], &inner);
    em_list_free(words);
    *words = inner;
    inner = (struct em_list)EM_LIST_INIT;
    return good && words->n > 0;
}

/* One step. 1: there is a next one; 0: words[0] is the program; -1: it can't be told. */
static int step(struct em_tool_search *s, struct em_list *words)
{
    const char *name = em_base_name(words->v[0]);
    const struct wrapper *w;
    bool good;
    if (is_shell(name)) {
        good = pass_shell(s, words);
    } else if (em_word_among(name, "env cross-env")) {
        good = pass_env(s, words);
    } else if (em_word_among(name, "dotenv dotenvx")) {
        good = pass_dotenv(s, words);
    } else if (em_python_is(words->v[0])) {
        good = pass_interpreter(s, words, true);
    } else if (em_word_among(name, "node nodejs ruby")) {
        good = pass_interpreter(s, words, false);
    } else if ((w = wrapper_of(words)) != NULL) {
        good = pass(s, w, words);
    } else if (em_word_among(name, "npm pnpm yarn bun")) {
        good = pass_manager(s, words);
    } else {
        return 0;
    }
    return good ? 1 : -1;
}

bool em_tool_command(struct em_tool_search *s, const struct em_list *command)
{
    for (size_t i = 0; i < command->n; i++)
        em_list_add(&s->words, command->v[i]);
    for (int depth = 0; s->words.n && depth < DEPTH_MAX; depth++) {
        int more = step(s, &s->words);
        if (more == 0)
            return true;
        if (more < 0)
            break;
    }
    em_tool_doubt(s, "which program the command starts can't be told");
    return false;
}
