/* The scripts that interpreters are asked by. They stand deflated in the program, as they are a good
 * part of it and seldom used. */
#ifndef EMBARK_STAGES_REQUIRE_INTERPRETER_SCRIPT_H
#define EMBARK_STAGES_REQUIRE_INTERPRETER_SCRIPT_H

#include <stddef.h>

/* The text, to be freed, of an array that the Makefile has made (probe.py.h: probe_py). */
#define EM_SCRIPT(name) em_interpreter_script(name, sizeof(name), name##_size)

char *em_interpreter_script(const unsigned char *deflated, size_t length, size_t size);

#endif
