"""embark migrate --wait: another one's run is waited for, without the lock, and nothing is run."""

import signal

import pytest

from support.apps import App, outcomes
from support.waiting import eventually

EVERYTHING = "everything is applied"


@pytest.fixture
def app(folder, embark, db):
    return App(folder, embark, db).add("001_one", "CREATE TABLE one (n int)")


def waits(app, **how):
    return app.start(words=("migrate", "--wait"), **how)


def test_what_is_applied_is_not_waited_for(app, db):
    app.serves()
    waits(app).expect(0, EVERYTHING)
    assert outcomes(db) == ["done"]


def test_waits_for_the_run_of_another(app, db):
    """No lock is held meanwhile, and nothing is made: the ledger comes with the run."""
    waiting = waits(app)
    waiting.wait_for_line("not applied yet: there is no ledger yet")
    assert db.locks() == [] and not db.value("SELECT to_regclass('embark_ledger') IS NOT NULL")
    app.serves()
    waiting.expect(0, EVERYTHING)
    assert outcomes(db) == ["done"]


def test_waits_while_a_run_goes_on(app, db):
    app.serves()
    gate = db.connect()
    gate.cursor().execute("SELECT pg_advisory_lock(4242)")
    app.add("002_two", "SELECT pg_advisory_lock(4242)")
    running = app.start()
    running.wait_for_line("applying 002_two")
    waiting = waits(app)
    waiting.wait_for_line("the newest run is running")
    gate.close()
    running.expect(0)
    waiting.expect(0, EVERYTHING)
    assert outcomes(db) == ["done", "done"]


def test_gives_up(app, db):
    process = waits(app, lock_timeout="1s")
    process.expect(75, "gave up after 1 s: not applied yet: there is no ledger yet", r"hint: .*\[migrate\] lock")
    assert outcomes(db) == []


def test_new_files_are_waited_for(app, db):
    app.serves()
    app.add("002_two", "CREATE TABLE two (n int)")
    waits(app, lock_timeout="1s").expect(75, "there are new migrations")
    assert not db.value("SELECT to_regclass('two') IS NOT NULL")


def test_failed_run(app, db):
    """Fails with it while a start would; later it may be mended by another run."""
    app.add("002_bad", "SELECT 1/0")
    app.fails(80, retry_after="10m")
    waits(app, retry_after="10m").expect(80, "division by zero")
    waits(app, retry_after="1ms", lock_timeout="1s").expect(75, "the newest run is failed")
    assert outcomes(db) == ["failed"]


def test_older_image(app, db):
    app.add("002_two")
    app.serves()
    app.drop("002_two")
    waits(app).expect(81, r"lacks migrations/002_two\.sql")
    waits(app, on_newer_database="continue").expect(0, "skipped")


def test_other_scope(app, db):
    """Another service's run is none of ours."""
    app.serves(lock="other")
    waits(app, lock_timeout="1s").expect(75, "gave up")
    waits(app, lock="other", lock_timeout="1s").expect(0)


def test_another_command(app, db):
    app.serves()
    waits(app, command=app.command + "\n    more", lock_timeout="1s").expect(75, "the command, its settings")


def test_what_can_never_be_known(app, db):
    """At once, with what would help."""
    waits(app, files=None).expect(78, "can't be known", r"hint: .*\[migrate\] files")
    waits(app, ledger="off").expect(78, "nothing tells what is applied")
    app.serves(files=None, extra="[image]\nbuild = 1\n")
    waits(app, files=None, extra="[image]\nbuild = 1\n").expect(0, EVERYTHING)


def test_ends_at_a_signal(app, db):
    process = waits(app)
    process.wait_for_line("not applied yet")
    process.signal(signal.SIGTERM)
    process.expect(143)


def test_server_that_is_full_is_waited_for(app, db):
    waiting = waits(app)
    waiting.wait_for_line("not applied yet")
    db.server.sql(f'ALTER ROLE "{db.role}" CONNECTION LIMIT 0')
    waiting.wait_for_line("too many connections")
    db.server.sql(f'ALTER ROLE "{db.role}" CONNECTION LIMIT -1')
    app.serves()
    waiting.expect(0, EVERYTHING)


@pytest.mark.parametrize("words", [("--wait", "--dry-run"), ("--wait", "--status"), ("--wait", "--resolve", "x")])
def test_words_that_exclude_each_other(app, words):
    app.start(words=("migrate", *words)).expect(64, "exclude each other")


def test_many_wait_for_one(app, db):
    waiting = [waits(app) for _ in range(6)]
    for process in waiting:
        process.wait_for_line("not applied yet")
    app.serves()
    for process in waiting:
        process.expect(0, EVERYTHING)
    eventually(lambda: db.locks() == [])
    assert outcomes(db) == ["done"]
