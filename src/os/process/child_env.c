#include "embark/os/process/child_env.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void em_env_copy(struct em_list *env)
{
    for (char **e = environ; e && *e; e++)
        em_list_add(env, *e);
}

static bool is_named(const char *entry, const char *name, const char *suffix)
{
    size_t length = strlen(name);
    size_t more = strlen(suffix);
    return strncmp(entry, name, length) == 0 && strncmp(entry + length, suffix, more) == 0 &&
           entry[length + more] == '=';
}

static void drop(struct em_list *env, const char *name, const char *suffix)
{
    size_t kept = 0;
    for (size_t i = 0; i < env->n; i++) {
        if (is_named(env->v[i], name, suffix))
            free(env->v[i]);
        else
            env->v[kept++] = env->v[i];
    }
    env->n = kept;
    if (env->v)
        env->v[kept] = NULL;
}

void em_env_set(struct em_list *env, const char *name, const char *value)
{
    EM_STR_AUTO entry = EM_STR_INIT;
    drop(env, name, "");
    drop(env, name, "_FILE");
    em_str_printf(&entry, "%s=%s", name, value);
    em_list_take(env, em_str_take(&entry));
}

void em_env_rename(struct em_list *env, const char *name, const char *as)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < env->n; i++) {
        EM_STR_AUTO entry = EM_STR_INIT;
        if (!is_named(env->v[i], name, ""))
            continue;
        em_str_printf(&entry, "%s%s", as, env->v[i] + length);
        free(env->v[i]);
        env->v[i] = em_str_take(&entry);
    }
}

int em_open_null(void)
{
    int ends[2];
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd >= 0 || pipe2(ends, O_CLOEXEC) != 0)
        return fd;
    close(ends[1]);
    return ends[0];
}
