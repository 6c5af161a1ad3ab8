"""embark sql: files, as psql would run them."""

import os
import re
import signal
import subprocess
import time

import pytest

from conftest import TOP
from support.process import lines_of_json
from support.waiting import eventually

# The script of the day that embark was made for, as it was and as it should have been.
STORY = """-- The first administrator.
CREATE TABLE IF NOT EXISTS accounts (name text PRIMARY KEY, secret text);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM accounts WHERE name = 'admin') THEN
        INSERT INTO accounts VALUES ('admin', :'admin_pass');
    END IF;
END
$$;
"""
STORY_WITH_SETTING = STORY.replace("DO $$", "SELECT set_config('setup.admin_pass', :'admin_pass', false);\n\nDO $$") \
    .replace(":'admin_pass');\n    END", "current_setting('setup.admin_pass'));\n    END")
STORY_OF_EMBARK = STORY.replace(":'admin_pass'", "current_setting('embark.admin_pass')")


@pytest.fixture
def sql(embark, folder):
    """sql(db, text, *words): the text as a file, run by embark sql to its end."""
    def run(db, text, *words, name="file.sql", start=False, env=None, **how):
        path = folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        url = {} if db is None else {"DATABASE_URL": db if isinstance(db, str) else db.url}
        process = embark("sql", *words, name, env={**url, **(env or {})}, **how)
        if not start:
            process.wait(60)
        return process

    return run


def said(process):
    return [line for line in process.stderr.splitlines() if line.startswith(("embark: sql: ", "  hint:"))]


# --- the story

def test_variable_in_a_do_block_is_refused(sql, refused_port):
    """Without a word to the server: there is none."""
    process = sql(f"postgresql://app:x@127.0.0.1:{refused_port}/app", STORY, "-v", "admin_pass=Secret-1").expect(
        65, r"(?m)^embark: sql: file\.sql:7:47: :'admin_pass' stands inside of dollar quotes \(opened at 4:4\)",
        r"(?m)^  hint: write current_setting\('embark\.admin_pass'\) in its place", "nothing was sent")
    assert "Secret-1" not in process.stderr
    assert process.stdout == ""


@pytest.mark.parametrize("text", [STORY_WITH_SETTING, STORY_OF_EMBARK], ids=["set_config", "embark.NAME"])
def test_forms_that_work(sql, any_db, embark, text):
    embark.secrets.append("it's $ecret\\1")
    for _ in range(2):
        sql(any_db, text, "-v", "admin_pass=it's $ecret\\1").expect(0, r"(?m)^embark: sql: \d statements in ")
    assert any_db.sql("SELECT * FROM accounts") == [("admin", "it's $ecret\\1")]


def test_missing_variable(sql, db):
    sql(db, "SELECT 1;\n" + STORY_OF_EMBARK).expect(
        65, r'file\.sql:5:1: ERROR 42704: unrecognized configuration parameter "embark\.admin_pass"',
        r"hint: give the variable with -v NAME=VALUE", "CONTEXT: SQL statement")
    sql(db, STORY_WITH_SETTING).expect(65, r"file\.sql:4:39: the variable admin_pass is not set", "-v NAME=VALUE")


# --- errors

def test_error_in_mid_file(sql, db):
    process = sql(db, "CREATE TABLE t (id int, name text);\n"
                      "-- ä comment\n\n"
                      "SELECT id,\n"
                      "    'ä', nme\n"
                      "  FROM t;\n"
                      "CREATE TABLE never ();\n").expect(65)
    assert said(process) == [
        'embark: sql: file.sql:5:10: ERROR 42703: column "nme" does not exist',
        '  hint: Perhaps you meant to reference the column "t.name".',
        "embark: sql: LINE 5:     'ä', nme",
        "embark: sql:                  ^",
        "embark: sql: stopped after 1 statement, which stays done (-1 makes it all or nothing)"]
    assert db.value("SELECT to_regclass('t') IS NOT NULL AND to_regclass('never') IS NULL")


def test_error_behind_expanded_variables(sql, db):
    """The server counts in what was sent; what is shown is what stands in the file."""
    process = sql(db, "\\set long 'a value that is much longer than its name'\n"
                      "SELECT :'long', :'long', nope, :'long';\n").expect(65)
    assert said(process)[:3] == ['embark: sql: file.sql:2:26: ERROR 42703: column "nope" does not exist',
                                 "embark: sql: LINE 2: SELECT :'long', :'long', nope, :'long';",
                                 "embark: sql:                                  ^"]
    sql(db, "\\set bad '1 +'\nSELECT\n  :bad;\n").expect(65, r'file\.sql:3:7: ERROR 42601: syntax error at or near ";"')
    sql(db, "\\set bad 'nope'\nSELECT\n  :bad;\n").expect(65, r"file\.sql:3:3: ERROR 42703", r"LINE 3:   :bad;\n")


def test_error_of_a_long_line(sql, db):
    process = sql(db, "SELECT " + "'ä', " * 100 + "nope, " + "1, " * 100 + "1;\n").expect(65, r"file\.sql:1:508: ERROR 42703")
    line, caret = said(process)[1:3]
    assert line.startswith("embark: sql: LINE 1: ...") and line.endswith("...") and len(line) < 140
    assert line[caret.index("^"):].startswith("nope")


def test_error_in_a_function(sql, db):
    process = sql(db, "DO $$\nBEGIN\n    PERFORM 1\n      FROM nowhere;\nEND $$;\n").expect(65)
    assert said(process) == [
        'embark: sql: file.sql:1:1: ERROR 42P01: relation "nowhere" does not exist',
        "embark: sql: QUERY LINE 2:       FROM nowhere",
        "embark: sql:                          ^",
        "embark: sql: CONTEXT: PL/pgSQL function inline_code_block line 3 at PERFORM",
        "embark: sql: stopped after 0 statements, which stay done (-1 makes it all or nothing)"]


def test_details(sql, db):
    process = sql(db, "CREATE TABLE t (id int PRIMARY KEY);\nINSERT INTO t VALUES (1);\nINSERT INTO t\nVALUES (1);").expect(65)
    assert said(process)[:2] == [
        'embark: sql: file.sql:3:1: ERROR 23505: duplicate key value violates unique constraint "t_pkey"',
        "embark: sql: DETAIL: Key (id)=(1) already exists."]


def test_one_transaction(sql, db):
    process = sql(db, "CREATE TABLE t ();\nSELECT nope;\nCREATE TABLE u ();\n", "-1").expect(65, "stopped: all is rolled back")
    assert "stay done" not in process.stderr
    assert db.value("SELECT to_regclass('t') IS NULL AND to_regclass('u') IS NULL")
    sql(db, "CREATE TABLE t ();\nCREATE TABLE u ();\n", "--single-transaction").expect(0)
    assert db.value("SELECT to_regclass('t') IS NOT NULL AND to_regclass('u') IS NOT NULL")
    assert db.value("SELECT count(DISTINCT xmin::text) FROM pg_class WHERE relname IN ('t', 'u')") == 1


def test_one_transaction_over_several_files(embark, db, folder):
    (folder / "a.sql").write_text("CREATE TABLE a ();\n")
    (folder / "b.sql").write_text("\n\nSELECT 1/0;\n")
    env = {"DATABASE_URL": db.url}
    embark.run("sql", "-1", "a.sql", "b.sql", env=env).expect(65, r"b\.sql:3:1: ERROR 22012: division by zero")
    assert db.value("SELECT to_regclass('a') IS NULL")
    embark.run("sql", "a.sql", "b.sql", env=env).expect(65)
    assert db.value("SELECT to_regclass('a') IS NOT NULL")


def test_deferred_constraint_fails_at_the_end(sql, db):
    text = ("CREATE TABLE t (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);\n"
            "INSERT INTO t VALUES (1), (1);\n")
    sql(db, text, "-1").expect(65, r"COMMIT failed: .*duplicate key value .*23505", "all is rolled back")
    assert db.value("SELECT to_regclass('t') IS NULL")


def test_transactions_of_the_file(sql, db):
    sql(db, "BEGIN;\nCREATE TABLE t ();\n").expect(65, "a transaction was begun and not ended", "write COMMIT")
    assert db.value("SELECT to_regclass('t') IS NULL")
    sql(db, "BEGIN;\nCREATE TABLE t ();\nCOMMIT;\nSELECT 1;\n", "-1").expect(
        0, r"file\.sql:1: WARNING: there is already a transaction in progress",
        r"file\.sql:3: COMMIT ends the one transaction that -1 began")
    assert db.value("SELECT to_regclass('t') IS NOT NULL")


def test_on_error_continue(sql, db):
    process = sql(db, "SELECT nope;\nCREATE TABLE t (id int);\n\\copy t from 'x'\nINSERT INTO t VALUES ('x');\nINSERT INTO t VALUES (1);\n",
                  "--on-error", "continue")
    process.expect(65, "nothing was sent")  # what is known beforehand is no error to go on from
    process = sql(db, "SELECT nope;\nCREATE TABLE t (id int);\nINSERT INTO t VALUES ('x');\n\\if maybe\n\\endif\nINSERT INTO t VALUES (1);\n",
                  "--on-error=continue").expect(65, r"file\.sql:1:8: ERROR 42703", r"file\.sql:3:23: ERROR 22P02",
                                                r'file\.sql:4:1: \\if: "maybe" is neither true nor false',
                                                r"4 statements in .*, 3 failures")
    assert process.stdout == ""
    assert db.sql("SELECT id FROM t") == [(1,)]


def test_on_error_stop_of_the_file(sql, db):
    sql(db, "\\set ON_ERROR_STOP off\nSELECT nope;\nCREATE TABLE t ();\n\\set ON_ERROR_STOP on\nSELECT nope;\nCREATE TABLE u ();\n"
        ).expect(65, r"file\.sql:2:8", r"file\.sql:5:8")
    assert db.value("SELECT to_regclass('t') IS NOT NULL AND to_regclass('u') IS NULL")


def test_statements_that_want_no_transaction(sql, server, embark):
    """Several statements in one message would be one transaction: 25001."""
    url = f"postgresql://postgres@/postgres?host={server.socket_folder}&port={server.port}"
    text = "CREATE DATABASE made_by_sql;\nCREATE TABLE made (id int);\nCREATE INDEX CONCURRENTLY ON made (id);\nVACUUM made;\n"
    clean = "DROP DATABASE IF EXISTS made_by_sql;\nDROP TABLE IF EXISTS made;\n"
    sql(url, clean + text + clean).expect(0)
    sql(url, clean + text, "-1").expect(65, r"file\.sql:1:1: ERROR 25001: DROP DATABASE cannot run inside a transaction block",
                                       "hint: -1 runs all files in one transaction")
    sql(url, "SELECT 1\\; VACUUM;\n").expect(65, "hint: statements that are joined by .; are one transaction")


# --- output

def test_results(sql, db):
    process = sql(db, "SELECT 1, NULL, 'a|b', true;\nVALUES ('x\ny'), ('');\nSELECT;\nCREATE TABLE t ();\nSELECT 1/0 FROM generate_series(1, 3);").expect(65)
    assert process.stdout == "1||a|b|t\nx\ny\n\n"


def test_large_result(sql, db):
    process = sql(db, "SELECT g, repeat('x', 100) FROM generate_series(1, 200000) g;").expect(0)
    lines = process.stdout.splitlines()
    assert len(lines) == 200000 and lines[-1] == "200000|" + "x" * 100


def test_closed_output(sql, db):
    reading, writing = os.pipe()
    os.close(reading)
    sql(db, "SELECT g FROM generate_series(1, 1000000) g;", stdout=writing).expect(71, "can't be written")
    os.close(writing)


def test_notices(sql, db):
    process = sql(db, "DROP TABLE IF EXISTS nope;\n\nDO $$ BEGIN RAISE WARNING 'careful: %', 1 USING detail = 'two\nlines', hint = 'a hint'; END $$;\n"
                      "DO $$ BEGIN RAISE INFO E'\\x1b[31mred'; END $$;\n").expect(0)
    assert said(process)[:-1] == ['embark: sql: file.sql:1: NOTICE: table "nope" does not exist, skipping',
                                  "embark: sql: file.sql:3: WARNING: careful: 1", "  hint: a hint",
                                  "embark: sql: DETAIL: two", "embark: sql: DETAIL: lines",
                                  "embark: sql: file.sql:5: INFO: \\x1b[31mred"]


def test_json(sql, db):
    process = sql(db, "DROP TABLE IF EXISTS nope;\nSELECT nope;\n", env={"EMBARK_LOG_FORMAT": "json"}).expect(65)
    lines = lines_of_json(process)
    assert [line["level"] for line in lines] == ["info", "error", "error", "error", "error"]
    assert lines[1]["message"] == 'file.sql:2:8: ERROR 42703: column "nope" does not exist'
    assert {line["step"] for line in lines} == {"sql"}


# --- COPY

def test_copy(sql, db):
    process = sql(db, "CREATE TABLE t (id int, name text);\n"
                      "COPY t FROM stdin; COPY t (id) FROM stdin; SELECT count(*) FROM t;\n"
                      "1\tit's :name; \\\\x\n2\t\\N\n\n\\.\n3\n\\.\n"
                      "COPY t FROM STDIN (FORMAT csv);\r\n4,\"a\nb\"\r\n\\.\r\n"
                      "COPY t TO STDOUT;\n").expect(65, r"file\.sql:5: ERROR 22P02: invalid input syntax for type integer: \"\"")
    assert process.stdout == ""
    process = sql(db, "COPY t FROM stdin; COPY t (id) FROM stdin; SELECT count(*) FROM t;\n"
                      "1\tit's :name; \\\\x\n2\t\\N\n\\.\n3\n\\.\n"
                      "COPY t FROM STDIN (FORMAT csv);\r\n4,\"a\nb\"\r\n\\.\r\n"
                      "COPY (SELECT * FROM t WHERE name IS NOT NULL) TO STDOUT;\n").expect(0)
    assert process.stdout == "3\n1\tit's :name; \\\\x\n4\ta\\nb\n"


def test_copy_to_the_files_end(sql, db):
    sql(db, "CREATE TABLE t (id int);\nCOPY t FROM stdin;\n1\n2").expect(0, r"file\.sql:2:1: no line \\\. ends the data")
    assert db.value("SELECT count(*) FROM t") == 2


def test_data_of_a_copy_that_fails(sql, db):
    """psql would take the data for SQL."""
    process = sql(db, "COPY nope FROM stdin;\nDROP TABLE t\n\\.\nCREATE TABLE t ();\nCOPY t FROM stdin WITH BINARY;\nSELECT 5;\n",
                  "--on-error", "continue").expect(65, r"file\.sql:1:1: ERROR 42P01", "binary format")
    assert process.stdout == "5\n"
    assert len([line for line in said(process) if "ERROR" in line]) == 2, process.describe()


def test_copy_of_megabytes(sql, db):
    data = "".join(f"{i}\t{'x' * 200}\n" for i in range(50000))
    sql(db, f"CREATE TABLE t (id int, name text);\nCOPY t FROM stdin;\n{data}\\.\nSELECT sum(id) FROM t;\n").expect(0)
    assert db.sql("SELECT count(*), max(length(name)) FROM t") == [(50000, 200)]


# --- variables

def test_interpolation(sql, db):
    process = sql(db, "SELECT :n + 1, :'q', :\"c\", :{?n}, :{?nope}, '12:30'::time, (ARRAY[1, 2, 3])[1:2], 1\\:\\:int, '\\:'\n"
                      "  FROM (SELECT 'x' AS \"it's \"\"so\"\"\") t -- :nope 'it''s'\n; SELECT $$:nope$$, E'\\':nope', /* :nope */ \":n\" FROM (SELECT 1 AS \":n\") t;\n",
                  "-v", "n=41", "-v", "q=it's \\ so", "-v", 'c=it\'s "so"').expect(0)
    assert process.stdout == "42|it's \\ so|x|t|f|12:30:00|{1,2}|1|\\:\n:nope|':nope|1\n"


def test_meta_commands(sql, db, folder):
    (folder / "parts").mkdir()
    (folder / "parts" / "one.sql").write_text("\\ir 'two.sql';\n\\echo one :x\n")
    (folder / "parts" / "two.sql").write_text("\\set x 2\nSELECT 'two' \\q\nSELECT 'never';\n")
    process = sql(db, r"""\set list a ' b ' :n
\echo :list -n x
\echo -n 'no newline; ' "quoted" :'list'
\echo
SELECT 1 AS one, NULL AS none, 'sp ace' AS text \gset got_
\echo :got_one :{?got_none} :'got_text'
SELECT 'SELECT ' || g, NULL, 'SELECT ''x'' || ' || g FROM generate_series(1, 2) g \gexec
\i parts/one.sql
\if :{?nope}
  \echo never
  SELECT :nope;
  \copy t from 'x'
\elif off
  \echo never
\else
  SELECT 'else'
\endif
  , \if true \\ 'a' \else \\ 'b' \endif
 'c';
SELECT 5 \g
\g
SELECT 6 \g (format=csv)
SELECT 'dropped' \r
\getenv home HOME_OF_TEST
\getenv home NOT_SET
\echo :home
\unset home
\echo :{?home} \\ SELECT 'behind';
SELECT 1 AS a UNION SELECT 2;
\echo :ROW_COUNT :ERROR :SQLSTATE :USER
\warn be careful
\pset null x \\ SELECT NULL \p \\ ;
SELECT 7;
SELECT 8""", "-v", "n=7", env={"HOME_OF_TEST": "/home/x"}).expect(0, r"(?m)^embark: sql: file\.sql:31: be careful$")
    assert process.stdout.splitlines() == [
        "a b 7 -n x", "no newline;  \"quoted\" 'a b 7'", "1 FALSE 'sp ace'", "1", "x1", "2", "x2", "two", "one 2",
        "else|ac", "5", "5", "6", "/home/x", "FALSE", "behind", "1", "2", f"2 false 00000 {db.role}",
        "SELECT NULL ", "", "7", "8"], process.stdout


def test_refused_meta_commands(sql, refused_port):
    url = f"postgresql://app:x@127.0.0.1:{refused_port}/app"
    process = sql(url, "\\c other\n\\copy t from 'x'\n\\! rm -rf /\n\\o |x\n\\nope\n\\set AUTOCOMMIT off\n\\set x `date`\nSELECT 1 \\watch\n").expect(65)
    places = re.findall(r"file\.sql:(\d+):(\d+): \\(\S+): ", process.stderr)
    assert [p[0] for p in places] == ["1", "2", "3", "4", "6", "7", "8"], process.describe()
    assert "file.sql:5:1: there is no meta-command \\nope" in process.stderr
    assert process.stderr.count("  hint: ") == 6


def test_files_that_include_themselves(embark, folder, db):
    (folder / "a.sql").write_text("\\i a.sql\n\\i a.sql\n")
    (folder / "b.sql").write_text("\\if true\n\\ir b.sql\n\\ir b.sql\n\\endif\n")
    (folder / "c.sql").write_text("\\i nope.sql\n")
    for name, text in (("a.sql", "files include each other more than 32 deep"), ("b.sql", "more than 32 deep"),
                       ("c.sql", r"c\.sql:1:1: nope\.sql: No such file")):
        embark.run("sql", name, env={"DATABASE_URL": db.url}).expect(65, text)


def test_settings(sql, db):
    """Every variable is current_setting('embark.NAME'), whenever it was set and whatever was rolled back."""
    process = sql(db, r"""
SELECT current_setting('embark.a');
\set a 'new'
SELECT current_setting('embark.a');
BEGIN;
\set a 'in transaction'
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
DO $$ BEGIN RAISE INFO '%', current_setting('embark.a'); END $$;
ROLLBACK;
SELECT current_setting('embark.a'), current_setting('embark.b');
DISCARD ALL;
SELECT current_setting('embark.a');
\set c 1
BEGIN;
SELECT 1/0;
ROLLBACK;
SELECT current_setting('embark.c'), current_setting('embark.embark', true) IS NULL;
""", "-v", "a=first", "-v", "b=it's", "-v", "1x=y", "--on-error", "continue")
    process.expect(65, "the variable 1x is not set as embark.1x", r"file\.sql:8: INFO: in transaction", "1 failure$")
    assert process.stdout.splitlines() == ["first", "new", "in transaction|it's", "in transaction", "1|t"]


def test_setting_in_one_transaction(sql, db):
    process = sql(db, "SELECT current_setting('embark.a');\n\\set a 2\nSELECT current_setting('embark.a');", "-1", "-v", "a=1").expect(0)
    assert process.stdout == "1\n2\n"


def test_secrets(sql, db, embark):
    """What is called like a password is shown nowhere, whatever the file does."""
    secret = "Tr0ub4dor&3"
    embark.secrets.append(secret)
    process = sql(db, r"""SELECT :'app_password', 'x' || :'app_password';
\echo :app_password
\warn :app_password
\set copied_secret 'Other-Secret-9'
COPY (SELECT :'app_password') TO STDOUT;
DO $$ BEGIN RAISE NOTICE 'it is %', current_setting('embark.app_password'); END $$;
SELECT :'app_password'::int;
SELECT 'PASSWORD ''Tr0ub4dor&3''', nope;
CREATE ROLE x PASSWORD :'app_password' nope;
SELECT 'SELECT ' || quote_literal(:'app_password') || '::int' \gexec
SELECT :'copied_secret';
""", "-v", f"app_password={secret}", "--on-error", "continue").expect(65)
    assert secret not in process.stdout + process.stderr, process.describe()
    assert "Other-Secret-9" not in process.stdout + process.stderr
    assert process.stdout.splitlines() == ["****|x****", "****", "****", "****"]
    caret = [said(process)[i + 1] for i, line in enumerate(said(process)) if "LINE 8" in line][0]
    line = [line for line in said(process) if "LINE 8" in line][0]
    assert line[caret.index("^"):].startswith("nope"), process.describe()


# --- the manual page

PAGE = TOP / "doc/embark-sql.1"


def test_manual_page_is_well_formed():
    done = subprocess.run(["mandoc", "-Tlint", "-Wstyle", PAGE], capture_output=True, text=True)
    assert not [line for line in (done.stdout + done.stderr).splitlines()
                if re.search("STYLE|WARNING|ERROR|UNSUPP", line) and "referenced manual not found" not in line]


def test_manual_page_names_every_meta_command():
    table = dict(re.findall(r'^    X\("([^"]+)", (\w+),', (TOP / "include/embark/core/sql/meta.h").read_text(), re.M))
    assert table["set"] == "SET" and table["copy"] == "REFUSED" and len(table) > 60
    page = PAGE.read_text()
    section = page[page.index(".Ss Meta-commands"):page.index(".Sh OUTPUT")]
    refused = section.index("\nRefused: a file runs")
    effect = section.index("\nHave no effect")
    for name, what in table.items():
        at = re.search(rf"Ic \\e{re.escape(name)}( |$)", section, re.M)
        assert at, name
        assert (at.start() > effect) == (what == "REFUSED"), name
    assert effect < refused


# --- what a file can be

def test_byte_order_mark_and_crlf(sql, db):
    process = sql(db, b"\xef\xbb\xbfSELECT 1;\r\n\r\n\\set x 5\r\n\\echo :x\r\nSELECT\r\n  :x\r\n;\r\nSELECT\r\n  nope;\r\n").expect(
        65, r"file\.sql:9:3: ERROR 42703")
    assert process.stdout == "1\n5\n5\n"
    sql(db, b"\xef\xbb\xbfSELECT nope;").expect(65, r"file\.sql:1:8: ERROR")


def test_nul_bytes(sql, refused_port):
    url = f"postgresql://app:x@127.0.0.1:{refused_port}/app"
    sql(url, b"SELECT 1;\n 'a\0b';").expect(65, r"file\.sql:2:4: a NUL byte")
    sql(url, "SELECT 1;".encode("utf-16")).expect(65, "iconv")
    sql(url, b"PGDMP\x01\x0e").expect(65, "pg_restore")


def test_invalid_utf8(sql, db):
    process = sql(db, b"SELECT 1;\n\nSELECT '\xff\xfe';\n").expect(65, r"file\.sql:3:1: ERROR 22021: invalid byte sequence")
    assert process.stdout == "1\n"
    process = sql(db, b"SET client_encoding = 'LATIN1';\nSELECT length('\xe4\xf6'), nope;\n").expect(65, r"file\.sql:2:22: ERROR 42703")
    sql(db, b"SET client_encoding = 'SJIS';\nSELECT 1;\n").expect(65, "with client_encoding SJIS quotes can't be told from text")


def test_ten_megabytes(sql, db):
    one = "INSERT INTO t VALUES ($$" + "it's; " * 160 + "$$);\n"
    text = "CREATE TABLE t (a text);\nBEGIN;\n" + one * 1000 + "COMMIT;\n"
    text += "SELECT length('" + "ä" * 5_000_000 + "');\n"
    assert len(text.encode()) > 10_000_000
    process = sql(db, text).expect(0)
    assert process.stdout == "5000000\n"
    assert db.value("SELECT count(*) FROM t") == 1000


def test_empty_files(sql, db):
    for text in ("", "\n\n", "-- nothing\n", "/* nothing */\n", ";", "\ufeff"):
        assert sql(db, text).expect(0).stdout == ""


def test_what_is_no_file(embark, db, folder):
    os.mkfifo(folder / "fifo.sql")
    env = {"DATABASE_URL": db.url}
    (folder / "setup.sqll").write_text("SELECT 1;")
    for path, text in ((folder, "is a directory"), ("fifo.sql", "is a FIFO"), ("nope/x.sql", "No such file"), ("/dev/zero", "is a character device"),
                       ("setup.sql", "setup.sqll")):
        embark.run("sql", path, env=env).expect(65, text)


def test_standard_input(embark, db):
    process = embark.run("sql", "-", "-", env={"DATABASE_URL": db.url}, stdin=b"CREATE TABLE t (id int);\nCOPY t FROM stdin;\n1\n\\.\nSELECT * FROM t;\nSELECT nope;")
    process.expect(65, r"stdin:6:8: ERROR 42703")
    assert process.stdout == "1\n"


def test_standard_strings(sql, db):
    process = sql(db, "SET standard_conforming_strings = off;\nSET escape_string_warning = off;\nSELECT 'it\\'s; :x';\n"
                      "SET standard_conforming_strings = on;\nSELECT 'a\\';\n").expect(0)
    assert process.stdout == "it's; :x\na\\\n"


# --- the command line, the database

def test_usage(embark, db):
    env = {"DATABASE_URL": db.url}
    for words in ([], ["-1"], ["-v"], ["-v", "a-b=1", "x.sql"], ["-v", "=1", "x.sql"], ["--on-error", "ignore", "x.sql"], ["-x", "x.sql"],
                  ["-1", "--on-error", "continue", "x.sql"]):
        embark.run("sql", *words, env=env).expect(64)


def test_database(sql, db, refused_port):
    sql(None, "SELECT 1;").expect(78, "no database is named")
    sql(f"postgresql://app:x@127.0.0.1:{refused_port}/app", "SELECT 1;", env={"EMBARK_DATABASE_TIMEOUT": "200ms"}).expect(69)
    sql(db.url_as(password="Wrong-pw"), "SELECT 1;").expect(77)
    sql("postgresql://nobody:Nobody-pw@127.0.0.1:1/x", "SELECT current_user;", env={"EMBARK_DATABASE_URL": db.url}).expect(0)
    process = sql(f"postgresql://app:x@127.0.0.1:{refused_port}/app", "SELECT 1;", env={"EMBARK_DATABASE_URL": db.url, "EMBARK_DATABASE_DIRECT_URL": db.socket_url})
    assert process.expect(0).stdout == "1\n"


def test_waits_for_the_server(own_server, embark, folder):
    server = own_server().start()
    db = server.database()
    embark.secrets.append(db.password)
    server.stop()
    (folder / "x.sql").write_text("SELECT 'ran';")
    process = embark("sql", "x.sql", env={"DATABASE_URL": db.url})
    process.wait_for_line("refuses connections")
    server.start()
    assert process.expect(0).stdout == "ran\n"


def active(db, what):
    return db.sql("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE %s"
                  " AND pid <> pg_backend_pid()", (what,))


def test_stopped(sql, db):
    """At once, and the server doesn't go on with the statement for long."""
    process = sql(db, "SELECT pg_sleep(600);", start=True)
    eventually(lambda: active(db, "SELECT pg_sleep%"), what="the statement runs")
    began = time.monotonic()
    process.signal(signal.SIGTERM)
    process.expect(143)
    assert time.monotonic() - began < 2
    eventually(lambda: not active(db, "SELECT pg_sleep%"), what="the server notices that nobody waits any more")


def test_connection_lost(sql, db):
    process = sql(db, "SELECT 1;\n\n  SELECT pg_sleep(600);\nSELECT 2;\n", "--on-error", "continue", start=True)
    eventually(lambda: active(db, "SELECT pg_sleep%"), what="the statement runs")
    db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND datname = current_database()")
    process.expect(69, r"(?m)^embark: sql: file\.sql:3:3: .*terminating connection due to administrator command \(57P01\)")
    assert process.stdout == "1\n"


def test_pooler(sql, db, bouncer):
    pooler = bouncer(db, "transaction")
    url = db.url_as(host="127.0.0.1", port=pooler.port)
    process = sql(url, "CREATE TABLE t (id int);\nCOPY t FROM stdin;\n1\n\\.\nSELECT * FROM t;\n", "-1").expect(0)
    assert process.stdout == "1\n"
