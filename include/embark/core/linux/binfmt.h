/* An entry of /proc/sys/fs/binfmt_misc: whether the kernel hands a file to another program. Pure.
 */
#ifndef EMBARK_CORE_LINUX_BINFMT_H
#define EMBARK_CORE_LINUX_BINFMT_H

#include "embark/core/base/str.h"

/* Whether the entry's text says that it is enabled, and that it takes a file which begins with
 * these bytes. `interpreter` is then set to the program's path, and `fixed` to whether the kernel
 * holds it open (flag F), so that it need not be in the image. */
bool em_binfmt_takes(const char *text, const char *bytes, size_t length, struct em_str *interpreter,
                     bool *fixed);

#endif
