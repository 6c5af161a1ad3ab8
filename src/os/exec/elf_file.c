#include "elf_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static size_t read_at(int fd, uint64_t offset, unsigned char *into, size_t length)
{
    size_t done = 0;

    if (offset > INT64_MAX - length)
        return 0;
    while (done < length) {
        ssize_t n = pread(fd, into + done, length - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

static bool read_file(void *ctx, uint64_t offset, void *into, size_t length)
{
    struct em_elf_file *file = ctx;

    if (length > sizeof(file->block))
        return read_at(file->fd, offset, into, length) == length;
    if (offset < file->at || offset - file->at > file->have ||
        length > file->have - (size_t)(offset - file->at)) {
        file->at = offset;
        file->have = read_at(file->fd, offset, file->block, sizeof(file->block));
    }
    if (length > file->have - (size_t)(offset - file->at))
        return false;
    memcpy(into, file->block + (offset - file->at), length);
    return true;
}

struct em_elf_source em_elf_file_source(struct em_elf_file *file, int fd, uint64_t size)
{
    file->fd = fd;
    file->at = 0;
    file->have = 0;
    return (struct em_elf_source){read_file, file, size};
}
