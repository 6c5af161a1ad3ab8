/* The migration tools that embark knows: what a command starts, where that tool looks for
 * migrations, and where it notes what it has applied.
 *
 *     struct em_tool_search s = {.world = &world};
 *     em_tool_search(&s, &config->migrate_command);
 *     … s.tool, s.places, s.doubt …
 *     em_tool_search_free(&s);
 *
 * The tool's own rules hold: its options, its variables, its configuration files. Whatever of these
 * isn't understood is a doubt, never a guess: then the places are not known to be all. Nothing is
 * started, and no code of a tool or a project is executed.
 *
 * Pure: the caller's functions read files and variables; their bytes are hostile.
 */
#ifndef EMBARK_CORE_TOOLS_TOOLS_H
#define EMBARK_CORE_TOOLS_TOOLS_H

#include "embark/core/base/str.h"

/* The tables, of all tools: any of them that is in the database is looked at. NULL-terminated. */
extern const char *const em_tool_tables[];

enum em_tool_kind { EM_TOOL_NOTHING, EM_TOOL_FILE, EM_TOOL_FOLDER };

/* The world as the tool would find it. Relative paths are those of the working directory. */
struct em_tool_world {
    const char *(*env)(void *ctx, const char *name); /* NULL: it isn't set */
    enum em_tool_kind (*kind)(void *ctx, const char *path);
    /* Adds a file's bytes. False: `why` says why it can't be read. */
    bool (*read)(void *ctx, const char *path, struct em_str *out, struct em_str *why);
    /* The names in a folder, sorted. False: it can't be read. */
    bool (*names)(void *ctx, const char *folder, struct em_list *names);
    /* Where the command's Python finds modules, beside the program's own folder: PYTHONPATH,
     * site-packages, what .pth files add. More than it really has does no harm. False: that can't
     * be told, and `why` says why. */
    bool (*python)(void *ctx, struct em_list *folders, struct em_str *why);
    /* The variables whose names begin with that, as NAME=VALUE, sorted. */
    void (*variables)(void *ctx, const char *prefix, struct em_list *out);
    /* The file that a program's name stands for, links followed. False: there is none. */
    bool (*program)(void *ctx, const char *name, struct em_str *path);
    void *ctx;
};

enum em_tool_depth {
    EM_TOOL_FLAT,      /* the files of a folder (or the one file that the path is) */
    EM_TOOL_DEEP,      /* and those of the folders below it */
    EM_TOOL_APPS,      /* files *.py of all folders called migrations that are below it */
    EM_TOOL_INSTALLED, /* the same, of installed packages: one entry stands for all */
};

struct em_tool_place {
    char *path;
    enum em_tool_depth depth;
    bool compiled; /* *.pyc count, too */
    bool named;    /* by an option, a variable or a configuration file: it must be there */
};

struct em_tool_search;
struct em_tool_option;

/* A row of the table of tools: core/tools/table.c has them all. Lists are texts with blanks
 * between. */
struct em_tool {
    const char *name;     /* for messages: "Flask-Migrate" */
    const char *pending;  /* of which kind its migrations are, in core/migrations/pending/pending.h;
                             NULL: of none */
    const char *programs; /* what it is called: a word's last path component, or its package */
    const char *verbs;    /* what else the words must say for it to migrate; '|' between choices,
                             "*" at a word's end for anything; "": nothing */
    const struct em_tool_option *options; /* all that it knows; others are doubts */
    const char *folders;                  /* where it looks if nothing says more */
    enum em_tool_depth depth;
    const char *folder_env, *table_env, *schema_env; /* its variables, or NULL */
    const char *table;  /* NULL: its configuration alone tells, or nothing does */
    const char *wants;  /* glob(7) patterns of its files' names; NULL: all */
    const char *steers; /* variables that change what it does with the files; "*" at a name's end
                           for any; or NULL */
    void (*configure)(struct em_tool_search *s); /* what its configuration files say, or NULL */
    const char *home; /* the schema of its table where neither its settings nor the URL name one;
                         NULL: where the session's search_path leads to */
};

struct em_tool_search {
    const struct em_tool_world *world;
    /* Made by em_tool_search(): */
    const struct em_tool *tool; /* NULL: not known, and `doubt` says why */
    bool compound;              /* a shell's several commands, of which one or more may be tools */
    struct em_list words;       /* of the program that is started in the end, itself first */
    struct em_list env;         /* NAME=VALUE: set by the words in front of it, or by .env files */
    struct em_list options;     /* roles and values, in turns: inside of core */
    struct em_list rest;        /* the words that are no options, without the program */
    struct em_tool_place *places;
    size_t n;
    struct em_str doubt; /* why the places may not be all: one clause; "": they are all */
    struct em_str hint;  /* what would make them known */
    struct em_str table, schema, table_why; /* as in stages/migrate/files/files.h */
    /* What else steers the command than its words and the migrations: the configuration files that
     * were read, a script of package.json, the script that is the program, variables. The same text
     * as of another run: it was steered alike. Without the values of variables that may hold a
     * secret. */
    struct em_str settings;
    struct em_str target; /* Alembic's: "head", "heads", a revision; "": the command doesn't say */
};

/* `s` is zeroed but for its world. */
void em_tool_search(struct em_tool_search *s, const struct em_list *command);
void em_tool_search_free(struct em_tool_search *s);
#define EM_TOOL_SEARCH_AUTO __attribute__((cleanup(em_tool_search_free))) struct em_tool_search

/* Whether a folder's file of that name can be (a part of) a migration of this tool. NULL: any
 * tool's. */
bool em_tool_wants(const struct em_tool *tool, const char *name);

/* The word behind `upgrade` in a text that calls Alembic, also in a script: "head", "heads"; "": none
 * is found. */
void em_tool_upgrades_to(const char *text, struct em_str *target);

#endif
