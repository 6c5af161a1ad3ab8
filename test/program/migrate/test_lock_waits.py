"""[migrate] set and lock_retries: a migration that waits for a table's lock doesn't keep the service waiting behind it."""

import re
import signal

import pytest

from conftest import PYTHON
from support.apps import outcomes
from support.process import send
from support.pgbouncer import PgBouncer
from support.sql_files import Files, applied
from support.waiting import eventually

AGAIN = r"migrations/2_add\.sql:2:1: canceling statement due to lock timeout; blocked by report \(pid %d\), role \w+, idle in transaction for \d+ s, " \
        r"holds AccessShareLock on public\.orders; tried again in .*, and (\d+) times more"


@pytest.fixture
def files(folder, embark, db):
    """A table that is there, and a migration that wants all of it."""
    db.sql(f"CREATE TABLE orders (id integer); ALTER TABLE orders OWNER TO {db.role}")
    files = Files(folder, embark, db).add("1_first.sql", "CREATE TABLE first (n integer);")
    return files.add("2_add.sql", "INSERT INTO first VALUES (1);\nALTER TABLE orders ADD COLUMN age integer;")


def begun(db):
    connection = db.connect_as_role(application_name="report")
    connection.autocommit = False
    return connection


@pytest.fixture
def reader(db):
    """Somebody reads in a transaction that doesn't end."""
    connection = begun(db)
    connection.cursor().execute("SELECT count(*) FROM orders")
    yield connection
    connection.close()


def again(reader):
    """On a busy machine nobody may be seen during one of the tries."""
    return re.compile(AGAIN % reader.info.backend_pid)


def waits_for_lock(db):
    return db.value("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'orders'::regclass")


# --- lock_retries

def test_tried_again_until_it_is_had(files, db, reader):
    """Others read while it isn't waiting; the transaction is whole in the end."""
    process = files.start(set="lock_timeout=200ms", lock_retries=50)
    left = int(process.wait_for_line(again(reader), timeout=30)[1])
    other = db.connect_as_role()
    other.cursor().execute("SELECT count(*) FROM orders")
    other.close()
    process.wait_for_line(rf"tried again in .*, and {left - 1} times more", timeout=30)
    assert files.states() == {"1_first.sql": "applied"}
    reader.commit()
    process.expect(0, "ready in", timeout=40)
    assert applied(process) == ["1_first.sql", "2_add.sql"] and "ERROR" not in process.stderr
    assert db.value("SELECT count(*) FROM first") == 1 and set(files.states().values()) == {"applied"}
    assert db.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'age'") == 1


def test_no_more_tries(files, db, reader):
    process = files.fails(65, "tried again in", r"2_add\.sql:2:1: ERROR 55P03: canceling statement due to lock timeout",
                          rf"blocked by report \(pid {reader.info.backend_pid}", set="lock_timeout=2s", lock_retries=1)
    assert process.stderr.count("tried again in") == 1
    assert files.states() == {"1_first.sql": "applied"} and outcomes(db) == ["failed"]
    reader.commit()
    assert applied(files.serves()) == ["2_add.sql"]


def test_without_retries_it_is_said_who_holds_it(files, reader):
    files.fails(65, r"ERROR 55P03", r"blocked by report \(pid", set="lock_timeout=2s")


def test_the_deadline_counts(files, db, reader):
    files.fails(80, "tried again in", r"the migration did not end within 2 s", set="lock_timeout=200ms", lock_retries=1000, timeout="2s")
    assert files.states() == {"1_first.sql": "applied"} and not waits_for_lock(db)


@pytest.mark.parametrize("number,code", [(signal.SIGTERM, 143), (signal.SIGKILL, 137)])
def test_ended_during_the_gap(files, db, reader, number, code):
    process = files.start(set="lock_timeout=200ms", lock_retries=1000)
    process.wait_for_line(again(reader), timeout=30)
    send(process.popen.pid, number)
    assert process.wait(20) in (code, -number), process.describe()
    reader.commit()
    assert applied(files.serves()) == ["2_add.sql"]
    assert db.value("SELECT count(*) FROM first") == 1


def test_backend_killed_while_it_waits(files, db, reader):
    """What it did is not known to be nothing until the server says so: the start fails, and the next one goes on."""
    process = files.start(set="lock_timeout=20s", lock_retries=5)
    eventually(lambda: waits_for_lock(db))
    db.sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND relation = 'orders'::regclass")
    assert process.wait(30) != 0 and files.states() == {"1_first.sql": "applied"}, process.describe()
    reader.commit()
    assert applied(files.serves()) == ["2_add.sql"]


@pytest.mark.parametrize("text,repeated", [
    ("ALTER TABLE orders ADD COLUMN age integer;", True), ("UPDATE orders SET id = 1;", True), ("VACUUM FULL orders;", True),
    ("DO $$ BEGIN ALTER TABLE orders ADD COLUMN age integer; END $$;", False), ("BEGIN;\nALTER TABLE orders ADD COLUMN age integer;\nCOMMIT;", False),
    ("SELECT 1 \\; ALTER TABLE orders ADD COLUMN age integer;", False), ("REINDEX TABLE orders;", False),
])
def test_without_a_transaction(files, db, text, repeated):
    """A statement alone is repeated where it is one transaction of the server's; others may have left something behind."""
    other = begun(db)
    other.cursor().execute("LOCK orders")
    files.add("2_add.sql", f"-- embark: no transaction\nINSERT INTO first VALUES (1);\n{text}")
    process = files.start(set="lock_timeout=300ms", lock_retries=50)
    if repeated:
        process.wait_for_line(r"2_add\.sql:3:1: canceling.*blocked by report .*AccessExclusiveLock.*tried again", timeout=30)
        other.commit()
        process.expect(0, "ready in", timeout=40)
        assert db.value("SELECT count(*) FROM first") == 1
    else:
        process.expect(65, "ERROR 55P03", "has stopped half-way", timeout=40)
        assert "tried again" not in process.stderr and files.states()["2_add.sql"] == "failed"
    other.close()


def test_an_index_that_was_not_finished_is_told(files, db):
    other = begun(db)
    other.cursor().execute("INSERT INTO orders VALUES (1)")
    files.add("2_add.sql", "-- embark: no transaction\nCREATE INDEX CONCURRENTLY orders_id ON orders (id);")
    files.fails(65, "ERROR 55P03", "left INVALID: DROP INDEX", set="lock_timeout=200ms", lock_retries=9)
    other.close()


# --- set

def test_settings_hold_for_each_file_and_no_longer(files, db):
    show = "INSERT INTO said SELECT current_setting('lock_timeout'), current_setting('work_mem');\n"
    db.sql(f"CREATE TABLE said (lock text, work text); ALTER TABLE said OWNER TO {db.role}")
    files.add("1_first.sql", show + "SET lock_timeout = 7;\n" + show).add("2_add.sql", "-- embark: no transaction\n" + show)
    files.serves(set="lock_timeout=5s\n      work_mem = 5MB", env={})
    assert db.sql("SELECT * FROM said") == [("5s", "5MB"), ("7ms", "5MB"), ("5s", "5MB")]
    files.add("3_third.sql", show).serves(env={"EMBARK_MIGRATE_SET": "lock_timeout=6s"}, set="work_mem=5MB")
    assert db.sql("SELECT lock FROM said")[3:] == [("6s",)]
    assert "everything is applied" in files.serves(set="lock_timeout=1s").stderr  # no part of the identity


@pytest.mark.parametrize("value,pattern", [
    ("lock_timeout", r'set: "lock_timeout" is no NAME=VALUE'), ("lock_timeout=5sec", r'"5sec" is no time of the server'),
    ("lock_timeout=1m", "no time"), ("search_path=app", "search_path says where"), ("ROLE=app", "ROLE says where"),
    ("client_encoding=LATIN1", "embark's own"), ("embark.x=1", "embark's own"), ("a b=1", "no NAME=VALUE"),
])
def test_what_is_wrong_is_told_without_a_server(files, value, pattern):
    files.start("check", set=value).expect(78, rf"embark\d*\.ini:\d+: .*{pattern}")
    files.fails(78, pattern, set=value)


@pytest.mark.parametrize("value,pattern", [("no_such=1", "no_such"), ("work_mem=much", "work_mem"), ("log_statement=all", "permission denied")])
def test_what_the_server_refuses_is_told_before_anything_runs(files, db, value, pattern):
    process = files.fails(78, rf"embark\d*\.ini:\d+: set: .*{pattern}", set=value)
    assert applied(process) == [] and outcomes(db) == []


@pytest.mark.parametrize("value,pattern", [("many", "no number up to 1000"), ("1001", "no number"), ("-1", "no number")])
def test_lock_retries_is_a_number(files, value, pattern):
    files.fails(78, pattern, lock_retries=value)


def test_retries_of_what_never_gives_up_are_warned_of(files):
    files.start("check", lock_retries=3).expect(0, r"embark\d*\.ini:\d+: lock_retries: no statement gives up", "hint: set = lock_timeout=5s")
    assert "gives up" not in files.start("check", lock_retries=3, set="lock_timeout = 1s").expect(0).stderr


def command(embark, db, folder, url=None, env=None, **keys):
    config = f"[migrate]\ncommand = {PYTHON} -c 'import os, psycopg2; c = psycopg2.connect(os.environ[\"DATABASE_URL\"]).cursor(); " \
             "c.execute(\"SHOW lock_timeout\"); print(\"it is\", c.fetchone()[0])'\n" + "".join(f"{k} = {v}\n" for k, v in keys.items())
    return embark("echo", "served", env={"DATABASE_URL": url or db.url, **(env or {})}, config=config, cwd=folder)


def test_a_command_gets_them(embark, db, folder):
    command(embark, db, folder, set="lock_timeout=5s").expect(0, "it is 5s", timeout=40)
    command(embark, db, folder, set="lock_timeout=6s", env={"PGOPTIONS": "-c work_mem=5MB", "EMBARK_MIGRATE_LEDGER": "off"}).expect(0, "it is 6s", timeout=40)


def test_psql_gets_them(embark, db, folder):
    embark("echo", "served", env={"DATABASE_URL": db.url}, cwd=folder,
           config="[migrate]\ncommand = sh -c 'psql -XAtc \"SHOW lock_timeout\" \"$DATABASE_URL\"'\nset = lock_timeout=9s\n").expect(0, "9s", timeout=40)


def test_a_command_that_would_not_get_them(embark, db, folder):
    url = db.url_as(query="options=-c%20work_mem%3D5MB")
    command(embark, db, folder, url=url, set="lock_timeout=5s").expect(78, "the URL has options of its own", "hint: .*lock_timeout%3D5s", timeout=40)
    command(embark, db, folder, set="lock_timeout=5s", lock_retries=3).expect(78, r"lock_retries is for \[migrate\] sql", timeout=40)


@pytest.mark.parametrize("more", [{}, {"ignore_startup_parameters": "options"}])
def test_poolers(embark, db, folder, more):
    """One that refuses options, and one that is told to overlook them."""
    pooler = PgBouncer(db, "session", **more)
    try:
        process = command(embark, db, folder, url=pooler.url, set="lock_timeout=5s")
        process.expect(78, r"set: a command gets it by PGOPTIONS, and .*(refuses|overlooks) options", timeout=40)
        assert "it is" not in process.stderr
    finally:
        pooler.stop()
