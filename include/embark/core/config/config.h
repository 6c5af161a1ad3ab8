/* The configuration: one INI file, and what is set from outside.
 *
 * em_config_parse() reads nothing itself: it is given the file's bytes, and a struct
 * em_config_source that answers for environment variables and for ${file:…}. After parsing the
 * configuration is const and handed down.
 *
 * Syntax: inih's.
 *
 *     [database]                  ; a comment; # starts one, too, but only at the start of a line
 *     url = ${DATABASE_URL}       ; "key: value" is the same
 *     [require]
 *     file = /app/alembic.ini
 *            /app/VERSION         ; another value of the same key
 *
 * inih cuts section names at 49 bytes, and says nothing of lines that are none of its own: the
 * bytes are fed to it by a line reader that counts and checks, so that nothing is cut silently and
 * every message has its file:line. A line has at most 1 MiB (comments as much as they like). Line
 * ends are LF or CRLF, a UTF-8 byte order mark is passed over, and bytes that are no UTF-8 are
 * taken as they are. " ;", in quotes or not, starts a comment that ends the value. A value's quotes
 * belong to it, but for a command's (WORDS); the blanks around it do not. A line that starts with
 * white space continues the value above it: another value for a repeatable key, more words after a
 * blank for WORDS, an error for the others. (The first key of a section may be indented: it has
 * nothing above it.) It is an error, too, if it looks like a section or like a key of the section,
 * which inih would take for a value.
 *
 * An empty value, in the file or the environment, is as if the key had not been given: the default
 * holds.
 *
 * Expansion of a value, file's or environment's: ${NAME}, ${NAME:-default} (also for an empty
 * NAME), ${file:/path} (one trailing newline dropped), ${NAME:url},
 * ${NAME:url:-default} and ${file:/path:url} (percent-encoded, for a part of a URL; the default
 * isn't), $${ for a literal ${. Any other $ stands for itself. Not recursive: what a variable or a
 * file holds is taken as it is; the default and the path, which stand in the value itself, may hold
 * further ${…}. For NAMES it comes before the splitting; for WORDS after it, and not within '…',
 * which is left to the shell that is run, if one is: core/config/command_line.h. A NAME that isn't
 * set, or empty, and for which NAME_FILE is set, has that file's contents, one trailing newline
 * dropped; both set (and not empty) is an error.
 *
 * Of the environment, EMBARK_<SECTION>_<KEY> wins over the file; for repeatable keys it replaces
 * the file's values, one value a line. EMBARK_<SECTION>_<KEY>_FILE is a NAME_FILE of it; what that
 * file holds isn't expanded. (A key called file comes first: EMBARK_REQUIRE_FILE is [require]
 * file.) A value of the file that is replaced is checked all the same, unless it holds a ${. An
 * EMBARK_ variable that is no key (nor EMBARK_CONFIG, _SKIP, _STATE or _LOG) is a warning with the
 * nearest key's name, since an orchestrator may set such names for reasons of its own. The names
 * that Kubernetes and Docker's links make for a service called embark (EMBARK_SERVICE_HOST,
 * EMBARK_PORT_80_TCP_ADDR…) are passed over in silence: no key may be called like that. EMBARK_LOG
 * is a short form of [log], and wins over it and over EMBARK_LOG_…: em_config_log_words().
 */
#ifndef EMBARK_CORE_CONFIG_CONFIG_H
#define EMBARK_CORE_CONFIG_CONFIG_H

#include "embark/core/base/err.h"
#include "embark/core/base/time.h"
#include "embark/core/config/keys.h"
#include "embark/core/redact/secrets.h"

/* Values of a repeatable key; where[i] is the place of v[i] for messages: "embark.ini:12" or
 * "$EMBARK_REQUIRE_DIR". */
struct em_items {
    char **v;
    char **where;
    size_t n;
};

#define EM_TYPE_TEXT   char *
#define EM_TYPE_SECRET char *
#define EM_TYPE_TIME   em_time
#define EM_TYPE_BOOL   bool
#define EM_TYPE_CHOICE int
#define EM_TYPE_WORDS  struct em_list
#define EM_TYPE_LIST   struct em_items
#define EM_TYPE_NAMES  struct em_items

enum em_key_type {
    EM_KEY_TEXT,
    EM_KEY_SECRET,
    EM_KEY_TIME,
    EM_KEY_BOOL,
    EM_KEY_CHOICE,
    EM_KEY_WORDS,
    EM_KEY_LIST,
    EM_KEY_NAMES
};

/* EM_AT_database_url …: index of a key in em_keys and of its origin in em_config. */
enum em_key_index {
#define X(section, key, type, fallback, help) EM_AT_##section##_##key,
    EM_KEYS(X)
#undef X
        EM_KEY_COUNT
};

struct em_config {
    /* config.database_url, config.require_module … one field for each line of the table. */
#define X(section, key, type, fallback, help) EM_TYPE_##type section##_##key;
    EM_KEYS(X)
#undef X
    /* "embark.ini:3", "$EMBARK_MIGRATE_LOCK", or NULL: the default. The first value's, where there
     * are several. */
    char *origin[EM_KEY_COUNT];
    char *path;          /* of the file, or NULL */
    struct em_list skip; /* of EMBARK_SKIP: wait, check, bootstrap, migrate; "all" is spelled out */
};

struct em_key {
    const char *section, *name;
    enum em_key_type type;
    const char *fallback; /* as in the table */
    const char *help;
    size_t offset; /* in struct em_config */
};
extern const struct em_key em_keys[EM_KEY_COUNT];

/* The sections in the table's order; the last one's name is NULL. */
struct em_section {
    const char *name, *help;
};
extern const struct em_section em_sections[];

/* What the parser may ask of the world. `ctx` is handed through. */
struct em_config_source {
    const char *(*env)(void *ctx, const char *name); /* NULL: not set */
    char **environ; /* all NAME=VALUE, NULL-terminated: for misspelt EMBARK_ names; may be NULL */
    /* Adds the contents of `path` to `out`, at most 1 MiB; false: why says what went wrong ("No
     * such file or directory"). */
    bool (*read_file)(void *ctx, const char *path, struct em_str *out, struct em_str *why);
    /* Whether others than the file's owner and group may read it, so that its secret is
     * everybody's: *mode is the file's. NULL: nobody asks. */
    bool (*readable_by_all)(void *ctx, const char *path, unsigned *mode);
    void *ctx;
    /* For a check in a Dockerfile: a ${NAME} or a ${file:…} that is missing is a warning, and the
     * key is as if it weren't set. */
    bool build_time;
};

/* EMBARK_LOG: words of [log], each at most once and separated by commas or blanks: a format, a
 * level, "timestamps". Sets the fields of [log], and their origin if `origin` isn't NULL; for main,
 * too, before there is a configuration. NULL is no word. False, with what can be used of it set:
 * the first word that is none, or that says a second time what another said, is added to `bad`,
 * which may be NULL. */
bool em_config_log_words(struct em_config *config, const char *text, const char *origin,
                         struct em_str *bad);

enum { EM_CONFIG_MISTAKES = 100 };

/* $NAME, or the contents of the file that $NAME_FILE names. 1: found and added to out; 0: not set;
 * -1: both set or unreadable, added to errs. An empty NAME_FILE counts as not set, and so does an
 * empty NAME beside a NAME_FILE. A file that everybody may read is added to warnings (NULL
 * allowed). */
int em_config_source_get(const struct em_config_source *world, const char *name, struct em_str *out,
                         struct em_secrets *secrets, struct em_errs *errs,
                         struct em_errs *warnings);

bool em_config_skips(const struct em_config *config, const char *step);
/* The words of a CHOICE key: copies the index'th to out. Nothing is added for an index that there
 * isn't. */
void em_choice_word(const struct em_key *key, int index, struct em_str *out);
/* EMBARK_<SECTION>_<KEY>. */
void em_key_env(const struct em_key *key, struct em_str *out);
/* The effective value of one key, for `doctor` and tests: secrets as ****, several values separated
 * by ", ", a command quoted so that em_command_line_split() gives its words back; nothing for what
 * isn't set. */
void em_config_print(const struct em_config *config, const struct em_key *key, struct em_str *out);
/* The table for people: every section and key with its default and help (`embark help config`), or
 * those of one section; nothing is added if there is none of that name. */
void em_config_help(const char *section, struct em_str *out);

/* A command line into words, as a POSIX shell quotes: '…', "…", backslash. Nothing is expanded.
 * False: an unclosed quote. */
bool em_command_line_split(const char *text, struct em_list *words);

#endif
