#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "embark/core/migrations/elsewhere.h"

static void join(const struct em_list *list, struct em_str *out)
{
    for (size_t i = 0; i < list->n; i++)
        em_str_printf(out, "%s%s", i ? " " : "", list->v[i]);
}

/* "scope:name=contents" for an applied record, "~" for = begun, "?" to be run again, "<" former;
 * "@origin" behind it. */
static void add_record(struct em_elsewhere *e, char *word)
{
    char hash[EM_HEX_DIGEST], former[200];
    char *scope = strsep(&word, ":"), *origin = strchr(word, '@');
    if (origin)
        *origin++ = '\0';
    char *mark = strpbrk(word, "=~?<");
    char how = *mark;
    *mark++ = '\0';
    em_hex_sha256(mark, strlen(mark), hash);
    snprintf(former, sizeof former, EM_FORMER "%s %s", hash, word);
    EM_STR_AUTO full = EM_STR_INIT;
    if (origin)
        em_str_printf(&full, "lock %s", origin);
    em_elsewhere_record(e, scope, how == '<' ? former : word, hash,
                        how == '~'   ? "failed"
                        : how == '?' ? "pending"
                                     : "applied",
                        origin ? em_str_c(&full) : NULL);
}

/* "taken>from … ; scopes ; why it isn't clear" */
static void judges(const char *files, const char *records, const char *expected)
{
    EM_FILELIST_AUTO ours = EM_FILELIST_INIT;
    EM_LIST_AUTO repeated = EM_LIST_INIT;
    EM_ELSEWHERE_AUTO e = {.scope = "us", .files = &ours, .repeated = &repeated};
    EM_STR_AUTO out = EM_STR_INIT;
    char copy[400], *rest = copy;

    snprintf(copy, sizeof copy, "%s", files);
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        char *text = strchr(word, '=');
        if (!text)
            continue;
        *text++ = '\0';
        em_filelist_add(&ours, word, text, strlen(text));
        if (em_starts(word, "R__"))
            em_list_add(&repeated, word);
    }
    rest = copy;
    snprintf(copy, sizeof copy, "%s", records);
    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        if (*word)
            add_record(&e, word);
    em_elsewhere_judge(&e);
    for (size_t i = 0; i < e.take.n; i++)
        em_str_printf(&out, "%s%s>%s(%s)", i ? " " : "", e.take.v[i], e.from.v[i], e.origin.v[i]);
    em_str_puts(&out, "; ");
    join(&e.scopes, &out);
    if (e.unclear.len)
        em_str_printf(&out, "; %s", em_str_c(&e.unclear));
    assert_string_equal(em_str_c(&out), expected);
    em_elsewhere_free(&e);
    em_elsewhere_free(&e);
}

/* A scope that has no record yet. */
static void test_new_name(void **state)
{
    (void)state;
    judges("1=a 2=b", "", "; ");
    judges("1=a 2=b", "old:1=a old:2=b", "1>old(lock old) 2>old(lock old); old");
    judges("1=a 2=b 3=c", "old:1=a old:2=b", "1>old(lock old) 2>old(lock old); old");
    judges("1=a", "old:1=a old:2=b", "1>old(lock old); old");
    /* a renamed file beside one that wasn't */
    judges("1=a 2_new=b", "old:1=a old:2=b", "1>old(lock old) 2_new>old(lock old); old");
    /* what an edited file was */
    judges("1=a 2=b", "old:1=a old:2=z old:2<b", "1>old(lock old) 2>old(lock old); old");
}

static void test_two_services(void **state)
{
    (void)state;
    judges("1=a 2=b", "other:1=x other:2=y", "; ");
    judges("1=a 2=b", "other:9=a", "; ");
    judges("1= 2=b", "other:1= other:2=y", "; ");
    /* one file is the same, and they have others */
    judges("1=a 2=b", "other:1=a other:2_x=y", "1>other(lock other); other");
    judges("1=a 2=b", "other:1=a other:2=y other:3=z", "1>other(lock other); other");
    /* each has records of its own: no look at what the other one does */
    judges("1=a 2=b 3=c", "other:1=a other:3=c us:1=a us:2=b", "; ");
    judges("1=a 2=b", "other:1=a us:?", "; ");
}

static void test_what_is_not_known(void **state)
{
    (void)state;
    judges("1=a 2=b", "old:1=a old:2=y",
           "1>old(lock old); old; 2 is recorded as applied, with other contents, under the lock "
           "\"old\"");
    judges("1=a R__2=b", "old:1=a old:R__2=y", "1>old(lock old); old");
    judges("1=a 2=b", "old:1=a old:2~b",
           "1>old(lock old); old; 2 was begun, and has not ended well, under the lock \"old\"");
    judges("1=a 2=c", "old:1=a old:2~b",
           "1>old(lock old); old; 2 was begun, and has not ended well, under the lock \"old\"");
    judges("2=b", "old:2~b", "; old; 2 was begun, and has not ended well, under the lock \"old\"");
    judges("1=a 2=c", "other:0=x other:1=a other:2~b", "1>other(lock other); other");
    judges("1=a 2=b", "old:1=a old:2?b", "1>old(lock old); old");
}

/* Taken back to a name that has records, and on to a third. */
static void test_back_again(void **state)
{
    (void)state;
    judges("1=a 2=b 3=c", "new:1=a@us new:2=b@us new:3=c us:1=a us:2=b", "3>new(lock us); new");
    judges("1=a 2=b 3=c", "old:1=a old:2=b old:3=c us:1=a@old us:2=b@old", "3>old(lock old); old");
    judges("1=a 2=b 3=c", "new:1=a@root new:3=c us:1=a@root us:2=b", "3>new(lock root); new");
    judges("1=a 2=b 3=c", "new:1=a@us new:2=b@us new:3~c us:1=a us:2=b",
           "; new; 3 was begun, and has not ended well, under the lock \"new\"");
    /* somebody wants it again, or it is begun here */
    judges("1=a 3=c", "new:1=a@us new:3=c us:1=a us:3?c", "; new");
    judges("1=a 3=c", "new:1=a@us new:3=c us:1=a us:3~c", "; new");
    /* it is another service, which shares a file: under one name they have applied two things */
    judges("1=a 2=b 3=c", "other:1=a other:2=x other:3=y us:1=a@other us:2=b", "; other");
    judges("1=a 2=b 3=c", "new:1=a@us new:2=x new:2<b new:3=y us:1=a us:2=b",
           "; new; 3 is recorded as applied, with other contents, under the lock \"new\"");
    /* nothing is pending */
    judges("1=a", "new:1=a@us new:3=c us:1=a", "; ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_name),
        cmocka_unit_test(test_two_services),
        cmocka_unit_test(test_what_is_not_known),
        cmocka_unit_test(test_back_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
