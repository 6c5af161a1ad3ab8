#include "embark/core/report/last_start.h"

#include <stdlib.h>
#include <string.h>

static const char magic[] = "embark: last start";

void em_last_start_print(const struct em_last_start *start, struct em_str *out)
{
    const struct em_process *p = &start->process;

    em_str_printf(out, "%s\nversion: %s\nbegan: %s %lld\ntook: %lld\nsteps: %s\n", magic,
                  em_str_c(&start->version), em_str_c(&start->began_text), (long long)start->began,
                  (long long)start->took, em_str_c(&start->steps));
    em_str_printf(out, "process: %lld %llu %llu %s\n", (long long)p->pid,
                  (unsigned long long)p->started, (unsigned long long)p->pid_namespace,
                  *p->boot ? p->boot : "?");
    if (start->executed)
        em_str_printf(out, "end: exec %s\n", em_str_c(&start->command));
    else
        em_str_printf(out, "end: exit %d\n", start->code);
    em_str_printf(out, "log: %zu\n\n", start->log.len);
    em_str_add(out, em_str_c(&start->log), start->log.len);
}

/* ---- Reading ---- */

struct text {
    const char *at, *end;
};

/* "NAME: value\n": the value, up to its newline. False: the next line is another. */
static bool take(struct text *t, const char *name, struct em_str *value)
{
    size_t n = strlen(name), left = (size_t)(t->end - t->at);
    const char *newline = memchr(t->at, '\n', left);

    if (!newline || left < n + 2 || memcmp(t->at, name, n) != 0 || memcmp(t->at + n, ": ", 2) != 0)
        return false;
    em_str_cut(value, 0);
    em_str_add(value, t->at + n + 2, (size_t)(newline - t->at) - n - 2);
    t->at = newline + 1;
    return !memchr(em_str_c(value), '\0', value->len);
}

/* A number without a sign at *text, with what stands between it and the next one. */
static bool take_number(const char **text, uint64_t *number)
{
    char *end;

    *text += strspn(*text, " ");
    if (**text < '0' || **text > '9')
        return false;
    *number = strtoull(*text, &end, 10);
    *text = end;
    return *number <= INT64_MAX && (*end == ' ' || *end == '\0');
}

static bool parse_began(struct em_last_start *start, const char *value)
{
    const char *blank = strchr(value, ' ');
    uint64_t number;

    if (!blank)
        return false;
    em_str_add(&start->began_text, value, (size_t)(blank - value));
    if (!take_number(&blank, &number))
        return false;
    start->began = (int64_t)number;
    return true;
}

static bool parse_process(struct em_process *p, const char *value)
{
    uint64_t pid;

    if (!take_number(&value, &pid) || !take_number(&value, &p->started) ||
        !take_number(&value, &p->pid_namespace) || *value != ' ' ||
        strlen(value + 1) >= sizeof(p->boot))
        return false;
    p->pid = (int64_t)pid;
    if (strcmp(value + 1, "?") != 0)
        memcpy(p->boot, value + 1, strlen(value + 1) + 1);
    return true;
}

static bool parse_end(struct em_last_start *start, const char *value)
{
    uint64_t code;

    start->executed = em_starts(value, "exec ");
    if (start->executed)
        em_str_puts(&start->command, value + strlen("exec "));
    if (start->executed)
        return true;
    if (!em_starts(value, "exit "))
        return false;
    value += strlen("exit ");
    if (!take_number(&value, &code) || code > 255)
        return false;
    start->code = (int)code;
    return true;
}

static bool parse_log(struct em_last_start *start, struct text *t, const char *value)
{
    uint64_t length;

    if (!take_number(&value, &length) || t->at == t->end || *t->at != '\n' ||
        length != (uint64_t)(t->end - t->at - 1))
        return false;
    em_str_add(&start->log, t->at + 1, (size_t)length);
    return !memchr(em_str_c(&start->log), '\0', start->log.len);
}

bool em_last_start_parse(struct em_last_start *start, const char *bytes, size_t length)
{
    struct text t = {bytes, bytes + length};
    EM_STR_AUTO value = EM_STR_INIT;
    size_t n = strlen(magic);
    const char *number;
    uint64_t took;

    *start = (struct em_last_start){0};
    if (length <= n || memcmp(bytes, magic, n) != 0 || bytes[n] != '\n')
        return false;
    t.at += n + 1;
    if (!take(&t, "version", &start->version) || !take(&t, "began", &value) ||
        !parse_began(start, em_str_c(&value)) || !take(&t, "took", &value))
        return false;
    number = em_str_c(&value);
    if (!take_number(&number, &took) || !take(&t, "steps", &start->steps) ||
        !take(&t, "process", &value) || !parse_process(&start->process, em_str_c(&value)) ||
        !take(&t, "end", &value) || !parse_end(start, em_str_c(&value)) || !take(&t, "log", &value))
        return false;
    start->took = (em_time)took;
    return parse_log(start, &t, em_str_c(&value));
}

void em_last_start_free(struct em_last_start *start)
{
    em_str_free(&start->version);
    em_str_free(&start->began_text);
    em_str_free(&start->steps);
    em_str_free(&start->command);
    em_str_free(&start->log);
}

/* ---- Processes ---- */

/* "PID (name) S PPID …": the name may hold anything, blanks and brackets too. */
bool em_stat_parse(const char *stat, int64_t *parent, uint64_t *started)
{
    const char *at = strrchr(stat, ')');
    uint64_t number;

    if (!at || at[1] != ' ' || !at[2] || at[3] != ' ')
        return false;
    at += 3;
    if (!take_number(&at, &number))
        return false;
    *parent = (int64_t)number;
    for (int field = 5; field <= 22; field++) {
        if (*at != ' ')
            return false;
        if (field == 22)
            return take_number(&at, started);
        at++;
        at += strcspn(at, " ");
    }
    return false;
}

bool em_process_same(const struct em_process *a, const struct em_process *b)
{
    return a->pid == b->pid && a->started == b->started && a->pid_namespace == b->pid_namespace &&
           strcmp(a->boot, b->boot) == 0;
}
