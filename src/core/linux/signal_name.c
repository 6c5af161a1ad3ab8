#include "embark/core/linux/signal_name.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/base/text.h"

static const struct {
    int number;
    const char *name;
} names[] = {
#define X(name) {SIG##name, "SIG" #name},
    /* clang-format off */
    X(HUP) X(INT) X(QUIT) X(ILL) X(TRAP) X(ABRT) X(BUS) X(FPE) X(KILL) X(USR1) X(SEGV) X(USR2) X(PIPE) X(ALRM) X(TERM)
    X(STKFLT) X(CHLD) X(CONT) X(STOP) X(TSTP) X(TTIN) X(TTOU) X(URG) X(XCPU) X(XFSZ) X(VTALRM) X(PROF) X(WINCH) X(IO)
    X(PWR) X(SYS)
/* clang-format on */
#undef X
};

static const char *const real_time[] = {
#define X(n) "SIGRTMIN+" #n,
    /* clang-format off */
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20)
    X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30)
/* clang-format on */
#undef X
};

const char *em_signal_name(int signal)
{
    if (signal >= EM_SIGNAL_RTMIN && signal <= EM_SIGNAL_RTMAX)
        return real_time[signal - EM_SIGNAL_RTMIN];
    for (size_t i = 0; i < EM_COUNT(names); i++)
        if (names[i].number == signal)
            return names[i].name;
    return "an unknown signal";
}

/* All of `text` as a decimal number; -1: it is none. */
static int read_number(const char *text)
{
    char *end;
    if (*text < '0' || *text > '9')
        return -1;
    long number = strtol(text, &end, 10);
    return *end == '\0' && number <= EM_SIGNAL_RTMAX ? (int)number : -1;
}

/* "RTMIN+3", "RTMAX-1": 0 if it is neither. */
static int find_real_time(const char *text)
{
    bool from_max = strncmp(text, "RTMAX", 5) == 0;
    if (!from_max && strncmp(text, "RTMIN", 5) != 0)
        return 0;
    int offset = text[5] ? read_number(text + 6) : 0;
    if ((text[5] && text[5] != (from_max ? '-' : '+')) || offset < 0 ||
        offset > EM_SIGNAL_RTMAX - EM_SIGNAL_RTMIN)
        return 0;
    return from_max ? EM_SIGNAL_RTMAX - offset : EM_SIGNAL_RTMIN + offset;
}

int em_signal_find(const char *text)
{
    int number = read_number(text);
    if (number >= 0)
        return number == 32 || number == 33 ? 0 : number; /* the C libraries' own */
    if (strncmp(text, "SIG", 3) == 0)
        text += 3;
    for (size_t i = 0; i < EM_COUNT(names); i++)
        if (strcmp(text, names[i].name + 3) == 0)
            return names[i].number;
    return find_real_time(text);
}
