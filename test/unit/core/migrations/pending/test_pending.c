#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/migrations/pending/pending.h"

/* Of tool `tool`, with files "PATH" or "PATH=TEXT" and rows "aID": the state of each migration in
 * the order of applying, and what else is noticed. */
struct given {
    const char *tool;
    const char *files[12];
    const char *rows[12];
    const char *target;
};

static void load(const struct given *given, struct em_pending *p)
{
    memset(p, 0, sizeof *p);
    p->kind = em_pending_kind(given->tool);
    assert_non_null(p->kind);
    for (size_t i = 0; i < 12 && given->files[i]; i++) {
        const char *equals = strchr(given->files[i], '=');
        const char *text = equals ? equals + 1 : "";
        EM_FREE char *path = em_strndup(given->files[i], equals ? (size_t)(equals - given->files[i])
                                                                : strlen(given->files[i]));
        em_pending_file(p, path, text, strlen(text));
    }
    for (size_t i = 0; i < 12 && given->rows[i]; i++)
        em_pending_row(p, given->rows[i] + 1, given->rows[i][0]);
    em_pending_resolve(p, given->target);
}

static void add_list(struct em_str *out, const char *what, const struct em_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        em_str_printf(out, "; %s %s", what, list->v[i]);
}

/* "+" applied, "-" pending, "!" failed. */
static void gives(const struct given *given, const char *expected)
{
    struct em_pending p;
    EM_STR_AUTO out = EM_STR_INIT;
    load(given, &p);
    for (size_t i = 0; i < p.n; i++)
        if (!p.v[i].off)
            em_str_printf(&out, "%s%c%s", out.len ? " " : "", "-+!"[p.v[i].state], p.v[i].name);
    add_list(&out, "unknown", &p.unknown);
    add_list(&out, "odd", &p.odd);
    em_str_puts(&out, p.unsure ? "; unsure" : "");
    em_str_puts(&out, p.forked ? "; forked" : "");
    em_str_puts(&out, p.broken ? "; broken" : "");
    em_pending_free(&p);
    assert_string_equal(em_str_c(&out), expected);
}

#define A "v/a.py=revision = 'aaa'\ndown_revision = None\n"
#define B                                                                                  \
    "v/b.py='''add users\n\nRevision ID: bbb\n'''\nrevision: str = 'bbb'\ndown_revision: " \
    "Union[str, None] = 'aaa'\n"
#define C     "v/c.py=revision = 'ccc'\ndown_revision = \"bbb\"\n"
#define B2    "v/b2.py=revision = 'b2'\ndown_revision = 'aaa'\n"
#define MERGE "v/m.py=revision = 'mmm'\ndown_revision = (\n  'bbb',  # left\n  'b2',\n)\n"

static void test_alembic(void **state)
{
    (void)state;
    gives(&(struct given){"Alembic", {C, B, A}, {"aaaa"}, "head"}, "+aaa -bbb add users -ccc");
    gives(&(struct given){"Alembic", {C, B, A}, {NULL}, "head"}, "-aaa -bbb add users -ccc");
    gives(&(struct given){"Alembic", {A, B, C}, {"accc"}, "head"}, "+aaa +bbb add users +ccc");
    gives(&(struct given){"Alembic", {A}, {"accc"}, "head"}, "-aaa; unknown ccc; unsure");
    gives(&(struct given){"Alembic", {"v/env.py=from alembic import context\n", A}, {NULL}, NULL},
          "-aaa");
    gives(&(struct given){"Alembic", {"v/1ab.py=down_revision = None\n"}, {"a1ab"}, NULL}, "+1ab");
}

static void test_alembic_branches(void **state)
{
    (void)state;
    gives(&(struct given){"Alembic", {A, B, B2}, {"abbb"}, "head"},
          "+aaa -b2 +bbb add users; forked");
    gives(&(struct given){"Alembic", {A, B, B2}, {"abbb", "ab2"}, "heads"},
          "+aaa +b2 +bbb add users");
    gives(&(struct given){"Alembic", {A, B, B2, MERGE}, {"abbb", "ab2"}, "head"},
          "+aaa +bbb add users +b2 -mmm");
    gives(&(struct given){"Alembic", {A, B, B2, MERGE}, {"ammm"}, "head"},
          "+aaa +bbb add users +b2 +mmm");
    /* By a part of its name; what is beside it is not of the plan. */
    gives(&(struct given){"Alembic", {A, B, B2}, {NULL}, "bb"}, "-aaa -bbb add users");
    gives(&(struct given){"Alembic", {A, B, B2}, {"ab2"}, "bbb"}, "+aaa +b2 -bbb add users");
    gives(&(struct given){"Alembic", {A, B}, {NULL}, "+1"}, "-aaa -bbb add users");
}

static void test_alembic_dependencies(void **state)
{
    (void)state;
    static const char x[] =
        "v/x.py=revision = 'xxx'\ndown_revision = None\nbranch_labels = ('side',)\n";
    static const char y[] = "v/y.py=revision = 'yyy'\ndown_revision = 'aaa'\ndepends_on = 'xxx'\n";
    static const char z[] =
        "v/z.py=revision = 'zzz'\ndown_revision = 'aaa'\ndepends_on = ['side']\n";
    gives(&(struct given){"Alembic", {A, y, x}, {NULL}, "heads"}, "-xxx -aaa -yyy");
    gives(&(struct given){"Alembic", {A, y, x}, {"ayyy"}, "heads"}, "+xxx +aaa +yyy");
    gives(&(struct given){"Alembic", {A, z, x}, {"azzz"}, "heads"}, "+xxx +aaa +zzz");
    /* A revision that others only depend on is a head all the same. */
    gives(&(struct given){"Alembic", {A, y, x}, {NULL}, "head"}, "-xxx -aaa -yyy; forked");
}

static void test_alembic_broken(void **state)
{
    (void)state;
    gives(&(struct given){"Alembic", {A, C}, {"aaaa"}, "heads"},
          "+aaa -ccc; odd v/c.py: its down_revision bbb is in no file; broken");
    gives(
        &(struct given){
            "Alembic", {A, A, "v/a2.py=revision='aaa'\ndown_revision='x'\n"}, {NULL}, NULL},
        "-aaa; odd v/a.py and v/a.py are both revision aaa; odd v/a.py and v/a2.py are both "
        "revision aaa");
    gives(
        &(struct given){
            "Alembic", {"v/f.py=revision = make()\ndown_revision = None\n"}, {NULL}, NULL},
        "; odd v/f.py: its revisions are no plain texts, and can't be told");
    gives(&(struct given){"Alembic",
                          {"v/1.py=revision='1'\ndown_revision='2'\n",
                           "v/2.py=revision='2'\ndown_revision='1'\n"},
                          {"a1"},
                          "head"},
          "+2 +1; odd the revisions lead in a circle; broken");
}

#define DJANGO(app, name, body) \
    app "/migrations/" name     \
        ".py=from django.db import migrations\n\nclass Migration(migrations.Migration):\n" body
#define D1 DJANGO("notes", "0001_initial", "    dependencies = []\n")
#define D2 DJANGO("notes", "0002_two", "    dependencies = [('notes', '0001_initial'),]\n")
#define D3 \
    DJANGO("notes", "0003_three", "    dependencies = [\n        ('notes', '0002_two'),\n    ]\n")
#define SQUASH                                \
    DJANGO("notes", "0001_squashed_0002_two", \
           "    replaces = [('notes', '0001_initial'), ('notes', '0002_two')]\n")

static void test_django(void **state)
{
    (void)state;
    gives(&(struct given){"Django", {D2, D1}, {"anotes.0001_initial", "aauth.0001_initial"}, NULL},
          "+notes.0001_initial -notes.0002_two");
    gives(&(struct given){"Django", {D1}, {"anotes.0001_initial", "anotes.0002_two"}, NULL},
          "+notes.0001_initial; unknown notes.0002_two");
    /* Renamed: Django has applied it again. */
    gives(&(struct given){"Django", {D1}, {"anotes.0001_other_name", "anotes.0001_initial"}, NULL},
          "+notes.0001_initial");
    /* Left over from before a squash. */
    gives(
        &(struct given){
            "Django", {D2, D1}, {"anotes.0001_a", "anotes.0001_initial", "anotes.0002_two"}, NULL},
        "+notes.0001_initial +notes.0002_two");
    gives(&(struct given){"Django",
                          {DJANGO("a/b", "0001_x", "    dependencies = [('notes', '__first__')]\n"),
                           D1, D2},
                          {NULL},
                          NULL},
          "-notes.0001_initial -b.0001_x -notes.0002_two");
    gives(&(struct given){"Django",
                          {DJANGO("b", "0001_x", "    dependencies = [('notes', '__latest__')]\n"),
                           D1, D2},
                          {NULL},
                          NULL},
          "-notes.0001_initial -notes.0002_two -b.0001_x");
    gives(&(struct given){"Django",
                          {DJANGO("z", "0001_x",
                                  "    run_before = [('notes', '0002_two')]\n    def f(self):\n"
                                  "        dependencies = [('notes', 'no')]\n"),
                           D1, D2},
                          {NULL},
                          NULL},
          "-z.0001_x -notes.0001_initial -notes.0002_two");
}

static void test_django_files(void **state)
{
    (void)state;
    gives(
        &(struct given){
            "Django",
            {"notes/migrations/helpers.py=def f(): pass\n", "alembic/migrations/env.py=x = 1\n",
             DJANGO("notes", "_hidden", "    pass\n"), DJANGO("notes", "~x", "    pass\n"),
             "migrations/0001_x.py=class Migration:\n    pass\n",
             "/migrations/0001_x.py=class Migration:\n", "0001_x.py=class Migration:\n",
             "history/0001_x.py=class Migration(M):\n  dependencies = [('history', 'no')]\n"},
            {NULL},
            NULL},
        "-history.0001_x; odd history/0001_x.py: it depends on history.no, which no file has; "
        "broken");
}

static void test_django_label(void **state)
{
    (void)state;
    struct em_pending p = {.kind = em_pending_kind("Django")};
    static const char *const configs[] = {
        "class NotesConfig(AppConfig):\n    name = 'a.notes'\n    label: str = 'memo'\n",
        "class A(AppConfig):\n    label = 'x'\nclass B(AppConfig):\n    label = 'y'\n", ""};
    static const char *const apps[] = {"a/notes", "b", "c"};
    static const char *const ids[] = {"memo.0001_x", "b.0001_x", "c.0001_x"};
    static const char text[] = "class Migration(M):\n    pass\n";
    assert_null(em_pending_app_file(&p, "x.py"));
    for (size_t i = 0; i < 3; i++) {
        EM_STR_AUTO path = EM_STR_INIT;
        em_str_printf(&path, "%s/migrations/0001_x.py", apps[i]);
        EM_FREE char *file = em_pending_app_file(&p, em_str_c(&path));
        assert_true(em_starts(file, apps[i]) && em_ends(file, "/apps.py"));
        em_pending_app(&p, file, configs[i], strlen(configs[i]));
        assert_null(em_pending_app_file(&p, em_str_c(&path)));
        em_pending_file(&p, em_str_c(&path), text, strlen(text));
        assert_string_equal(p.v[i].id, ids[i]);
    }
    em_pending_free(&p);
}

static void test_django_squash(void **state)
{
    (void)state;
    gives(&(struct given){"Django", {D1, D2, D3, SQUASH}, {NULL}, NULL},
          "-notes.0001_squashed_0002_two -notes.0003_three");
    gives(&(struct given){"Django", {D1, D2, D3, SQUASH}, {"anotes.0001_initial"}, NULL},
          "+notes.0001_initial -notes.0002_two -notes.0003_three");
    gives(
        &(struct given){
            "Django", {D1, D2, D3, SQUASH}, {"anotes.0001_initial", "anotes.0002_two"}, NULL},
        "+notes.0001_squashed_0002_two -notes.0003_three");
    gives(&(struct given){"Django", {D3, SQUASH}, {"anotes.0001_initial", "anotes.0002_two"}, NULL},
          "+notes.0001_squashed_0002_two -notes.0003_three");
}

static void test_django_broken(void **state)
{
    (void)state;
    gives(
        &(struct given){"Django", {D1, D3}, {NULL}, NULL},
        "-notes.0001_initial -notes.0003_three; odd notes/migrations/0003_three.py: it depends on "
        "notes.0002_two, which no file has; odd notes.0001_initial and notes.0003_three both come "
        "last in "
        "their app: makemigrations --merge; broken");
    gives(&(struct given){"Django",
                          {DJANGO("a", "0001_x", "    dependencies = [('a', '0002_y')]\n"),
                           DJANGO("a", "0002_y", "    dependencies = [('a', '0001_x')]\n")},
                          {NULL},
                          NULL},
          "-a.0002_y -a.0001_x; odd the migrations depend on each other in a circle; broken");
}

static void test_plain_trees(void **state)
{
    (void)state;
    gives(&(struct given){"dbmate",
                          {"db/migrations/002_b.sql", "db/migrations/001_a.sql", "db/schema.sql"},
                          {"a001"},
                          NULL},
          "+001_a -002_b");
    gives(&(struct given){"Prisma",
                          {"prisma/migrations/1_a/migration.sql",
                           "prisma/migrations/2_b/migration.sql",
                           "prisma/migrations/3_c/migration.sql",
                           "prisma/migrations/migration_lock.toml"},
                          {"a1_a", "u2_b", "f2_b"},
                          NULL},
          "+1_a !2_b -3_c");
    gives(&(struct given){"Prisma", {"p/2_b/migration.sql"}, {"f2_b", "a2_b"}, NULL}, "+2_b");
    gives(&(struct given){"Prisma", {"p/2_b/migration.sql"}, {"u2_b"}, NULL}, "-2_b");
    gives(&(struct given){"Knex",
                          {"migrations/2_b.js", "migrations/1_a.js", "migrations/1_a.js.map"},
                          {"a1_a.js"},
                          NULL},
          "+1_a.js -2_b.js");
    gives(&(struct given){"Sequelize",
                          {"migrations/2_b.js", "migrations/1_a.js"},
                          {"a1_a.js", "a3_c.js", "a0_z.js"},
                          NULL},
          "+1_a.js -2_b.js; unknown 3_c.js");
    gives(
        &(struct given){"node-pg-migrate",
                        {"m/10_b.js", "m/9_a.js", "m/11_c.up.sql", "m/11_c.down.sql", "m/12_d.sql"},
                        {"a9_a"},
                        NULL},
        "+9_a -10_b -11_c -12_d");
    gives(
        &(struct given){
            "goose", {"m/00002_b.sql", "m/10_c.go", "m/1_a.sql"}, {"a0", "a1", "a2", "u2"}, NULL},
        "+1_a -00002_b -10_c");
    gives(
        &(struct given){
            "sqlx", {"m/1_a.up.sql", "m/1_a.down.sql", "m/2_b.up.sql"}, {"a1", "f2"}, NULL},
        "+1_a !2_b");
    gives(
        &(struct given){
            "Rails", {"db/migrate/20240102_b.rb", "db/migrate/20240101_a.rb"}, {"a20240101"}, NULL},
        "+20240101_a -20240102_b");
    gives(&(struct given){"Entity Framework",
                          {"Migrations/1_a.cs", "Migrations/1_a.Designer.cs",
                           "Migrations/XModelSnapshot.cs"},
                          {NULL},
                          NULL},
          "-1_a");
    gives(&(struct given){"embark",
                          {"sql/10_b.sql", "sql/2_a.sql", "sql/11_c.sql"},
                          {"a2_a.sql", "f10_b.sql"},
                          NULL},
          "+2_a.sql !10_b.sql -11_c.sql");
}

static void test_up_to(void **state)
{
    (void)state;
    static const char *const files[] = {"m/1_a.up.sql", "m/2_b.up.sql", "m/2_b.down.sql",
                                        "m/10_c.up.sql"};
    gives(&(struct given){"golang-migrate", {files[3], files[0], files[1], files[2]}, {"a2"}, NULL},
          "+1_a +2_b -10_c");
    gives(&(struct given){"golang-migrate", {files[3], files[0], files[1]}, {"f2"}, NULL},
          "+1_a !2_b -10_c");
    gives(&(struct given){"golang-migrate", {files[3], files[0], files[1]}, {NULL}, NULL},
          "-1_a -2_b -10_c");
    gives(&(struct given){"golang-migrate", {files[0], files[1]}, {"a10"}, NULL},
          "+1_a +2_b; unknown 10");
}

static void test_flyway(void **state)
{
    (void)state;
    gives(&(struct given){"Flyway",
                          {"sql/V10__c.sql", "sql/V1.1__b.sql", "sql/V1__a.sql", "sql/R__views.sql",
                           "sql/U1__a.sql", "sql/V2_0_1__x.sql", "sql/notes.sql"},
                          {"u<< Flyway Schema Creation >>", "a1.0", "f1.1", "aR__views.sql"},
                          NULL},
          "+V1__a !V1.1__b -V2_0_1__x -V10__c +R__views");
    gives(
        &(struct given){"Flyway", {"sql/V1__a.sql", "sql/V2__b.sql", "sql/R__v.sql"}, {"b1"}, NULL},
        "+V1__a -V2__b -R__v");
    gives(&(struct given){"Flyway", {"sql/V1__a.sql", "sql/V01__b.sql"}, {"a2", "a0.5"}, NULL},
          "-V01__b -V1__a; unknown 2; odd sql/V01__b.sql and sql/V1__a.sql have the same version");
}

static void guesses(const char *path, const char *text, const char *expected)
{
    const struct em_pending_kind *kind = em_pending_guess(path, text, strlen(text));
    assert_string_equal(kind ? kind->tool : "none", expected);
}

static void test_guess(void **state)
{
    (void)state;
    guesses("a/b.py", "revision = 'a'\ndown_revision: str = None\n", "Alembic");
    guesses("a/b.py", "class Migration(migrations.Migration):\n    pass\n", "Django");
    guesses("a/b.py", "print('down_revision = 1')\n", "none");
    guesses("p/1_a/migration.sql", "", "Prisma");
    guesses("sql/V1__a.sql", "", "Flyway");
    guesses("sql/1_a.sql", "-- migrate:up\nSELECT 1;\n", "dbmate");
    guesses("sql/1_a.sql", "-- +goose Up\nSELECT 1;\n", "goose");
    guesses("sql/1_a.sql", "SELECT 1;\n", "none");
    guesses("a.js", "-- migrate:up", "none");
}

static void test_names(void **state)
{
    (void)state;
    struct em_pending p;
    EM_STR_AUTO out = EM_STR_INIT;
    load(&(struct given){"dbmate", {"1_a.sql", "2_b.sql", "3_c.sql", "4_d.sql"}, {"a1"}, NULL}, &p);
    assert_int_equal(p.total, 4);
    assert_int_equal(p.pending, 3);
    assert_string_equal(p.heads.v[0], "4_d");
    assert_string_equal(p.at.v[0], "1");
    em_pending_names(&p, EM_MIGRATION_PENDING, 2, &out);
    assert_string_equal(em_str_c(&out), "2_b, 3_c and 1 more");
    em_str_cut(&out, 0);
    em_pending_names(&p, EM_MIGRATION_PENDING, 3, &out);
    assert_string_equal(em_str_c(&out), "2_b, 3_c, 4_d");
    em_pending_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alembic),
        cmocka_unit_test(test_alembic_branches),
        cmocka_unit_test(test_alembic_dependencies),
        cmocka_unit_test(test_alembic_broken),
        cmocka_unit_test(test_django),
        cmocka_unit_test(test_django_files),
        cmocka_unit_test(test_django_label),
        cmocka_unit_test(test_django_squash),
        cmocka_unit_test(test_django_broken),
        cmocka_unit_test(test_plain_trees),
        cmocka_unit_test(test_up_to),
        cmocka_unit_test(test_flyway),
        cmocka_unit_test(test_guess),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
