/* [require] module = java: CLASS…: part of em_require() (require.h).
 *
 * A class is looked for in the class path of the service's command (-jar, -cp, or $CLASSPATH), else
 * in ./ *.jar, ./lib, ./libs and ./target; in folders of classes and in jars, also in jars that are
 * stored in a jar (Spring Boot's BOOT-INF/lib). No JVM is started.
 */
#ifndef EMBARK_STAGES_REQUIRE_JAVA_JAVA_H
#define EMBARK_STAGES_REQUIRE_JAVA_JAVA_H

#include "embark/core/config/config.h"

/* `service` may be NULL. */
void em_require_java(const struct em_config *config, const struct em_list *service,
                     struct em_errs *errs);

#endif
