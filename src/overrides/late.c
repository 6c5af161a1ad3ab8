/* OpenSSL's tables are relocated when it is called for the first time: gate.S. They are a quarter of
 * a megabyte, which is memory that each start would have of its own otherwise. */
#include <sys/auxv.h>
#include <sys/mman.h>

#include "embark/core/base/str.h"
#include "relocate.h"

#ifndef __GLIBC__

/* gate.S reads it. */
HIDDEN extern bool em_late_done;
HIDDEN void em_late_relocate(void);
bool em_late_done;

void em_late_relocate(void)
{
    uintptr_t inside = getauxval(AT_PAGESZ) - 1;
    uintptr_t start = (uintptr_t)em_late_start & ~inside;
    size_t length = (((uintptr_t)em_late_end + inside) & ~inside) - start;
    if (mprotect((void *)start, length, PROT_READ | PROT_WRITE) != 0)
        em_out_of_memory();
    relocate(true);
    mprotect((void *)start, length, PROT_READ);
    em_late_done = true;
}

#endif
