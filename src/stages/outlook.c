#include "embark/stages/outlook.h"

#include "embark/os/clock.h"
#include "embark/os/host.h"
#include "embark/stages/ledger.h"

void em_outlook_judge(const struct em_config *config, struct em_outlook *look)
{
    em_verdict_free(&look->verdict);
    em_judge(&look->files.list, &look->state, config->migrate_retry_after, &look->verdict);
    if (!em_ledger_wanted(config)) {
        em_str_cut(&look->verdict.why, 0);
        em_str_puts(&look->verdict.why, "no ledger is kept ([migrate] ledger = off)");
    }
}

int em_outlook_read(const struct em_config *config, struct em_db *db, em_time until,
                    struct em_outlook *look, struct em_err *err)
{
    int code = em_ledger_read(db, config, until, &look->state, NULL, err);
    if (code == 0)
        em_outlook_judge(config, look);
    return code;
}

void em_outlook_free(struct em_outlook *look)
{
    em_migration_files_free(&look->files);
    em_state_free(&look->state);
    em_verdict_free(&look->verdict);
}

int em_outlook_open(const struct em_config *config, const struct em_url *direct, struct em_db **db,
                    struct em_db_failure *failure, struct em_err *err)
{
    EM_STR_AUTO application = EM_STR_INIT;
    em_application_name("ledger", &application);
    return em_db_open_for(EM_DB_USERS, direct, em_str_c(&application),
                          em_in(config->database_connect_timeout), db, failure, err);
}
