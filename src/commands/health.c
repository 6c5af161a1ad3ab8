/* health: the healthcheck. One line, of at most 200 bytes, since docker inspect shows it; 0 or 1.
 */
#include <string.h>

#include "embark/commands/commands.h"
#include "embark/commands/flags.h"
#include "embark/commands/steps.h"
#include "embark/os/log.h"
#include "embark/stages/health.h"

#define LINE_LIMIT 180

static int say(enum em_level level, const char *what, struct em_str *text)
{
    if (text->len > LINE_LIMIT) {
        em_str_cut(text, LINE_LIMIT);
        /* not in the middle of a character */
        while (text->len && ((unsigned char)text->data[text->len - 1] & 0xC0) == 0x80)
            em_str_cut(text, text->len - 1);
        if (text->len && ((unsigned char)text->data[text->len - 1] & 0x80))
            em_str_cut(text, text->len - 1);
    }
    em_log(level, what, "%s", em_str_c(text));
    return level == EM_LOG_ERROR ? 1 : 0;
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
    if (code)
        return say(EM_LOG_ERROR, "not healthy", &err.text);
    return say(EM_LOG_INFO, "healthy", &line);
}
