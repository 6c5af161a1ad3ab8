/* The migration tools that embark knows: where they keep their files by default, and the table in
 * which they note what was applied.
 *
 * The files make the fingerprint of an image's migrations, the table tells the database's own
 * state. Nothing here starts or parses a tool.
 */
#ifndef EMBARK_CORE_TOOL_H
#define EMBARK_CORE_TOOL_H

#include "embark/core/str.h"

struct em_tool {
    const char *name;        /* for messages */
    const char *programs[4]; /* a word of the command whose last path component is one of these */
    const char *patterns[3]; /* of its files, relative to the working directory: glob(7) */
    const char *options[3]; /* of the command, whose value is the folder instead of the patterns' */
    const char *suffix;     /* of the files in that folder: "*.sql" */
};

/* The tables, of all tools: any of them that is in the database is looked at. NULL-terminated. */
extern const char *const em_tool_tables[];

/* The tool that `command` starts, also within `sh -c '…'`, or NULL. Its patterns are added to
 * `patterns`: for a folder given by one of its options, that folder's. Alembic's and Flyway's
 * places stand in files of theirs; those are the caller's business (em_tool_alembic). */
const struct em_tool *em_tool_find(const struct em_list *command, struct em_list *patterns);

/* Alembic: the pattern for the versions that an alembic.ini (`bytes`) names, relative to the
 * working directory; `here` is the file's folder, for %(here)s. Adds one or more; false: there is
 * no script_location in it. */
bool em_tool_alembic(const char *bytes, size_t length, const char *here, struct em_list *patterns);
/* The configuration file that an alembic command names (-c FILE, --config FILE), or "alembic.ini".
 */
const char *em_tool_alembic_file(const struct em_list *command, struct em_str *out);
/* What it upgrades to: "head", "heads", a revision; "": the command doesn't say. */
const char *em_tool_alembic_target(const struct em_list *command, struct em_str *out);

#endif
