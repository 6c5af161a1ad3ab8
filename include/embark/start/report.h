/* The report of this start, kept for `embark doctor` in the file of os/machine/last_start_file.h:
 * when it began, what it said, how long its steps took, and what became of it. It never fails a
 * start, and costs one system call where there is no place for it.
 *
 * Only `embark run` has one. A start that isn't the container's is not noted: one that was brought
 * in by docker exec, or that is below a service which embark has started itself.
 */
#ifndef EMBARK_START_REPORT_H
#define EMBARK_START_REPORT_H

#include "embark/core/base/str.h"

/* Adds the command as people are shown it: without its passwords, which are looked for before it is
 * cut, at `limit` bytes, since a part of one would be known by nobody. */
void em_shown_command(char *const *argv, size_t limit, struct em_str *out);

/* First thing in main. em_start_report_forget(): this is no start. */
void em_start_report_begin(void);
void em_start_report_forget(void);

void em_start_report_steps(const char *timings); /* of a start that is about to fail */
/* Right before exec, with embark's last words said. */
void em_start_report_executes(const char *timings, char *const *argv);
void em_start_report_failed(int code); /* replaces what em_start_report_executes() wrote */

#endif
