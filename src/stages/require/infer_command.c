#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embark/core/executable/shell_script.h"
#include "embark/os/exec/find.h"
#include "infer_parts.h"

/* ---- Migration and service of one shell ------------------------------------------------------ */

/* Words by which migration tools are told to apply what is missing. */
static bool is_migration(const struct em_list *words)
{
    static const char *const verbs[] = {"upgrade",        "migrate",       "db:migrate",
                                        "migrate:latest", "migration:run", "db:prepare",
                                        "migrate:up",     "migrate:deploy"};

    for (size_t i = 1; i < words->n; i++)
        for (size_t k = 0; k < EM_COUNT(verbs); k++)
            if (strcmp(words->v[i], verbs[k]) == 0)
                return true;
    return false;
}

/* Commands that are chained by && or ; alone, of plain words. */
static bool is_plain(const char *text)
{
    for (const char *p = text; *p; p++) {
        if (strchr("$`<>|()*?[]{}~#\\\n!", *p))
            return false;
        if (*p == '&' && *++p != '&')
            return false;
    }
    return true;
}

bool em_infer_split(const struct em_list *command, struct em_list *migration,
                    struct em_list *service)
{
    EM_LIST_AUTO more = EM_LIST_INIT;
    const char *text = command->n == 3 ? command->v[2] : NULL;
    const char *shell = command->n ? em_base_name(command->v[0]) : "";
    bool two;

    if (!text || command->v[1][0] != '-' || !strchr(command->v[1], 'c') || !is_plain(text) ||
        (strcmp(shell, "sh") != 0 && strcmp(shell, "bash") != 0 && strcmp(shell, "ash") != 0))
        return false;
    two = em_shell_next(&text, migration) && em_shell_next(&text, service) &&
          !em_shell_next(&text, &more) && *text == '\0';
    if (two && strcmp(service->v[0], "exec") == 0)
        em_list_drop_first(service);
    return two && service->n && is_migration(migration) && !is_migration(service) &&
           !em_shell_assigns(migration->v[0]) && !em_shell_assigns(service->v[0]);
}

/* ---- The service's packages -------------------------------------------------------------------- */

static bool in_path(const char *name)
{
    EM_STR_AUTO found = EM_STR_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;

    return em_exec_find(name, getenv("PATH"), &found, &err) == 0;
}

/* "poetry run", "uv run --no-sync": how many words; 0: it isn't that, or options with a value stand
 * between, of which this knows nothing. */
static size_t manager_words(const struct em_list *service)
{
    static const char *const managers[] = {"poetry", "uv", "pdm", "hatch", "pipenv", "rye"};
    size_t i = 1;
    bool known = false;

    for (size_t k = 0; service->n && k < EM_COUNT(managers); k++)
        known |= strcmp(service->v[0], managers[k]) == 0;
    if (!known || service->n < 3 || strcmp(service->v[1], "run") != 0)
        return 0;
    for (i = 2; i < service->n && service->v[i][0] == '-'; i++)
        if (!em_starts(service->v[i], "--no-") && strcmp(service->v[i], "--frozen") != 0 &&
            strcmp(service->v[i], "--locked") != 0)
            return 0;
    return i < service->n ? i : 0;
}

/* Adds FOLDER/NAME, or FOLDER/python -m NAME; false: the folder has neither. */
static bool program_of(const char *folder, size_t length, const char *name, struct em_str *out)
{
    EM_STR_AUTO path = EM_STR_INIT;
    size_t folder_end;

    em_str_add(&path, folder, length);
    folder_end = path.len;
    em_str_printf(&path, "/%s", name ? name : "python");
    if (strpbrk(em_str_c(&path), " '\";\\$%\n\t") || !name || access(em_str_c(&path), X_OK) != 0) {
        em_str_cut(&path, folder_end);
        em_str_puts(&path, "/python");
        if (strpbrk(em_str_c(&path), " '\";\\$%\n\t") || access(em_str_c(&path), X_OK) != 0)
            return false;
        if (name)
            em_str_printf(&path, " -m %s", name);
    }
    em_str_puts(out, em_str_c(&path));
    return true;
}

void em_infer_program(const struct em_list *service, const char *name, struct em_str *out)
{
    static const char environment[] = ".venv/bin";
    size_t words = service ? manager_words(service) : 0;
    const char *first = service && service->n ? service->v[0] : "", *slash = strrchr(first, '/');
    const char *python = in_path("python") || !in_path("python3") ? "python" : "python3";

    for (size_t i = 0; i < words; i++)
        em_str_printf(out, "%s ", service->v[i]);
    if (words)
        em_str_puts(out, name ? name : "python");
    else if (slash && slash > first && program_of(first, (size_t)(slash - first), name, out))
        return;
    else if (name && in_path(name))
        em_str_puts(out, name);
    else if (!*first && program_of(environment, strlen(environment), name, out))
        return;
    else
        em_str_printf(out, "%s%s%s", python, name ? " -m " : "", name ? name : "");
}

/* ---- The port -------------------------------------------------------------------------------- */

struct server {
    const char *name;      /* of the program, or of the word behind it */
    const char *verb;      /* that must follow, behind options at most; NULL */
    const char *options;   /* with the port, or HOST:PORT */
    const char *port;      /* without the option; NULL: an environment variable may say it */
    const char *elsewhere; /* options by which it doesn't listen on a port, or on another host */
};
static const struct server servers[] = {
    {"uvicorn", NULL, " --port ", "8000", " --uds --fd --host "},
    {"fastapi", "run", " --port ", "8000", " --host "},
    {"gunicorn", NULL, " -b --bind ", NULL, " -c --config "},
    {"hypercorn", NULL, " -b --bind ", "8000", " -c --config "},
    {"daphne", NULL, " -p --port ", "8000", " -u --fd -b --bind -e --endpoint "},
    {"flask", "run", " -p --port ", NULL, " -h --host "},
    {"next", "start", " -p --port ", NULL, " -H --hostname "},
    {"php", NULL, " -S ", NULL, ""},
    {"rails", "server", " -p --port ", NULL, " -b --binding -C --config "},
    {"rails", "s", " -p --port ", NULL, " -b --binding -C --config "},
};

static const struct server *server_of(const struct em_list *words, size_t *at)
{
    for (size_t i = 0; i < words->n && i < 6; i++)
        for (size_t k = 0; k < EM_COUNT(servers); k++) {
            const struct server *s = &servers[k];
            bool follows = false; /* flask --app shop run */

            for (size_t n = i + 1; s->verb && n < words->n && n <= i + 4; n++)
                follows |= strcmp(words->v[n], s->verb) == 0;
            *at = i + 1;
            if (strcmp(em_base_name(words->v[i]), s->name) == 0 && (!s->verb || follows))
                return s;
        }
    return NULL;
}

/* The option's value at words[i], if it is one of them. */
static const char *value_of(const struct em_list *words, size_t i, const char *options)
{
    EM_STR_AUTO name = EM_STR_INIT;
    const char *word = words->v[i];

    if (!word || word[0] != '-')
        return NULL;
    em_str_printf(&name, " %.*s ", (int)strcspn(word, "="), word);
    if (!strstr(options, em_str_c(&name)))
        return NULL;
    const char *equals = strchr(word, '=');
    return equals ? equals + 1 : i + 1 < words->n ? words->v[i + 1] : "";
}

/* Whether 127.0.0.1 reaches it. */
static bool is_reached(const char *host, size_t n)
{
    static const char *const hosts[] = {"", "0.0.0.0", "127.0.0.1", "localhost", "[::]", "::", "*"};

    for (size_t i = 0; i < EM_COUNT(hosts); i++)
        if (strlen(hosts[i]) == n && strncmp(hosts[i], host, n) == 0)
            return true;
    return false;
}

void em_infer_health(const struct em_list *service, struct em_str *health)
{
    size_t at = 0;
    const struct server *s = server_of(service, &at);
    const char *port = s ? s->port : NULL;

    for (size_t i = at; s && i < service->n; i++) {
        const char *value = value_of(service, i, s->options);
        const char *host = value ? NULL : value_of(service, i, s->elsewhere);
        const char *colon = value ? strrchr(value, ':') : NULL;

        if (host && !is_reached(host, strlen(host)))
            return;
        if (colon && !is_reached(value, (size_t)(colon - value)))
            return;
        if (value)
            port = colon ? colon + 1 : value;
    }
    if (port && *port && port[strspn(port, "0123456789")] == '\0' && strlen(port) <= 5)
        em_str_printf(health, "tcp = 127.0.0.1:%s\n", port);
}
