#include "embark/core/redact/secret_names.h"

#include <string.h>
#include <strings.h>

#include "embark/core/base/text.h"

static bool word_sounds(const char *word, size_t length)
{
    /* Whole words, or the ends of such that are written in one: PGPASSWORD, dbpass. */
    static const char *const ends[] = {
        "password",   "passwords", "passwd",      "passphrase", "passwort", "pass", "pwd",
        "psw",        "secret",    "secrets",     "token",      "tokens",   "key",  "keys",
        "credential", "creds",     "credentials", "dsn",        "salt"};
    static const char *const others[] = {"monkey", "donkey",  "turkey", "hockey", "jockey",
                                         "bypass", "compass", "basalt", "oldpwd", NULL};
    if (em_is_one_of(word, length, others))
        return false;
    if (em_is_one_of(word, length, (const char *const[]){"pw", "cred", NULL}))
        return true;
    for (size_t i = 0; i < EM_COUNT(ends); i++) {
        size_t n = strlen(ends[i]);
        if (length >= n && strncasecmp(word + length - n, ends[i], n) == 0)
            return true;
    }
    for (size_t i = 0; i < length; i++)
        if (length - i >= 6 &&
            (strncasecmp(word + i, "passwd", 6) == 0 || strncasecmp(word + i, "secret", 6) == 0 ||
             strncasecmp(word + i, "passwo", 6) == 0))
            return true;
    return false;
}

/* apiKey, APIKey: where a word ends that has no separator behind it. */
static bool ends_word(const char *name, size_t at, size_t length)
{
    return (em_is_lower(name[at - 1]) && em_is_upper(name[at])) ||
           (at + 1 < length && em_is_upper(name[at - 1]) && em_is_upper(name[at]) &&
            em_is_lower(name[at + 1]));
}

static bool in_word(char c)
{
    return em_is_lower(c) || em_is_upper(c) || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

bool em_is_secret_name(const char *name, size_t length)
{
    static const char *const places[] = {"file", "path", "dir", "directory", "passfile", NULL};
    static const char *const folders[] = {"PWD", "OLDPWD", NULL};
    bool sounds = false, place = false;
    if (em_is_one_of(name, length, folders))
        return false;
    for (size_t i = 0, start; i < length;) {
        if (!in_word(name[i])) {
            i++;
            continue;
        }
        for (start = i++; i < length && in_word(name[i]) && !ends_word(name, i, length);)
            i++;
        sounds = sounds || word_sounds(name + start, i - start);
        place = em_is_one_of(name + start, i - start, places);
    }
    return sounds && !place;
}
