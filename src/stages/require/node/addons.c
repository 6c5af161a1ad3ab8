#include "addons.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "embark/os/exec/find.h"
#include "embark/os/exec/library.h"
#include "embark/os/files/files.h"

void em_node_addons(const char *node, const char *name, const char *package, const char *where,
                    struct em_errs *errs)
{
    EM_STR_AUTO program = EM_STR_INIT;
    EM_STR_AUTO folder = EM_STR_INIT;
    EM_ERR_AUTO ignored = EM_ERR_INIT;
    struct dirent *entry;
    DIR *stream;

    em_str_printf(&folder, "%s/build/Release", package);
    stream = em_dir_open(em_str_c(&folder));
    if (!stream)
        return;
    if (em_exec_find(node, getenv("PATH"), &program, &ignored) == 0)
        while ((entry = readdir(stream))) {
            EM_STR_AUTO file = EM_STR_INIT;
            EM_LIST_AUTO missing = EM_LIST_INIT;
            EM_ERR_AUTO err = EM_ERR_INIT;
            struct em_err *added;

            em_str_printf(&file, "%s/%s", em_str_c(&folder), entry->d_name);
            if (!em_ends(entry->d_name, ".node") ||
                em_library_check(em_str_c(&program), em_str_c(&file), &missing, &err) == 0)
                continue;
            added = em_errs_add(errs, EM_EXIT_REQUIREMENT, "module %s: found, but %s (%s)", name,
                                em_str_c(&err.text), where);
            em_hint(added, "%s", em_str_c(&err.hint));
        }
    closedir(stream);
}
