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
static bool from_file(const char *name, struct em_str *out)
{
    EM_STR_AUTO file = EM_STR_INIT;
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    char head[EM_SHEBANG_BYTES];
    struct em_shebang shebang;
    size_t length = 0;
    bool found;

    if (em_exec_find(name, getenv("PATH"), &file, &ignored) != 0 ||
        !em_file_head(em_str_c(&file), head, sizeof(head), &length))
        return false;
    found = em_shebang_read(head, length, &shebang) == EM_SHEBANG_OK &&
            em_language_of(shebang.program) == EM_LANGUAGE_NODE && folder_of(em_str_c(&file), out);
    em_shebang_free(&shebang);
    return found;
}

static bool from_words(char *const *words, size_t count, struct em_str *out)
{
    size_t script = em_node_script(words, count);

    /* node adds .js to its script as require() does */
    if (script) {
        EM_STR_AUTO with_end = EM_STR_INIT;

        em_str_printf(&with_end, "%s.js", words[script]);
        return folder_of(words[script], out) || folder_of(em_str_c(&with_end), out);
    }
    return from_file(words[0], out);
}

void em_node_directory(const struct em_list *service, struct em_str *out)
{
    EM_LIST_AUTO inner = EM_LIST_INIT;
    char cwd[4096];

    /* sh -c 'node server.js': its words count, whatever else the shell does with them. */
    if (service && service->n > 2 && strcmp(service->v[service->n - 2], "-c") == 0 &&
        em_words_split(service->v[service->n - 1], &inner) && inner.n &&
        from_words(inner.v, inner.n, out))
        return;
    if (service && service->n && from_words(service->v, service->n, out))
        return;
    em_str_puts(out, getcwd(cwd, sizeof(cwd)) ? cwd : "/");
}
