/* Small files and look-ups in the file system, for messages and configuration. Nothing here follows
 * a FIFO or a device into a hang. */
#ifndef EMBARK_OS_FILES_FILES_H
#define EMBARK_OS_FILES_FILES_H

#include <dirent.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "embark/core/config/config.h"

/* Adds a regular file of at most `limit` bytes to `out` (opened O_NONBLOCK|O_CLOEXEC; not a FIFO,
 * socket, device or directory; files of /proc, whose size is 0, are read to their end). False, with
 * nothing added to `out`: why says "is a directory", "Permission denied", "is larger than 1 MiB"…
 */
bool em_file_read(const char *path, size_t limit, struct em_str *out, struct em_str *why);

/* A descriptor for reading a regular file (O_NONBLOCK, O_CLOEXEC), with its `st`. -1, with the
 * reason added to why: it is no regular file, and then it is not opened, or can't be read. */
int em_file_open(const char *path, struct stat *st, struct em_str *why);

/* opendir(3); what the system has refused is noted (refused.h). */
DIR *em_dir_open(const char *path);

/* At most `size` first bytes of a regular file, for a look at what it is. False: it can't be read.
 */
bool em_file_head(const char *path, char *bytes, size_t size, size_t *length);

/* The real world for em_config_parse: getenv, environ and em_file_read. Constant in use; it isn't
 * `const` only because environ is known at the program's start and not before. */
extern struct em_config_source em_config_source_real;

/* Why `path` leads to nothing, as a clause that goes on from "…: does not exist; ". One of
 *
 *     the nearest existing parent is /app, which holds Public/
 *     the nearest existing parent is /app, which is empty
 *     /app/public is a symbolic link to /build/public, which does not exist
 *     /app is a file, not a directory
 *     /root can't be entered by uid 1000
 *
 * The parent's names are look-alikes (another case, surrounding blanks, a letter's difference), or
 * all that it holds if that is little. A relative path is told from the root. Adds to out; nothing
 * if `path` exists after all. */
void em_path_nearest(const char *path, struct em_str *out);
/* The hint for what em_path_nearest() has told: what to do about a link that leads nowhere, as COPY
 * of the link alone doesn't help; `otherwise` where there is none. */
const char *em_path_nearest_hint(const struct em_str *nearest, const char *otherwise);

/* What a file is: "a directory", "a file", "a FIFO", "a socket", "a character device", "a block
 * device". */
const char *em_path_kind(mode_t mode);

/* Whether we, by our effective ids and capabilities, may do R_OK, W_OK, X_OK (or'ed) with it: 0 or
 * the errno: EACCES, EROFS (W_OK), EPERM (an immutable file)… Nothing is opened or written. */
int em_path_access(const char *path, int mode);

/* "belongs to 0:0 with mode 0755, and we are 1000:1000". */
void em_path_owner(const struct stat *st, struct em_str *out);

/* Whether `path` is on a mount with the flag (ST_NOEXEC, ST_RDONLY, statvfs(3)). False if it can't
 * be told. */
bool em_path_mount_has(const char *path, unsigned long flag);

/* close(2), asked once more when it says no: Linux has closed the descriptor all the same, and
 * where something in between (a filter, a tracer) has not let it, the other end of a pipe would
 * wait for an end that never comes. embark has one thread, so that the number is nobody else's by
 * then. */
void em_close(int fd);

#endif
