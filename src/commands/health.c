/* health: the healthcheck. One line, of at most 200 bytes, since docker inspect shows it; 0 or 1.
 */
#include <string.h>

#include "embark/commands/commands.h"
#include "embark/commands/flags.h"
#include "embark/os/log/log.h"
#include "embark/os/process/trim.h"
#include "embark/stages/health/health.h"
#include "embark/start/context.h"

#define LINE_LIMIT 200 /* with its newline */

/* Redacted and escaped first: what is escaped grows. The log finds nothing left to do. */
static void fit(struct em_str *text, size_t room)
{
    static const char more[] = "…";
    EM_STR_AUTO shown = EM_STR_INIT;
    em_redact(em_log_secrets(), text);
    em_escape(&shown, em_str_c(text), text->len);
    if (shown.len > room) {
        size_t cut = room - strlen(more);
        while (cut && ((unsigned char)shown.data[cut] & 0xC0) == 0x80)
            cut--; /* not in the middle of a character */
        em_str_cut(&shown, cut);
        em_str_puts(&shown, more);
    }
    em_str_cut(text, 0);
    em_str_add(text, em_str_c(&shown), shown.len);
}

static int say(bool healthy, struct em_str *text)
{
    const char *what = healthy ? "healthy" : "not healthy";
    fit(text, LINE_LIMIT - strlen("embark: : \n") - strlen(what));
    em_log(healthy ? EM_LOG_INFO : EM_LOG_ERROR, what, "%s", em_str_c(text));
    return healthy ? 0 : 1;
}

int em_health_refuse(struct em_err *err)
{
    return say(false, &err->text);
}

int em_command_health(const struct em_call *call)
{
    EM_ERR_AUTO err = EM_ERR_INIT;
    EM_STR_AUTO line = EM_STR_INIT;
    bool start = false, live = false, ready = false;
    const struct em_flag flags[] = {{"--start", &start, NULL, NULL},
                                    {"--live", &live, NULL, NULL},
                                    {"--ready", &ready, NULL, NULL}};
    char *const *rest;
    int code = em_flags(call->argv, flags, 3, &rest, &err);
    const char *target = code == 0 ? rest[0] : NULL;
    if (code == 0)
        code = em_no_words("health", target ? rest + 1 : rest, &err);
    if (code == 0 && start + live + ready > 1)
        code = em_fail(&err, EM_EXIT_USAGE, "--start, --live and --ready exclude each other");
    if (code == 0)
        code = em_health(call->config,
                         start  ? EM_HEALTH_START
                         : live ? EM_HEALTH_LIVE
                                : EM_HEALTH_READY,
                         target, &line, &err);
    em_release_code_pages();
    return say(code == 0, code ? &err.text : &line);
}
