/* /proc/self/mountinfo: what is mounted where. Pure; the bytes are the kernel's, but are not
 * trusted. */
#ifndef EMBARK_CORE_LINUX_MOUNTINFO_H
#define EMBARK_CORE_LINUX_MOUNTINFO_H

#include "embark/core/base/str.h"

struct em_mount {
    char *point;  /* where: "/data", its octal escapes decoded */
    char *type;   /* "ext4", "overlay", "tmpfs" */
    char *source; /* "/dev/sda1", "none" */
};

/* Finds the mount that `path` (absolute, without links and dots) lies on: the one with the longest
 * mount point, and of several on the same point the last, which hides the others. False: none,
 * which means that the text isn't a mountinfo. em_mount_free() releases it in any case. */
bool em_mountinfo_find(const char *text, const char *path, struct em_mount *mount);
void em_mount_free(struct em_mount *mount);

#endif
