#include "embark/stages/require/interpreter/script.h"

#include <stdlib.h>

#include "embark/core/languages/java/inflate.h"

char *em_interpreter_script(const unsigned char *deflated, size_t length, size_t size)
{
    struct em_str text = EM_STR_INIT;

    if (!em_inflate((const char *)deflated, length, size, &text) || text.len != size)
        abort(); /* the build has made it */
    return em_str_take(&text);
}
