#include "embark/os/machine/host.h"

#include <sys/utsname.h>

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
