#include "embark/stages/doctor.h"

#include "embark/os/host.h"

void em_doctor_database(const struct em_config *config, const struct em_url *url,
                        const struct em_url *direct, em_time deadline, struct em_looks *looks,
                        struct em_db **db)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    EM_STR_AUTO name = EM_STR_INIT;
    (void)config;
    *db = NULL;
    if (!url)
        return;
    em_application_name("doctor", &name);
    if (em_db_open(direct ? direct : url, em_str_c(&name), deadline, db, NULL, &err) != 0) {
        em_look_err(looks, "database", "login", EM_MARK_BAD, &err);
        return;
    }
    em_look_add(looks, "database", "login", EM_MARK_OK, 0, "%s", em_db_where(*db));
    if (em_db_query(*db, deadline, NULL, &err, "SET default_transaction_read_only = on", 0, NULL)) {
        em_db_close(*db);
        *db = NULL;
    }
}
