/* What a jar holds: part of require_java.c. */
#ifndef EMBARK_STAGES_REQUIRE_JAVA_JAR_H
#define EMBARK_STAGES_REQUIRE_JAVA_JAR_H

#include "embark/core/base/err.h"

/* The classes that are looked for; found[i] is set by em_jar_find(). */
struct em_jar_search {
    const struct em_list *classes; /* "org/postgresql/Driver.class" */
    bool *found;
    bool nested;                /* also in the jars that it holds: BOOT-INF/lib */
    struct em_list *class_path; /* gets what its manifest names; NULL: nobody asks */
    bool unclear; /* out: it holds jars that are compressed, and can't be looked into, or more than
                     is looked at */
    bool manifest_seen;       /* internal: the first one counts */
    unsigned long entries;    /* internal: looked at so far */
    unsigned long long bytes; /* internal: of directories */
};

/* False: it can't be read as a jar, why says so. A signal that asks to end ends the look. */
bool em_jar_find(const char *path, struct em_jar_search *search, struct em_str *why);

#endif
