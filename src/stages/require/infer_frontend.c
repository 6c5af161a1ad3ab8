#include <ctype.h>
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "embark/core/languages/node/npm.h"
#include "embark/os/files/files.h"
#include "infer_parts.h"

enum { FILE_LIMIT = 4 * 1024 * 1024, NAMES_MAX = 6 };

/* Who has one of the later packages has often one of the earlier ones, too. */
static const struct framework {
    const char *package;
    const char *dirs[3];
    const char *prefix; /* of variables that its build inlines; NULL: none that a file tells */
} frameworks[] = {
    {"next", {".next/static"}, "NEXT_PUBLIC_"},
    {"nuxt", {".output/public"}, NULL},
    {"@sveltejs/kit", {"build/client", "build"}, NULL},
    {"astro", {"dist/client", "dist"}, "PUBLIC_"},
    {"react-scripts", {"build"}, "REACT_APP_"},
    {"vite", {"dist"}, "VITE_"},
};

static bool is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Angular's is called after the project: dist/shop/browser. */
static void add_angular(struct em_str *bundle)
{
    EM_STR_AUTO found = EM_STR_INIT;
    DIR *stream = em_dir_open("dist");
    struct dirent *entry;
    size_t count = 0;

    while (stream && (entry = readdir(stream))) {
        EM_STR_AUTO path = EM_STR_INIT;

        em_str_printf(&path, "dist/%s/browser", entry->d_name);
        if (entry->d_name[0] == '.' || !is_dir(em_str_c(&path)) ||
            entry->d_name[strspn(entry->d_name, "abcdefghijklmnopqrstuvwxyz0123456789-_")] != '\0')
            continue;
        count++;
        em_str_cut(&found, 0);
        em_str_puts(&found, em_str_c(&path));
    }
    if (stream)
        closedir(stream);
    if (count == 1)
        em_str_printf(bundle, "; what the build of Angular left\ndir = %s\n", em_str_c(&found));
}

/* NAME=… of a .env file. */
static void add_names(const char *file, const char *prefix, struct em_list *names)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;

    if (!em_file_read(file, FILE_LIMIT, &text, &why))
        return;
    for (const char *p = em_str_c(&text); *p; p += strcspn(p, "\n"), p += *p == '\n') {
        size_t n = 0;

        while (isalnum((unsigned char)p[n]) || p[n] == '_')
            n++;
        if (p[n] == '=' && em_starts(p, prefix) && n < 60 && names->n < NAMES_MAX) {
            EM_FREE char *name = em_strndup(p, n);

            if (!em_list_has(names, name))
                em_list_add(names, name);
        }
    }
}

static void add_inlined(const char *prefix, struct em_str *bundle)
{
    static const char *const files[] = {".env.production", ".env", ".env.example"};
    EM_LIST_AUTO names = EM_LIST_INIT;

    for (size_t i = 0; i < EM_COUNT(files); i++)
        add_names(files[i], prefix, &names);
    for (size_t i = 0; i < names.n; i++)
        em_str_printf(bundle, "inlined = %s\n", names.v[i]);
}

/* Packages that are compiled, or load what was: that they are there says little. */
static void add_imports(const struct em_str *json, struct em_str *require)
{
    static const char *const compiled[] = {"sharp",   "bcrypt", "better-sqlite3", "argon2",
                                           "sqlite3", "canvas", "pg-native",      "node-rdkafka",
                                           "zeromq",  "libpq"};

    for (size_t i = 0; i < EM_COUNT(compiled); i++)
        if (em_npm_depends(em_str_c(json), json->len, compiled[i], false))
            em_str_printf(require, "import = node: %s\n", compiled[i]);
}

void em_infer_frontend(struct em_str *require, struct em_str *bundle)
{
    EM_STR_AUTO json = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;

    if (!em_file_read("package.json", FILE_LIMIT, &json, &why))
        return;
    add_imports(&json, require);
    if (em_npm_depends(em_str_c(&json), json.len, "@angular/core", false))
        add_angular(bundle);
    for (size_t i = 0; i < EM_COUNT(frameworks); i++) {
        const struct framework *f = &frameworks[i];
        const char *const *dir = f->dirs;

        if (!em_npm_depends(em_str_c(&json), json.len, f->package, true))
            continue;
        if (strcmp(f->package, "next") == 0 && is_dir("public"))
            em_str_puts(require, "dir = public\n");
        while (*dir && !is_dir(*dir))
            dir++;
        if (*dir) {
            em_str_printf(bundle, "; what the build of %s left\ndir = %s\n", f->package, *dir);
            if (f->prefix)
                add_inlined(f->prefix, bundle);
        }
        return;
    }
}
