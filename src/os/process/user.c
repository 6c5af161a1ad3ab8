#include "embark/os/process/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More than anybody is in; the kernel's own limit is higher. */
enum { GROUPS_MAX = 1024 };

/* A decimal number that is an id; (uid_t)-1 means "no change" to the kernel. */
static bool read_id(const char *text, unsigned *id)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || number >= UINT32_MAX)
        return false;
    *id = (unsigned)number;
    return true;
}

static void add_group(struct em_user *user, gid_t gid)
{
    for (size_t i = 0; i < user->n; i++)
        if (user->groups[i] == gid)
            return;
    user->groups = em_realloc(user->groups, user->n + 1, sizeof *user->groups);
    user->groups[user->n++] = gid;
}

static void add_groups_of(struct em_user *user, const char *name)
{
    gid_t *all = em_alloc(GROUPS_MAX * sizeof *all);
    int count = GROUPS_MAX;
    if (getgrouplist(name, user->gid, all, &count) < 0)
        count = 0;
    for (int i = 0; i < count; i++)
        add_group(user, all[i]);
    free(all);
}

static int find_group(const char *name, struct em_user *user, struct em_err *err)
{
    unsigned id;
    const struct group *group = getgrnam(name);
    if (!group && !read_id(name, &id)) {
        em_fail(err, EM_EXIT_CONFIG, "there is no group %s (/etc/group)", name);
        em_hint(err, "add it in the Dockerfile (addgroup, groupadd), or give its number");
        return EM_EXIT_CONFIG;
    }
    user->gid = group ? group->gr_gid : id;
    return 0;
}

int em_user_find(const char *text, struct em_user *user, struct em_err *err)
{
    const char *colon = strchr(text, ':');
    EM_FREE char *name = em_strndup(text, colon ? (size_t)(colon - text) : strlen(text));
    unsigned id = (unsigned)getuid();
    bool numeric = (!*name && colon && colon[1]) || read_id(name, &id);
    if (colon && !colon[1]) /* "app:" is the user's own groups, ":app" the user that runs this */
        colon = NULL;
    const struct passwd *entry = getpwnam(name);
    *user = (struct em_user){0};
    if (!entry && numeric)
        entry = getpwuid(id);
    if (!entry && !numeric) {
        em_fail(err, EM_EXIT_CONFIG, "there is no user %s (/etc/passwd)", name);
        em_hint(err, "add it in the Dockerfile (adduser, useradd), or give its number");
        return EM_EXIT_CONFIG;
    }
    user->uid = entry ? entry->pw_uid : id;
    user->gid = entry ? entry->pw_gid : 0;
    user->home = em_strdup(entry && *entry->pw_dir ? entry->pw_dir : "/");
    user->name = em_strdup(entry ? entry->pw_name : "");
    if (colon && find_group(colon + 1, user, err) != 0)
        return err->code;
    add_group(user, user->gid);
    if (!colon && *user->name)
        add_groups_of(user, user->name);
    return 0;
}

static bool is_already(const struct em_user *user)
{
    uid_t real, effective, saved;
    gid_t group, effective_group, saved_group;
    return getresuid(&real, &effective, &saved) == 0 &&
           getresgid(&group, &effective_group, &saved_group) == 0 && real == user->uid &&
           effective == user->uid && saved == user->uid && group == user->gid &&
           effective_group == user->gid && saved_group == user->gid;
}

/* Groups first: without root's uid they can't be changed any more. */
static const char *change(const struct em_user *user)
{
    if (setgroups(user->n, user->groups) != 0)
        return "setgroups";
    if (setresgid(user->gid, user->gid, user->gid) != 0)
        return "setresgid";
    if (setresuid(user->uid, user->uid, user->uid) != 0)
        return "setresuid";
    errno = EPERM;
    /* That there is no way back is the point of it. */
    if (!is_already(user) || (user->uid != 0 && setuid(0) == 0))
        return "a look at what came of it";
    return NULL;
}

int em_user_become(const struct em_user *user, struct em_err *err)
{
    /* Who isn't root may not change its groups, and has those that it was given. */
    if (is_already(user) && user->uid != 0)
        return 0;
    unsigned uid = (unsigned)getuid(), gid = (unsigned)getgid();
    const char *failed = change(user);
    if (failed) {
        em_fail_errno(err, EM_EXIT_CONFIG, "%u:%u can't become %u:%u (%s)", uid, gid,
                      (unsigned)user->uid, (unsigned)user->gid, failed);
        em_hint(err, uid == 0 ? "it needs the capabilities SETUID and SETGID (cap_drop, and a user "
                                "namespace, take them)"
                              : "only root may: leave USER out of the Dockerfile, and --user or "
                                "runAsUser out of the deployment, or leave [service] user out");
        return EM_EXIT_CONFIG;
    }
    setenv("HOME", user->home, 1);
    return 0;
}

void em_user_free(struct em_user *user)
{
    free(user->groups);
    free(user->home);
    free(user->name);
    *user = (struct em_user){0};
}
