#include "embark/core/sql/lint/dump.h"

#include <string.h>

#define RESTORE         "pg_restore -f FILE makes SQL of it"
#define UNPACK(program) "unpack it where the image is built: " program

static const struct {
    size_t at, length;
    const char *bytes, *what, *hint;
} kinds[] = {
    {0, 5, "PGDMP", "this is a dump in pg_dump's custom format", RESTORE},
    {0, 8, "toc.dat", "this is a dump in pg_dump's tar format", RESTORE},
    {257, 5, "ustar", "this is a tar archive", UNPACK("tar -x")},
    {0, 2, "\x1f\x8b", "this is compressed by gzip", UNPACK("gzip -d")},
    {0, 3, "BZh", "this is compressed by bzip2", UNPACK("bzip2 -d")},
    {0, 6,
     "\xfd"
     "7zXZ",
     "this is compressed by xz", UNPACK("xz -d")},
    {0, 4, "\x28\xb5\x2f\xfd", "this is compressed by zstd", UNPACK("zstd -d")},
    {0, 4, "\x04\x22\x4d\x18", "this is compressed by lz4", UNPACK("lz4 -d")},
    {0, 4, "PK\x03\x04", "this is a zip archive", UNPACK("unzip")},
};

const char *em_sql_no_text(const char *bytes, size_t length, size_t *at, const char **hint)
{
    const char *nul = memchr(bytes, '\0', length);
    *at = 0;
    for (size_t i = 0; i < EM_COUNT(kinds); i++) {
        size_t end = kinds[i].at + kinds[i].length;
        if (length < end || memcmp(bytes + kinds[i].at, kinds[i].bytes, kinds[i].length) != 0)
            continue;
        /* SQL doesn't begin so, but BZh is text as well. */
        if (*bytes == 'B' && (length < 7 || memcmp(bytes + 4, "1AY", 3) != 0))
            continue;
        *hint = kinds[i].hint;
        return kinds[i].what;
    }
    *hint = "is it UTF-16? iconv -f UTF-16 -t UTF-8 makes it readable";
    *at = nul ? (size_t)(nul - bytes) : 0;
    return nul ? "a NUL byte: no SQL text holds one" : NULL;
}
