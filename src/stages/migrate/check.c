#include "embark/stages/migrate/check.h"

#include <strings.h>

#include "embark/core/base/shell_quote.h"
#include "embark/os/loop/clock.h"
#include "embark/stages/migrate/files/files.h"
#include "embark/stages/migrate/files/world.h"
#include "embark/stages/migrate/pending.h"
#include "embark/stages/migrate/sessions/settings.h"

/* Heads that are named in one line. */
enum { HEADS_SAID = 6 };

static void check_shell(const struct em_config *config, struct em_errs *warnings)
{
    EM_TOOL_SEARCH_AUTO s = {0};
    em_migration_search(config, &s);
    if (!s.compound || !config->migrate_files.n)
        return;
    em_hint(em_errs_add(warnings, EM_EXIT_CONFIG,
                        "[migrate] command is several commands: where [migrate] files are those of "
                        "the last good run, all of them are skipped together"),
            "what has to run at every start belongs to the service, or into a command of its own");
}

static void check_heads(const struct em_config *config, struct em_errs *errs,
                        struct em_errs *warnings)
{
    EM_MIGRATION_FILES_AUTO files = {0};
    EM_PENDING_STATUS_AUTO look = {0};
    EM_ERR_AUTO err = EM_ERR_INIT;
    EM_STR_AUTO command = EM_STR_INIT;
    if (em_migration_files(config, &files, &err) != 0)
        return; /* a start says it; these files may come with a volume */
    em_pending_status(config, NULL, "", &files.list, NULL, em_now(), &look);
    if (!look.pending.kind || !look.pending.forked)
        return;
    em_shell_quote_words(&config->migrate_command, &command);
    struct em_err *added = em_errs_add(files.complete ? errs : warnings, EM_EXIT_MIGRATION,
                                       "%s: it goes to one head, and the migrations have %zu",
                                       em_str_c(&command), look.pending.heads.n);
    for (size_t i = 0; i < look.pending.heads.n && i < HEADS_SAID; i++)
        em_str_printf(&added->text, "%s%s", i ? ", " : " (", look.pending.heads.v[i]);
    em_str_puts(&added->text, look.pending.heads.n > HEADS_SAID ? "…)" : ")");
    em_hint(added, "alembic merge heads makes them one; alembic upgrade heads goes to all");
}

/* A role or a file may set it, so that it is no mistake for sure. */
static void check_retries(const struct em_config *config, struct em_errs *warnings)
{
    for (size_t i = 0; i < config->migrate_set.n; i++)
        if (strncasecmp(config->migrate_set.v[i], "lock_timeout", 12) == 0)
            return;
    if (em_migration_retries(config))
        em_hint(em_errs_add(warnings, EM_EXIT_CONFIG,
                            "%s: lock_retries: no statement gives up that waits for a lock, unless "
                            "the role or a file sets lock_timeout",
                            config->origin[EM_AT_migrate_lock_retries]),
                "set = lock_timeout=5s");
}

void em_migration_check(const struct em_config *config, struct em_errs *errs,
                        struct em_errs *warnings)
{
    check_retries(config, warnings);
    if (!config->migrate_command.n)
        return;
    check_shell(config, warnings);
    check_heads(config, errs, warnings);
}
