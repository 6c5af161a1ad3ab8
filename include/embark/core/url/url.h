/* Database URLs, as people have them in their environment, made into what libpq understands.
 *
 * Accepted, with surrounding white space and a trailing newline taken off:
 *
 *     postgresql://user:password@host:port/database?parameter=value&…
 *         also postgres, pgsql, postgis, psql, ecto …, in any case, with any +driver (SQLAlchemy);
 *         several hosts (h1:5432,h2), [v6], directories of a socket (%2Fvar%2Frun%2Fpostgresql, or
 *         ?host=/tmp); user, password, database … in the query too
 *     jdbc:postgresql://host/database?user=…&password=…
 *         also r2dbc: and vertx-reactive:; no host is localhost
 *     host=… dbname=… password='…'
 *         keyword=value (PostgreSQL manual, 34.1.1)
 *     Host=…;Username=…;Password="…";SSL Mode=Require
 *         Npgsql, names in any spelling that it knows
 *
 * The result is a list of (keyword, value) pairs of libpq's own keywords, percent-decoded: for
 * PQconnectStartParams with expand_dbname 0. Parameters that libpq doesn't know (schema,
 * connection_limit, pgbouncer, pool_size…) are left out and listed by name only. What differs from
 * libpq's reading:
 *
 *   - ssl=true (1, require, …) is sslmode=require and ssl=false is sslmode=disable, but a sslmode=
 *     beside it wins
 *   - in the query, + stays + (a JDBC driver reads a blank, so there it is one) and a value may
 *     hold =
 *   - a name of a parameter that libpq doesn't know is an error only in the forms in which it might
 *     be a piece of a password: keyword=value and Npgsql, unless it is known from elsewhere
 */
#ifndef EMBARK_CORE_URL_URL_H
#define EMBARK_CORE_URL_URL_H

#include "embark/core/base/err.h"
#include "embark/core/redact/secrets.h"

struct em_url {
    struct em_list keys;    /* libpq keywords, no duplicates (the last value wins, as in libpq) */
    struct em_list values;  /* same length as keys, none empty (to libpq an empty one is none) */
    struct em_list dropped; /* names of parameters that were left out, as they were spelled;
                               "(unnamed)" for one that might be a piece of a password */
    struct em_list notes;   /* what is odd though it can be read, for people; nothing secret */
    bool lent;    /* user or password didn't stand in the text: set by whoever has added them */
    bool encoded; /* the text's password had a %XX, which was decoded */
    char *schema; /* of the parameter schema= (Prisma), currentSchema= (JDBC), search_path= (dbmate,
                     lib/pq) or schema_search_path= (Rails), the first of several; or NULL */
};

#define EM_URL_INIT                                                                \
    {                                                                              \
        EM_LIST_INIT, EM_LIST_INIT, EM_LIST_INIT, EM_LIST_INIT, false, false, NULL \
    }
#define EM_URL_AUTO __attribute__((cleanup(em_url_free))) struct em_url /* to be initialised */

/* Parses `text` into `url`, whose former contents are not looked at: it need not be initialised,
 * and must be freed before it is used again. `known` tells whether a keyword is one of libpq's (db
 * gives PQconndefaults' list); for NULL core has the list of libpq 15 to 18.
 *
 * Errors are EM_EXIT_CONFIG, and `url` is empty then: an unencoded @ or / in the password, a ? or #
 * where it leads astray (said so, with the percent form as hint), a bad % sequence, a bad port,
 * numbers of hosts and ports that don't fit, an unknown scheme, text that is neither URL nor
 * keyword=value, an empty text. No message holds any part of the password, nor any part of a text
 * of which it isn't sure where the password is: schemes and names are repeated only if they are
 * well-known ones. */
int em_url_parse(struct em_url *url, const char *text, bool (*known)(const char *keyword),
                 struct em_err *err);

const char *em_url_get(const struct em_url *url, const char *keyword); /* NULL: not given */
/* Replaces or adds; NULL or "" takes the keyword out. The old value is zeroed. */
void em_url_set(struct em_url *url, const char *keyword, const char *value);
void em_url_copy(struct em_url *to, const struct em_url *from); /* `to` is empty before */
void em_url_free(struct em_url *url);                           /* the values are zeroed */

/* The search_path that `options` asks for, which a login puts before those of role, database and
 * server. False: it asks for none, and `out` is as it was; else `out` is replaced. What schema=
 * says is not looked at: it is url->schema, and for the program that obeys it (Prisma, JDBC) the
 * place where it acts, whatever search_path is. */
bool em_url_search_path(const struct em_url *url, struct em_str *out);

/* Whether a keyword's value must not be shown: password, sslpassword and those of OAuth and SCRAM
 * keys. */
bool em_url_is_secret(const char *keyword);
/* Adds the values of these to what must not be shown. */
void em_url_secrets(const struct em_url *url, struct em_secrets *secrets);

/* One of the places that a URL names: a host's name or address, a socket's folder or an abstract
 * socket ("@…"), "": libpq's default; hostaddr's item, or ""; the port, or "" for none. Owned. */
struct em_place {
    char *host, *address, *port;
};
#define EM_PLACE_INIT    \
    {                    \
        NULL, NULL, NULL \
    }
#define EM_PLACE_AUTO __attribute__((cleanup(em_place_free))) struct em_place
size_t em_url_places(const struct em_url *url);                                /* at least one */
void em_url_place(const struct em_url *url, size_t i, struct em_place *place); /* the i'th */
void em_place_free(struct em_place *place);

/* How a place is named in messages, added to `out`: "db:5432", "[::1]:5432", and for a folder
 * "/var/run/postgresql/.s.PGSQL.5432". */
void em_place_print(const char *host, const char *port, struct em_str *out);

/* Adds the URL without its secrets and without dropped parameters, as
 * postgresql://user@host:port/db?…, percent-encoded; with_password puts the secrets back, for a
 * child's environment: wipe `out` then. libpq and em_url_parse() read the same pairs from it (but
 * for a port that is for all hosts: it is repeated). */
void em_url_print(const struct em_url *url, bool with_password, struct em_str *out);

/* Puts a user and a password (NULL: none) that the text of a URL lacks into it, in its own form and
 * with all else that it holds: drivers and parameters that em_url_print() leaves out. */
void em_url_complete(struct em_str *raw, const char *user, const char *password);

/* Adds `text` percent-encoded: all but RFC 3986's unreserved characters. */
void em_url_encode(struct em_str *out, const char *text);

#endif
