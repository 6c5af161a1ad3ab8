#include "embark/core/sql/lint/dump.h"

#include <string.h>

/* Without pointers, which would take more room than the texts. */
static const struct {
    unsigned short at;
    unsigned char length;
    char bytes[9], what[44], unpack[9]; /* unpack "": it is a dump */
} kinds[] = {
    {0, 5, "PGDMP", "this is a dump in pg_dump's custom format", ""},
    {0, 8, "toc.dat", "this is a dump in pg_dump's tar format", ""},
    {257, 5, "ustar", "this is a tar archive", "tar -x"},
    {0, 2, "\x1f\x8b", "this is compressed by gzip", "gzip -d"},
    {0, 3, "BZh", "this is compressed by bzip2", "bzip2 -d"},
    {0, 6, "\xfd\x37zXZ", "this is compressed by xz", "xz -d"},
    {0, 4, "\x28\xb5\x2f\xfd", "this is compressed by zstd", "zstd -d"},
    {0, 4, "\x04\x22\x4d\x18", "this is compressed by lz4", "lz4 -d"},
    {0, 4, "PK\x03\x04", "this is a zip archive", "unzip"},
};

const char *em_sql_no_text(const char *bytes, size_t length, size_t *at, struct em_str *hint)
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
        if (*kinds[i].unpack)
            em_str_printf(hint, "unpack it where the image is built: %s", kinds[i].unpack);
        else
            em_str_puts(hint, "pg_restore -f FILE makes SQL of it");
        return kinds[i].what;
    }
    if (!nul)
        return NULL;
    em_str_puts(hint, "is it UTF-16? iconv -f UTF-16 -t UTF-8 makes it readable");
    *at = (size_t)(nul - bytes);
    return "a NUL byte: no SQL text holds one";
}
