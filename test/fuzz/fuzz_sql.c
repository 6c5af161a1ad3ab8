/* A fuzzer for the SQL lexer, splitter, meta-commands and linter. `make fuzz` runs it; with words
 * to start from:
 *
 *     build/fuzz/fuzz_sql.run -dict=test/fuzz/sql.dict CORPUS $(.ci/deps)/share/regress
 *
 * With -DFUZZ_MAIN (any compiler, AFL's too) it is a program that reads one case from standard
 * input.
 */
#include <stdint.h>

#include "sql_invariants.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy without a byte behind it, so that reading one too many shows. */
    char *bytes = malloc(size ? size : 1);

    if (!bytes)
        return 0;
    if (size)
        memcpy(bytes, data, size);
    check_sql(bytes, size);
    free(bytes);
    return 0;
}

#ifdef FUZZ_MAIN
int main(void)
{
    static uint8_t data[1 << 20];

    LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof(data), stdin));
    return 0;
}
#endif
