/* /etc/ld.so.cache, glibc's list of where libraries are: "glibc-ld.so.cache1.1", the older
 * "ld.so-1.7.0", or both. Pure; the bytes are hostile. */
#ifndef EMBARK_CORE_EXECUTABLE_LD_CACHE_H
#define EMBARK_CORE_EXECUTABLE_LD_CACHE_H

#include "embark/core/base/str.h"

/* Adds the paths that the cache has for the library `name` to `paths`, for whatever machine and
 * processor they are; the caller looks at the files. `big_endian`: the byte order, where the cache
 * doesn't say it. False: the bytes are no such cache. */
bool em_ld_cache_find(const char *bytes, size_t length, bool big_endian, const char *name,
                      struct em_list *paths);

#endif
