/* Inside of stages: one file while sql_run.c runs it, and the parts that do it. */
#ifndef EMBARK_STAGES_SQL_FILE_H
#define EMBARK_STAGES_SQL_FILE_H

#include "embark/core/sql/conditional.h"
#include "embark/core/sql/splitter.h"
#include "embark/stages/sql/run.h"

struct em_sql_file {
    struct em_sql_run *run;
    struct em_sql_source source;
    struct em_sql_split split;
    struct em_sql_conds conds;
    bool quit; /* \q */
};

/* ---- messages.c: logs the server's messages ---- */

/* What was sent, and where it comes from. */
struct em_sql_sent {
    struct em_sql_file *file;
    const char *sql;
    size_t at; /* in the file; of the statement's start, or of the \gexec that made it */
    bool made; /* by \gexec: its text stands nowhere in the file */
    size_t data,
        data_line; /* COPY's data: where it starts, and the line; data_line 0: none was sent */
};
void em_sql_log_notice(const struct em_sql_sent *sent, const struct em_db_message *message);
/* Logs all of it, and sets err (NULL allowed) to its first line. */
void em_sql_log_failure(const struct em_sql_sent *sent, const struct em_db_message *message,
                        struct em_err *err);
/* A failure of embark's own at the file's `offset`: logged, counted, err set. Returns EM_EXIT_SQL,
 * or 0 if the run goes on after errors. `hint` may be NULL. */
int em_sql_wrong(struct em_sql_file *file, size_t offset, struct em_err *err, const char *hint,
                 const char *format, ...) EM_PRINTF(5, 6);

/* ---- sql_held.c ---- */

/* Marks the transaction that was just begun for the run. */
int em_sql_hold(struct em_sql_run *run, struct em_err *err);
/* A statement has ended with this tag. */
void em_sql_held_tag(struct em_sql_run *run, const char *tag);
/* Whether that transaction, if any, is still the one that is open, or was aborted. Asks the server
 * where the tags don't tell. To be called after every message. */
bool em_sql_held(struct em_sql_run *run);

/* ---- sql_settings.c ---- */

/* Sends what has changed, if this statement (NULL: none yet) may be preceded by it. */
int em_sql_settings_send(struct em_sql_run *run, const char *statement, struct em_err *err);
/* A statement has ended with this tag: what it may have undone is to be sent again. */
void em_sql_settings_after(struct em_sql_run *run, const char *tag);
/* psql's variables about the session, at its start. */
void em_sql_settings_session(struct em_sql_run *run);

/* ---- sql_execute.c: the text in the split's buffer ---- */

enum em_sql_purpose {
    EM_SQL_SHOW,  /* rows are printed */
    EM_SQL_GSET,  /* one row, whose columns become variables; `prefix` */
    EM_SQL_GEXEC, /* each field is a statement, which is run */
};
/* Sends it and clears the buffer. 0 as well after a failure that the run goes on from. */
int em_sql_execute(struct em_sql_file *file, enum em_sql_purpose purpose, const char *prefix,
                   size_t offset, struct em_err *err);

/* ---- sql_print.c ---- */

/* A field's value: as it is, unless it holds a secret that is known. */
void em_sql_add_shown(struct em_str *out, const char *value);
/* A file for results, empty, as fopen(3) has it with "w". -1: err says why. */
int em_sql_output_open(const char *path, struct em_err *err);
/* To where results go; whole lines, but for an \echo -n. False: it is closed, or full. */
bool em_sql_put(const struct em_sql_run *run, const char *bytes, size_t length);
/* The same, secrets hidden; not a `result`: to standard output, whatever \o says. */
bool em_sql_print(const struct em_sql_run *run, const char *bytes, size_t length, bool result);

/* ---- run.c ---- */

/* \i or (`relative`) \ir. */
int em_sql_run_included(struct em_sql_file *file, const char *path, bool relative,
                        struct em_err *err);

/* ---- sql_meta_run.c ---- */

/* The meta-command at split.lex.at. */
int em_sql_meta_run(struct em_sql_file *file, struct em_err *err);

#endif
