/* What drivers say of the place in words of their own: a socket's path, or a Java class that makes
 * the connection. None of it may be left out, since embark would wait for another place. */
#include <stdlib.h>
#include <string.h>

#include "parser.h"

/* pg8000; Cloud SQL's connector; R2DBC; Postgrex. Spelled without case, blanks, _ and -. */
static const char paths[] = " unixsock unixsocketpath unixsocket socket socketdir ";
static const char factories[] = " socketfactory socketfactoryarg cloudsqlinstance "
                                "alloydbinstancename ";

bool em_url_is_socket_name(const char *normal)
{
    return em_url_has_word(paths, normal) || em_url_has_word(factories, normal);
}

static void keep(char **where, const char *value)
{
    em_url_wipe(*where);
    *where = *value ? em_strdup(value) : NULL;
}

bool em_url_take_socket(struct em_url_parser *p, const char *normal, const char *value)
{
    if (em_url_has_word(paths, normal))
        keep(&p->socket, value);
    else if (strcmp(normal, "socketfactory") == 0)
        keep(&p->factory, value);
    else if (strcmp(normal, "socketfactoryarg") == 0)
        keep(&p->factory_arg, value);
    else if (em_url_has_word(factories, normal))
        p->connector = true;
    else
        return false;
    return true;
}

void em_url_free_socket(struct em_url_parser *p)
{
    keep(&p->socket, "");
    keep(&p->factory, "");
    keep(&p->factory_arg, "");
}

/* "/run/pg/.s.PGSQL.5433" is port 5433 in /run/pg, another path is a folder. */
static int set_socket(struct em_url_parser *p)
{
    static const char file[] = "/.s.PGSQL.";
    char *path = p->socket, *name = strrchr(path, '/');
    if (*path != '/' && *path != '@') {
        em_fail(p->err, EM_EXIT_CONFIG, "the socket that the URL names is no absolute path");
        em_hint(p->err, "write host=/FOLDER, the one that holds .s.PGSQL.5432");
        return EM_EXIT_CONFIG;
    }
    if (name && em_starts(name, file)) {
        em_url_set(p->url, "port", name + strlen(file));
        *name = '\0';
    }
    em_url_set(p->url, "host", *path ? path : "/");
    em_url_set(p->url, "hostaddr", NULL);
    return 0;
}

int em_url_finish_socket(struct em_url_parser *p)
{
    /* junixsocket's factory takes the path as its argument. */
    if (!p->socket && p->factory && strstr(p->factory, "AFUNIXSocketFactory") && p->factory_arg) {
        p->socket = p->factory_arg;
        p->factory_arg = NULL;
    }
    if (p->socket)
        return set_socket(p);
    if (!p->factory && !p->connector)
        return 0;
    em_fail(p->err, EM_EXIT_CONFIG,
            "%s names a way to the database that only a Java program can go, and embark can't",
            p->factory ? "socketFactory" : "cloudSqlInstance");
    em_hint(p->err, "give embark a URL of its own, [database] url: of the database's private "
                    "address, or of a proxy's socket, host=/cloudsql/PROJECT:REGION:INSTANCE; or "
                    "add unixSocketPath=");
    return EM_EXIT_CONFIG;
}
