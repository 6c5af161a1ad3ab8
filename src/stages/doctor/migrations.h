/* Between the two halves of doctor's section "migrations" (stages/doctor/doctor.h). */
#ifndef EMBARK_STAGES_DOCTOR_MIGRATIONS_H
#define EMBARK_STAGES_DOCTOR_MIGRATIONS_H

#include "embark/core/report/rows.h"
#include "embark/stages/migrate/pending.h"
#include "embark/stages/migrate/status.h"

/* What the rows are made of. */
struct em_migrations_view {
    const struct em_config *config;
    const struct em_migration_status *look;
    const struct em_pending_status *pending;
    bool connected; /* to the database */
    bool judged;    /* the ledger was read, and there is a verdict */
    bool killed;    /* the newest run says that it is running, and was killed */
    struct em_db *db;
    em_time deadline;
    struct em_doctor_rows *looks;
};

/* Rows of the files, of what the database has of them, and of what it lacks. */
void em_doctor_pending(const struct em_migrations_view *v);

#endif
