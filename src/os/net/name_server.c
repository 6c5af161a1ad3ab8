#include "embark/os/net/name_server.h"

#include "embark/core/net/names.h"
#include "embark/os/files/files.h"

static int chosen = -1;

#ifdef __GLIBC__
unsigned em_name_servers(void)
{
    return 1;
}
#else
unsigned em_name_servers(void)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    struct em_resolv_conf conf = {.ndots = 0};
    em_file_read("/etc/resolv.conf", 65536, &text, &why);
    em_resolv_conf_parse(em_str_c(&text), &conf);
    unsigned n = (unsigned)conf.servers.n;
    em_resolv_conf_free(&conf);
    return n ? n : 1;
}
#endif

void em_name_server_choose(unsigned i)
{
    chosen = (int)i;
}

int em_name_server_chosen(void)
{
    return chosen;
}
