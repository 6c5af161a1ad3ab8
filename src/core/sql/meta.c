#include "embark/core/sql/meta.h"

#include <string.h>
#include <strings.h>

#include "embark/core/sql/variables.h"

/* Three rows of the same length, without pointers: these would take more room than the names. */
#define X(name, what, why) name "\0"
static const char all_names[] = EM_SQL_METAS(X);
#undef X
#define X(name, what, why) EM_SQL_META_##what,
static const unsigned char whats[] = {EM_SQL_METAS(X)};
#undef X
#define X(name, what, why) why "\0"
static const char whys[] = EM_SQL_METAS(X);
#undef X

static enum em_sql_what find(const char *name, size_t length, const char **why)
{
    const char *at = all_names, *reason = whys;

    for (size_t i = 0; i < sizeof(whats); i++) {
        if (strlen(at) == length && memcmp(at, name, length) == 0) {
            *why = reason;
            return whats[i];
        }
        at += strlen(at) + 1;
        reason += strlen(reason) + 1;
    }
    return EM_SQL_META_UNKNOWN;
}

enum em_sql_what em_sql_meta(const char *name, const char **why)
{
    size_t length = strlen(name);
    const char *ignored;
    enum em_sql_what what;

    if (!why)
        why = &ignored;
    *why = "";
    what = find(strcasecmp(name, "copy") == 0 ? "copy" : name, length, why);
    if (what == EM_SQL_META_UNKNOWN && length > 1 && em_ends(name, "+"))
        what = find(name, length - 1, why);
    if (what != EM_SQL_META_UNKNOWN)
        return what;
    if (*name == 'd')
        *why = "it describes things for people at a terminal: query pg_catalog";
    else if (em_starts(name, "lo_"))
        *why = "it reads and writes files of the client: lo_from_bytea() and lo_get() need none";
    else
        return EM_SQL_META_UNKNOWN;
    return EM_SQL_META_REFUSED;
}

bool em_sql_meta_whole_line(const char *name)
{
    static const char *const names[] = {"ef", "ev", "h", "help", "sf", "sv", "!"};

    for (size_t i = 0; i < EM_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strcasecmp(name, "copy") == 0; /* in any case, as psql */
}

bool em_sql_special(const char *name, const char *value, const char **why)
{
    /* The value that is psql's default and embark's way, and what to do in place of the other. */
    static const struct {
        const char *name;
        bool fine;
        const char *why;
    } specials[] = {
        {"AUTOCOMMIT", true, "write BEGIN and COMMIT, or use -1"},
        {"ON_ERROR_ROLLBACK", false, "write SAVEPOINT and ROLLBACK TO"},
        {"SINGLELINE", false, "end statements with a semicolon"},
        {"SINGLESTEP", false, "nobody is there to answer"},
    };
    bool on;

    for (size_t i = 0; i < EM_COUNT(specials); i++)
        if (strcmp(name, specials[i].name) == 0) {
            *why = specials[i].why;
            return !em_sql_bool(*value ? value : "on", &on) || on != specials[i].fine;
        }
    return false;
}
