"""Two replicas, of which one is stopped at every step in turn, while the other one migrates: never a "done" over another one's state, and
never two migrations at a time. A step is a message between the first one (embark and its migration alike) and the server."""

import os
import signal

import pytest

from support.apps import App, ledger
from support.gate import Gate
from support.process import send
from support.waiting import eventually

# of about 105 messages of a first start; EMBARK_PAUSES=1 stops at each of them
STRIDE = int(os.environ.get("EMBARK_PAUSES", "6"))
LAST = 110
SHORT = {"EMBARK_SERVICE_GRACE": "1s"}


@pytest.fixture
def app(folder, embark, db):
    db.sql("CREATE TABLE runs (id serial PRIMARY KEY, replica text, pid int, began timestamptz DEFAULT clock_timestamp(), ended timestamptz)")
    db.sql(f'ALTER TABLE runs OWNER TO "{db.role}"')
    return App(folder, embark, db).add("001_one", "CREATE TABLE one AS SELECT 1 AS n").add("002_two", "CREATE TABLE two AS SELECT 2 AS n")


def applied_once(db):
    """Each file's transaction has made its table, or failed."""
    assert db.sql("SELECT version FROM schema_migrations ORDER BY 1") == [("001_one",), ("002_two",)]
    overlaps = db.sql("SELECT a.id, b.id FROM runs a JOIN runs b ON a.id < b.id WHERE b.began < a.ended")
    assert not overlaps, f"two migrations at a time: {overlaps}"


@pytest.fixture
def first(app, db):
    """first(N): a start whose N-th message is held; (its process, its gate); None: it has come to its end before."""
    gates = []

    def make(at):
        gate = Gate(db.server, at)
        gates.append(gate)
        one = app.start(url=db.url_as(port=gate.port, query="sslmode=disable"), env=SHORT)
        eventually(lambda: gate.held.is_set() or not one.running, timeout=60, gap=0.005, what="the message, or the end")
        return one, gate

    yield make
    for gate in gates:
        gate.close()


@pytest.mark.parametrize("at", range(1, LAST, STRIDE))
def test_held_and_released(app, db, first, at):
    """Its connections are held, and stay: who has the lock keeps it, and the other one waits for it, or has it."""
    one, gate = first(at)
    if not gate.held.is_set():
        one.expect(0)
        return
    two = app.start(env=SHORT)
    eventually(lambda: not two.running or "held by" in two.stderr or "still works on" in two.stderr or "idle backend" in two.stderr,
               timeout=60, what="what the second one comes to")
    gate.open()
    one.expect(0, timeout=60)
    two.expect(0, timeout=60)
    applied_once(db)
    assert ledger(db)[-1]["outcome"] == "done"


@pytest.mark.parametrize("at", range(2, LAST, STRIDE))
def test_stopped_and_cut_off(app, db, first, at):
    """SIGSTOP, and the server ends its connections: the other one gets the lock and migrates. The first one, once it goes on, serves only
    on what the ledger then proves, or fails; it notes nothing over the other one's run."""
    one, gate = first(at)
    if not gate.held.is_set():
        one.expect(0)
        return
    send(one.pid, signal.SIGSTOP)
    db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    two = app.start(env=SHORT)
    two.expect(0, timeout=60)
    applied_once(db)
    noted = ledger(db)
    assert noted[-1]["outcome"] == "done"
    gate.open()
    send(one.pid, signal.SIGCONT)
    code = eventually(lambda: None if one.running else one.wait() + 1, timeout=60, what="the first one's end") - 1
    assert code in (0, 69, 80), one.describe()
    assert ("served" in one.stdout) == (code == 0)
    applied_once(db)
    now = ledger(db)
    assert now[:len(noted)] == noted or len(now) == len(noted), "the other one's rows have changed"
    assert all(a == b for a, b in zip(noted, now)), f"{noted}\n{now}"
    assert now[-1]["outcome"] == "done"
