/* Java's command line and class names, as far as embark must understand them. Pure. */
#ifndef EMBARK_CORE_LANGUAGES_JAVA_CLASS_PATH_H
#define EMBARK_CORE_LANGUAGES_JAVA_CLASS_PATH_H

#include "embark/core/base/str.h"

/* What a command has as its class path: the jar of java -jar, or the parts of -cp. The words may
 * stand behind tini, env, sh -c… False: the command runs no java, or has neither. */
struct em_java_path {
    struct em_list parts; /* files, folders, "lib/" and a star */
    bool jar;             /* -jar */
};
bool em_java_path_read(char *const *words, size_t count, struct em_java_path *path);
/* A path with colons into its parts. */
void em_java_path_split(const char *text, struct em_list *parts);

/* What a jar's META-INF/MANIFEST.MF names in Class-Path, as it stands there: paths relative to the
 * jar's folder, as URLs. Lines of it are folded at 72 bytes. */
void em_java_manifest_read(const char *text, size_t length, struct em_list *paths);

/* "org/postgresql/Driver.class" */
void em_java_class_file(const char *name, struct em_str *out);
/* Of the JDK, which isn't in any jar: the packages java, jdk, and those of javax that it still has.
 */
bool em_java_is_own(const char *name);

#endif
