/* The list of a zip file's entries (a jar), read from its end as APPNOTE.TXT and every JVM do;
 * zip64 too.
 *
 * Bytes in, names out: the caller reads the file's last EM_ZIP_TAIL bytes (or all, if it has
 * fewer), then the directory that em_zip_end_read() tells of. What stands before the archive (a
 * shell script, as Spring Boot puts there) is allowed.
 *
 * Pure; the bytes are hostile.
 */
#ifndef EMBARK_CORE_LANGUAGES_JAVA_ZIP_H
#define EMBARK_CORE_LANGUAGES_JAVA_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EM_ZIP_TAIL = 65535 + 22 + 20 + 56, EM_ZIP_LOCAL = 30 };

struct em_zip_end {
    uint64_t offset, size; /* of the directory, in the file */
    uint64_t base;         /* where the archive begins: entries' offsets count from there */
};
/* `tail`: the last `length` bytes of `file_size`. False: no zip file, or a damaged one. */
bool em_zip_end_read(const char *tail, size_t length, uint64_t file_size, struct em_zip_end *end);

struct em_zip_entry {
    const char *name; /* in the directory's bytes, not terminated */
    size_t name_length;
    bool stored;               /* not compressed */
    uint64_t size, compressed; /* of its bytes */
    uint64_t local;            /* of its local header, from the archive's begin */
};
/* The entry at *at, which is moved behind it. False: the end, or damage. */
bool em_zip_next(const char *directory, size_t length, size_t *at, struct em_zip_entry *entry);

/* How long the local header is whose first EM_ZIP_LOCAL bytes these are: then come the entry's
 * bytes. 0: damaged. */
size_t em_zip_local_length(const char *header);

#endif
