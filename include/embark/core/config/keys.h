/* The one table of configuration keys.
 *
 * Parsing, the EMBARK_<SECTION>_<KEY> names, the defaults, `embark help config` and the test that
 * embark.ini(5) documents every key all follow from it; struct em_config (config.h) gets one field
 * a line. A section is added to EM_SECTIONS, a key to EM_KEYS in its section's place, and nothing
 * else has to be told.
 *
 * X(section, key, TYPE, default, help)
 *
 *     TYPE     field              value
 *     TEXT     char *             as it stands; NULL when not set and the default is ""
 *     SECRET   char *             a TEXT that holds a password: shown as ****, its readers add
 *                                 what is secret of it to em_secrets
 *     TIME     em_time            em_time_parse()
 *     BOOL     bool               yes, no (also true, false, on, off, 1, 0)
 *     CHOICE   int                index into the words of the default, which is "word|word|word":
 *                                 the first is the default
 *     WORDS    struct em_list     a command: split into words as a shell does (quotes, backslash;
 *                                 nothing is expanded but embark's own ${…}, and that after the
 *                                 splitting, so that a value stays one word)
 *     LIST     struct em_items    repeatable: every line adds one value
 *     NAMES    struct em_items    repeatable, and each line may hold several, separated by commas
 *                                 or blanks
 */
#ifndef EMBARK_CORE_CONFIG_KEYS_H
#define EMBARK_CORE_CONFIG_KEYS_H

#define EM_SECTIONS(X)                                         \
    X(database, "the service's database")                      \
    X(wait, "what else is waited for")                         \
    X(require, "what the image must hold")                     \
    X(bootstrap, "first-time set-up with a superuser's login") \
    X(image, "what is baked into the image")                   \
    X(bundle, "what the browser is served")                    \
    X(migrate, "the migrations")                               \
    X(service, "the service itself")                           \
    X(health, "what the healthcheck looks at")                 \
    X(log, "what embark says")

/* clang-format off */
#define EM_KEYS(X)                                                                                                     \
    X(database, url, SECRET, "", "the service's database; default: $DATABASE_URL, or PG* variables")                   \
    X(database, direct_url, SECRET, "", "for the lock and the migrations, where url goes through a pooler")            \
    X(database, user, TEXT, "", "the role, where the URL names none")                                                  \
    X(database, password, SECRET, "", "its password, where the URL holds none; as it is, not percent-encoded")         \
    X(database, timeout, TIME, "60s", "how long the database is waited for")                                           \
    X(database, auth_grace, TIME, "0s", "how long a refused login is retried (a role that is created a moment later)") \
    X(database, connect_timeout, TIME, "5s", "the longest that one try may take")                                      \
    X(wait, tcp, LIST, "", "HOST:PORT that must accept a connection")                                                  \
    X(wait, http, LIST, "", "URL that must answer 2xx or 3xx")                                                         \
    X(wait, text, TEXT, "", "what the first 64 KiB of these answers must hold")                                        \
    X(wait, header, LIST, "", "NAME: VALUE that is sent with the request")                                             \
    X(wait, redirects, BOOL, "no", "whether redirects are followed")                                                   \
    X(wait, tls_verify, BOOL, "yes", "whether https needs a certificate that is trusted")                              \
    X(wait, tls_ca, TEXT, "", "FILE of the authorities that are trusted; default: the system's")                       \
    X(wait, unix, LIST, "", "PATH of a unix socket that must accept a connection")                                     \
    X(wait, file, LIST, "", "PATH that must exist")                                                                    \
    X(wait, timeout, TIME, "60s", "how long these are waited for")                                                     \
    X(require, module, LIST, "", "LANGUAGE: NAME, NAME… that the service must find; nothing of it is executed")        \
    X(require, import, LIST, "", "LANGUAGE: NAME, NAME… that the language's interpreter must be able to import")       \
    X(require, manifest, LIST, "", "requirements.txt, pyproject.toml, package.json… all of which must be installed")   \
    X(require, command, NAMES, "", "programs that must be found in PATH, or by their path, and be executable")         \
    X(require, file, LIST, "", "PATH of a regular file")                                                               \
    X(require, dir, LIST, "", "PATH of a directory")                                                                   \
    X(require, mount, LIST, "", "PATH where a volume or another file system must be mounted")                          \
    X(require, writable, LIST, "", "PATH of a directory or file that can be written")                                  \
    X(require, env, NAMES, "", "environment variables that must be set and not empty")                                 \
    X(bootstrap, url, SECRET, "", "a superuser's login: makes what the service's login lacks")                          \
    X(bootstrap, when, CHOICE, "missing|always", "when the service's login is refused or the set-up was not ended, or at every start")             \
    X(bootstrap, database, TEXT, "", "the database to make; default: the service URL's")                               \
    X(bootstrap, role, TEXT, "", "the role to make; default: the service URL's, unless sql is set")                    \
    X(bootstrap, password, SECRET, "", "the role's password; default: the service URL's")                              \
    X(bootstrap, replace_password, BOOL, "no", "whether a role that exists with another password gets this one")          \
    X(bootstrap, owns, CHOICE, "database|schema|nothing", "what the role is made the owner of")                        \
    X(bootstrap, sql, LIST, "", "FILE that is run as the superuser in the database")                                   \
    X(bootstrap, var, LIST, "", "NAME=VALUE for these files")                                                          \
    X(bootstrap, grants, LIST, "", "read on SCHEMA, or write on SCHEMA: what the role may do there")                   \
    X(image, build, TEXT, "", "what this image was built from: a commit, a date")                                      \
    X(image, expect, TEXT, "", "what the deployment expects build to be")                                              \
    X(bundle, dir, LIST, "", "PATH of a folder that the frontend's build left: .next/static, dist, build/static")        \
    X(bundle, inlined, NAMES, "", "variables whose values the bundle must hold, if they are set at run time")           \
    X(bundle, forbid, LIST, "", "TEXT that the bundle must not hold: localhost:3000")                                  \
    X(migrate, command, WORDS, "", "the migration, run by one replica at a time")                                      \
    X(migrate, sql, TEXT, "", "folder of SQL files that embark itself applies, instead of a command")                  \
    X(migrate, format, CHOICE, "auto|embark|dbmate|goose|golang-migrate|sqlx|flyway|node-pg-migrate|sql-migrate|prisma|atlas", \
      "whose layout the files of sql have; auto: they tell it themselves")                                             \
    X(migrate, keep_tool_table, BOOL, "no", "whether what sql applies is also noted in the table of the files' tool")     \
    X(migrate, files, LIST, "", "GLOB of the migration's files; default: inferred for well-known tools' layouts")      \
    X(migrate, set, LIST, "", "NAME=VALUE, a server setting of the migration's sessions: lock_timeout=5s")           \
    X(migrate, lock_retries, TEXT, "0", "how often a file of sql that doesn't get a lock is tried again")              \
    X(migrate, lock, TEXT, "embark", "name of the advisory lock, and the ledger's scope")                              \
    X(migrate, lock_timeout, TIME, "10m", "how long the lock is waited for")                                           \
    X(migrate, timeout, TIME, "none", "how long the migration may run")                                                \
    X(migrate, retry_after, TIME, "30s", "how long replicas with the same files fail fast after a failed run")         \
    X(migrate, on_newer_database, CHOICE, "fail|continue", "what an image does that is older than the database")       \
    X(migrate, ledger, TEXT, "embark_ledger", "the table in which runs are noted ([SCHEMA.]NAME), or off")             \
    X(migrate, env, NAMES, "", "variables that the migration gets the direct URL in")                                  \
    X(service, command, WORDS, "", "the service, when none is given on the command line")                              \
    X(service, user, TEXT, "", "NAME or UID, or with :GROUP, that all of the start and the service run as")              \
    X(service, grace, TIME, "10s", "between TERM and KILL, for what must end")                                         \
    X(service, init, BOOL, "no", "whether embark stays, as an init: passes signals on, reaps orphans")                 \
    X(service, remap_exit, NAMES, "", "FROM:TO, an exit code that is passed on as another; with init = yes")            \
    X(service, remap_signal, NAMES, "", "FROM:TO, a signal that is passed on as another; with init = yes")           \
    X(service, pdeathsig, TEXT, "", "the signal that the service gets when its parent ends")                           \
    X(health, http, TEXT, "", "URL that must answer: http://…, https://… or unix:/PATH.sock:/URI")             \
    X(health, status, TEXT, "200-399", "the answer's status: NUMBER or FROM-TO")                    \
    X(health, text, TEXT, "", "what the answer's first 64 KiB must hold")                           \
    X(health, host_header, TEXT, "", "the Host header; default: the URL's")                                \
    X(health, header, LIST, "", "NAME: VALUE that is sent with the request")                        \
    X(health, redirects, BOOL, "no", "whether redirects are followed")                              \
    X(health, tls_verify, BOOL, "yes", "whether https needs a certificate that is trusted")         \
    X(health, tls_ca, TEXT, "", "FILE of the authorities that are trusted; default: the system's")  \
    X(health, tcp, TEXT, "", "HOST:PORT that must accept a connection")                             \
    X(health, database, BOOL, "no", "whether the service must be able to log in to its database")   \
    X(health, timeout, TIME, "3s", "how long all of it may take")                                   \
    X(log, format, CHOICE, "text|json", "text or json")                                                                \
    X(log, level, CHOICE, "info|error|warn|debug", "the least that is said: error, warn, info or debug")               \
    X(log, timestamps, BOOL, "no", "whether text lines start with the time; json always has it")
/* clang-format on */

#endif
