/* `embark check --json`: one document on stdout. */
#ifndef EMBARK_COMMANDS_CHECK_JSON_H
#define EMBARK_COMMANDS_CHECK_JSON_H

#include "embark/core/report/report.h"

/* {"ok": false, "code": 72,
 *  "checks": [{"section", "key", "value", "place", "ok", "expected", "found", "hint"}…],
 *  "warnings": [{"section", "text", "hint"}…], "hosts": ["api.example.com"…]}
 *
 * place and hint are null where there is none; found is "" for what is as expected. Bytes that are
 * not printable are escaped, and secrets are taken out, as in the log. 0, or EM_EXIT_SYSTEM if it
 * can't be written. */
int em_check_json(const struct em_config *config, const struct em_report *report, int code);

#endif
