/* All that a check found, in its order: grouped by section, failures and warnings.
 *
 * A failure's text has the form that em_require() gives it: "KEY VALUE: what was found (PLACE)", so
 * that a report can be taken apart again for `embark check --json`.
 */
#ifndef EMBARK_CORE_REPORT_REPORT_H
#define EMBARK_CORE_REPORT_REPORT_H

#include "embark/core/config/config.h"

struct em_report_item {
    const char *section; /* "require", "image", "bundle"…: what the log calls the step */
    bool failed;         /* else a warning */
    struct em_err err;
};

struct em_report {
    struct em_report_item *v;
    size_t n;
    struct em_list hosts; /* of the bundle's URLs */
};
#define EM_REPORT_INIT \
    {                  \
        NULL, 0,       \
        {              \
            NULL, 0    \
        }              \
    }
#define EM_REPORT_AUTO __attribute__((cleanup(em_report_free))) struct em_report

/* Moves the error, or all of them, to the report's end. One whose code is 0 isn't added. */
void em_report_fail(struct em_report *report, const char *section, struct em_err *err);
void em_report_fail_all(struct em_report *report, const char *section, struct em_errs *errs);
void em_report_warn_all(struct em_report *report, const char *section, struct em_errs *errs);
void em_report_free(struct em_report *report);

/* The exit code: EM_EXIT_REQUIREMENT if a requirement isn't met, else the first failure's, else 0.
 */
int em_report_code(const struct em_report *report);

/* One thing that was looked at. All are owned; never NULL but `hint` and `place`. */
struct em_finding {
    const char *section, *key;
    bool ok;
    int code;       /* 0: ok */
    char *value;    /* "public", "alembic" */
    char *place;    /* "embark.ini:7", or NULL */
    char *expected; /* "a directory that can be entered" */
    char *found;    /* "does not exist; the nearest…"; "" where it is as expected */
    char *hint;     /* or NULL */
};
struct em_findings {
    struct em_finding *v;
    size_t n;
};

/* Every value of [require], [bundle] and [image] as one that is as expected, unless the report has
 * failures of it: then these; and all other failures. `build_time`: keys that a build can't judge
 * are left out, unless they failed. */
void em_findings_of(const struct em_config *config, const struct em_report *report, bool build_time,
                    struct em_findings *findings);
void em_findings_free(struct em_findings *findings);

#endif
