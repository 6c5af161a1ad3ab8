/* The screen of `embark doctor`: 80 columns, a heading for each section, below it a row for each
 * thing that was looked at, its key on the left, the text beside it and wrapped.
 *
 *     requirements
 *       module       ✓ python: alembic.config, fastapi
 *                    ✗ python: psycopg2: not found by /usr/bin/python3 (embark.ini:8)
 *                      hint: pip install psycopg2 in the image
 *
 * Good rows of one key in requirements and bundle are folded into one. A word that is longer than a
 * line (a path, to be copied) is not broken.
 */
#ifndef EMBARK_CORE_REPORT_SCREEN_H
#define EMBARK_CORE_REPORT_SCREEN_H

#include "embark/core/redact/secrets.h"
#include "embark/core/report/rows.h"

enum { EM_SCREEN_WIDTH = 80 };

/* Adds the sections that have rows to `out`, redacted and escaped. `colour`: with a terminal's
 * escape sequences. */
void em_screen_print(const struct em_doctor_rows *looks, const struct em_secrets *secrets,
                     bool colour, struct em_str *out);
/* Rows at the screen's left edge: the verdict, and below it the row that it is for (the text's
 * beginning, and all of the hint), so that who sees only the end of a long screen knows what to do.
 * NULL: there is none. */
void em_screen_print_verdict(enum em_mark mark, const char *text, const struct em_doctor_row *cause,
                             const struct em_secrets *secrets, bool colour, struct em_str *out);

/* Redacts and escapes: for one line of whatever output. */
void em_screen_clean(const char *text, const struct em_secrets *secrets, struct em_str *out);

#endif
