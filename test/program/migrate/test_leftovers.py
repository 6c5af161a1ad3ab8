"""What a killed run has left on the server, of roles that ours may not see as well: no second migration beside it."""

import signal
import time
from pathlib import Path

import psycopg2
import pytest

from support.apps import ledger, outcomes
from support.process import alive, send
from support.waiting import eventually, steadily

from test_migrate import config, failed, lock_key, ready

SHORT = {"EMBARK_SERVICE_GRACE": "1s"}
ONCE = "[ -e {folder}/begun ] && exit 0; touch {folder}/begun; exec sleep 1000\n"


def parent(proc):
    return int((proc / "stat").read_text().rpartition(")")[2].split()[1])


def keepers():
    """Processes of that name that embark has left behind."""
    found = []
    for comm in Path("/proc").glob("[0-9]*/comm"):
        try:
            if comm.read_text() == "embark:keeper\n" and parent(comm.parent) == 1:
                found.append(int(comm.parent.name))
        except OSError:
            pass
    return found


@pytest.fixture
def killed(db, embark, migration, folder):
    """killed(): a run whose replica was killed; (its name, the configuration of all)."""
    def make():
        db.make_ledger()
        keys = config(migration.script(ONCE.format(folder=folder)))
        process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=keys, pid1=True)
        process.wait_for_file(folder / "begun")
        process.signal(signal.SIGKILL)
        process.wait()
        return ledger(db)[-1]["run"], keys

    return make


@pytest.fixture
def session(db):
    """session(run): a connection of a run's tool, as a superuser, which ours may not see."""
    made = []

    def make(run, key=None):
        connection = psycopg2.connect(host=str(db.server.socket_folder), port=db.server.port, user="postgres", dbname=db.name,
                                      application_name=f"embark:run {(key or lock_key()) % 2**64:016x} {run} host")
        connection.autocommit = True
        made.append(connection)
        return connection

    yield make
    for connection in made:
        connection.close()


def in_transaction(connection):
    """As a tool between two statements: backend_xid and locks are seen by everybody."""
    connection.autocommit = False
    connection.cursor().execute("CREATE TABLE half (n int)")
    return connection.get_backend_pid()


def test_killed_embark_leaves_no_process_behind(db, embark, migration, folder):
    """Alone, without its container: a shell that it started dies with it, and what that shell runs as well, before another one has the
    lock. The tool need not have connected yet."""
    body = f"[ -e {folder}/begun ] && exit 0\nsh -c 'echo $$ >{folder}/pid; mv {folder}/pid {folder}/begun; exec sleep 1000'\ntrue\n"
    keys = config(migration.script(body))
    db.make_ledger()
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=keys)
    process.wait_for_file(folder / "begun")
    pid = int((folder / "begun").read_text())
    assert alive(pid)
    send(process.pid, signal.SIGKILL)
    second = embark("echo", "served", env={"DATABASE_URL": db.url}, config=keys)
    second.wait_for_line("has the lock")
    assert not alive(pid)
    ready(second)
    assert outcomes(db) == ["interrupted", "done"]
    eventually(lambda: not keepers(), what="the end of the keepers")


def test_stopped_embark_keeps_its_lock_and_its_keeper(db, embark, migration, folder):
    """SIGSTOP, then SIGKILL: the keeper is another process."""
    body = f"[ -e {folder}/begun ] && exit 0\nsh -c 'echo $$ >{folder}/pid; mv {folder}/pid {folder}/begun; exec sleep 1000'\ntrue\n"
    keys = config(migration.script(body))
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=keys)
    process.wait_for_file(folder / "begun")
    pid = int((folder / "begun").read_text())
    send(process.pid, signal.SIGSTOP)
    second = embark("echo", "served", env={"DATABASE_URL": db.url}, config=keys)
    second.wait_for_line("held by")
    assert alive(pid)
    send(process.pid, signal.SIGKILL)
    ready(second)
    assert not alive(pid)


def test_hidden_backend_at_work_is_waited_for(db, embark, killed, session):
    run, keys = killed()
    left = session(run)
    pid = in_transaction(left)
    second = embark("echo", "served", env={"DATABASE_URL": db.url}, config=keys)
    second.wait_for_line(rf"its backend \(pid {pid}\) still works on: a statement of the role postgres, which the server doesn't show to ours")
    steadily(lambda: second.running and outcomes(db) == ["running"], 2, gap=0.1)
    left.commit()
    left.close()
    ready(second)
    assert outcomes(db) == ["interrupted", "done"]


def test_hidden_backend_that_may_not_be_ended(db, embark, killed, session):
    """75, with the statement to run; once it is run, the next start goes on."""
    run, keys = killed()
    pid = in_transaction(session(run))
    failed(embark("echo", "served", env={"DATABASE_URL": db.url, **SHORT}, config=keys), 75,
           rf"pid {pid}, of the role postgres\) is at work, and can't be ended by ours", rf"hint: .*SELECT pg_terminate_backend\({pid}\)")
    assert outcomes(db) == ["running"]
    db.sql("SELECT pg_terminate_backend(%s)", (pid,))
    ready(embark("echo", "served", env={"DATABASE_URL": db.url, **SHORT}, config=keys))


def test_hidden_backend_that_may_be_ended(db, embark, killed, session):
    """A member of pg_signal_backend ends what it can't see."""
    run, keys = killed()
    db.server.sql(f'GRANT pg_signal_backend TO "{db.role}"')
    db.server.sql(f'CREATE ROLE "tool of {db.name}" LOGIN')
    db.server.write_hba(f'local all "tool of {db.name}" trust\n' + db.server.hba)
    db.server.reload()
    name = f"embark:run {lock_key() % 2**64:016x} {run} host"

    def log_in():
        try:
            return psycopg2.connect(host=str(db.server.socket_folder), port=db.server.port, user=f"tool of {db.name}", dbname=db.name,
                                    application_name=name)
        except psycopg2.OperationalError:
            return None

    left = eventually(log_in)
    left.cursor().execute("SELECT 1")  # idle in transaction
    second = embark("echo", "served", env={"DATABASE_URL": db.url, **SHORT}, config=keys)
    ready(second)
    second.wait_for_line("did not end: pg_terminate_backend")
    with pytest.raises(psycopg2.Error):
        left.cursor().execute("SELECT 1")
    left.close()
    db.server.sql(f'DROP ROLE "tool of {db.name}"')


def test_hidden_backend_that_is_idle_does_not_block_for_ever(db, embark, killed, session):
    """Its client may be dead, on a machine that is gone: it gets the time that the loss of a lock allows."""
    run, keys = killed()
    left = session(run)
    began = time.monotonic()
    second = embark("echo", "served", env={"DATABASE_URL": db.url}, config=keys)
    second.wait_for_line(rf"its idle backend \(pid {left.get_backend_pid()}\) is given 21 s")
    ready(second, timeout=60)
    assert time.monotonic() - began > 20
    second.wait_for_line(r"idle backend .* can't be ended by ours, and is left")


def test_idle_backend_that_goes_is_not_waited_for_longer(db, embark, killed, session):
    """Its holder has noticed: the run's other processes are given the second that they have."""
    run, keys = killed()
    left = session(run)
    second = embark("echo", "served", env={"DATABASE_URL": db.url}, config=keys)
    second.wait_for_line("is given 21 s")
    left.close()
    gone = time.monotonic()
    ready(second)
    assert 0.8 < time.monotonic() - gone < 12


@pytest.mark.parametrize("idle_in", [False, True])
def test_sessions_of_others_are_left_alone(db, embark, killed, session, idle_in):
    """Another lock's run, and an idle one of an earlier run, which a pooler keeps."""
    _, keys = killed()
    others = [session("0123456789abcdef", key=lock_key("another"))]
    if idle_in:
        in_transaction(others[0])
    else:
        others.append(session("0123456789abcdef"))
    second = ready(embark("echo", "served", env={"DATABASE_URL": db.url}, config=keys))
    assert "an earlier run" not in second.stderr
    for other in others:
        other.cursor().execute("SELECT 1")
