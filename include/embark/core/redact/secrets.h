/* What must never be shown.
 *
 * A set of byte strings (passwords, in the forms in which they are seen), and the function that
 * takes them out of a text. The log and everything else that prints goes through em_redact(), so
 * that a secret is hidden whatever libpq, a server or a configuration error says. Redact first,
 * em_escape() then.
 *
 * Secrets shorter than 3 bytes are kept in the set but only hidden where they stand as a whole
 * word: "a" would make every message unreadable, and hides nothing.
 */
#ifndef EMBARK_CORE_REDACT_SECRETS_H
#define EMBARK_CORE_REDACT_SECRETS_H

#include "embark/core/base/str.h"

struct em_secrets {
    struct em_list
        list; /* as they are, and as SQL, libpq, Npgsql, JSON and em_escape() write them */
    struct em_list likely; /* likewise, of em_secrets_add_likely() */
};

#define EM_SECRETS_INIT            \
    {                              \
        EM_LIST_INIT, EM_LIST_INIT \
    }
#define EM_SECRETS_AUTO __attribute__((cleanup(em_secrets_free))) struct em_secrets

/* Adds `secret`; an empty one (or NULL) is ignored, a known one not added twice. */
void em_secrets_add(struct em_secrets *secrets, const char *secret);
/* The same for what is only likely one (core/redact/secret_names.h): em_redact_sure() leaves it. */
void em_secrets_add_likely(struct em_secrets *secrets, const char *secret);

/* All forms of all members. */
size_t em_secrets_count(const struct em_secrets *secrets);
const char *em_secrets_form(const struct em_secrets *secrets, size_t i);

/* Replaces what is secret in `text` by "****", one for every stretch, however many secrets overlap
 * in it:
 *
 *   - the members of the set (`secrets` may be NULL), as they are and with any of their bytes
 *     percent-encoded
 *   - what of them is left at "…" or "...", where the text was cut: at least 4 bytes, or half of one
 *   - what stands between "://user:" and the last "@" of the word in anything that looks like a URL
 *   - the value of any name that ends in password, passwd, passphrase, pass, pwd or secret:
 *     password=x, password='x y', ?password=x&, ;Password=x y;, "password": "x", PASSWORD 'x' (SQL)
 *   - the value of any other name that sounds secret (core/redact/secret_names.h): TOKEN=x,
 *     "api_key": "x", --token x
 * Where it isn't clear what ends the value, more is hidden rather than less.
 *
 * Doing it twice changes nothing that would show more. */
void em_redact(const struct em_secrets *secrets, struct em_str *text);
/* Only those that are sure: members that are not just likely, and values of names that say password
 * or the like. For a text that is compared: what differs in a key, which may be any name's, must
 * not be taken for the same. */
void em_redact_sure(const struct em_secrets *secrets, struct em_str *text);
/* As em_redact(); *at is a place in the text, and afterwards where that is now. */
void em_redact_at(const struct em_secrets *secrets, struct em_str *text, size_t *at);

/* Zeroes and frees. */
void em_secrets_free(struct em_secrets *secrets);

/* Adds untrusted bytes for one line of a terminal or a log: control characters, DEL, invalid UTF-8,
 * U+0080–U+009F and what reorders or breaks lines (U+061C, U+200E, U+200F, U+2028–U+202E,
 * U+2066–U+2069) become \xNN, byte by byte, a newline becomes \n, tab \t; backslash stays, so it
 * can't be undone. */
void em_escape(struct em_str *out, const char *bytes, size_t length);
/* The same for a text of others that is a part of a line: a server's, a table's, a file's name.
 * NULL: nothing. */
void em_foreign(struct em_str *out, const char *text);
/* The same for several lines: newlines stay. */
void em_escape_lines(struct em_str *out, const char *bytes, size_t length);
/* The same for a piece of a child's output: newlines and tabs stay, "\r\n" is a newline, and
 * colours stay (SGR sequences), but end at the latest with the line, so that nothing behind it is
 * hidden by them. *coloured, false at first, is kept between two calls. Returns how many bytes were
 * taken: with `more` to come, the beginning of a character, of a colour or of "\r\n" at the end is
 * not. */
size_t em_escape_output(struct em_str *out, const char *bytes, size_t length, bool *coloured,
                        bool more);

#endif
