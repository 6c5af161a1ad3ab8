#include "embark/stages/require/infer.h"

#include <string.h>
#include <sys/stat.h>

#include "embark/core/config/infer.h"
#include "embark/core/languages/php/composer.h"
#include "embark/core/languages/python/pyproject.h"
#include "embark/core/languages/python/requirement.h"
#include "embark/core/languages/python/requirements_txt.h"
#include "embark/core/redact/command_secrets.h"
#include "embark/os/files/files.h"
#include "embark/os/log/log.h"
#include "infer_parts.h"

enum { FILE_LIMIT = 1024 * 1024 };

/* The keys of each section, put together at the end. */
struct sections {
    struct em_str require, bundle, migrate, service, health;
    const struct em_list *command; /* the service's, or NULL */
};

static bool is_file(const char *name)
{
    struct stat st;

    return stat(name, &st) == 0 && S_ISREG(st.st_mode);
}

static void migration(struct sections *s, const char *comment, const char *command)
{
    if (s->migrate.len) /* one is enough, and the other may be told from it */
        em_str_printf(&s->migrate, "; command = %s\n", command);
    else
        em_str_printf(&s->migrate, "; %s\ncommand = %s\n", comment, command);
}

static void look_at_alembic(struct sections *s)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    EM_STR_AUTO folder = EM_STR_INIT;
    EM_STR_AUTO command = EM_STR_INIT;

    em_str_puts(&s->require, "file = alembic.ini\nmodule = python: alembic\n");
    if (em_file_read("alembic.ini", FILE_LIMIT, &text, &why) &&
        em_infer_script_location(em_str_c(&text), &folder))
        em_str_printf(&s->require, "dir = %s : not-empty\n", em_str_c(&folder));
    em_infer_program(s->command, "alembic", &command);
    em_str_puts(&command, " upgrade head");
    migration(s, "from alembic.ini", em_str_c(&command));
}

static void look_at_manage(struct sections *s)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    EM_STR_AUTO command = EM_STR_INIT;

    if (!em_file_read("manage.py", FILE_LIMIT, &text, &why) || !strstr(em_str_c(&text), "django"))
        return; /* Flask's and others' scripts are called so, too */
    em_str_puts(&s->require, "file = manage.py\nmodule = python: django\n");
    em_infer_program(s->command, NULL, &command);
    em_str_puts(&command, " manage.py migrate --noinput");
    migration(s, "from manage.py", em_str_c(&command));
}

/* A few a line, as a line has a limit. */
static void add_modules(const char *language, const struct em_list *names, struct em_str *require)
{
    for (size_t i = 0; i < names->n; i++) {
        if (i % 4 == 0)
            em_str_printf(require, "module = %s: ", language);
        em_str_printf(require, "%s%s", i % 4 == 0 ? "" : ", ", names->v[i]);
        if (i % 4 == 3 || i + 1 == names->n)
            em_str_putc(require, '\n');
    }
}

static void look_at_gemfile(struct sections *s)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    EM_LIST_AUTO gems = EM_LIST_INIT;

    if (em_file_read("Gemfile", FILE_LIMIT, &text, &why))
        em_infer_gems(em_str_c(&text), &gems);
    add_modules("ruby", &gems, &s->require);
}

static void look_at_composer(struct sections *s)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    EM_LIST_AUTO packages = EM_LIST_INIT;

    if (em_file_read("composer.json", FILE_LIMIT, &text, &why))
        em_composer_requires(em_str_c(&text), text.len, &packages);
    add_modules("php", &packages, &s->require);
}

/* One that is known, or what only stands where one stands. */
static bool holds_secret(const struct em_list *words)
{
    EM_SECRETS_AUTO secrets = EM_SECRETS_INIT;

    em_secrets_of_command(words->v, &secrets);
    for (size_t i = 0; i < words->n; i++) {
        EM_STR_WIPED clean = EM_STR_INIT;

        em_str_puts(&clean, words->v[i]);
        em_redact(em_log_secrets(), &clean);
        if (strcmp(em_str_c(&clean), words->v[i]) != 0)
            return true;
    }
    return em_secrets_count(&secrets) > 0;
}

/* Distributions that are compiled, or load what was: that they are there says little. */
static void import_compiled(const char *requirement, struct em_str *require)
{
    static const char *const compiled[][2] = {
        {"psycopg2", "psycopg2"}, {"psycopg2-binary", "psycopg2"},  {"psycopg", "psycopg"},
        {"pillow", "PIL.Image"},  {"lxml", "lxml.etree"},           {"numpy", "numpy"},
        {"pandas", "pandas"},     {"mysqlclient", "MySQLdb"},       {"opencv-python", "cv2"},
        {"pycurl", "pycurl"},     {"opencv-python-headless", "cv2"}};
    EM_ERR_AUTO err = EM_ERR_INIT;
    struct em_requirement r;
    bool plain = em_requirement_read(requirement, &r, &err) == 0 && !r.marker;

    for (size_t k = 0; plain && k < EM_COUNT(compiled); k++)
        if (strcmp(r.key, compiled[k][0]) == 0)
            em_str_printf(require, "import = python: %s\n", compiled[k][1]);
    em_requirement_free(&r);
}

static void look_at_requirements(struct sections *s)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    struct em_requirements_lines lines;

    em_str_puts(&s->require, "manifest = requirements.txt\n");
    if (!em_file_read("requirements.txt", FILE_LIMIT, &text, &why))
        return;
    em_requirements_read(em_str_c(&text), text.len, &lines);
    for (size_t i = 0; i < lines.n; i++)
        import_compiled(lines.v[i].text, &s->require);
    em_requirements_free(&lines);
}

/* One that says what the project depends on; many are there for a formatter. uv.lock and
 * poetry.lock pin what it allows, for other platforms and for development, too. */
static bool look_at_pyproject(struct sections *s)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    EM_LIST_AUTO needs = EM_LIST_INIT;

    if (!em_file_read("pyproject.toml", FILE_LIMIT, &text, &why) ||
        !em_pyproject_dependencies(em_str_c(&text), &needs))
        return false;
    em_str_puts(&s->require, "manifest = pyproject.toml\n");
    for (size_t i = 0; i < needs.n; i++)
        import_compiled(needs.v[i], &s->require);
    return true;
}

static void look_at_command(const struct em_list *whole, struct sections *s)
{
    EM_LIST_AUTO before = EM_LIST_INIT;
    EM_LIST_AUTO rest = EM_LIST_INIT;
    EM_STR_AUTO command = EM_STR_INIT;
    const struct em_list *service = whole;

    /* sh -c 'alembic upgrade head && uvicorn …': each replica would run the first one. */
    if (!holds_secret(whole) && em_infer_split(whole, &before, &rest) &&
        em_infer_words("command", &before, &command)) {
        em_str_cut(&s->migrate, 0);
        em_str_printf(&s->migrate, "; from the command, of which it was the first part\n%s",
                      em_str_c(&command));
        service = &rest;
    }
    em_infer_health(service, &s->health);
    if (holds_secret(service))
        em_str_puts(&s->service, "; the command stays the image's CMD: it holds a secret, which no "
                                 "file of an image should\n");
    else if (!em_infer_words("command", service, &s->service))
        em_str_puts(&s->service, "; the command stays the image's CMD: no line here can hold it\n");
}

static void section(const char *name, const struct em_str *keys, struct em_str *ini)
{
    if (keys->len)
        em_str_printf(ini, "%s[%s]\n%s", ini->len ? "\n" : "", name, em_str_c(keys));
}

static bool note(const char *name, struct em_list *from)
{
    if (!is_file(name))
        return false;
    em_list_add(from, name);
    return true;
}

void em_infer(const struct em_list *service, struct em_str *ini, struct em_list *from)
{
    struct sections s = {.require = EM_STR_INIT, .command = service};

    if (note("alembic.ini", from))
        look_at_alembic(&s);
    if (note("manage.py", from))
        look_at_manage(&s);
    if (note("requirements.txt", from))
        look_at_requirements(&s);
    else if (look_at_pyproject(&s))
        em_list_add(from, "pyproject.toml");
    if (note("package.json", from)) {
        em_str_puts(&s.require, "manifest = package.json\n");
        em_infer_frontend(&s.require, &s.bundle);
    }
    if (note("Gemfile", from))
        look_at_gemfile(&s);
    if (note("composer.json", from))
        look_at_composer(&s);
    if (service && service->n) {
        look_at_command(service, &s);
        em_list_add(from, "the command");
    }
    section("require", &s.require, ini);
    section("bundle", &s.bundle, ini);
    section("migrate", &s.migrate, ini);
    section("service", &s.service, ini);
    section("health", &s.health, ini);
    em_str_free(&s.require);
    em_str_free(&s.bundle);
    em_str_free(&s.health);
    em_str_free(&s.migrate);
    em_str_free(&s.service);
}
