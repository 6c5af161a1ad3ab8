"""An image that is older than its database, has diverged from it, or holds a file that was changed."""

import socket

import pytest

from support.apps import PYTHON, Alembic, App, NodePgMigrate, ledger, outcomes
from support.doctor import migrations as doctor


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


# --- on_newer_database = continue: served only where all of the image's own migrations are known to be applied

def both_foretell(app, code, plan, **how):
    """doctor and --dry-run say the same as the start."""
    doctor(app, code, **how)
    said = app.embark.run("migrate", "--dry-run", **app.arguments(**how)).expect(0)
    assert said.stdout.startswith(plan), said.describe()


def upgrade(app, to="head"):
    app.tool(PYTHON, "-m", "alembic", "upgrade", to)


def another_branch(folder, embark, db, **how):
    """The database stands at revision bbb, which no file has; the image has aaa and ccc, of which ccc was never applied."""
    app = Alembic(folder, embark, db).add("aaa", "CREATE TABLE a (n int)")
    app.serves(**how)
    app.add("bbb")
    upgrade(app)
    app.drop("bbb")
    app.last = "aaa"
    return app.add("ccc", "CREATE TABLE c (n int)")


UNPROVED = r"it lacks bbb, which the migration tool's table has; or it is of another branch: no run in the ledger shows that all"


@pytest.mark.parametrize("newer", ["continue", "fail"])
def test_revision_that_no_file_has_and_no_ledger(folder, embark, db, newer):
    """The ledger is lost: whether the image is older, or of another branch, nobody knows."""
    app = another_branch(folder, embark, db)
    db.sql("DROP TABLE embark_ledger")
    both_foretell(app, 81, "would refuse to start (81)", on_newer_database=newer)
    process = app.fails(81, UNPROVED, "hint: deploy the newer image.*--baseline all", on_newer_database=newer)
    assert "has the lock" not in process.stderr and not ledger(db)
    embark.run("migrate", "--wait", **app.arguments(on_newer_database=newer)).expect(81, UNPROVED)


def test_revision_that_no_file_has_and_an_older_ledger(folder, embark, db):
    """As in a dump that was restored: the last run's image lacked what this one has, so that it runs, and the tool decides."""
    app = another_branch(folder, embark, db)
    both_foretell(app, 80, "would run: ", on_newer_database="continue")
    app.fails(80, "Can't locate revision", on_newer_database="continue")


def test_older_image_whose_own_run_is_the_last_one_that_is_known(folder, embark, db):
    """The newer image's migrations were applied by another hand: this image's own were done before, so it is known to be older."""
    app = Alembic(folder, embark, db).add("aaa").add("bbb")
    app.serves()
    app.add("ccc")
    upgrade(app)
    app.drop("ccc")
    app.fails(81, "it lacks ccc, which the migration tool's table has\n")
    both_foretell(app, 0, "would run nothing (on_newer_database = continue)", on_newer_database="continue")
    assert "skipped" in app.serves(on_newer_database="continue").stderr and outcomes(db) == ["done"]


@pytest.mark.parametrize("newer", ["continue", "fail"])
def test_older_image_whose_last_run_went_to_a_revision_only(folder, embark, db, newer):
    app = Alembic(folder, embark, db).add("aaa").add("bbb")
    app.serves(command=f"{PYTHON} -m alembic upgrade aaa")
    db.sql("UPDATE alembic_version SET version_num = 'zzz'")
    both_foretell(app, 81, "would refuse to start (81)", on_newer_database=newer)
    app.fails(81, "no run in the ledger shows", on_newer_database=newer)


def test_unknown_revision_beside_a_known_head(folder, embark, db):
    """The tool's own rows say that all of ours are applied: no ledger is needed."""
    app = Alembic(folder, embark, db).add("aaa").add("bbb")
    upgrade(app)
    db.sql("INSERT INTO alembic_version VALUES ('zzz')")
    both_foretell(app, 0, "would run nothing (on_newer_database = continue)", on_newer_database="continue")
    app.serves(on_newer_database="continue")
    db.sql("UPDATE alembic_version SET version_num = 'aaa' WHERE version_num = 'bbb'")
    app.fails(81, "no run in the ledger shows", on_newer_database="continue")


def test_adoption_by_an_older_image_whose_tool_notes_each_migration(folder, embark, db):
    """node-pg-migrate's table has a row for each: which of ours are applied is known without a ledger."""
    app = NodePgMigrate(folder, embark, db).add("a").add("b").add("c")
    app.serves()
    db.sql("DROP TABLE embark_ledger")
    app.drop("c")
    app.fails(81, "it lacks .*_c, which")
    both_foretell(app, 0, "would run nothing (on_newer_database = continue)", on_newer_database="continue")
    app.serves(on_newer_database="continue")
    db.sql("DELETE FROM pgmigrations WHERE name LIKE '%%\\_b'")
    both_foretell(app, 0, "would run: there is no ledger yet", on_newer_database="continue")


def test_older_image_where_the_table_can_not_be_read(folder, embark, db):
    """It may have been taken back since: the ledger alone is no proof, and the tool decides."""
    app = Alembic(folder, embark, db).add("aaa").add("bbb")
    app.serves()
    app.drop("bbb")
    db.sql("ALTER TABLE alembic_version ENABLE ROW LEVEL SECURITY")
    app.fails(81, r"lacks migrations/versions/bbb\.py")
    app.fails(80, "what the migration tool has noted is not known", "Can't locate revision", on_newer_database="continue")
    db.sql("UPDATE alembic_version SET version_num = 'aaa'")
    app.serves(on_newer_database="continue", retry_after="0s")


# --- embark migrate --baseline all

def test_baseline_of_a_command(folder, embark, db):
    """Somebody knows what can't be known, and says it once."""
    app = another_branch(folder, embark, db)
    upgraded = {"on_newer_database": "continue"}
    db.sql("DROP TABLE embark_ledger")
    app.fails(81, UNPROVED, **upgraded)
    embark.run("migrate", "--baseline", "all", **app.arguments(**upgraded)).expect(0, r"all migrations of this image count as applied \(2 files\)")
    assert [(run["outcome"], run["error"]) for run in ledger(db)] == [("done", "nothing was run: --baseline all says so")]
    assert "everything is applied" in app.serves(**upgraded).stderr
    embark.run("migrate", "--status", **app.arguments()).expect(0)
    assert "nothing was run" in embark.run("migrate", "--status", **app.arguments()).expect(0).stdout
    app.add("ddd").fails(80, "there are new migrations", **upgraded)
    app.drop("ddd")
    db.sql("UPDATE alembic_version SET version_num = 'aaa'")
    app.serves(retry_after="0s", **upgraded)
    assert db.value("SELECT to_regclass('c') IS NOT NULL")


def test_baseline_that_the_tools_table_contradicts(folder, embark, db):
    app = Alembic(folder, embark, db).add("aaa").add("bbb")
    embark.run("migrate", "--baseline", "all", **app.arguments()).expect(78, "what Alembic has noted is not known", "hint: .*alembic stamp")
    upgrade(app, "aaa")
    embark.run("migrate", "--baseline", "all", **app.arguments()).expect(78, "not all of them are applied, by public.alembic_version: bbb")
    assert not ledger(db)
    app.tool(PYTHON, "-m", "alembic", "stamp", "head")
    embark.run("migrate", "--baseline", "all", **app.arguments()).expect(0)
    assert "everything is applied" in app.serves().stderr


def test_baseline_while_a_migration_runs(folder, embark, db):
    app = App(folder, embark, db).add("001_slow", "SELECT pg_advisory_lock(4242)")
    gate = db.connect()
    gate.cursor().execute("SELECT pg_advisory_lock(4242)")
    runs = app.start()
    runs.wait_for_line("applying 001_slow")
    embark.run("migrate", "--baseline", "all", **app.arguments(extra="[database]\nconnect_timeout = 1s\n")).expect(75, "held by")
    gate.close()
    runs.expect(0)
    assert outcomes(db) == ["done"]


def test_baseline_of_a_command_whose_tool_is_not_known(folder, embark, db):
    app = App(folder, embark, db).add("001_one", "SELECT 1/0")
    embark.run("migrate", "--baseline", "all", **app.arguments()).expect(0, "1 file")
    assert "everything is applied" in app.serves().stderr
    app.files = None
    embark.run("migrate", "--baseline", "all", **app.arguments()).expect(78, "can't be known")
    embark.run("migrate", "--baseline", "001_one.sql", **app.arguments()).expect(78, "--baseline all")
    embark.run("migrate", "--baseline", "all", **app.arguments(ledger="off")).expect(78, "ledger = off")
