#include "embark/core/linux/mountinfo.h"

#include <stdlib.h>
#include <string.h>

/* 36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue */
enum { BEFORE_POINT = 4 };

/* The field at p up to a blank, with \040 and the like decoded. */
static char *field(const char *p, const char *end)
{
    EM_STR_AUTO out = EM_STR_INIT;

    for (; p < end && *p != ' '; p++) {
        if (end - p > 3 && *p == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
            p[3] >= '0' && p[3] <= '7') {
            em_str_putc(&out, (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0')));
            p += 3;
        } else {
            em_str_putc(&out, *p);
        }
    }
    return em_str_take(&out);
}

/* Behind the next `count` blanks; `end` if there are fewer. */
static const char *skip(const char *p, const char *end, int count)
{
    while (count-- > 0) {
        while (p < end && *p != ' ')
            p++;
        p += p < end;
    }
    return p;
}

/* Behind the field that is a single dash. */
static const char *behind_dash(const char *p, const char *end)
{
    while (p < end && !(end - p >= 2 && p[0] == '-' && p[1] == ' '))
        p = skip(p, end, 1);
    return skip(p, end, 1);
}

static bool lies_on(const char *path, const char *point)
{
    size_t n = strlen(point);

    return strcmp(point, "/") == 0 ||
           (n && strncmp(path, point, n) == 0 && (path[n] == '\0' || path[n] == '/'));
}

static void read_line(const char *line, const char *end, const char *path, struct em_mount *best)
{
    const char *at = skip(line, end, BEFORE_POINT), *rest = behind_dash(at, end);
    char *point = field(at, end);

    if (rest >= end || !lies_on(path, point) ||
        (best->point && strlen(point) < strlen(best->point))) {
        free(point);
        return;
    }
    em_mount_free(best);
    best->point = point;
    best->type = field(rest, end);
    best->source = field(skip(rest, end, 1), end);
}

bool em_mountinfo_find(const char *text, const char *path, struct em_mount *mount)
{
    *mount = (struct em_mount){0};
    while (*text) {
        size_t n = strcspn(text, "\n");

        read_line(text, text + n, path, mount);
        text += n + (text[n] == '\n');
    }
    return mount->point != NULL;
}

void em_mount_free(struct em_mount *mount)
{
    free(mount->point);
    free(mount->type);
    free(mount->source);
    *mount = (struct em_mount){0};
}
