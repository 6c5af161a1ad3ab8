#include "embark/os/host.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "embark/os/files.h"

#define NAME_LIMIT 63

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

unsigned em_host_queue(void)
{
    char text[128];
    size_t length;
    unsigned running;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (processors < 1 || !em_file_head("/proc/loadavg", text, sizeof text - 1, &length))
        return 0;
    text[length] = '\0';
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own format, and the conversion is counted */
    if (sscanf(text, "%*s %*s %*s %u/", &running) != 1)
        return 0;
    return running / (unsigned)processors;
}
