"""The lock: a server whose lock is none, a slow one, a paused holder, databases whose bytes are no UTF-8."""

import os
import re
import signal

import pytest

from support import forger, postgres
from support.apps import outcomes
from support.net import StatementProxy
from support.waiting import eventually

from test_migrate import config, failed, holders, ready


@pytest.fixture
def front(embark):
    """front(server, answer, backends): a Forger."""
    made = []

    def make(*words, **how):
        made.append(forger.Forger(*words, **how))
        return made[-1]

    yield make
    embark.end()
    for one in made:
        one.close()


# --- a lock that is none

def says_true(text):
    return forger.row(b"t") if "pg_try_advisory_xact_lock" in text else None


def empty_locks(text):
    return forger.row(b"1", b"0", b"0") if "pg_lock_status" in text else None


def no_locks_view(text):
    return forger.error("42883", "unknown function: pg_catalog.pg_lock_status()") if "pg_lock_status" in text else None


@pytest.mark.parametrize("how", [{"answer": says_true}, {"answer": empty_locks}, {"answer": no_locks_view}, {"backends": 2}],
                         ids=["says-true", "pg-locks-are-empty", "no-pg-locks", "statement-pooling"])
def test_lock_that_is_none(db, embark, migration, front, how):
    """Everybody is told that it is had: nobody migrates, and the server is named."""
    db.make_ledger()
    url = front(db.server, **how).url(db)
    started = [embark("echo", "served", env={"DATABASE_URL": url}, config=config(migration("apply:one"))) for _ in range(2)]
    for process in started:
        failed(process, 77, rf"PostgreSQL {postgres.DEFAULT}.* says that the lock \"embark\" is ours, and ", r"hint: .*direct_url.*CockroachDB")
    assert db.value("SELECT count(*) FROM runs") == 0


@pytest.mark.parametrize("how", [{"answer": says_true}, {"answer": empty_locks}], ids=["says-true", "pg-locks-are-empty"])
def test_doctor_finds_a_lock_that_is_none(db, embark, migration, front, how):
    """Where a start would need it; one that has nothing to run doesn't."""
    db.make_ledger()
    env = {"DATABASE_URL": front(db.server, **how).url(db)}
    keys = config(migration.script("true"))
    process = embark.run("doctor", "--", "true", env=env, config=keys).expect(77)
    said = " ".join(process.stdout.split())
    assert re.search(r"✗ \S+ \(PostgreSQL .*\) says that the lock \"doctor [0-9a-f]{16}\" is ours, and ", said), process.describe()
    failed(embark("echo", "served", env=env, config=keys), 77, "is ours, and ")
    build = keys + "[image]\nbuild = 1\n"
    ready(embark("echo", "served", env={"DATABASE_URL": db.url}, config=build))
    embark.run("doctor", "--", "true", env={"DATABASE_URL": db.url}, config=build).expect(0)
    embark.run("doctor", "--", "true", env=env, config=build).expect(0)
    ready(embark("echo", "served", env=env, config=build))


def test_honest_proxy_is_no_liar(db, embark, migration, front):
    db.make_ledger()
    url = front(db.server).url(db)
    ready(embark("echo", "served", env={"DATABASE_URL": url, "PGAPPNAME": "x"}, config=config(migration("apply:one"))))


def test_bootstrap_under_a_lock_that_is_none(own_server, embark, front):
    server = own_server().start()
    url = f"postgresql://postgres@127.0.0.1:{front(server, answer=says_true).port}/postgres"
    process = embark("echo", "served", env={"DATABASE_URL": f"postgresql://app:pw@127.0.0.1:{server.port}/app"},
                     config=f"[bootstrap]\nurl = {url}\n")
    failed(process, 77, "says that the lock .* is ours")
    assert server.value("SELECT count(*) FROM pg_database WHERE datname = 'app'") == 0


# --- between its taking and the command's start

@pytest.mark.parametrize("statement", ["CREATE TABLE IF NOT EXISTS", "INSERT INTO"])
def test_lock_that_is_lost_before_the_command(db, embark, migration, statement):
    db.make_ledger()

    def lose(text):
        if statement in text and "embark_ledger" in text:
            db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'embark:migrate%%'"
                   " AND datname = current_database()")
        return False

    proxy = StatementProxy(db.server, lose)
    process = embark("echo", "served", env={"DATABASE_URL": db.url_as(host="127.0.0.1", port=proxy.port)}, config=config(migration("apply:one")))
    failed(process, 80, r"the lock \"embark\" was lost before the migration began", timeout=30)
    proxy.close()
    assert db.value("SELECT count(*) FROM runs") == 0
    ready(embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(migration("apply:one"))))


# --- slow is not lost

def test_server_that_is_stopped_for_longer_than_a_heartbeat(own_server, embark, migration, folder):
    """Its kernel goes on: 25 s without an answer are no loss."""
    server = own_server().start()
    db = server.database().make_ledger()
    script = migration.script(f"touch {folder}/begun; while [ ! -e {folder}/go ]; do sleep 0.05; done")
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(script))
    process.wait_for_file(folder / "begun")
    stopped = [server.popen.pid, *holders(db)]
    try:
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        process.wait_for_line("has not answered the heartbeat for 1[0-9] s", timeout=30)
        process.wait_for_line(r"runs for (2[5-9]|[3-9]\d)\.\d s", timeout=30)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    process.wait_for_line(r"answers after \d+ s; the lock \"embark\" is held", timeout=30)
    (folder / "go").touch()
    ready(process)
    assert outcomes(db) == ["done"]


# --- a paused holder

HOLDER = """[ ! -e {folder}/begun ] || exit 0
touch {folder}/begun
while [ ! -e {folder}/go ]; do sleep 0.05; done
echo late >> {folder}/late
"""


@pytest.mark.parametrize("ends", [False, True], ids=["goes on", "has ended meanwhile"])
def test_holder_that_was_stopped_and_lost_its_lock(db, embark, migration, folder, ends):
    """It notices before anything else is done: its migration is ended, nothing is noted, no service is started."""
    script = migration.script(HOLDER.format(folder=folder))
    first = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(script))
    first.wait_for_file(folder / "begun")
    holder = eventually(lambda: holders(db))[0]
    first.signal(signal.SIGSTOP)
    db.sql("SELECT pg_terminate_backend(%s)", (holder,))
    ready(embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(script)))
    if ends:
        (folder / "go").touch()
        eventually(lambda: (folder / "late").exists())
    first.signal(signal.SIGCONT)
    failed(first, 80, r"the lock \"embark\" was lost")
    assert (folder / "late").exists() == ends
    assert outcomes(db) == ["interrupted", "done"]


def test_holder_that_was_stopped_and_kept_its_lock(db, embark, migration, folder):
    """Longer than the heartbeat's gap."""
    script = migration.script(HOLDER.format(folder=folder))
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(script))
    process.wait_for_file(folder / "begun")
    process.wait_for_line("runs for", timeout=30)
    process.signal(signal.SIGSTOP)
    eventually(lambda: db.value("SELECT clock_timestamp() - state_change > '7 s' FROM pg_stat_activity WHERE pid = %s", (holders(db)[0],)),
               timeout=30)
    process.signal(signal.SIGCONT)
    (folder / "go").touch()
    ready(process)


# --- bytes

@pytest.mark.parametrize("encoding,statement", [
    ("SQL_ASCII", b"SELECT pg_sleep(SECONDS) /* caf\xe9 */"),
    ("LATIN1", b"SELECT pg_sleep(SECONDS) /* caf\xe9 */"),
    ("EUC_JP", b"SELECT pg_sleep(SECONDS) /* \x8f\xa2\xb7 \xa1\xc0 \xad\xa1 */"),
], ids=["SQL_ASCII", "LATIN1", "EUC_JP"])
def test_statement_whose_bytes_are_no_utf8(server, embark, folder, migration, encoding, statement):
    """The heartbeat doesn't read it, and what does is refused nothing; neither is the next start, which looks for what is left."""
    db = server.database()
    embark.secrets.append(db.password)
    server.sql(f'DROP DATABASE "{db.name}"')
    server.sql(f'CREATE DATABASE "{db.name}" OWNER "{db.role}" TEMPLATE template0 ENCODING \'{encoding}\' LC_COLLATE \'C\' LC_CTYPE \'C\'')
    for name, seconds in (("first", b"100"), ("second", b"6")):
        (folder / name).write_bytes(statement.replace(b"SECONDS", seconds) + b";\n")
    script = migration.script(f'PGCLIENTENCODING={encoding} exec psql -XAtq -f {folder}/$REPLICA "{db.url}"')
    first = embark("echo", "served", env={"DATABASE_URL": db.url, "REPLICA": "first"}, config=config(script), pid1=True)
    first.wait_for_line(r"runs for .*pg_sleep\(100\)", timeout=30)
    first.signal(signal.SIGKILL)
    first.wait()
    second = embark("echo", "served", env={"DATABASE_URL": db.url, "REPLICA": "second", "EMBARK_SERVICE_GRACE": "1s"}, config=config(script))
    second.wait_for_line(r"still works on: SELECT pg_sleep\(100\)", timeout=30)
    ready(second, timeout=60)
    second.wait_for_line(r"runs for .*pg_sleep\(6\)")
    db.drop()


def test_nothing_that_can_fail_is_sent_on_the_locks_connection(db, embark, migration, front, folder):
    """But for its end, SELECT 1 is all."""
    db.make_ledger()
    proxy = front(db.server)
    script = migration.script(HOLDER.format(folder=folder))
    process = embark("echo", "served", env={"DATABASE_URL": proxy.url(db)}, config=config(script))
    process.wait_for_line("runs for 1", timeout=40)
    (folder / "go").touch()
    ready(process)
    lock = next(asked for asked in proxy.sessions if any("pg_try_advisory" in text for text in asked))
    proved = next(i for i, text in enumerate(lock) if "pg_lock_status" in text)
    assert set(lock[proved + 1:-1]) == {"SELECT 1"} and lock[-1] == "COMMIT", lock
