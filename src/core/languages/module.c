#include "embark/core/languages/module.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/node/command_line.h"
#include "embark/core/languages/node/semver.h"
#include "embark/core/languages/php/composer.h"
#include "embark/core/languages/python/command_line.h"
#include "embark/core/languages/python/pep440.h"

/* ---- Languages ------------------------------------------------------------------------------- */

enum em_language em_language_of(const char *word)
{
    const char *name = em_base_name(word);

    if (em_python_is(word))
        return EM_LANGUAGE_PYTHON;
    if (em_node_is(word))
        return EM_LANGUAGE_NODE;
    if (em_is_versioned(word, "ruby") || strcmp(name, "jruby") == 0 ||
        strcmp(name, "truffleruby") == 0)
        return EM_LANGUAGE_RUBY;
    if (em_is_versioned(word, "php"))
        return EM_LANGUAGE_PHP;
    return strcmp(name, "java") == 0 ? EM_LANGUAGE_JAVA : EM_LANGUAGE_UNKNOWN;
}

/* ---- Names ----------------------------------------------------------------------------------- */

static bool letter(char c)
{
    /* Names may have letters of all alphabets; which bytes make one is left to the interpreter */
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (unsigned char)c >= 128;
}

/* Words of letters and digits (and `others`), none of them empty or starting with a digit, with
 * `separator` between them. */
static bool words(const char *name, char separator, const char *others, bool digits_first)
{
    bool start = true;

    for (; *name; name++) {
        if (*name == separator) {
            if (start)
                return false;
            start = true;
        } else if (letter(*name) || strchr(others, *name) ||
                   ((!start || digits_first) && em_is_digit(*name))) {
            start = false;
        } else {
            return false;
        }
    }
    return !start;
}

/* What no npm package and no path of a file in one has. */
static bool node_name(const char *name)
{
    const char *p = name;

    if (em_starts(name, "node:"))
        p += 5;
    else if (*name == '@')
        p = strchr(name, '/') ? name + 1 : "";
    if (*p == '\0' || *p == '-' || (*name == '@' && (*p == '/' || p[strcspn(p, "/") + 1] == '\0')))
        return false;
    for (; *p; p++)
        if ((unsigned char)*p <= ' ' || strchr("<>=!~^|:@%\\\"'`#?*()", *p))
            return false;
    return true;
}

static bool valid_name(enum em_language language, const char *name, bool import)
{
    switch (language) {
    case EM_LANGUAGE_PYTHON:
        return words(name, '.', "", false);
    case EM_LANGUAGE_NODE:
        return node_name(name);
    case EM_LANGUAGE_RUBY: /* import: what is required, as in active_support/core_ext */
        return name[0] != '-' && words(name, '/', "-.", true) && (import || !strchr(name, '/'));
    case EM_LANGUAGE_PHP:
        if (em_starts(name, "ext-"))
            return words(name + 4, '\0', "-", true);
        return import ? words(name[0] == '\\' ? name + 1 : name, '\\', "", false)
                      : strchr(name, '/') && words(name, '/', "-.", true);
    default:
        return words(name, '.', "$", false);
    }
}

static const char *hint_for(enum em_language language, const char *name)
{
    if (strpbrk(name, " \t"))
        return "names are separated by commas";
    if (language == EM_LANGUAGE_PYTHON && strchr(name, '-'))
        return "give the name that is imported, not the distribution's (psycopg2, not "
               "psycopg2-binary)";
    if (language == EM_LANGUAGE_PYTHON && strchr(name, '/'))
        return "give the name that is imported (src.main), not a file";
    if (language == EM_LANGUAGE_PHP && !strchr(name, '/'))
        return "write php: VENDOR/PACKAGE, or ext-NAME; classes can be given to import";
    if (language == EM_LANGUAGE_JAVA)
        return "give a class with its package: org.postgresql.Driver";
    return NULL;
}

static int refuse_name(enum em_language language, const char *name, struct em_err *err)
{
    const char *hint = hint_for(language, name);

    if (name[0] == '\0')
        return em_fail(err, EM_EXIT_CONFIG, "an empty name");
    em_fail(err, EM_EXIT_CONFIG, "\"%s\" can't be a %s's name", name,
            language == EM_LANGUAGE_JAVA   ? "class"
            : language == EM_LANGUAGE_RUBY ? "gem"
            : language == EM_LANGUAGE_PHP  ? "package"
                                           : "module");
    if (hint)
        em_hint(err, "%s", hint);
    return err->code;
}

/* ---- Versions -------------------------------------------------------------------------------- */

/* Gem::Requirement: OP VERSION, OP VERSION… */
static bool ruby_versions(const char *text)
{
    for (;;) {
        size_t op = strspn(text, "<>=!~ "),
               version = strspn(text + op, "0123456789.abcdefghijklmnopqrstuvwxyz-");

        if (version == 0 || !em_is_digit(text[op]))
            return false;
        text += op + version;
        text += strspn(text, " ");
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
        text += strspn(text, " ");
    }
}

static bool valid_versions(enum em_language language, const char *text)
{
    switch (language) {
    case EM_LANGUAGE_PYTHON:
        return em_pep440_is_spec(text);
    case EM_LANGUAGE_NODE:
        return em_semver_is_range(text);
    case EM_LANGUAGE_RUBY:
        return ruby_versions(text);
    case EM_LANGUAGE_PHP:
        return em_composer_is_range(text);
    default:
        return false;
    }
}

static int check_versions(const struct em_modules *modules, bool import, const struct em_module *m,
                          struct em_err *err)
{
    if (m->allowed[0] == '\0')
        return 0;
    if (import) {
        em_fail(err, EM_EXIT_CONFIG, "%s%s: import takes no versions", m->name, m->allowed);
        em_hint(err, "versions belong to module = %s: %s%s", modules->word, m->name, m->allowed);
    } else if (modules->language == EM_LANGUAGE_JAVA) {
        em_fail(err, EM_EXIT_CONFIG, "%s%s: a class has no version", m->name, m->allowed);
    } else if (!valid_versions(modules->language, m->allowed)) {
        em_fail(err, EM_EXIT_CONFIG, "%s: \"%s\" says no version", m->name, m->allowed);
        if (modules->language == EM_LANGUAGE_PYTHON)
            em_hint(err, "as pip takes it: %s>=1.2,<2 or %s==1.2.*", m->name, m->name);
    }
    return err->code;
}

/* ---- The line -------------------------------------------------------------------------------- */

static char *trimmed(const char *start, const char *end)
{
    while (start < end && strchr(" \t\r\n", *start))
        start++;
    while (end > start && strchr(" \t\r\n", end[-1]))
        end--;
    return em_strndup(start, (size_t)(end - start));
}

/* Where the version begins. */
static size_t name_end(enum em_language language, const char *text)
{
    size_t n = strcspn(text, "<>=!~^");

    if (language == EM_LANGUAGE_NODE && n > 1) {
        const char *at = memchr(text + 1, '@', n - 1);

        n = at ? (size_t)(at - text) : n;
    } else if (language == EM_LANGUAGE_PHP) {
        size_t colon = strcspn(text, ":");

        n = colon < n ? colon : n;
    }
    return n;
}

static void add_module(struct em_modules *modules, const char *text)
{
    size_t n = name_end(modules->language, text);
    const char *versions = text + n;

    versions += *versions == '@' || *versions == ':';
    modules->v = em_realloc(modules->v, modules->n + 1, sizeof(*modules->v));
    modules->v[modules->n++] =
        (struct em_module){trimmed(text, text + n), trimmed(versions, versions + strlen(versions))};
}

/* ",<2" behind a name with a version. */
static bool go_on(struct em_modules *modules, const char *text)
{
    struct em_module *last = modules->n ? &modules->v[modules->n - 1] : NULL;
    struct em_str all = EM_STR_INIT;

    if (!last || !last->allowed[0] || !strchr("<>=!~^", text[0]) || text[0] == '\0')
        return false;
    em_str_printf(&all, "%s%s%s", last->allowed, modules->language == EM_LANGUAGE_NODE ? " " : ",",
                  text);
    free(last->allowed);
    last->allowed = em_str_take(&all);
    return true;
}

static int check_all(const struct em_modules *modules, bool import, struct em_err *err)
{
    for (size_t i = 0; i < modules->n && err->code == 0; i++) {
        const struct em_module *m = &modules->v[i];

        if (!valid_name(modules->language, m->name, import))
            refuse_name(modules->language, m->name, err);
        else
            check_versions(modules, import, m, err);
    }
    return err->code;
}

int em_modules_read(const char *value, bool import, struct em_modules *modules, struct em_err *err)
{
    const char *colon = strchr(value, ':');

    *modules = (struct em_modules){.word = trimmed(value, colon ? colon : value)};
    if (!colon || modules->word[0] == '\0') {
        em_fail(err, EM_EXIT_CONFIG, "\"%s\" has no language before a colon", value);
        em_hint(err, "write %s = python: %s", import ? "import" : "module", colon ? "NAME" : value);
        return err->code;
    }
    modules->language = em_language_of(modules->word);
    if (modules->language == EM_LANGUAGE_UNKNOWN ||
        (import && modules->language == EM_LANGUAGE_JAVA))
        return em_fail(err, EM_EXIT_CONFIG, "%s is not supported, only python, node, ruby%s",
                       modules->word, import ? " and php are" : ", php and java are");
    if (colon[1 + strspn(colon + 1, " \t\r\n")] == '\0')
        return em_fail(err, EM_EXIT_CONFIG, "\"%s\" names no module", value);
    for (const char *p = colon; p; p = strchr(p + 1, ',')) {
        EM_FREE char *text = trimmed(p + 1, p + 1 + strcspn(p + 1, ","));

        if (!go_on(modules, text))
            add_module(modules, text);
    }
    return check_all(modules, import, err);
}

void em_modules_free(struct em_modules *modules)
{
    for (size_t i = 0; i < modules->n; i++) {
        free(modules->v[i].name);
        free(modules->v[i].allowed);
    }
    free(modules->v);
    free(modules->word);
    *modules = (struct em_modules){0};
}
