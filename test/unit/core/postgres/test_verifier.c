#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "embark/core/postgres/verifier.h"

/* RFC 7677, 3: the password is "pencil". */
#define PENCIL                                      \
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ=="   \
    "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=" \
    ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static void verifiers(void **state)
{
    (void)state;
    assert_int_equal(em_verifier_check(PENCIL, "pencil"), EM_VERIFIER_SAME);
    assert_int_equal(em_verifier_check(PENCIL, "Pencil"), EM_VERIFIER_OTHER);
    assert_int_equal(em_verifier_check(PENCIL, ""), EM_VERIFIER_OTHER);
    assert_int_equal(em_verifier_check(PENCIL, "pencil\xC3\xA9"), EM_VERIFIER_UNKNOWN);
    assert_int_equal(em_verifier_check(PENCIL,
                                       "a password that is longer than one block of the digest, "
                                       "which has sixty-four bytes"),
                     EM_VERIFIER_OTHER);
}

static void nonsense(void **state)
{
    static const char *const texts[] = {"",
                                        "md5a3556571e93b0d20722ba62be61e8c2d",
                                        "SCRAM-SHA-256$",
                                        "SCRAM-SHA-256$0:AAAA$AAAA:AAAA",
                                        "SCRAM-SHA-256$99999999:AAAA$AAAA:AAAA",
                                        "SCRAM-SHA-256$4096:AA*A$AAAA:AAAA",
                                        "SCRAM-SHA-256$4096:AAAA",
                                        "SCRAM-SHA-256$4096:AAAA$:",
                                        "SCRAM-SHA-256$x:AAAA$AAAA:AAAA"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(em_verifier_check(texts[i], "pencil"), EM_VERIFIER_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(verifiers), cmocka_unit_test(nonsense)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
