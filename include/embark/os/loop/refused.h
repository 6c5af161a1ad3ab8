/* What the system has none left of: descriptors, memory. Whoever comes upon that says it as what it
 * keeps them from ("can't look at app.js: Too many open files"), and it is noted here, so that the
 * program ends with EM_EXIT_SYSTEM and blames neither the image nor the configuration.
 */
#ifndef EMBARK_OS_LOOP_REFUSED_H
#define EMBARK_OS_LOOP_REFUSED_H

#include <stdbool.h>

/* Of an errno: EMFILE, ENFILE, ENOMEM and ENOBUFS are noted. */
void em_refusal(int error);
/* The same; strerror(3), for what is said. */
const char *em_why(int error);

/* The first of these that was noted; 0: none. */
int em_refused(void);

#endif
