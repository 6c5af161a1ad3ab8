/* Inside of the doctor's look at the database (src/stages/doctor_*.c): one login, and what is asked
 * of it.
 *
 * Nothing is changed: each question is a transaction of its own that is read-only, whatever role
 * and database have set, and it leaves no setting behind, since behind a pooler the session is
 * others' as well.
 */
#ifndef EMBARK_STAGES_DOCTOR_SESSION_H
#define EMBARK_STAGES_DOCTOR_SESSION_H

#include "embark/core/config/config.h"
#include "embark/core/report/rows.h"
#include "embark/db/connection.h"

enum em_pooling {
    EM_POOL_NONE,
    EM_POOL_SESSION,
    EM_POOL_SHARED,
    EM_POOL_STATEMENT,
    EM_POOL_UNKNOWN
};

struct em_doctor_session {
    const struct em_config *config;
    const struct em_url *url;
    const struct em_url *superuser; /* [bootstrap] url, of the service's login only; or NULL */
    bool direct;                    /* of [database] direct_url: its keys say so */
    bool migrates;                  /* the migrations' login, and there are migrations */
    em_time deadline;
    struct em_doctor_rows *looks;
    struct em_db *db; /* NULL: no login */
    bool quiet;       /* no rows */
    bool gone;        /* the connection does not answer any more */
    bool standby;
    bool has_ledger;
    enum em_pooling pooling;
    struct em_str database; /* what tells one database from another, once it was asked for */
    /* Of the first place that accepts connections. */
    char *host, *address, *port; /* address NULL: none that was looked up */
};

/* A row of the section "database", its key as the login's ("direct address"). */
void em_doctor_add(struct em_doctor_session *at, const char *key, enum em_mark mark, int code,
                   const char *format, ...) EM_PRINTF(5, 6);
/* Runs a SELECT. False: it failed, which is a row of its own (key NULL: isn't said). The answer is
 * read off at->db. */
bool em_doctor_query(struct em_doctor_session *at, const char *key, const char *sql);
/* The answer's value, "" for NULL. */
const char *em_doctor_value_of(const struct em_doctor_session *at, int row, int column);
bool em_doctor_true(const struct em_doctor_session *at, int column); /* of the first row */

/* Each address of each host, or each socket: whether it accepts connections. False: none does. */
bool em_doctor_addresses(struct em_doctor_session *at);
/* What encrypts the login. */
void em_doctor_tls(struct em_doctor_session *at);
/* The certificate that may have made it fail, described in `text`, with advice as err's hint.
 * Nothing is added where there is none. */
void em_doctor_refused_certificate(struct em_doctor_session *at, struct em_str *text,
                                   struct em_err *err);
/* Whether a pooler stands before the server. */
void em_doctor_pooler(struct em_doctor_session *at);
/* The role, and how many connections are left. */
void em_doctor_role(struct em_doctor_session *at);
/* What a migration may do: schema, ledger, tables of others. */
void em_doctor_privileges(struct em_doctor_session *at);
/* Who migrates now, and what killed runs left: backends, invalid indexes. */
void em_doctor_leftovers(struct em_doctor_session *at);

#endif
