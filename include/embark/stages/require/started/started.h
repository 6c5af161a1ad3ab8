/* What a command comes to: the programs that are run in the end, and where.
 *
 * Seen through: env, exec, nohup, gosu, tini and the like; sh -c 'TEXT', where cd, an exported PATH
 * and an activated environment count for what comes behind them; what runs a command in an
 * environment of its own (uv run, poetry run, conda run…) or in another folder (npm --prefix,
 * pnpm --filter, yarn workspace…), with the script of the package.json there. A file that is a
 * shell's script is not read.
 */
#ifndef EMBARK_STAGES_REQUIRE_STARTED_STARTED_H
#define EMBARK_STAGES_REQUIRE_STARTED_STARTED_H

#include "embark/core/base/str.h"

enum em_manager { EM_MANAGER_NONE, EM_MANAGER_PYTHON, EM_MANAGER_NODE };

/* Where a program is started. All is relative to embark's own working directory, or absolute. */
struct em_started_place {
    struct em_str dir;        /* its working directory; "" for embark's own */
    struct em_str bin;        /* folders that come first in its PATH, as a PATH; "" */
    struct em_str pythonpath; /* what PYTHONPATH is set to for it; "" */
    enum em_manager manager;  /* PYTHON: the first folder of `bin` has the interpreter of the
                                 environment, whatever the words are */
    struct em_str doubt;      /* why the above can't be told; "" */
};

/* Called for each program, in the order in which they start; `words` are count > 0. */
typedef void (*em_started_fn)(void *ctx, char *const *words, size_t count,
                              const struct em_started_place *place);
void em_started(const struct em_list *command, em_started_fn take, void *ctx);

/* Adds `name` as seen from `dir`: itself if it is absolute or dir is "". */
void em_started_path(const char *dir, const char *name, struct em_str *out);

/* ---- For started.c: what runs a command elsewhere ---- */

struct em_following;

/* Follows a command from `place`. */
void em_follow(const struct em_following *f, char *const *words, size_t count,
               const struct em_started_place *place);
void em_follow_shell(const struct em_following *f, const char *text,
                     const struct em_started_place *place);
/* Ends the following there: calls the function. */
void em_follow_end(const struct em_following *f, char *const *words, size_t count,
                   const struct em_started_place *place);
/* False: it is none of these managers. Else the commands that it starts were followed. */
bool em_follow_python_manager(const struct em_following *f, char *const *words, size_t count,
                              const struct em_started_place *place);
bool em_follow_node_manager(const struct em_following *f, char *const *words, size_t count,
                            const struct em_started_place *place);

/* Reads the file `name` as seen from `dir`, of at most `limit` bytes; false: it can't be. */
bool em_started_read(const char *dir, const char *name, size_t limit, struct em_str *text);
/* Goes to a folder, as seen from the place's own. */
void em_started_enter(struct em_started_place *place, const char *name);
/* Puts a folder before all others of place->bin. */
void em_started_prefer(struct em_started_place *place, const char *folder);
void em_started_copy(struct em_started_place *to, const struct em_started_place *from);
void em_started_free(struct em_started_place *place);
/* Whether the word is an option, or its beginning up to the "=", that takes a value; how many words
 * it and its value are. 0: none of them. */
size_t em_option_words(const char *word, const char *with_values);
/* The value of the option at words[0]: behind its "=" or the next word; NULL: it is missing. */
const char *em_option_value(char *const *words, size_t count);

#endif
