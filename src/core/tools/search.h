/* Inside of core: what the readers of the tools' rules (core/tools/tools.h) have in common. */
#ifndef EMBARK_CORE_TOOLS_SEARCH_H
#define EMBARK_CORE_TOOLS_SEARCH_H

#include "embark/core/tools/tools.h"

/* What an option means for the question where a tool looks. */
enum em_tool_role {
    EM_TOOL_FLAG = 'f',    /* nothing, and it has no value */
    EM_TOOL_VALUE = 'v',   /* nothing, and it has a value */
    EM_TOOL_DIR = 'd',     /* a folder of migrations, or several with commas between */
    EM_TOOL_TABLE = 't',   /* its state's table */
    EM_TOOL_SCHEMA = 's',  /* that table's schema */
    EM_TOOL_FILE_OF = 'c', /* a configuration file */
    EM_TOOL_OTHER = 'o',   /* has a value; the tool's own business: kept by the option's name */
    EM_TOOL_UNTOLD = 'u', /* has no value, and changes where it looks in a way that can't be told */
};
struct em_tool_option {
    enum em_tool_role role; /* 0: the end */
    const char *names;
};

/* The words of a command, past all that only starts the next one: s->words, s->env. False: there is
 * no one program that could be told; s->doubt says why. */
bool em_tool_command(struct em_tool_search *s, const struct em_list *command);
/* Past the words of `sh -c TEXT`: one simple command, expanded by what the environment has. */
bool em_tool_shell(struct em_tool_search *s, const char *text, struct em_list *words);

/* The last value of an option with that role, or of that role and name; NULL: there is none. */
const char *em_tool_value(const struct em_tool_search *s, enum em_tool_role role, const char *name);
/* As the program will have it: what the words set, then the world's. NULL: not set. */
const char *em_tool_env(const struct em_tool_search *s, const char *name);
/* NAME=VALUE lines of an .env file, where the environment doesn't have the name. */
void em_tool_dotenv(struct em_tool_search *s, const char *path);

/* Adds the folders of the PYTHONPATH that the words in front of the program set. */
void em_tool_python_path(struct em_tool_search *s, struct em_list *folders);

/* The first doubt is kept, with its hint ("": name the files). */
void em_tool_doubt(struct em_tool_search *s, const char *format, ...) EM_PRINTF(2, 3);
/* The table can't be told. */
void em_tool_no_table(struct em_tool_search *s, const char *format, ...) EM_PRINTF(2, 3);
struct em_tool_place *em_tool_add(struct em_tool_search *s, const char *path,
                                  enum em_tool_depth depth);
/* `name` as seen from the folder `base` ("" and ".": the working directory). */
void em_tool_join(const char *base, const char *name, struct em_str *out);
void em_tool_folder_of(const char *file, struct em_str *out); /* "." for a bare name */
/* Adds the parts of `text` between characters of `separators`, trimmed; empty ones are left out. */
void em_tool_split(const char *text, const char *separators, struct em_list *out);
/* Reads a configuration file that is there; a doubt if it can't be read. */
bool em_tool_read(struct em_tool_search *s, const char *path, struct em_str *bytes);
/* The same of a file of which nothing but what is looked for steers the tool. */
bool em_tool_peek(struct em_tool_search *s, const char *path, struct em_str *bytes);
/* Adds to s->settings: `kind` and `name` say what it is. */
void em_tool_steers(struct em_tool_search *s, const char *kind, const char *name, const char *bytes,
                    size_t length);
/* Of a file: its bytes, and the variables that it mentions. */
void em_tool_steers_file(struct em_tool_search *s, const char *path, const char *bytes,
                         size_t length);
/* The same of a variable, unless its value may be, or have, a secret. */
void em_tool_steers_env(struct em_tool_search *s, const char *name, const char *value);

/* What a file that isn't executed says of a key. */
enum em_tool_said {
    EM_TOOL_SILENT,  /* nothing */
    EM_TOOL_LITERAL, /* literal values, all of them */
    EM_TOOL_UNCLEAR, /* something that only the language itself could tell */
};
/* JavaScript, TypeScript and JSON: values of `key: …`, wherever it stands, in strings, in arrays of
 * them, path.join(__dirname, …); relative to `here` where the source says so. */
enum em_tool_said em_tool_js(const char *text, const char *key, const char *here,
                             struct em_list *values);
/* Whether a JavaScript or TypeScript file has all of its settings in itself: nothing is imported
 * but packages that have none, and nothing is spread. */
bool em_tool_js_alone(const char *text);
/* TOML: of [section] (NULL: of any). */
enum em_tool_said em_tool_toml(const char *text, const char *section, const char *key,
                               struct em_list *values);
/* An .ini file as Python's configparser reads it, with %(name)s and %(here)s put in. `wrong`: why
 * it can't be, with the line. */
enum em_tool_said em_tool_ini(const char *text, const char *section, const char *key,
                              const char *here, struct em_str *value, struct em_str *wrong);

void em_tool_alembic(struct em_tool_search *s);
void em_tool_flask(struct em_tool_search *s);
void em_tool_django(struct em_tool_search *s);
void em_tool_flyway(struct em_tool_search *s);
void em_tool_dbmate(struct em_tool_search *s);
void em_tool_goose(struct em_tool_search *s);
void em_tool_golang(struct em_tool_search *s);
void em_tool_sqlx(struct em_tool_search *s);
void em_tool_bundle(struct em_tool_search *s);
void em_tool_ecto(struct em_tool_search *s);
void em_tool_rails(struct em_tool_search *s);
void em_tool_prisma(struct em_tool_search *s);
void em_tool_knex(struct em_tool_search *s);
void em_tool_pg_migrate(struct em_tool_search *s);
void em_tool_sequelize(struct em_tool_search *s);
void em_tool_drizzle(struct em_tool_search *s);
void em_tool_typeorm(struct em_tool_search *s);

#endif
