/* psql's meta-commands: what `embark sql` makes of each, in one table.
 *
 * X(name, WHAT, reason). WHAT is NOTHING: accepted, and has no effect here; or REFUSED: the reason
 * says what to write instead; or what is done. doc/embark-sql.1 lists them all.
 */
#ifndef EMBARK_CORE_SQL_META_H
#define EMBARK_CORE_SQL_META_H

#include <stddef.h>

#include "embark/core/base/str.h"

/* clang-format off */
#define EM_SQL_METAS(X)                                                                                                \
    X("set", SET, "")                                                                                                  \
    X("unset", UNSET, "")                                                                                              \
    X("getenv", GETENV, "")                                                                                            \
    X("echo", ECHO, "")                                                                                                \
    X("qecho", ECHO, "")                                                                                               \
    X("warn", WARN, "")                                                                                                \
    X("if", IF, "")                                                                                                    \
    X("elif", ELIF, "")                                                                                                \
    X("else", ELSE, "")                                                                                                \
    X("endif", ENDIF, "")                                                                                              \
    X("g", GO, "")                                                                                                     \
    X("gx", GO, "")                                                                                                    \
    X("gset", GSET, "")                                                                                                \
    X("gexec", GEXEC, "")                                                                                              \
    X("i", INCLUDE, "")                                                                                                \
    X("include", INCLUDE, "")                                                                                          \
    X("ir", INCLUDE_RELATIVE, "")                                                                                      \
    X("include_relative", INCLUDE_RELATIVE, "")                                                                        \
    X("q", QUIT, "")                                                                                                   \
    X("quit", QUIT, "")                                                                                                \
    X("r", RESET, "")                                                                                                  \
    X("reset", RESET, "")                                                                                              \
    X("p", PRINT, "")                                                                                                  \
    X("print", PRINT, "")                                                                                              \
    X("restrict", RESTRICT, "")                                                                                        \
    X("unrestrict", UNRESTRICT, "")                                                                                    \
    X("a", NOTHING, "")                                                                                                \
    X("C", NOTHING, "")                                                                                                \
    X("f", NOTHING, "")                                                                                                \
    X("H", NOTHING, "")                                                                                                \
    X("html", NOTHING, "")                                                                                             \
    X("pset", NOTHING, "")                                                                                             \
    X("t", NOTHING, "")                                                                                                \
    X("T", NOTHING, "")                                                                                                \
    X("timing", NOTHING, "")                                                                                           \
    X("x", NOTHING, "")                                                                                                \
    X("errverbose", NOTHING, "")                                                                                       \
    X("bind", REFUSED, "statements are sent without parameters; :'name' puts a variable's value in")                   \
    X("c", REFUSED, "a file runs in one session, of the database and role in the URL: make it a file of its own and run embark sql again with another URL") \
    X("connect", REFUSED, "a file runs in one session, of the database and role in the URL: make it a file of its own and run embark sql again with another URL") \
    X("cd", REFUSED, "files are named from the working directory, or with \\ir from the file that names them")           \
    X("conninfo", REFUSED, "SELECT current_user, current_database() tells it")                                         \
    X("copy", REFUSED, "it reads and writes files of the client: use COPY … FROM stdin with the data behind it, up to a line \\.") \
    X("copyright", REFUSED, "it is for people at a terminal")                                                          \
    X("crosstabview", REFUSED, "results are printed as they are; crosstab() of the extension tablefunc does it in the server") \
    X("e", REFUSED, "there is no editor")                                                                              \
    X("edit", REFUSED, "there is no editor")                                                                           \
    X("ef", REFUSED, "there is no editor")                                                                             \
    X("ev", REFUSED, "there is no editor")                                                                             \
    X("encoding", REFUSED, "write SET client_encoding = 'NAME';")                                                      \
    X("gdesc", REFUSED, "it is for people at a terminal")                                                              \
    X("h", REFUSED, "it is for people at a terminal")                                                                  \
    X("help", REFUSED, "it is for people at a terminal")                                                               \
    X("?", REFUSED, "it is for people at a terminal")                                                                  \
    X("l", REFUSED, "query pg_database")                                                                               \
    X("list", REFUSED, "query pg_database")                                                                            \
    X("o", OUTPUT, "")                                                                                                 \
    X("out", OUTPUT, "")                                                                                               \
    X("password", REFUSED, "nobody is there to type one: ALTER ROLE … PASSWORD :'name', with -v name=…")               \
    X("prompt", REFUSED, "nobody is there to answer: give the value with -v NAME=VALUE, or take it from the environment with \\getenv") \
    X("s", REFUSED, "there is no history")                                                                             \
    X("setenv", REFUSED, "nothing would see it")                                                                       \
    X("sf", REFUSED, "use pg_get_functiondef()")                                                                       \
    X("sv", REFUSED, "use pg_get_viewdef()")                                                                           \
    X("w", REFUSED, "nothing is written to files")                                                                     \
    X("write", REFUSED, "nothing is written to files")                                                                 \
    X("watch", REFUSED, "a statement is run once")                                                                     \
    X("z", REFUSED, "query pg_class.relacl")                                                                           \
    X("!", REFUSED, "no shell is run")
/* clang-format on */

enum em_sql_what {
    EM_SQL_META_UNKNOWN,
    EM_SQL_META_SET,
    EM_SQL_META_UNSET,
    EM_SQL_META_GETENV,
    EM_SQL_META_ECHO,
    EM_SQL_META_WARN,
    EM_SQL_META_IF,
    EM_SQL_META_ELIF,
    EM_SQL_META_ELSE,
    EM_SQL_META_ENDIF,
    EM_SQL_META_GO,
    EM_SQL_META_GSET,
    EM_SQL_META_GEXEC,
    EM_SQL_META_INCLUDE,
    EM_SQL_META_INCLUDE_RELATIVE,
    EM_SQL_META_OUTPUT,
    EM_SQL_META_QUIT,
    EM_SQL_META_RESET,
    EM_SQL_META_PRINT,
    EM_SQL_META_RESTRICT,
    EM_SQL_META_UNRESTRICT,
    EM_SQL_META_NOTHING,
    EM_SQL_META_REFUSED,
};

/* What `name` is; *why (may be NULL) is the reason of a REFUSED. \d and all that starts with it
 * describes things, lo_… are large objects, both REFUSED; names ending in + are the same as
 * without. */
enum em_sql_what em_sql_meta(const char *name, const char **why);

/* Of \g and \o with an argument that begins with |. */
#define EM_SQL_NO_PIPE "no program is run for results"

/* Whether its argument is the whole rest of the line, backslashes and all. */
bool em_sql_meta_whole_line(const char *name);

/* psql's own variables that change what it does. True: \set NAME VALUE can't be obeyed, *why says
 * what to do instead. */
bool em_sql_special(const char *name, const char *value, const char **why);

#endif
