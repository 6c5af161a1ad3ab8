#include "embark/stages/require/java/java.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "embark/core/languages/java/class_path.h"
#include "embark/core/languages/manifest.h"
#include "embark/core/languages/module.h"
#include "embark/os/files/files.h"
#include "embark/os/log/log.h"
#include "embark/os/loop/loop.h"
#include "jar.h"

enum { JARS_MAX = 5000, DEPTH_MAX = 50, NAMES_SAID = 10 };

/* All classes that are asked for, and where they were looked for. */
struct search {
    struct em_list names, files,
        wheres; /* org.postgresql.Driver, org/postgresql/Driver.class, embark.ini:3 */
    bool *found;
    struct em_list looked, broken; /* jars and folders; what can't be read, with the reason */
    struct em_list gone; /* what a manifest names and isn't there: "lib/x.jar, of app.jar" */
    bool unclear;
    int depth; /* of jars that name each other */
};

static void look_in(struct search *s, const char *part);

/* Relative to the jar, as the manifest's paths are URLs; another host's are passed over, as is what
 * isn't there: the JVM does so. */
static void follow(struct search *s, const char *jar, const char *named)
{
    EM_STR_AUTO path = EM_STR_INIT;
    const char *slash = strrchr(jar, '/');

    if (em_starts(named, "file:"))
        named += strlen("file:");
    else if (strstr(named, "://"))
        return;
    if (*named != '/' && slash)
        em_str_add(&path, jar, (size_t)(slash - jar + 1));
    em_str_puts(&path, named);
    if (access(em_str_c(&path), F_OK) == 0) {
        look_in(s, em_str_c(&path));
        return;
    }
    em_str_printf(&path, " (Class-Path of %s)", jar);
    em_list_add(&s->gone, em_str_c(&path));
}

static void look_in_jar(struct search *s, const char *path)
{
    EM_LIST_AUTO named = EM_LIST_INIT;
    struct em_jar_search jar = {
        .classes = &s->files, .found = s->found, .nested = true, .class_path = &named};
    EM_STR_AUTO why = EM_STR_INIT;

    if (em_list_has(&s->looked, path) || s->looked.n >= JARS_MAX)
        return;
    em_list_add(&s->looked, path);
    if (!em_jar_find(path, &jar, &why)) {
        EM_STR_AUTO said = EM_STR_INIT;

        em_str_printf(&said, "%s: %s", path, em_str_c(&why));
        em_list_add(&s->broken, em_str_c(&said));
    }
    s->unclear = s->unclear || jar.unclear;
    s->depth++;
    for (size_t i = 0; i < named.n && s->depth < DEPTH_MAX; i++)
        follow(s, path, named.v[i]);
    s->depth--;
}

static void look_in_jars_of(struct search *s, const char *folder)
{
    DIR *stream = em_dir_open(*folder ? folder : ".");
    struct dirent *entry;

    while (stream && !em_loop_stopped() && (entry = readdir(stream))) {
        EM_STR_AUTO path = EM_STR_INIT;

        em_str_printf(&path, "%s%s%s", folder, *folder && !em_ends(folder, "/") ? "/" : "",
                      entry->d_name);
        if (em_ends(entry->d_name, ".jar"))
            look_in_jar(s, em_str_c(&path));
    }
    if (stream)
        closedir(stream);
}

static void look_in_folder(struct search *s, const char *folder)
{
    em_list_add(&s->looked, folder);
    for (size_t i = 0; i < s->files.n; i++) {
        EM_STR_AUTO path = EM_STR_INIT;

        em_str_printf(&path, "%s/%s", folder, s->files.v[i]);
        s->found[i] = s->found[i] || access(em_str_c(&path), F_OK) == 0;
    }
}

/* A part of a class path: "lib/" and a star is all jars of it. */
static void look_in(struct search *s, const char *part)
{
    EM_STR_AUTO folder = EM_STR_INIT;

    if (em_ends(part, "*")) {
        em_str_add(&folder, part, strlen(part) - 1);
        look_in_jars_of(s, em_str_c(&folder));
    } else if (em_ends(part, ".jar") || em_ends(part, ".war") || em_ends(part, ".zip")) {
        look_in_jar(s, part);
    } else {
        look_in_folder(s, part);
    }
}

/* A launcher may have a class loader of its own (Quarkus, Spring Boot's PropertiesLauncher), for
 * jars that no Class-Path names: those in the usual folders beside it. */
static void look_beside(struct search *s, const char *jar)
{
    static const char *const folders[] = {"",     "lib",        "lib/main",
                                          "libs", "dependency", "dependencies"};
    const char *slash = strrchr(jar, '/');

    for (size_t i = 0; i < EM_COUNT(folders); i++) {
        EM_STR_AUTO folder = EM_STR_INIT;

        if (slash)
            em_str_add(&folder, jar, (size_t)(slash - jar + 1));
        em_str_puts(&folder, folders[i]);
        look_in_jars_of(s, em_str_c(&folder));
    }
}

static bool all_found(const struct search *s)
{
    for (size_t i = 0; i < s->files.n; i++)
        if (!s->found[i])
            return false;
    return true;
}

/* What is found only there isn't judged: whether anybody loads it can't be told. */
static void look_beside_for_missing(struct search *s, const char *jar)
{
    bool *found = s->found;

    s->found = em_alloc(s->files.n + 1);
    look_beside(s, jar);
    for (size_t i = 0; i < s->files.n; i++)
        if (s->found[i] && !found[i]) {
            found[i] = true;
            em_log(EM_LOG_WARN, "require",
                   "module %s: is not judged: it is in a jar beside %s, whose Class-Path "
                   "(META-INF/MANIFEST.MF) doesn't name it (%s)",
                   s->names.v[i], jar, s->wheres.v[i]);
        }
    free(s->found);
    s->found = found;
}

static bool path_of(const struct em_list *service, struct em_java_path *path)
{
    EM_LIST_AUTO inner = EM_LIST_INIT;
    const char *from_outside = getenv("CLASSPATH");

    *path = (struct em_java_path){0};
    if (service && service->n > 2 && strcmp(service->v[service->n - 2], "-c") == 0 &&
        em_command_line_split(service->v[service->n - 1], &inner) &&
        em_java_path_read(inner.v, inner.n, path))
        return true;
    if (service && em_java_path_read(service->v, service->n, path))
        return true;
    if (from_outside)
        em_java_path_split(from_outside, &path->parts);
    return path->parts.n > 0;
}

static void look(struct search *s, const struct em_list *service)
{
    static const char *const usual[] = {"",    "lib",  "libs",     "target",   "build/libs",
                                        "app", "/app", "/app/lib", "/app/libs"};
    struct em_java_path path;

    if (path_of(service, &path)) {
        for (size_t i = 0; i < path.parts.n; i++)
            look_in(s, path.parts.v[i]);
        if (path.jar && !all_found(s))
            look_beside_for_missing(s, path.parts.v[0]);
    } else {
        for (size_t i = 0; i < EM_COUNT(usual) && !all_found(s); i++)
            look_in_jars_of(s, usual[i]);
    }
    em_list_free(&path.parts);
}

static void say_missing(const struct search *s, size_t i, struct em_errs *errs)
{
    EM_STR_AUTO text = EM_STR_INIT;
    struct em_err *err;

    if (em_java_is_own(s->names.v[i])) {
        em_log(EM_LOG_WARN, "require", "module %s: the JDK's own classes are not judged (%s)",
               s->names.v[i], s->wheres.v[i]);
        return;
    }
    if (s->unclear) {
        em_log(EM_LOG_WARN, "require",
               "module %s: not judged: a jar holds jars that are compressed, or more than "
               "is looked at (%s)",
               s->names.v[i], s->wheres.v[i]);
        return;
    }
    if (s->looked.n)
        em_str_puts(&text, "looked in ");
    else
        em_str_puts(
            &text,
            "there is no jar in the working directory, and the service's command names none");
    em_manifest_names(&s->looked, NAMES_SAID, &text);
    if (s->gone.n)
        em_str_puts(&text, "; not there: ");
    em_manifest_names(&s->gone, NAMES_SAID, &text);
    if (s->broken.n)
        em_str_puts(&text, "; unreadable: ");
    em_manifest_names(&s->broken, NAMES_SAID, &text);
    err = em_errs_add(errs, EM_EXIT_REQUIREMENT, "module %s: no such class; %s (%s)", s->names.v[i],
                      em_str_c(&text), s->wheres.v[i]);
    em_hint(err,
            s->looked.n
                ? "see that the build has it as a runtime dependency, and that its jar is copied"
                : "name the service's command, java -jar … or -cp …, in [service] command or CMD");
}

static void add_line(struct search *s, const char *value, const char *where)
{
    struct em_modules modules;
    EM_ERR_AUTO err = EM_ERR_INIT;

    if (em_modules_read(value, false, &modules, &err) == 0 && modules.language == EM_LANGUAGE_JAVA)
        for (size_t i = 0; i < modules.n; i++) {
            EM_STR_AUTO file = EM_STR_INIT;

            em_java_class_file(modules.v[i].name, &file);
            em_list_add(&s->names, modules.v[i].name);
            em_list_add(&s->files, em_str_c(&file));
            em_list_add(&s->wheres, where);
        }
    em_modules_free(&modules);
}

void em_require_java(const struct em_config *config, const struct em_list *service,
                     struct em_errs *errs)
{
    struct search s = {0};

    for (size_t i = 0; i < config->require_module.n; i++)
        add_line(&s, config->require_module.v[i], config->require_module.where[i]);
    s.found = em_alloc(s.files.n + 1);
    if (s.files.n)
        look(&s, service);
    for (size_t i = 0; i < s.files.n; i++) {
        if (s.found[i])
            em_log(EM_LOG_DEBUG, "require", "module %s: found", s.names.v[i]);
        else
            say_missing(&s, i, errs);
    }
    free(s.found);
    em_list_free(&s.names);
    em_list_free(&s.files);
    em_list_free(&s.wheres);
    em_list_free(&s.looked);
    em_list_free(&s.broken);
    em_list_free(&s.gone);
}
