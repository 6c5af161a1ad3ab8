#include "embark/core/net/names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANK " \t\r"

/* The next line of *text to *line, to be freed, without its comment; false at the end. */
static bool next_line(const char **text, const char *comments, char **line)
{
    if (!**text)
        return false;
    size_t n = strcspn(*text, "\n");
    *line = em_strndup(*text, n);
    (*line)[strcspn(*line, comments)] = '\0';
    *text += n + ((*text)[n] == '\n');
    return true;
}

static void add_search(struct em_resolv_conf *conf, char *words)
{
    char *state = NULL;
    em_list_free(&conf->search);
    for (char *w = strtok_r(words, BLANK, &state); w; w = strtok_r(NULL, BLANK, &state))
        em_list_add(&conf->search, w);
}

static void add_options(struct em_resolv_conf *conf, char *words)
{
    char *state = NULL;
    for (char *w = strtok_r(words, BLANK, &state); w; w = strtok_r(NULL, BLANK, &state))
        if (em_starts(w, "ndots:"))
            conf->ndots = (unsigned)strtoul(w + strlen("ndots:"), NULL, 10);
}

void em_resolv_conf_parse(const char *text, struct em_resolv_conf *conf)
{
    char *line;
    conf->ndots = 1;
    while (next_line(&text, "#;", &line)) {
        char *rest = line + strcspn(line, BLANK), *value = rest + strspn(rest, BLANK);
        if (*rest)
            *rest = '\0';
        if (strcmp(line, "nameserver") == 0 && conf->servers.n < EM_NAME_SERVERS) {
            value[strcspn(value, BLANK)] = '\0';
            if (*value)
                em_list_add(&conf->servers, value);
        } else if (strcmp(line, "search") == 0 || strcmp(line, "domain") == 0) {
            add_search(conf, value);
        } else if (strcmp(line, "options") == 0) {
            add_options(conf, value);
        }
        free(line);
    }
}

void em_resolv_conf_free(struct em_resolv_conf *conf)
{
    em_list_free(&conf->servers);
    em_list_free(&conf->search);
}

bool em_hosts_spelling(const char *text, const char *name, struct em_str *out)
{
    char *line;
    bool found = false;
    while (!found && next_line(&text, "#", &line)) {
        char *state = NULL, *word = strtok_r(line, BLANK, &state); /* the address */
        while (word && !found) {
            word = strtok_r(NULL, BLANK, &state);
            found = word && strcasecmp(word, name) == 0;
        }
        if (found)
            em_str_puts(out, word);
        free(line);
    }
    return found;
}

void em_nsswitch_others(const char *text, struct em_str *out)
{
    char *line;
    while (next_line(&text, "#", &line)) {
        char *state = NULL, *word = strtok_r(line, BLANK, &state);
        bool hosts = word && strcmp(word, "hosts:") == 0;
        bool action = false; /* [NOTFOUND=return] */
        while (hosts && (word = strtok_r(NULL, BLANK, &state)) != NULL) {
            action = action || *word == '[';
            bool known = strcmp(word, "files") == 0 || strcmp(word, "dns") == 0;
            if (!action && !known)
                em_str_printf(out, "%s%s", out->len ? " " : "", word);
            action = action && !strchr(word, ']');
        }
        free(line);
    }
}

bool em_dns_is_answer(const unsigned char *query, size_t size, const unsigned char *answer,
                      size_t length)
{
    if (length < EM_DNS_HEADER || memcmp(answer, query, 2) != 0 || !(answer[2] & 0x80))
        return false;
    unsigned code = answer[3] & 15, questions = answer[4] * 256u + answer[5];
    if (questions == 0)
        return code != 0 && code != 3;
    bool same = questions == 1 && length >= size;
    for (size_t i = EM_DNS_HEADER; same && i < size; i++)
        same = tolower(answer[i]) == tolower(query[i]);
    return same;
}
