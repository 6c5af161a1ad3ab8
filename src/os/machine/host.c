#include "embark/os/machine/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "embark/os/files/files.h"

#define NAME_LIMIT 63
/* More than any kernel has. */
#define PROCESSORS_MAX 65536

void em_host_name(struct em_str *out)
{
    struct utsname names;
    if (uname(&names) != 0 || !names.nodename[0])
        em_str_putc(out, '?');
    else
        em_str_puts(out, names.nodename);
}

void em_application_name(const char *what, struct em_str *out)
{
    em_str_printf(out, "embark:%s ", what);
    em_host_name(out);
    if (out->len > NAME_LIMIT)
        em_str_cut(out, NAME_LIMIT);
}

unsigned em_host_processors_in(const char *list)
{
    unsigned long n = 0;
    while (*list >= '0' && *list <= '9') {
        char *end;
        unsigned long first = strtoul(list, &end, 10), last = first;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        if (last < first || last > PROCESSORS_MAX)
            return 0;
        n += last - first + 1;
        list = end + (*end == ',');
    }
    return *list == '\0' || *list == '\n' ? (unsigned)n : 0;
}

unsigned em_host_processors(void)
{
    char list[512];
    size_t length;
    unsigned n = 0;
    if (em_file_head("/sys/devices/system/cpu/online", list, sizeof list - 1, &length)) {
        list[length] = '\0';
        n = em_host_processors_in(list);
    }
    if (n)
        return n;
    long ours = sysconf(_SC_NPROCESSORS_ONLN);
    return ours > 0 ? (unsigned)ours : 1;
}

unsigned em_host_queue(void)
{
    char text[128];
    size_t length;
    unsigned running;
    if (!em_file_head("/proc/loadavg", text, sizeof text - 1, &length))
        return 0;
    text[length] = '\0';
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own format, and the conversion is counted */
    if (sscanf(text, "%*s %*s %*s %u/", &running) != 1)
        return 0;
    return running / em_host_processors();
}
