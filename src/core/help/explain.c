#include "embark/core/help/explain.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/base/err.h"
#include "embark/core/postgres/sqlstate.h"

/* The tables are rows of words with a NUL behind each, and an empty word at the end: arrays of
 * pointers would be relocated, and so be memory of every start. */

/* ---- Exit codes: number, what to do. What it means is EM_EXITS's. ---- */

static const char exits[] =
    "0\0"
    "Nothing is to be done.\0"
    "64\0"
    "Compare the command line with `embark help`. In a Dockerfile, ENTRYPOINT [\"/embark\"] and "
    "CMD "
    "are lists of words; `--` ends embark's own.\0"
    "65\0"
    "The message begins with FILE:LINE:COLUMN. Mend the file: `embark check --sql FILE` looks at "
    "it "
    "without a server. A file without a transaction that failed half-way is settled by `embark "
    "migrate --resolve FILE`. See also: sql-variable.\0"
    "69\0"
    "The message names who did not answer, and where. From inside of the container: is it running, "
    "is this its name (compose: the service's, not localhost) and its own port (5432, not the "
    "published one), in the same network? `embark doctor` tries each address once and says what "
    "each said. How long is waited: [database] timeout, [wait] timeout.\0"
    "70\0"
    "Please report it, with the message.\0"
    "71\0"
    "A limit was reached: memory (docker run --memory), processes (--pids-limit), descriptors "
    "(ulimit -n); or a seccomp profile forbids the call that the message names.\0"
    "72\0"
    "The message names what is missing and where it was looked for. Build the image again with it; "
    "RUN [\"/embark\", \"check\"] finds it when the image is built. See also: hidden-module, "
    "missing-directory.\0"
    "73\0"
    "The image, or the bundle in it, was built with another value than the deployment wants. See: "
    "stale-image, inlined-value.\0"
    "75\0"
    "Another replica migrates, or holds the lock; the message names it. Look what it does (`embark "
    "migrate --status`), wait longer ([migrate] lock_timeout), or, if it is an old connection that "
    "nobody ends, end it: embark-migrate(1) has the query.\0"
    "77\0"
    "The server answers, and says no: waiting would not mend it. The code in brackets is its "
    "SQLSTATE: `embark help 28P01` and so on. See also: missing-role.\0"
    "78\0"
    "Each message has its place, FILE:LINE or $VARIABLE, and all mistakes are listed at once. "
    "`embark help config` lists the keys, `embark help KEY` tells about one, `embark doctor` shows "
    "every value and where it comes from.\0"
    "80\0"
    "What the migration itself said stands above; `embark migrate --status` shows the end of it "
    "later, too. Replicas with the same files fail at once for [migrate] retry_after, rather than "
    "all try again. Nothing was served: mend the migration, or deploy the image before it.\0"
    "81\0"
    "See: older-image.\0"
    "126\0"
    "The file is there, and the message says what keeps it from being executed: no x bit (chmod "
    "+x), "
    "a first line that ends in CR, a folder, a program for another machine or C library.\0"
    "127\0"
    "Is it installed in this image, and is its folder in PATH? A script whose interpreter, or a "
    "program whose loader is missing is not found either: the message says which (a glibc program "
    "in an Alpine image, or the reverse).\0"
    "\0";

/* ---- SQLSTATEs: code or class, what it means, what to do. The first that fits. ---- */

static const char states[] =
    "08P01\0protocol violation\0"
    "PgBouncer says it for everything: its text counts. \"no such user\" and \"authentication "
    "failed\" are its userlist.txt or auth_query, \"no such database\" its [databases].\0"
    "08\0connection exception\0"
    "The connection broke, or was never made. Look at the network, and at the server's log.\0"
    "0A\0feature not supported\0"
    "Is the server, or the pooler, older than what is asked of it?\0"
    "22\0data exception\0"
    "A value doesn't fit. In a login: a parameter of the URL.\0"
    "23\0integrity constraint violation\0"
    "Rows that are there are against a constraint: DETAIL names them. A migration that adds a "
    "constraint has to mend the rows first.\0"
    "25006\0read-only transaction\0"
    "This is a standby, or default_transaction_read_only is on. Use the primary's address.\0"
    "25001\0active transaction\0"
    "The statement can't be in a transaction, as CREATE INDEX CONCURRENTLY. In [migrate] sql the "
    "file's first comment says so: -- embark: no transaction. With `embark sql`, leave out -1.\0"
    "28P01\0wrong password\0"
    "The password is wrong, or the role does not exist: the server gives the same answer for both, "
    "and its own log says which. Is a % or @ of the password percent-encoded in the URL? Does the "
    "volume of the database hold an older password (POSTGRES_PASSWORD counts only when it is "
    "empty)? See also: missing-role.\0"
    "28\0invalid authorization\0"
    "pg_hba.conf has no line for this address, role, database and TLS (add sslmode=require to the "
    "URL, or a line to the file), or the role may not log in (ALTER ROLE … LOGIN).\0"
    "3D000\0the database does not exist\0"
    "Make it: CREATE DATABASE … OWNER …; or let embark, with a superuser's login as [bootstrap] "
    "url. "
    "POSTGRES_DB counts only when the server's volume is empty.\0"
    "3F\0the schema does not exist\0"
    "CREATE SCHEMA, or another search_path.\0"
    "40\0transaction rollback\0"
    "A deadlock, or two that can't both be right. Run it again; for migrations: what else writes "
    "to "
    "these tables meanwhile?\0"
    "42501\0insufficient privilege\0"
    "The role may not do this. GRANT it, or make the role the owner: since PostgreSQL 15 only the "
    "owner of a database may make tables in its schema public. [bootstrap] owns and grants do so.\0"
    "42601\0syntax error\0"
    "Near the place that the message names. If it is \":\", see: sql-variable.\0"
    "42P01\0the table does not exist\0"
    "Has the migration that makes it been applied, and is its schema in search_path?\0"
    "42P07\0the table exists already\0"
    "It was made by hand, or by a run that failed half-way and kept no record of it.\0"
    "42\0syntax error or access rule violation\0"
    "A name that does not exist (yet), or is another's, or a wrong statement.\0"
    "53300\0too many connections\0"
    "max_connections of the server, or of the role or database (CONNECTION LIMIT). Smaller pools, "
    "or a pooler in front.\0"
    "53\0insufficient resources\0"
    "The server has no memory, disk or connection left: see its log.\0"
    "55000\0object not in prerequisite state\0"
    "In a login: the database accepts no connections (ALTER DATABASE … ALLOW_CONNECTIONS).\0"
    "55P03\0lock not available\0"
    "lock_timeout ended a wait for a table that somebody else uses. pg_stat_activity shows who.\0"
    "57014\0query canceled\0"
    "statement_timeout, of the role, the database or the server, or somebody has cancelled it. For "
    "migrations: ALTER ROLE … SET statement_timeout, or SET in the migration.\0"
    "57P\0the server goes, or comes\0"
    "It is shut down (57P01), has crashed (57P02) or still starts up (57P03).\0"
    "57\0operator intervention\0"
    "Somebody, or the server, ended it: see its log.\0"
    "P0001\0raise exception\0"
    "A function, or a DO block, refuses: the text is its own.\0"
    "XX\0internal error of the server\0"
    "See the server's log. XX001 and XX002 are damaged data: stop, and restore a backup.\0"
    "\0";

/* ---- Failures that are well known: name, what is seen, what to do. ---- */

static const char topics[] =
    "hidden-module\0No module named 'alembic.config', though `import alembic` works\0"
    "A folder ./alembic (the migrations) without __init__.py stands beside the code: where the "
    "package itself is missing, Python takes the folder for it (a namespace package). The package "
    "isn't installed for the interpreter that runs: a stage of the Dockerfile that was not copied, "
    "or a virtual environment that isn't first in PATH. Ask for what is inside of it, in the "
    "configuration: [require] module = python: alembic.config.\0"
    "missing-directory\0a failed COPY, or 404s for what the frontend should serve\0"
    "A folder is not in the image: it is not in the build context (.dockerignore, a name with "
    "another case), was made in another stage, or a volume hides it. [require] dir = PATH says so "
    "at "
    "build time, and which parent exists.\0"
    "sql-variable\0syntax error at or near \":\"\0"
    "psql expands no :variable within dollar quotes, DO $$ … $$ and functions, and so doesn't "
    "embark. "
    "There, write current_setting('embark.NAME'), or make the statement outside: SELECT "
    "format('…', :'name') \\gexec.\0"
    "missing-role\0password authentication failed for a role that is to be made only later\0"
    "The set-up logs in as the role that it is to make. With a superuser's URL as [bootstrap] url, "
    "embark makes role and database first, when the service's login is refused, and nothing on "
    "later starts.\0"
    "older-image\0Can't locate revision identified by …, or tables that the code doesn't know\0"
    "The database was migrated by a newer image than this one (exit code 81): a deployment went "
    "back, or a tag moved. Deploy an image that has the migrations that the message lists. If this "
    "image can work with the newer schema: [migrate] on_newer_database = continue. Where nothing "
    "shows that this image's own migrations are applied: embark migrate --baseline all.\0"
    "stale-image\0the change that was deployed isn't there\0"
    "The image was built from another commit than the deployment wants (exit code 73). `embark "
    "check --stamp` prints the Dockerfile's lines that bake [image] build in; the deployment gives "
    "[image] expect. Pull the image, or use a tag that is made for each build.\0"
    "inlined-value\0the browser calls localhost:3000\0"
    "A frontend's build has inlined a variable's default (NEXT_PUBLIC_*, VITE_*, REACT_APP_*): "
    "setting it at run time changes nothing. Build the image again with it as a build argument "
    "(ARG "
    "and ENV before the build). [bundle] inlined = NAME compares, and forbid = localhost:3000 "
    "finds "
    "what is left.\0"
    "pooler\0migrations hang, or lose their session, behind PgBouncer\0"
    "Give the lock and the migrations a way past it: [database] direct_url. The service goes on "
    "using the pooler.\0"
    "\0";

static const char *next(const char *word)
{
    return word + strlen(word) + 1;
}

static const char *skip(const char *word, int n)
{
    while (n-- > 0)
        word = next(word);
    return word;
}

/* ---- On the screen ---- */

enum { WIDTH = 78 };

/* Indented by two, and broken at blanks. */
static void add_wrapped(struct em_str *out, const char *text)
{
    size_t column = 0;

    while (*text) {
        size_t bytes = strcspn(text, " "), width = 0;

        for (size_t i = 0; i < bytes; i++)
            width += ((unsigned char)text[i] & 0xC0) != 0x80;
        if (column && column + 1 + width > WIDTH) {
            em_str_putc(out, '\n');
            column = 0;
        }
        em_str_puts(out, column ? " " : "  ");
        column += (column ? 1 : 2) + width;
        em_str_add(out, text, bytes);
        text += bytes + (text[bytes] == ' ');
    }
    em_str_putc(out, '\n');
}

/* ---- Exit codes ---- */

const char *em_exit_text(int code)
{
    switch (code) {
#define X(name, value, text) \
    case EM_EXIT_##name:     \
        return text;
        EM_EXITS(X)
#undef X
    default:
        return NULL;
    }
}

static const char *signal_text(int signal)
{
    switch (signal) {
    case 6:
        return "SIGABRT: the program gave up by itself; its last words say why.";
    case 9:
        return "SIGKILL: the memory limit was reached (docker inspect: OOMKilled), or `docker "
               "stop` "
               "has lost its patience.";
    case 11:
        return "SIGSEGV: a bug of the program's; a library for another C library is a usual cause.";
    case 15:
        return "SIGTERM: it was asked to end, as `docker stop` does. During a start, embark's own "
               "answer.";
    case 2:
        return "SIGINT: ^C.";
    default:
        return "See signal(7). It was asked to end, or has crashed.";
    }
}

static bool explain_exit(const char *topic, struct em_str *out)
{
    char *end;
    long code = strtol(topic, &end, 10);
    const char *text = em_exit_text((int)code), *row = exits;

    if (*topic < '0' || *topic > '9' || *end || code > 255)
        return false;
    em_str_printf(out, "exit code %ld: ", code);
    if (text) {
        em_str_printf(out, "%s\n", text);
        while (*row && strcmp(row, topic) != 0)
            row = skip(row, 2);
        add_wrapped(out, *row ? next(row) : "");
    } else if (code > 128 && code < 128 + 65) {
        em_str_printf(out, "ended by signal %ld\n", code - 128);
        add_wrapped(out, signal_text((int)code - 128));
    } else {
        em_str_puts(out, "not one of embark's\n");
        add_wrapped(out, code == 125 ? "docker run itself failed: no container was started."
                                     : "It is the service's, or the migration tool's: once the "
                                       "service is executed, its exit code is its own.");
    }
    return true;
}

/* ---- SQLSTATEs ---- */

static bool is_state(const char *topic)
{
    size_t n = strspn(topic, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    return n == 5 && !topic[5] && strcspn(topic, "0123456789") < 5;
}

/* For an SQLSTATE that a login can get: what embark does then; for others: where they come from. */
static const char *consequence(const char *state)
{
    static const char logins[][6] = {"08", "25006", "28", "3D", "42501", "53", "55000", "57"};
    bool login = false;

    for (size_t i = 0; i < EM_COUNT(logins); i++)
        login = login || em_starts(state, logins[i]);
    if (!login)
        return "From a SQL file it is exit code 65, from a migration's command 80.";
    switch (em_sqlstate_class(state, NULL)) {
    case EM_DB_AUTH:
        return "A login that is refused with it fails at once, or after [database] auth_grace, "
               "with "
               "exit code 77.";
    case EM_DB_FATAL:
        return "A login that fails with it isn't tried again; the exit code is 77.";
    case EM_DB_RETRY:
    default:
        return "A login that fails with it is tried again until [database] timeout.";
    }
}

static bool explain_state(const char *topic, struct em_str *out)
{
    const char *row = states;

    if (!is_state(topic))
        return false;
    while (*row && !em_starts(topic, row))
        row = skip(row, 3);
    em_str_printf(out, "SQLSTATE %s: %s\n", topic,
                  *row ? next(row) : "one that embark knows nothing about");
    add_wrapped(out, *row ? skip(row, 2)
                          : "PostgreSQL's manual lists all of them: Appendix A, Error Codes.");
    add_wrapped(out, consequence(topic));
    return true;
}

/* ---- Failures ---- */

bool em_explain_topic(size_t i, const char **name, const char **title)
{
    const char *row = topics;

    for (; *row && i > 0; i--)
        row = skip(row, 3);
    *name = row;
    *title = *row ? next(row) : row;
    return *row;
}

bool em_explain(const char *topic, struct em_str *out)
{
    const char *name, *title;

    if (explain_exit(topic, out) || explain_state(topic, out))
        return true;
    for (size_t i = 0; em_explain_topic(i, &name, &title); i++)
        if (strcmp(topic, name) == 0) {
            em_str_printf(out, "%s: %s\n", name, title);
            add_wrapped(out, next(title));
            return true;
        }
    return false;
}
