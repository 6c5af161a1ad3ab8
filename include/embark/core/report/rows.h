/* What `embark doctor` saw: rows of a screen, and of its JSON.
 *
 * Rows may be added in any order of the sections. Rows of the same key that follow each other show
 * it once. Texts are one line for people, without a closing full stop;
 * as with struct em_err, they may hold untrusted bytes and secrets: whoever prints them redacts and
 * escapes.
 */
#ifndef EMBARK_CORE_REPORT_ROWS_H
#define EMBARK_CORE_REPORT_ROWS_H

#include "embark/core/base/err.h"

enum em_mark {
    EM_MARK_NONE, /* plain information */
    EM_MARK_OK,
    EM_MARK_WARN, /* a start goes on */
    EM_MARK_BAD,  /* a start would fail; always with a hint */
};

struct em_doctor_row {
    const char *section; /* "image", "database"…: constant */
    char *key;           /* "login", "file"; "" for none. Owned, as text and hint are */
    enum em_mark mark;
    int code; /* the exit code that a start would have for it; 0 unless EM_MARK_BAD */
    char *text;
    char *hint;           /* the next thing to do, or NULL */
    struct em_list names; /* all of those of which the text has the first ones; for the JSON */
};

struct em_doctor_rows {
    struct em_doctor_row *v;
    size_t n;
};

#define EM_DOCTOR_ROWS_INIT \
    {                       \
        NULL, 0             \
    }
#define EM_DOCTOR_ROWS_AUTO __attribute__((cleanup(em_doctor_rows_free))) struct em_doctor_rows

/* Adds a row. `code` is taken for EM_MARK_BAD only. */
void em_doctor_row_add(struct em_doctor_rows *looks, const char *section, const char *key,
                       enum em_mark mark, int code, const char *format, ...) EM_PRINTF(6, 7);
/* Sets the last row's hint; without a row, or with an empty text, nothing. */
void em_doctor_row_hint(struct em_doctor_rows *looks, const char *format, ...) EM_PRINTF(2, 3);
/* Adds to the last row's names. */
void em_doctor_row_name(struct em_doctor_rows *looks, const char *name);
/* An error as a row: its text, hint and, for EM_MARK_BAD, code. */
void em_doctor_row_add_err(struct em_doctor_rows *looks, const char *section, const char *key,
                           enum em_mark mark, const struct em_err *err);
/* The code of the first failed row of the section, NULL: of any section; 0 for none. */
int em_doctor_rows_code(const struct em_doctor_rows *looks, const char *section);
/* The first row that a start would end of with this code (not 0); NULL: none has it. */
const struct em_doctor_row *em_doctor_rows_cause(const struct em_doctor_rows *looks, int code);
/* How many rows have the mark. */
size_t em_doctor_rows_count(const struct em_doctor_rows *looks, enum em_mark mark);
/* Brings the sections into the order of the screen, which is that of a start; rows of a section
 * keep theirs. */
void em_doctor_rows_sort(struct em_doctor_rows *looks);
void em_doctor_rows_free(struct em_doctor_rows *looks);

#endif
