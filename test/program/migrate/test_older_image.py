"""An image that is older than its database, has diverged from it, or holds a file that was changed."""

import socket

import pytest

from support.apps import Alembic, App, outcomes


@pytest.fixture
def app(folder, embark, db):
    """Three migrations are applied, by an image that says what it was built from."""
    app = App(folder, embark, db)
    for name in ("001_one", "002_two", "003_three"):
        app.add(name, f"CREATE TABLE t{name} (n int)")
    app.serves(extra="[image]\nbuild = newer-build\n")
    return app


def test_older_image_does_not_start(app, db):
    """L33"""
    app.drop("002_two", "003_three")
    process = app.fails(81, r"older than the database: it lacks migrations/002_two\.sql, migrations/003_three\.sql",
                        rf"applied on {socket.gethostname()}, \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC, build newer-build",
                        r"\n  hint: .*newer image", "on_newer_database = continue", "lock name of its own")
    assert "applying" not in process.stderr and "has the lock" not in process.stderr
    assert outcomes(db) == ["done"]


@pytest.mark.parametrize("command", [None, "./run.sh"])
def test_image_that_lacks_what_was_never_applied(folder, embark, db, command):
    """The newer image's command went to a revision in between: the database has nothing that the older image lacks."""
    app = Alembic(folder, embark, db).add("aaa").add("bbb").add("ccc")
    (app.folder / "run.sh").write_text("#!/bin/sh\npython3 -m alembic upgrade \"${1:-head}\"\n")
    (app.folder / "run.sh").chmod(0o755)
    how = {"files": "migrations/versions/*.py", "timeout": 60}
    app.serves(command=f"{command} bbb" if command else app.command.replace("head", "bbb"), **how)
    app.drop("ccc")
    process = app.serves(command=command or app.command, **how)
    assert "has none of them" in process.stderr
    app.last = "bbb"
    app.add("ccc")
    app.serves(command=command or app.command, **how)
    app.drop("ccc")
    app.fails(81, r"lacks migrations/versions/ccc\.py", command=command or app.command, **how)


def test_older_image_may_go_on(app, db):
    """L33"""
    app.drop("003_three")
    process = app.serves(on_newer_database="continue")
    process.wait_for_line(r"older than the database: it lacks migrations/003_three\.sql.*skipped")
    assert "applying" not in process.stderr and outcomes(db) == ["done"]


def test_older_image_as_a_job(app, embark):
    app.drop("003_three")
    embark.run("migrate", **app.arguments()).expect(81, "003_three")
    embark.run("migrate", **app.arguments(on_newer_database="continue")).expect(0, "003_three")


def test_dry_run_of_an_older_image(app, embark):
    app.drop("003_three")
    process = embark.run("migrate", "--dry-run", **app.arguments())
    assert "older" in process.stdout + process.stderr and "003_three" in process.stdout + process.stderr, process.describe()


def test_many_names_are_cut_short(folder, embark, db):
    app = App(folder, embark, db)
    for number in range(20):
        app.add(f"{number:03}_x")
    app.serves()
    app.drop(*(f"{number:03}_x" for number in range(1, 20)))
    app.fails(81, r"lacks migrations/001_x\.sql, .*migrations/005_x\.sql and 14 more")


def test_names_cannot_forge_lines(folder, embark, db):
    """A file's name is anybody's text."""
    app = App(folder, embark, db).add("001_x").add("002\nembark: ready in 0 s\x1b[2J")
    app.serves()
    app.drop("002\nembark: ready in 0 s\x1b[2J")
    process = app.fails(81)
    assert "\nembark: ready" not in process.stderr and "\x1b" not in process.stderr, process.describe()


def test_older_image_and_a_database_that_was_taken_back_for_it(app, db):
    """The tool's table has changed since: the tool decides."""
    app.drop("003_three")
    db.sql("DROP TABLE t003_three; DELETE FROM schema_migrations WHERE version = '003_three'")
    process = app.serves()
    process.wait_for_line("has changed since")
    app.serves().wait_for_line("everything is applied")


def test_older_image_with_a_changed_file(app):
    app.add("001_one", "CREATE TABLE other (n int)")
    app.drop("003_three")
    app.fails(81, "003_three")


def test_image_without_any_of_the_files(app):
    app.drop("001_one", "002_two", "003_three")
    app.fails(78, "matches nothing")


def test_diverged_image(app, db):
    """Another branch: said, and the tool decides."""
    app.drop("003_three").add("003_other", "CREATE TABLE other (n int)")
    process = app.serves()
    process.wait_for_line(r"diverged: the image lacks migrations/003_three\.sql, and has new ones")
    assert db.value("SELECT to_regclass('other') IS NOT NULL")
    app.serves().wait_for_line("everything is applied")


def test_squash(app):
    """All files replaced by one."""
    app.drop("001_one", "002_two", "003_three").add("004_all", "SELECT 1")
    app.serves().wait_for_line("diverged")
    app.serves().wait_for_line("everything is applied")


def test_moved_folder_is_no_older_image(app):
    (app.folder / "migrations").rename(app.folder / "sql")
    app.command = app.command.replace("    migrations", "    sql")
    app.serves(files="sql/*.sql").wait_for_line("renamed")


def test_rolling_update(app, embark, db):
    """The newer image migrates while replicas of the older one are started again: they wait for its end, as nobody knows what is applied
    until then, and say that they are older afterwards."""
    app.add("004_slow", "SELECT pg_sleep(2)")
    newer = app.start()
    newer.wait_for_line("applying 004_slow")
    app.drop("004_slow")
    older = app.start()
    older.wait_for_line("held by")
    newer.expect(0)
    older.expect(81, "004_slow")
    app.fails(81, "004_slow")


def test_older_waiter_hears_of_it_after_the_newer_images_run(folder, embark, db):
    """Both find an empty database. The older one waits for the lock, and then is older."""
    app = App(folder, embark, db).add("001_one").add("002_slow", "SELECT pg_advisory_lock(4242)")
    gate = db.connect()
    gate.cursor().execute("SELECT pg_advisory_lock(4242)")
    newer = app.start()
    newer.wait_for_line("applying 002_slow")
    app.drop("002_slow")
    older = app.start()
    older.wait_for_line("held by")
    gate.close()
    newer.expect(0)
    older.expect(81, "002_slow")


def test_older_image_after_a_newer_ones_failure_that_left_something(app, db):
    """002 of two migrations is in, 003 failed. The older image lacks what is applied: Alembic would say "can't locate revision"."""
    app.add("004_in", "CREATE TABLE t4 (n int)").add("005_fails", "SELECT 1/0")
    app.fails(80)
    app.drop("004_in", "005_fails")
    app.fails(81, r"older than the database.*migrations/004_in\.sql")


def test_older_image_after_a_newer_ones_failure_that_left_nothing(app):
    """Nothing of it is applied: the older image serves, a rollback's purpose; its tool looks first, since the last run did not end
    well."""
    app.add("004_fails", "SELECT 1/0")
    app.fails(80)
    app.drop("004_fails")
    app.serves().wait_for_line("the last run did not end well")
    app.serves().wait_for_line("everything is applied")


def test_older_image_with_alembic(folder, embark, db):
    """Not "Can't locate revision identified by"."""
    app = Alembic(folder, embark, db).add("aaa", "CREATE TABLE a (n int)").add("bbb")
    app.serves()
    app.drop("bbb")
    process = app.fails(81, r"lacks migrations/versions/bbb\.py")
    assert "locate revision" not in process.stderr
    app.serves(on_newer_database="continue")


def test_older_image_without_a_ledger(folder, embark, db):
    """The tool's own word then."""
    app = Alembic(folder, embark, db).add("aaa").add("bbb")
    app.serves(ledger="off")
    app.drop("bbb")
    app.fails(80, "Can't locate revision", ledger="off")
