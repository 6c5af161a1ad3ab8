/* A verdict on the migrations (core/migrations/decision.h) in words: the same for a start's log,
 * `embark migrate
 * --dry-run` and `embark doctor`. */
#ifndef EMBARK_CORE_MIGRATIONS_DECISION_TEXT_H
#define EMBARK_CORE_MIGRATIONS_DECISION_TEXT_H

#include "embark/core/config/config.h"
#include "embark/core/migrations/decision.h"

/* "on web-1, 2026-11-24 15:04:05 UTC, build abc": who ran it. */
void em_decision_run(const struct em_run_row *row, struct em_str *out);

/* Of EM_IS_OLDER: what the image lacks, and what to do. EM_EXIT_OLDER, or 0 where [migrate]
 * on_newer_database lets the start go on without the migrations; the text is set either way. */
int em_decision_older(const struct em_config *config, const struct em_ledger_state *state,
                      const struct em_decision *verdict, struct em_err *err);
/* Of EM_FAILED: EM_EXIT_MIGRATION. The run's last output, which the hint speaks of, is the caller's
 * to show. */
int em_decision_failed(const struct em_config *config, const struct em_run_row *run,
                       struct em_err *err);
/* What doesn't stop a run, but somebody should know: a run that was interrupted, files that were
 * changed after they were applied, an image that has diverged. */
void em_decision_oddities(const struct em_ledger_state *state, const struct em_decision *verdict,
                          struct em_errs *odd);

#endif
