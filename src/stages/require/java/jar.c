#include "jar.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embark/core/languages/java/class_path.h"
#include "embark/core/languages/java/inflate.h"
#include "embark/core/languages/java/zip.h"
#include "embark/os/files/files.h"
#include "embark/os/loop/clock.h"
#include "embark/os/loop/loop.h"

/* DIRECTORIES_MAX: of a jar and all that it holds, which may be itself again and again. */
enum {
    DIRECTORY_MAX = 64 * 1024 * 1024,
    DIRECTORIES_MAX = 256 * 1024 * 1024,
    MANIFEST_MAX = 1024 * 1024,
    NESTED_MAX = 2
};

/* A jar is a part of a file: the whole of it, or what is stored in another jar. */
struct part {
    int fd;
    uint64_t start, size;
};

static bool read_at(const struct part *part, uint64_t offset, char *bytes, size_t length)
{
    size_t done = 0;

    if (offset > part->size || length > part->size - offset)
        return false;
    while (done < length) {
        ssize_t n =
            pread(part->fd, bytes + done, length - done, (off_t)(part->start + offset + done));

        if (n <= 0)
            return false; /* it shrank, or can't be read */
        done += (size_t)n;
    }
    return true;
}

static char *read_directory(const struct part *part, struct em_zip_end *end)
{
    size_t length = part->size < EM_ZIP_TAIL ? (size_t)part->size : EM_ZIP_TAIL;
    char *bytes = em_alloc(length + 1);
    bool ok = read_at(part, part->size - length, bytes, length) &&
              em_zip_end_read(bytes, length, part->size, end) && end->size <= DIRECTORY_MAX;

    free(bytes);
    if (!ok)
        return NULL;
    bytes = em_alloc((size_t)end->size + 1);
    if (read_at(part, end->offset, bytes, (size_t)end->size))
        return bytes;
    free(bytes);
    return NULL;
}

static bool ends(const struct em_zip_entry *entry, const char *suffix)
{
    size_t n = strlen(suffix);

    return entry->name_length >= n && memcmp(entry->name + entry->name_length - n, suffix, n) == 0;
}

static bool begins(const struct em_zip_entry *entry, const char *prefix)
{
    size_t n = strlen(prefix);

    return entry->name_length >= n && memcmp(entry->name, prefix, n) == 0;
}

/* In a jar's root, or where Spring Boot and web archives have a service's own classes. */
static void note_class(const struct em_zip_entry *entry, struct em_jar_search *search)
{
    static const char *const roots[] = {"BOOT-INF/classes/", "WEB-INF/classes/"};
    const char *name = entry->name;
    size_t length = entry->name_length;

    for (size_t i = 0; i < 2; i++)
        if (begins(entry, roots[i])) {
            name += strlen(roots[i]);
            length -= strlen(roots[i]);
            break;
        }
    for (size_t i = 0; i < search->classes->n; i++)
        if (strlen(search->classes->v[i]) == length &&
            memcmp(search->classes->v[i], name, length) == 0)
            search->found[i] = true;
}

static bool look(const struct part *part, struct em_jar_search *search, int depth);

/* Where an entry's bytes are, as they are stored. */
static bool find_bytes(const struct part *outer, const struct em_zip_end *end,
                       const struct em_zip_entry *entry, struct part *inner)
{
    char header[EM_ZIP_LOCAL];
    uint64_t at = end->base + entry->local;
    size_t length;

    if (at < end->base || !read_at(outer, at, header, sizeof(header)) ||
        !(length = em_zip_local_length(header)) || entry->compressed > outer->size ||
        at + length > outer->size - entry->compressed)
        return false;
    *inner = (struct part){outer->fd, outer->start + at + length, entry->compressed};
    return true;
}

static void look_inside(const struct part *outer, const struct em_zip_end *end,
                        const struct em_zip_entry *entry, struct em_jar_search *search, int depth)
{
    struct part inner;

    if (!entry->stored || !find_bytes(outer, end, entry, &inner) ||
        !look(&inner, search, depth + 1))
        search->unclear = true;
}

static void read_manifest(const struct part *jar, const struct em_zip_end *end,
                          const struct em_zip_entry *entry, struct em_jar_search *search)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_FREE char *bytes = NULL;
    struct part part;

    search->manifest_seen = true;
    if (!find_bytes(jar, end, entry, &part) || part.size > MANIFEST_MAX)
        return;
    bytes = em_alloc((size_t)part.size + 1);
    if (!read_at(&part, 0, bytes, (size_t)part.size))
        return;
    if (entry->stored)
        em_str_add(&text, bytes, (size_t)part.size);
    else if (!em_inflate(bytes, (size_t)part.size, MANIFEST_MAX, &text))
        return;
    em_java_manifest_read(em_str_c(&text), text.len, search->class_path);
}

static bool is_manifest(const struct em_zip_entry *entry)
{
    static const char name[] = "META-INF/MANIFEST.MF";

    return entry->name_length == strlen(name) && begins(entry, name);
}

/* Whether to look at one more entry. */
static bool goes_on(struct em_jar_search *search)
{
    if (search->entries++ % 1024 == 0)
        em_wait(NULL, 0, em_now());
    return !em_loop_stopped();
}

static bool has_room(struct em_jar_search *search, const struct part *part)
{
    /* What is read to find a directory counts as well: there may be thousands. */
    search->bytes += part->size < EM_ZIP_TAIL ? part->size : EM_ZIP_TAIL;
    if (search->bytes <= DIRECTORIES_MAX)
        return true;
    search->unclear = true;
    return false;
}

static bool look(const struct part *part, struct em_jar_search *search, int depth)
{
    struct em_zip_end end;
    struct em_zip_entry entry;
    char *directory = has_room(search, part) ? read_directory(part, &end) : NULL;
    size_t at = 0;

    if (!directory)
        return false;
    search->bytes += end.size;
    while (goes_on(search) && em_zip_next(directory, (size_t)end.size, &at, &entry)) {
        if (ends(&entry, ".class"))
            note_class(&entry, search);
        else if (depth == 0 && search->class_path && !search->manifest_seen && is_manifest(&entry))
            read_manifest(part, &end, &entry, search);
        else if (search->nested && depth < NESTED_MAX && ends(&entry, ".jar") &&
                 (begins(&entry, "BOOT-INF/lib/") || begins(&entry, "WEB-INF/lib/")))
            look_inside(part, &end, &entry, search, depth);
    }
    free(directory);
    return true;
}

bool em_jar_find(const char *path, struct em_jar_search *search, struct em_str *why)
{
    struct stat st;
    int fd = em_file_open(path, &st, why);
    struct part part = {.fd = fd};
    bool ok;

    if (fd < 0)
        return false;
    part.size = (uint64_t)st.st_size;
    ok = look(&part, search, 0);
    if (!ok)
        em_str_puts(why, "is no jar, or a damaged one");
    close(fd);
    return ok;
}
