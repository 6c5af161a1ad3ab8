"""[migrate] sql: what can't run in a transaction, and what would end embark's, is told before anything is sent."""

import psycopg2
import pytest

from support import trees
from support.sql_files import applied, files  # noqa: F401


# --- what can't run in a transaction

OUTSIDE = [
    "CREATE INDEX CONCURRENTLY i ON t (n)", "create unique index concurrently if not exists i2 on t (n)", "DROP INDEX CONCURRENTLY t_n", "REINDEX TABLE CONCURRENTLY t",
    "REINDEX (VERBOSE) INDEX CONCURRENTLY t_n", "REINDEX DATABASE %s", "REINDEX SCHEMA public", "REINDEX (VERBOSE) SYSTEM %s", "VACUUM", "VACUUM (ANALYZE) t",
    "CREATE DATABASE elsewhere", "DROP DATABASE IF EXISTS elsewhere", "CREATE TABLESPACE s LOCATION '/nowhere'", "DROP TABLESPACE IF EXISTS s",
    "ALTER SYSTEM SET work_mem = '5MB'", "ALTER DATABASE postgres SET TABLESPACE pg_default", "CREATE SUBSCRIPTION s2 CONNECTION 'dbname=x' PUBLICATION p", "CLUSTER",
    "CLUSTER VERBOSE", "ALTER TABLE parts DETACH PARTITION part CONCURRENTLY", "COMMIT PREPARED 'x'", "ROLLBACK PREPARED 'x'", "DISCARD ALL",
    "ALTER SUBSCRIPTION s REFRESH PUBLICATION", "ALTER SUBSCRIPTION s ADD PUBLICATION q",
]
INSIDE = [
    "CREATE INDEX concurrently_made ON t (n)", "DROP INDEX t_n", "REINDEX TABLE t", "ANALYZE t", "ALTER DATABASE postgres SET work_mem = '5MB'", "CLUSTER t USING t_n",
    "CREATE SUBSCRIPTION s2 CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)", "ALTER TABLE parts DETACH PARTITION part", "DISCARD PLANS",
    "ALTER SUBSCRIPTION s ADD PUBLICATION q WITH (refresh = false)",
]
BEFORE = ("CREATE TABLE t (n int); CREATE INDEX t_n ON t (n); CREATE TABLE parts (n int) PARTITION BY LIST (n); CREATE TABLE part PARTITION OF parts FOR VALUES IN (1);"
          "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false); ALTER SUBSCRIPTION s ENABLE")


def answer(db, statement):
    """The SQLSTATE with which the server answers in a transaction; None."""
    connection = db.connect()
    connection.autocommit = False
    try:
        cursor = connection.cursor()
        cursor.execute(BEFORE)
        cursor.execute(statement)
    except psycopg2.Error as error:
        return error.pgcode
    finally:
        connection.close()
    return None


@pytest.mark.parametrize("statement", OUTSIDE)
def test_told_before_anything_is_sent(files, db, statement):
    """What the server refuses in a transaction, so does embark, with the place and the mark; nothing of the file, and of those before it, is done."""
    statement = statement.replace("%s", db.name)
    assert answer(db, statement) == "25001"
    files.add("1_a.sql", "CREATE TABLE a (n int);").add("2_b.sql", f"CREATE TABLE b (n int);\n  {statement};\n")
    told = (r"2_b\.sql:2:3: .* can't run in a transaction, and the file is run in one", r"hint: .*-- embark: no transaction")
    files.start("check").expect(65, *told)
    files.fails(65, *told)
    files.fails(65, *told, env={"EMBARK_SKIP": "check"})
    assert not files.has("a") and not files.has("b")


@pytest.mark.parametrize("statement", INSIDE)
def test_what_looks_like_it(files, db, statement):
    assert answer(db, statement) is None
    files.add("1_a.sql", statement + ";")
    files.start("check").expect(0)


def test_drop_subscription(files):
    """Whether it can depends on the subscription."""
    files.add("1_a.sql", "CREATE TABLE a (n int);\nDROP SUBSCRIPTION IF EXISTS nobody;\n")
    files.start("check").expect(0, r"1_a\.sql:2:1: DROP SUBSCRIPTION IF can't run in a transaction")
    files.serves()


MARKS = {"dbmate": "-- migrate:up transaction:false", "goose": r"-- \+goose NO TRANSACTION", "sqlx": "-- no-transaction", "flyway": "executeInTransaction=false",
         "sql-migrate": r"-- \+migrate Up notransaction", "atlas": "-- atlas:txmode none", "golang-migrate": "-- embark: no transaction",
         "prisma": "-- embark: no transaction", "node-pg-migrate": "-- embark: no transaction"}


@pytest.mark.parametrize("form", trees.FORMATS)
def test_the_tools_own_mark(files, form):
    """The hint names it; that it is honoured is what test_each_format shows."""
    steps = [trees.STEPS[0], ("both", "VACUUM users;\nCREATE TABLE b (n int);", "DROP TABLE b;")]
    trees.plant(files.path, form, steps)
    files.start("check", format=form).expect(65, r"VACUUM users can't run in a transaction", f"hint: .*{MARKS[form]}")
    files.fails(65, "VACUUM users can't", format=form)
    assert not files.has("users")


# --- labels of enums

def test_label_that_is_used_in_the_same_file(files, db):
    files.add("1_a.sql", "CREATE TYPE mood AS ENUM ('old');\nCREATE TABLE t (m mood);\n").serves()
    files.add("2_b.sql", "ALTER TYPE mood ADD VALUE 'new' BEFORE 'old';\nCREATE TABLE b (n int);\nINSERT INTO t VALUES ('new');\n")
    files.start("check").expect(0, r"2_b\.sql:3:23: 'new': if it is the label that ALTER TYPE … ADD VALUE has added above", "hint: .*-- embark: no transaction")
    files.fails(65, r"2_b\.sql:3:23: ERROR 55P04: unsafe use of new value", "hint: .*-- embark: no transaction")
    assert not files.has("b") and files.states() == {"1_a.sql": "applied"}
    path = files.path / "2_b.sql"
    files.add("2_b.sql", "-- embark: no transaction\n" + path.read_text()).serves()
    assert db.sql("SELECT m::text FROM t") == [("new",)]


# --- what ends embark's transaction

def sneaky(ends):
    """A file that ends embark's transaction where no check looks, begins another one, and fails in that."""
    return f"INSERT INTO t VALUES ('first half');\n{ends}\nINSERT INTO t VALUES ('second half');\nSELECT 1/0;\n"


SNEAKY = [
    ("\\ir ../inc/common.psql", "COMMIT"), ("\\i inc/common.psql", "COMMIT"),
    ("\\set c COMMIT\n\\set b BEGIN\n:c; :b;", "COMMIT"), ("\\set c 'COMMIT; BEGIN'\n:c;", "COMMIT"),
    ("SELECT unnest(ARRAY['COMMIT','BEGIN']) \\gexec", "COMMIT"), ("SELECT 'SELECT 1; COMMIT; SELECT 1/0' \\gexec", "COMMIT"),
    ("\\set c 'COMMIT AND CHAIN'\n:c;", "COMMIT"), ("SELECT 'COMMIT AND CHAIN' AS c \\gset\n:c;", "COMMIT"),
    ("\\set c END\n\\set b BEGIN\n:c \\; :b;", "END"), ("SELECT 1 \\; COMMIT \\; SELECT 1/0;", "COMMIT"), ("\\set c 'COMMIT AND CHAIN'\n:c \\; SELECT 1/0;", "COMMIT"),
    ("\\set c ROLLBACK\n\\set b BEGIN\n:c; :b READ WRITE;", "ROLLBACK"), ("\\set c 'ROLLBACK AND CHAIN'\n:c;", "ROLLBACK"),
    ("SAVEPOINT s;\nROLLBACK TO s;\nRESET ALL;\n\\set c 'ABORT AND CHAIN'\n:c;", "ABORT"), ("\\set p 'PREPARE TRANSACTION'\n:p 'x';", "PREPARE"),
    ("\\set c 'ROLLBACK AND CHAIN'\n:c \\; RESET ALL;", "ROLLBACK"), ("\\if true\nCOMMIT;\n\\endif", "COMMIT"), ("SELECT 1 \\g\nCOMMIT;", "COMMIT"),
    ("\\set ON_ERROR_STOP off\n\\set c COMMIT\n:c;", "COMMIT"), ("\\set ON_ERROR_STOP off\nSELECT 1/0;\n\\set c ROLLBACK\n:c;", "ROLLBACK"),
    ("SET standard_conforming_strings = off;\nSELECT 'it\\'s'; COMMIT;", "COMMIT"), ("\\getenv c SNEAKY\n:c;", "COMMIT"),
]


@pytest.mark.parametrize("ends,word", SNEAKY)
def test_end_that_nobody_sees_before(files, db, folder, ends, word):
    """It isn't sent, wherever it comes from: nothing of the file stays, and it is pending as it was."""
    (folder / "inc").mkdir()
    (folder / "inc" / "common.psql").write_text("COMMIT;\nBEGIN;\n")
    db.sql(f'CREATE TABLE t (what text); ALTER TABLE t OWNER TO "{db.role}"')
    files.add("1_a.sql", sneaky(ends)).add("2_b.sql", "CREATE TABLE b (n int);")
    told = rf"(1_a|common)\.p?sql:\d+:\d+: {word}: the file is run in a transaction that embark begins and ends"
    for _ in range(2):
        files.fails(65, told, "hint: .*no transaction", env={"EMBARK_SKIP": "check", "SNEAKY": "COMMIT"})
        assert not db.sql("SELECT what FROM t") and not files.states() and not files.has("b")
    files.add("1_a.sql", "INSERT INTO t VALUES ('whole');")
    assert applied(files.serves()) == ["1_a.sql", "2_b.sql"]


@pytest.mark.parametrize("text", ["\\ir ../inc/common.psql", "\\i inc/common.psql", "SELECT 1 \\; COMMIT \\; SELECT 1;", "SELECT 1 \\gexec\nCOMMIT;"])
def test_end_that_check_sees(files, folder, text):
    (folder / "inc").mkdir()
    (folder / "inc" / "common.psql").write_text("COMMIT;\nBEGIN;\n")
    files.add("1_a.sql", text + "\n")
    files.start("check").expect(65, r"(1_a|common)\.p?sql:\d:\d+: COMMIT: the file is run in a transaction", "hint: .*no transaction")


HIDDEN = 'CREATE FUNCTION begin() RETURNS int LANGUAGE sql AS $$SELECT 1$$; {}; INSERT INTO t VALUES (\'more\'); SELECT 1 AS end;'


@pytest.mark.parametrize("word,state", [("COMMIT", "failed"), ("COMMIT AND CHAIN", "failed"), ("ROLLBACK AND CHAIN", "failed"), ("ROLLBACK", "failed")])
def test_end_that_hides_in_a_function(files, db, word, state):
    """psql takes all of it for one statement, as a function's body begins with BEGIN: the server's answers tell, and the file is recorded as failed."""
    db.sql(f'CREATE TABLE t (what text); ALTER TABLE t OWNER TO "{db.role}"')
    files.add("1_a.sql", "INSERT INTO t VALUES ('first');\n" + HIDDEN.format(word) + "\nSELECT 1/0;\n").add("2_b.sql", "CREATE TABLE b (n int);")
    files.fails(65, rf"{word.split()[0]} ends the transaction that the file is run in", r"1_a\.sql ends the transaction that it is run in, and has stopped half-way",
                "hint: .*--resolve", env={"EMBARK_SKIP": "check"})
    assert files.states() == {"1_a.sql": state} and not files.has("b")
    files.fails(65, "failed half-way, in an earlier run", env={"EMBARK_SKIP": "check"})


@pytest.mark.parametrize("text", ["DO $$ BEGIN INSERT INTO t VALUES ('x'); COMMIT; END $$;", "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;\nCALL p();",
                                  "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN ROLLBACK; END $$;\nINSERT INTO t VALUES ('x');\nCALL p();"])
def test_end_in_a_procedure(files, db, text):
    """The server refuses it in a transaction that is begun outside."""
    db.sql(f'CREATE TABLE t (what text); ALTER TABLE t OWNER TO "{db.role}"')
    files.add("1_a.sql", text + "\n")
    for _ in range(2):
        files.fails(65, r"1_a\.sql:\d:1: ERROR 2D000: invalid transaction termination")
        assert not db.sql("SELECT what FROM t") and not files.states()


def test_savepoints_and_settings_end_no_transaction(files, db):
    files.add("1_a.sql", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nCREATE TABLE a (n int);\nSAVEPOINT s;\nINSERT INTO a VALUES (1);\nRESET ALL;\n"
              "ROLLBACK TO s \\; SELECT 1;\nRESET ALL;\nSAVEPOINT t;\nRESET ALL \\; SELECT 1;\nRELEASE t;\nSAVEPOINT u;\n\\set ON_ERROR_STOP off\nSELECT 1/0;\n"
              "ROLLBACK TO u;\nINSERT INTO a VALUES (2);\n")
    files.serves()
    assert db.sql("SELECT n FROM a") == [(2,)] and files.states() == {"1_a.sql": "applied"}
