#include "files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embark/core/config/config.h"
#include "embark/core/executable/shebang.h"
#include "embark/core/languages/module.h"
#include "embark/core/languages/node/command_line.h"
#include "embark/os/exec/find.h"
#include "embark/os/files/files.h"
#include "embark/stages/require/started/started.h"

enum { PACKAGE_MAX = 4 * 1024 * 1024 };

static enum em_node_kind kind(void *ctx, const char *path)
{
    struct stat st;

    (void)ctx;
    if (stat(path, &st) == 0)
        return S_ISREG(st.st_mode)   ? EM_NODE_FILE
               : S_ISDIR(st.st_mode) ? EM_NODE_DIR
                                     : EM_NODE_NOTHING;
    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode) ? EM_NODE_BROKEN : EM_NODE_NOTHING;
}

static bool read_package(void *ctx, const char *path, struct em_str *out)
{
    EM_STR_AUTO why = EM_STR_INIT;

    (void)ctx;
    return em_file_read(path, PACKAGE_MAX, out, &why);
}

const struct em_node_files em_node_files_real = {kind, read_package, NULL};

static bool folder_of(const char *script, struct em_str *out)
{
    EM_FREE char *real = realpath(script, NULL);
    char *slash = real ? strrchr(real, '/') : NULL;

    if (!slash || strstr(real, "/node_modules/"))
        return false;
    em_str_add(out, real, slash == real ? 1 : (size_t)(slash - real));
    return true;
}

/* A command whose #! line is node's. */
static bool from_file(const char *name, const struct em_started_place *place, struct em_str *out)
{
    EM_STR_AUTO file = EM_STR_INIT;
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    char head[EM_SHEBANG_BYTES];
    struct em_shebang shebang;
    size_t length = 0;
    bool found;

    if (strchr(name, '/'))
        em_started_path(em_str_c(&place->dir), name, &file);
    else if (em_exec_find(name, getenv("PATH"), &file, &ignored) != 0)
        return false;
    if (!em_file_head(em_str_c(&file), head, sizeof(head), &length))
        return false;
    found = em_shebang_read(head, length, &shebang) == EM_SHEBANG_OK &&
            em_language_of(shebang.program) == EM_LANGUAGE_NODE && folder_of(em_str_c(&file), out);
    em_shebang_free(&shebang);
    return found;
}

/* node adds .js to its script as require() does. */
static bool from_script(const char *script, const struct em_started_place *place,
                        struct em_str *out)
{
    EM_STR_AUTO file = EM_STR_INIT;

    em_started_path(em_str_c(&place->dir), script, &file);
    if (folder_of(em_str_c(&file), out))
        return true;
    em_str_puts(&file, ".js");
    return folder_of(em_str_c(&file), out);
}

struct telling {
    struct em_str dir, doubt;
};

/* The last program that tells counts. */
static void take(void *ctx, char *const *words, size_t count, const struct em_started_place *place)
{
    struct telling *t = ctx;
    size_t script = em_node_script(words, count);
    EM_STR_AUTO dir = EM_STR_INIT;
    bool node = em_language_of(words[0]) == EM_LANGUAGE_NODE;
    bool told = script ? from_script(words[script], place, &dir) : from_file(words[0], place, &dir);

    if (!told && (node || place->manager == EM_MANAGER_NODE)) {
        EM_FREE char *real = realpath(place->dir.len ? em_str_c(&place->dir) : ".", NULL);

        em_str_puts(&dir, real ? real : em_str_c(&place->dir));
        told = true;
    }
    if (!told)
        return;
    em_str_cut(&t->dir, 0);
    em_str_puts(&t->dir, em_str_c(&dir));
    em_str_cut(&t->doubt, 0);
    em_str_puts(&t->doubt, em_str_c(&place->doubt));
}

void em_node_directory(const struct em_list *service, struct em_str *out, struct em_str *doubt)
{
    struct telling t = {EM_STR_INIT, EM_STR_INIT};
    EM_FREE char *cwd = realpath(".", NULL);

    em_started(service, take, &t);
    em_str_puts(doubt, em_str_c(&t.doubt));
    em_str_puts(out, t.dir.len ? em_str_c(&t.dir) : cwd ? cwd : "/");
    em_str_free(&t.dir);
    em_str_free(&t.doubt);
}
