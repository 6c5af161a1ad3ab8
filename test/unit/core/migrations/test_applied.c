#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "embark/core/migrations/applied.h"

/* "a=1 b=2": names and contents. */
static void fill(struct em_filelist *list, const char *spec)
{
    char copy[256], *rest = copy;

    snprintf(copy, sizeof copy, "%s", spec);
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        char *text = strchr(word, '=');
        if (!text)
            continue;
        *text++ = '\0';
        em_filelist_add(list, word, text, strlen(text));
    }
}

static void join(const struct em_list *list, struct em_str *out)
{
    for (size_t i = 0; i < list->n; i++)
        em_str_printf(out, "%s%s", i ? " " : "", list->v[i]);
}

/* "pending; was>now …; changed" */
static void matches_with(const char *files, const char *records, const char *former,
                         const char *expected)
{
    EM_FILELIST_AUTO ours = EM_FILELIST_INIT;
    EM_FILELIST_AUTO theirs = EM_FILELIST_INIT;
    EM_FILELIST_AUTO before = EM_FILELIST_INIT;
    EM_APPLIED_AUTO applied = {0};
    EM_STR_AUTO out = EM_STR_INIT;

    fill(&ours, files);
    fill(&theirs, records);
    fill(&before, former);
    em_applied_match(&ours, &theirs, &before, &applied);
    join(&applied.pending, &out);
    em_str_putc(&out, ';');
    assert_int_equal(applied.was.n, applied.now.n);
    for (size_t i = 0; i < applied.was.n; i++)
        em_str_printf(&out, "%s%s>%s", i ? " " : "", applied.was.v[i], applied.now.v[i]);
    em_str_putc(&out, ';');
    join(&applied.changed, &out);
    assert_string_equal(em_str_c(&out), expected);
}

static void matches(const char *files, const char *records, const char *expected)
{
    matches_with(files, records, "", expected);
}

/* A file was edited, and renamed after that; an older image has it as it was. */
static void test_former_contents(void **state)
{
    (void)state;
    matches_with("1=a 2=b", "1=a 3=c", "x=b", ";;");
    matches_with("1=a 2=b", "1=a 2=c", "x=b", ";;2");
    matches_with("1=a 9=b", "1=a 2=c", "x=b", ";;");
    matches_with("1=a 2=d", "1=a 3=c", "x=b", "2;;");
    matches_with("1= 2=", "1=", "x=", "2;;");
}

static void test_as_they_were(void **state)
{
    (void)state;
    matches("", "", ";;");
    matches("1=a 2=b", "", "1 2;;");
    matches("1=a 2=b", "1=a", "2;;");
    matches("1=a 2=b", "1=a 2=b", ";;");
    matches("1=a", "1=a 2=b", ";;");
}

static void test_renamed(void **state)
{
    (void)state;
    matches("1_new=a", "1_old=a", ";1_old>1_new;");
    matches("2=a", "1=a", ";1>2;");
    /* two that have changed their names with each other */
    matches("1=b 2=a", "1=a 2=b", ";2>1 1>2;");
    /* one was put in front of it, and has its number */
    matches("1=new 2=a", "1=a", "1;1>2;");
    /* and so all down the line */
    matches("1=new 2=a 3=b", "1=a 2=b", "1;1>2 2>3;");
}

static void test_changed(void **state)
{
    (void)state;
    matches("1=b", "1=a", ";;1");
    matches("1=b 2=c", "1=a", "2;;1");
}

/* Two files of the same contents are two files. */
static void test_same_contents_twice(void **state)
{
    (void)state;
    matches("1=a 2=a", "1=a", "2;;");
    matches("1=a 2=a", "1=a 2=a", ";;");
    matches("1=a 3=a", "1=a 2=a", ";2>3;");
    matches("3=a 4=a", "1=a", "4;1>3;");
}

static void test_empty_files(void **state)
{
    (void)state;
    matches("1= 2=", "1=", "2;;");
    matches("2=", "1=", "2;;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_they_were), cmocka_unit_test(test_renamed),
        cmocka_unit_test(test_changed),      cmocka_unit_test(test_same_contents_twice),
        cmocka_unit_test(test_empty_files),  cmocka_unit_test(test_former_contents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
