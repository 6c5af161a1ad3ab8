/* The addresses of the database's hosts, and its sockets: who accepts connections there. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embark/core/net/names.h"
#include "embark/os/files/files.h"
#include "embark/os/loop/clock.h"
#include "embark/os/loop/refused.h"
#include "embark/os/net/dns.h"
#include "embark/os/net/net.h"
#include "embark/os/net/probe.h"
#include "session.h"

enum { MOST = 36, SHOWN_SOCKETS = 3 };

struct spot {
    char *host;    /* as the URL has it, "" for a socket */
    char *address; /* numeric, or a socket's path */
    char *port;
};

struct spots {
    struct spot v[MOST];
    size_t n;
    size_t unknown; /* hosts that could not be resolved */
};

static void add_spot(struct spots *spots, const char *host, const char *address, const char *port)
{
    if (spots->n < MOST)
        spots->v[spots->n++] = (struct spot){em_strdup(host), em_strdup(address), em_strdup(port)};
}

static void free_spots(struct spots *spots)
{
    for (size_t i = 0; i < spots->n; i++) {
        free(spots->v[i].host);
        free(spots->v[i].address);
        free(spots->v[i].port);
    }
}

static bool is_socket(const struct spot *spot)
{
    return !*spot->host;
}

/* ---- Names ------------------------------------------------------------------------------------ */

#define ASK_LIMIT EM_SEC(2)

static void read_resolv_conf(struct em_resolv_conf *conf)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    em_file_read("/etc/resolv.conf", 65536, &text, &why);
    em_resolv_conf_parse(em_str_c(&text), conf);
}

/* What a server says of the names that stand for `host`: each domain of the search list, where it
 * has few dots, then itself. */
static void ask_server(const char *server, const char *host, const struct em_resolv_conf *conf,
                       em_time until, struct em_str *out)
{
    unsigned dots = 0;
    bool searched = false;
    for (const char *c = host; *c; c++)
        dots += *c == '.';
    for (size_t i = 0; dots < conf->ndots && i < conf->search.n && !em_loop_stopped(); i++) {
        EM_STR_AUTO name = EM_STR_INIT;
        em_str_printf(&name, "%s.%s", host, conf->search.v[i]);
        em_str_printf(out, "%s%s: ", searched ? ", " : "", em_str_c(&name));
        searched = true;
        if (em_dns_ask(server, em_str_c(&name), until, out))
            return;
    }
    em_str_printf(out, "%s%s: ", searched ? ", " : "", host);
    em_dns_ask(server, host, until, out);
}

static void say_servers(struct em_doctor_session *at, const char *host)
{
    struct em_resolv_conf conf = {.ndots = 0};
    read_resolv_conf(&conf);
    if (conf.servers.n == 0)
        em_doctor_add(at, "name server", EM_MARK_NONE, 0, "none: /etc/resolv.conf names none");
    for (size_t i = 0; i < conf.servers.n && !em_loop_stopped(); i++) {
        EM_STR_AUTO said = EM_STR_INIT;
        em_time until = em_time_min(em_in(ASK_LIMIT), at->deadline);
        ask_server(conf.servers.v[i], host, &conf, until, &said);
        em_doctor_add(at, "name server", EM_MARK_NONE, 0, "%s says of %s", conf.servers.v[i],
                      em_str_c(&said));
    }
    em_resolv_conf_free(&conf);
}

/* What a glibc program in this container would ask, and embark doesn't. */
static void add_other_sources(struct em_str *hint)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    EM_STR_AUTO others = EM_STR_INIT;
    em_file_read("/etc/nsswitch.conf", 65536, &text, &why);
    em_nsswitch_others(em_str_c(&text), &others);
    if (others.len)
        em_str_printf(hint,
                      "; /etc/nsswitch.conf names other sources than files and dns (%s): a program "
                      "of glibc may find the name there, embark does not ask them",
                      em_str_c(&others));
}

static bool ends_a_start(const struct em_doctor_session *at)
{
    return !at->direct || at->migrates;
}

static void say_unresolved(struct em_doctor_session *at, const char *host, bool last,
                           const struct em_err *err)
{
    EM_STR_AUTO hint = EM_STR_INIT;
    bool unknown = strstr(em_str_c(&err->text), "is unknown") != NULL;
    em_doctor_add(at, "address", last && ends_a_start(at) ? EM_MARK_BAD : EM_MARK_WARN, err->code,
                  "%s", em_str_c(&err->text));
    em_str_puts(&hint, unknown ? "is it spelled right? a service's name (Compose, Docker, "
                                 "Kubernetes) is known on its own networks and in its own "
                                 "namespace only"
                               : "is DNS reachable from this container?");
    add_other_sources(&hint);
    em_doctor_row_hint(at->looks, "%s", em_str_c(&hint));
    say_servers(at, host);
}

static void socket_path(const char *folder, const char *port, struct em_str *out)
{
    em_str_printf(out, "%s/.s.PGSQL.%s", folder, port);
}

/* The places of the i'th host. */
static void find(struct em_doctor_session *at, size_t i, em_time until, struct spots *spots)
{
    EM_PLACE_AUTO place = EM_PLACE_INIT;
    EM_STR_AUTO folder = EM_STR_INIT;
    EM_STR_AUTO path = EM_STR_INIT;
    EM_LIST_AUTO addresses = EM_LIST_INIT;
    EM_ERR_AUTO err = EM_ERR_INIT;
    em_url_place(at->url, i, &place);
    const char *port = *place.port ? place.port : "5432";
    if (*place.address) {
        add_spot(spots, *place.host ? place.host : place.address, place.address, port);
        return;
    }
    if (!*place.host || *place.host == '/' || *place.host == '@') {
        em_str_puts(&folder, place.host);
        if (!*place.host)
            em_db_default_folder(&folder);
        socket_path(em_str_c(&folder), port, &path);
        add_spot(spots, "", em_str_c(&path), port);
        return;
    }
    if (em_resolve(place.host, until, &addresses, &err) != 0) {
        if (em_loop_stopped())
            return;
        spots->unknown++;
        say_unresolved(at, place.host, spots->unknown == em_url_places(at->url), &err);
    }
    for (size_t n = 0; n < addresses.n; n++)
        add_spot(spots, place.host, addresses.v[n], port);
}

/* ---- What was found --------------------------------------------------------------------------- */

static void say_name(const struct spot *spot, struct em_str *out)
{
    if (is_socket(spot)) {
        em_str_puts(out, spot->address);
        return;
    }
    if (strcmp(spot->host, spot->address) != 0)
        em_str_printf(out, "%s: ", spot->host);
    em_host_port_print(spot->address, spot->port, out);
}

static void say_state(const struct em_probe *probe, struct em_str *out)
{
    EM_STR_AUTO took = EM_STR_INIT;
    em_time_print(&took, probe->took);
    switch (probe->error) {
    case 0:
        em_str_printf(out, "accepts connections (%s)", em_str_c(&took));
        break;
    case ECONNREFUSED:
        em_str_puts(out, probe->port ? "refuses connections" : "is there, but nobody listens");
        break;
    case ECONNRESET:
        em_str_puts(out, "resets connections");
        break;
    case ETIMEDOUT:
        em_str_printf(out, "does not answer within %s", em_str_c(&took));
        break;
    case ENOENT:
    case ENOTDIR:
        em_str_puts(out, "does not exist");
        break;
    case EACCES:
    case EPERM:
        em_str_printf(out, "may not be connected to by uid %u", (unsigned)geteuid());
        break;
    case EPROTOTYPE:
    case ENOTSOCK:
        em_str_puts(out, "is no stream socket");
        break;
    default:
        em_str_printf(out, "is unreachable (%s)", em_why(probe->error));
    }
}

/* Sockets of other ports in the same folder. */
static void find_sockets(const char *folder, struct em_str *out)
{
    DIR *dir = em_dir_open(folder);
    int n = 0;
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
        if (em_starts(e->d_name, ".s.PGSQL.") && !em_ends(e->d_name, ".lock") &&
            n++ < SHOWN_SOCKETS)
            em_str_printf(out, "%s%s", n > 1 ? ", " : "", e->d_name);
    if (dir)
        closedir(dir);
}

static void hint_missing_socket(struct em_doctor_session *at, const char *path)
{
    EM_STR_AUTO folder = EM_STR_INIT;
    EM_STR_AUTO others = EM_STR_INIT;
    const char *slash = strrchr(path, '/');
    em_str_add(&folder, path, (size_t)(slash - path));
    find_sockets(em_str_c(&folder), &others);
    const char *host = em_url_get(at->url, "host");
    if (!host || !*host)
        em_doctor_row_hint(at->looks,
                           "the URL names no host, and this is libpq's default: name the "
                           "database's host (PGHOST)");
    else if (others.len)
        em_doctor_row_hint(at->looks, "%s holds %s: is the port right?", em_str_c(&folder),
                           em_str_c(&others));
    else if (access(em_str_c(&folder), F_OK) != 0)
        em_doctor_row_hint(
            at->looks,
            "the folder %s does not exist in this container: mount the server's (volumes:)",
            em_str_c(&folder));
    else
        em_doctor_row_hint(
            at->looks,
            "the folder %s holds no server's socket: is it the server's "
            "unix_socket_directories, shared with this container, and does the server run?",
            em_str_c(&folder));
}

static void add_hint(struct em_doctor_session *at, const struct spot *spot, int error)
{
    switch (error) {
    case 0:
        break;
    case ECONNREFUSED:
        if (is_socket(spot))
            em_doctor_row_hint(at->looks,
                               "the file was left by a server that ended: start it again");
        else if (strcmp(spot->address, "127.0.0.1") == 0 || strcmp(spot->address, "::1") == 0)
            em_doctor_row_hint(
                at->looks, "this is the container itself: a database in another container has its "
                           "service's name as host; if it is meant, is the server running?");
        else
            em_doctor_row_hint(at->looks,
                               "the machine is there: is the server running, is this its "
                               "port, and does it listen beyond localhost "
                               "(listen_addresses)?");
        break;
    case ENOENT:
    case ENOTDIR:
        hint_missing_socket(at, spot->address);
        break;
    case EACCES:
    case EPERM:
        em_doctor_row_hint(at->looks,
                           is_socket(spot)
                               ? "see unix_socket_permissions and unix_socket_group, and the "
                                 "modes of the folders above it; or run as another user"
                               : "a seccomp profile, SELinux or a firewall rule forbids it");
        break;
    case ETIMEDOUT:
        em_doctor_row_hint(at->looks,
                           "packets are lost on the way: a firewall, a security group or a "
                           "network policy; or the address is an old one, of a machine that "
                           "is gone");
        break;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL:
        em_doctor_row_hint(at->looks, "this container has no way to that network: is it on the "
                                      "database's one (networks:)?");
        break;
    default:
        em_doctor_row_hint(at->looks, "is this the server's name and port from inside of this "
                                      "container?");
    }
}

/* With one that accepts, the others cost time, and no more. */
static void say_all(struct em_doctor_session *at, const struct spots *spots,
                    const struct em_probe *probes, bool any)
{
    bool fatal = !any && ends_a_start(at);
    for (size_t i = 0; i < spots->n; i++) {
        EM_STR_AUTO text = EM_STR_INIT;
        const struct spot *spot = &spots->v[i];
        int error = probes[i].error;
        say_name(spot, &text);
        em_str_putc(&text, ' ');
        say_state(&probes[i], &text);
        em_doctor_add(at, is_socket(spot) ? "socket" : "address",
                      !error  ? EM_MARK_OK
                      : fatal ? EM_MARK_BAD
                              : EM_MARK_WARN,
                      EM_EXIT_UNREACHABLE, "%s", em_str_c(&text));
        add_hint(at, spot, error);
        if (!error && !is_socket(spot) && !at->host) {
            at->host = em_strdup(spot->host);
            at->address = em_strdup(spot->address);
            at->port = em_strdup(spot->port);
        }
    }
}

/* Names have half of the time, connections half of what is left: a login is still to be tried. */
bool em_doctor_addresses(struct em_doctor_session *at)
{
    struct spots spots = {.n = 0};
    struct em_probe probes[MOST];
    EM_ERR_AUTO stopped = EM_ERR_INIT;
    em_time half = em_now() + (at->deadline - em_now()) / 2;
    bool any = false;
    for (size_t i = 0; i < em_url_places(at->url) && !em_loop_stopped(); i++)
        find(at, i, half, &spots);
    for (size_t i = 0; i < spots.n; i++)
        probes[i] = (struct em_probe){.address = spots.v[i].address,
                                      .port = is_socket(&spots.v[i]) ? NULL : spots.v[i].port};
    half = em_now() + (at->deadline - em_now()) / 2;
    if (em_probe(probes, spots.n, half, &stopped) == 0) {
        for (size_t i = 0; i < spots.n; i++)
            any = any || probes[i].error == 0;
        say_all(at, &spots, probes, any);
    }
    free_spots(&spots);
    return any;
}
