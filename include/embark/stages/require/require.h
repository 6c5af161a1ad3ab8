/* What the image must hold: the [require] section, looked at without a network.
 *
 * Everything that is missing is listed, not only the first. `module`, `import` and `manifest`
 * together cost at most one start of each interpreter, and nothing of the modules is executed but
 * for `import`.
 *
 * - file: a regular file that we can read (a symbolic link to one is as good)
 * - dir: a directory that we can enter; on demand one that isn't empty, or has so much free space
 *   (core/config/dir_rule.h)
 * - mount: a path where something is mounted
 * - writable: a file that we can write, or a directory in which we can create files: by access(2)
 *   for our effective ids, so that nothing is left behind
 * - command: found in PATH, or by its path, and executable: em_exec_check()
 * - env: set, and not empty
 * - module: "LANGUAGE: NAME, NAME…" with versions (core/languages/module.h): found where the
 * service would find it. python: by the service's interpreter (stages/require/python/interpreter.h
 * says by which, and with which sys.path); node: by the rules of node_modules
 * (stages/require/node/node.h); ruby: by its Gem; php: by Composer's list; java: a class in the
 * class path. An interpreter's name or path may stand in the language's place.
 * - import: "LANGUAGE: NAME…": really imported, by the same start of an interpreter
 * - manifest: requirements.txt, pyproject.toml, package.json, package-lock.json: all that it names
 *   is installed in a version that it allows; what can't be judged is a warning
 */
#ifndef EMBARK_STAGES_REQUIRE_REQUIRE_H
#define EMBARK_STAGES_REQUIRE_REQUIRE_H

#include "embark/core/config/config.h"

/* Adds one error (EM_EXIT_REQUIREMENT) for each requirement that isn't met. An interpreter that
 * can't be asked is one error for all its modules. The texts end in their place: "dir public: does
 * not exist; … (embark.ini:7)". 0: looked at everything (errs tells); 128 + n when stopped by a
 * signal, EM_EXIT_SYSTEM when it could not look (err). `until`: the longest that an interpreter may
 * take. `service` is the service's command (for the interpreter that it runs in: its script's #!
 * line), or NULL. `build_time`: env, mount and free space aren't looked at, since a build has none
 * of the deployment's variables and volumes. */
int em_require(const struct em_config *config, const struct em_list *service, bool build_time,
               em_time until, struct em_errs *errs, struct em_err *err);
/* Whether there is anything to look at. */
bool em_require_any(const struct em_config *config);

/* Whether all values are well-formed; adds one error (EM_EXIT_CONFIG, "embark.ini:3: [require]
 * module: …") for each that isn't. Touches nothing: for before anything is started. em_require()
 * passes over what is malformed. */
bool em_require_validate(const struct em_config *config, struct em_errs *errs);

#endif
