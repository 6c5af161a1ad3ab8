"""[migrate] sql = DIR with the files of other tools: which format it is, in which order, and that only what goes up is run."""

import pytest

from support import trees
from support.sql_files import applied, files, second  # noqa: F401


def steps_by_hand(db, steps=trees.STEPS):
    connection = db.connect_as_role()
    connection.autocommit = True
    for _, sql, _ in steps:
        connection.cursor().execute(sql)
    connection.close()
    return db


@pytest.mark.parametrize("form", trees.FORMATS)
def test_each_format(files, db, second, form):
    """All five, in order, once; nothing dropped; the same as by hand."""
    names = trees.plant(files.path, form)
    process = files.serves()
    assert applied(process) == names
    assert f"migrations holds the files of {trees.TOLD[form]} (as they tell themselves)" in process.stderr
    assert files.states() == {name: "applied" for name in names}
    assert db.sql("SELECT name FROM users ORDER BY id") == [("it's; me",), ("TWO",)]
    assert trees.dump(db) == trees.dump(steps_by_hand(second))
    assert "everything is applied (5 files" in files.serves().stderr
    files.start("check").expect(0)


@pytest.mark.parametrize("form", trees.FORMATS)
def test_each_format_as_it_is_told(files, form):
    names = trees.plant(files.path, form)
    process = files.serves(format=form)
    assert applied(process) == names and "as [migrate] format says" in process.stderr


def test_dbmate_itself_makes_the_same(files, db, second, folder):
    trees.plant(files.path, "dbmate")
    trees.dbmate(folder, second, "up")
    files.serves()
    assert trees.dump(db) == trees.dump(second)


def test_node_pg_migrate_itself_makes_the_same(files, db, second, folder):
    trees.plant(files.path, "node-pg-migrate", [step for step in trees.STEPS if step[0] != "index"])
    trees.node_pg_migrate(folder, second)
    files.serves()
    assert trees.dump(db) == trees.dump(second)


@pytest.mark.parametrize("names", [["10_b.sql", "9_a.sql"], ["1_b.sql", "01_a.sql", "2.sql"], ["20240101_a.sql", "20240101000000_b.sql"]])
def test_order_of_dbmate(files, db, second, folder, names):
    """By name: 10 comes before 9."""
    db.sql(f"CREATE TABLE said (name text, at serial); ALTER TABLE said OWNER TO {db.role}")
    second.sql(f"CREATE TABLE said (name text, at serial); ALTER TABLE said OWNER TO {second.role}")
    for name in names:
        files.add(name, f"-- migrate:up\nINSERT INTO said VALUES ('{name}');\n-- migrate:down\n")
    trees.dbmate(folder, second, "up")
    files.serves()
    assert db.sql("SELECT name FROM said ORDER BY at") == second.sql("SELECT name FROM said ORDER BY at")


# --- what takes back is never run

@pytest.mark.parametrize("up,down,tool", [("-- migrate:up", "-- migrate:down", "dbmate"), ("-- +goose Up", "-- +goose Down", "goose"),
                                          ("-- +migrate Up", "-- +migrate Down", "sql-migrate"), ("-- Up Migration", "-- Down Migration", "node-pg-migrate")])
@pytest.mark.parametrize("skip", ["", "check"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_way_back(files, db, up, down, tool, skip, ends):
    db.sql("CREATE TABLE users (id int); INSERT INTO users VALUES (1); ALTER TABLE users OWNER TO " + db.role)
    env = {"EMBARK_SKIP": skip} if skip else None
    files.add("001_first.sql", f"{up}\nCREATE TABLE first ();\n").add("002_users.sql", f"SELECT 1;\n\n{down}\nDROP TABLE users;\n".replace("\n", ends))
    process = files.fails(65, rf"002_users\.sql:(3:1: begins the part that takes the migration back \({tool}\)|1:1: a statement in front of {tool}'s)", env=env)
    assert "hint: " in process.stderr and not files.has("first")
    files.add("002_users.sql", f"\ufeff{up}\nSELECT 1;\n\n{down}\nDROP TABLE users;\n".replace("\n", ends)).serves(env=env)
    assert db.value("SELECT count(*) FROM users") == 1 and files.has("first")


@pytest.mark.parametrize("add,code,pattern", [
    ({"1_a.sql": "-- migrate:up\nSELECT 1;\n", "2_b.sql": "SELECT 1;\n-- +goose Up\n"}, 65,
     r"migrations/2_b\.sql:2:1: the mark \"-- \+goose Up\" is goose's, but the mark \"-- migrate:up\" \(migrations/1_a\.sql:1:1\) is dbmate's\n  hint: .*format"),
    ({"1_a.sql": "-- migrate:up\nSELECT 1;\n  -- migrate:down\nDROP TABLE users;\n"}, 65, r"1_a\.sql:3:1: dbmate knows its marks at the start"),
    ({"1_a.sql": "SELECT 1;\n-- //@UNDO\nDROP TABLE users;\n"}, 65, r"1_a\.sql:2:1: .*\(MyBatis Migrations\)"),
    ({"1_a.up.sql": "SELECT 1;", "2_b.js": ""}, 78, r"2_b\.js: a migration in JavaScript .*\n  hint: keep its tool as \[migrate\] command"),
    ({"1_a.sql": "SELECT 1;", "2_b.go": ""}, 78, r"2_b\.go: a migration in Go \(goose\)"),
    ({"V1__a.sql": "SELECT 1;", "V2__b.java": ""}, 78, r"V2__b\.java: a migration in Java"),
    ({"V1__a.sql": "SELECT 1;", "afterMigrate.sql": "SELECT 1;"}, 78, r"afterMigrate\.sql: a callback of Flyway's"),
    ({"001_users.down.sql": "DROP TABLE users;"}, 78, r"001_users\.down\.sql: by its name it takes a migration back"),
    ({"1_a.sql": "SELECT 1;", "2_b.SQL": "SELECT 1;"}, 78, r"2_b\.SQL: a migration's name ends in \.sql"),
    ({"1_a.sql": "SELECT 1;", "atlas.sum": "h1:x\n1_a.sql h1:y\n"}, 78, r"atlas\.sum is not of these files: 1_a\.sql differs"),
])
@pytest.mark.parametrize("skip", ["", "check"])
def test_refused(files, db, add, code, pattern, skip):
    db.sql("CREATE TABLE users (id int); ALTER TABLE users OWNER TO " + db.role)
    for name, text in add.items():
        files.add(name, text)
    files.start("check").expect(code, pattern)
    files.fails(code, pattern, env={"EMBARK_SKIP": skip} if skip else None)
    assert files.has("users")


def test_changed_since_atlas_sum(files):
    trees.plant(files.path, "atlas")
    path = next(files.path.glob("*_second.sql"))
    path.write_text(path.read_text() + "SELECT 1;\n")
    files.fails(78, r"atlas\.sum is not of these files: 20240101120004_second\.sql differs", r"hint: .*atlas migrate hash")


# --- what tools put in

def test_placeholders(files, db):
    files.add("V1__a.sql", "CREATE TABLE ${name} (file text);\nINSERT INTO ${name} VALUES ('${flyway:filename}');\n")
    files.start("check").expect(0, r"V1__a\.sql:1:14: \$\{name\} has no value: FLYWAY_PLACEHOLDERS_NAME is not set")
    files.fails(65, r"V1__a\.sql:1:14: \$\{name\} has no value", r"hint: set FLYWAY_PLACEHOLDERS_NAME")
    files.serves(env={"FLYWAY_PLACEHOLDERS_NAME": "things"})
    assert db.sql("SELECT file FROM things") == [("V1__a.sql",)]


def test_placeholder_that_is_a_secret(files, db):
    files.add("V1__a.sql", "SELECT '${db_password}', nonsense;\n")
    process = files.fails(65, "nonsense", env={"FLYWAY_PLACEHOLDERS_DB_PASSWORD": "hush-hush-2024"})
    assert "hush-hush-2024" not in process.stderr


def test_repeatable(files, db):
    """R__ comes last, and again when it has changed: by itself, or by a placeholder."""
    files.add("V1__a.sql", "CREATE TABLE said (what text);").add("R__say.sql", "INSERT INTO said VALUES ('${word}');")
    assert applied(files.serves(env={"FLYWAY_PLACEHOLDERS_WORD": "one"})) == ["V1__a.sql", "R__say.sql"]
    assert applied(files.serves(env={"FLYWAY_PLACEHOLDERS_WORD": "one"})) == []
    assert applied(files.serves(env={"FLYWAY_PLACEHOLDERS_WORD": "two"})) == ["R__say.sql"]
    files.add("V2__b.sql", "SELECT 1;").add("R__say.sql", "INSERT INTO said VALUES ('three');")
    assert applied(files.serves()) == ["V2__b.sql", "R__say.sql"]
    assert db.sql("SELECT what FROM said") == [("one",), ("two",), ("three",)]


def test_variables_of_goose(files, db):
    files.add("1_a.sql", "-- +goose Up\n-- +goose ENVSUB ON\nCREATE TABLE ${NAME:-other} (n int);\nSELECT $$x$$;\n-- +goose ENVSUB OFF\nSELECT '${NAME}';\n")
    files.serves(env={"NAME": "things"})
    assert files.has("things")


# --- transactions, as the tool has them

def test_own_begin_and_commit(files, db):
    """golang-migrate's files often have them: the file and its record are one transaction all the same."""
    files.add("1_a.up.sql", "BEGIN;\nCREATE TABLE a (n int);\nSELECT 1/0;\nCOMMIT;\n").add("1_a.down.sql", "DROP TABLE a;")
    files.fails(65, r"1_a\.up\.sql:3:\d+: ERROR 22012")
    assert not files.has("a") and not files.states()
    files.add("1_a.up.sql", "BEGIN;\nCREATE TABLE a (n int);\nCOMMIT;\n").serves(retry_after="0s")
    assert files.has("a")


def test_settings_of_flyway(files):
    files.add("V1__a.sql", "CREATE TABLE a (n int);\nVACUUM a;\n").fails(65, r"V1__a\.sql:2:1: VACUUM a can't run", "hint: .*executeInTransaction=false")
    files.add("V1__a.sql.conf", "executeInTransaction=false\n").serves()
