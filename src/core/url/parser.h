/* Inside of core: what url_parse.c (URIs), url_keyword.c (keyword=value, Npgsql) and url_params.c
 * (names and values) share. Others use embark/core/url/url.h.
 */
#ifndef EMBARK_CORE_URL_PARSER_H
#define EMBARK_CORE_URL_PARSER_H

#include "embark/core/url/url.h"

enum em_url_form { EM_URL_URI = 1, EM_URL_JDBC = 2, EM_URL_KEYWORD = 4, EM_URL_NPGSQL = 8 };

struct em_url_parser {
    struct em_url *url;
    bool (*known)(const char *keyword);
    struct em_err *err;
    enum em_url_form form;
    bool repeats;    /* host= and port= may be given several times (SQLAlchemy) */
    bool query_host; /* one was */
    bool query_port;
    bool after_password; /* a parameter that holds the password stands further left: what follows
                            may be a piece of it */
    bool prisma;         /* sslcert means Prisma's: the server's certificate */
    bool prisma_strict;
    size_t count;  /* of parameters */
    char *sslmode; /* that ssl=… stands for, or NULL */
    char *socket;  /* sockets.c; owned, as what follows */
    char *factory, *factory_arg;
    bool connector;
};

/* Whether `name` is one of `words`, which has a blank before and behind each. */
bool em_url_has_word(const char *words, const char *name);
/* Parameters of drivers, ORMs and pools that libpq doesn't know, without case, blanks, _ and -. */
bool em_url_is_drivers(const char *normal);

/* Those of them that say where the server is: whether `normal` is one; whether it was, and was
 * taken; and once all are there, what they come to (EM_EXIT_CONFIG: a way that embark can't go). */
bool em_url_is_socket_name(const char *normal);
bool em_url_take_socket(struct em_url_parser *p, const char *normal, const char *value);
int em_url_finish_socket(struct em_url_parser *p);
void em_url_free_socket(struct em_url_parser *p);

/* Whether a name can be repeated in a message: libpq's, or well-known from a driver. */
bool em_url_well_known(const struct em_url_parser *p, const char *name);

/* Whether `name` is one of libpq's keywords. */
bool em_url_is_keyword(const struct em_url_parser *p, const char *name);

/* Whether Npgsql would take `name` for one of its own. */
bool em_url_is_npgsql_name(const char *name);

/* One decoded parameter, of the query or of a string: set, translated, or left out. */
int em_url_param(struct em_url_parser *p, const char *name, const char *value);

/* When all are there: ssl=, ports inside of host=, what has to fit together. */
int em_url_finish(struct em_url_parser *p);

/* What stands behind "postgresql://", and behind "jdbc:postgresql:" where there is no //:
 * database?parameters. */
int em_url_parse_uri(struct em_url_parser *p, const char *text);
int em_url_parse_short_jdbc(struct em_url_parser *p, const char *text);

int em_url_parse_keywords(struct em_url_parser *p, const char *text);
int em_url_parse_npgsql(struct em_url_parser *p, const char *text);
/* Which of the two `text` is. */
bool em_url_looks_npgsql(const char *text);

/* Releases what a list holds after zeroing it. */
void em_url_wipe_list(struct em_list *list);
/* Zeroes and frees; NULL is fine. */
void em_url_wipe(char *text);

#endif
