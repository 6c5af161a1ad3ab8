"""Migration tools as people have them: Alembic, Django, node-pg-migrate; and poolers between them and the server."""

import re
import signal

import pytest

from support.apps import PYTHON, Alembic, App, Django, NodePgMigrate, ledger, outcomes
from support.waiting import eventually

EVERYTHING = "everything is applied"
TOOLS = {"alembic": Alembic, "django": Django, "node-pg-migrate": NodePgMigrate}


@pytest.fixture(params=TOOLS)
def app(request, folder, embark, db):
    return TOOLS[request.param](folder, embark, db).add("0001_one", "CREATE TABLE one (n int)", "DROP TABLE one")


def test_life_of_a_tool(app, db):
    """An empty database, nothing to do, a new migration, a failing one, the fixed one, an older image."""
    app.serves(timeout=60)
    assert db.value("SELECT to_regclass('one') IS NOT NULL")
    app.serves(timeout=60).wait_for_line(EVERYTHING)
    app.add("0002_two", "CREATE TABLE two (n int); SELECT 1/0", "DROP TABLE two")
    app.fails(80, "division by zero", timeout=60)
    # 22012: what is left of it in the last twenty lines, where node prints an error's fields
    assert re.search("division by zero|22012", ledger(db)[-1]["output"]) and db.value("SELECT to_regclass('two') IS NULL")
    app.fails(80, "not run: with these files it failed", "division by zero|22012", retry_after="10m")
    text = next(path for path in app.folder.rglob("*0002_two*") if path.is_file() and path.suffix in (".py", ".js"))
    text.write_text(text.read_text().replace("; SELECT 1/0", ""))
    app.serves(timeout=60, retry_after="10m")
    assert db.value("SELECT to_regclass('two') IS NOT NULL")
    app.serves(timeout=60).wait_for_line(EVERYTHING)
    app.drop("0002_two")
    process = app.fails(81, r"lacks \S*0002_two\.(py|js)", timeout=60)
    assert "has the lock" not in process.stderr
    app.serves(on_newer_database="continue")
    assert outcomes(db) == ["done", "failed", "done"]


def test_replicas_of_a_tool(app, db, embark):
    """Eight at once on an empty database: one run. A tool's connection is known by its name."""
    app.add("0002_slow", "CREATE TABLE slow AS SELECT current_setting('application_name') AS name FROM pg_sleep(1)", "DROP TABLE slow")
    held = embark.barrier(8, "echo", "served", **app.arguments())
    for process in held.release():
        process.expect(0, timeout=90)
    assert outcomes(db) == ["done"] and db.locks() == []
    assert db.value("SELECT name FROM slow").startswith("embark:run ")


def downgrade(app):
    if isinstance(app, Alembic):
        app.tool(PYTHON, "-m", "alembic", "downgrade", "-1")
    elif isinstance(app, Django):
        app.tool(PYTHON, "manage.py", "migrate", "notes", "0001_one")
    else:
        app.tool("node", "node_modules/node-pg-migrate/bin/node-pg-migrate.js", "down")


def test_downgrade_by_hand(app, db):
    app.add("0002_two", "CREATE TABLE two (n int)", "DROP TABLE two")
    app.serves(timeout=60)
    downgrade(app)
    assert db.value("SELECT to_regclass('two') IS NULL")
    app.serves(timeout=60).wait_for_line("table has changed since")
    assert db.value("SELECT to_regclass('two') IS NOT NULL")
    app.serves(timeout=60).wait_for_line(EVERYTHING)


def test_downgrade_for_the_older_image(app, db):
    """Rolled back as one should: first the database by the newer image's tool, then the image."""
    app.add("0002_two", "CREATE TABLE two (n int)", "DROP TABLE two")
    app.serves(timeout=60)
    downgrade(app)
    app.drop("0002_two")
    app.serves(timeout=60)
    app.serves(timeout=60).wait_for_line(EVERYTHING)
    assert db.value("SELECT to_regclass('two') IS NULL")


def test_alembic_on_every_server(any_db, folder, embark):
    app = Alembic(folder, embark, any_db).add("aaa", "CREATE TABLE one (n int)")
    app.serves(timeout=60)
    app.serves(timeout=60).wait_for_line(EVERYTHING)
    app.add("bbb", "CREATE TABLE two (n int)")
    app.serves(timeout=60)
    app.drop("bbb")
    app.fails(81, r"bbb\.py")
    assert outcomes(any_db) == ["done", "done"]


def test_alembic_with_branches_and_a_configuration_elsewhere(folder, embark, db):
    """-c FILE, %(here)s and several rows in alembic_version."""
    app = Alembic(folder, embark, db).add("aaa")
    for name in ("bbb", "ccc"):
        app.last = "aaa"
        app.add(name)
    (app.folder / "conf").mkdir()
    (app.folder / "alembic.ini").rename(app.folder / "conf" / "a.ini")
    text = (app.folder / "conf" / "a.ini").read_text().replace("%(here)s/migrations", "%(here)s/../migrations")
    (app.folder / "conf" / "a.ini").write_text(text)
    app.command = f"{PYTHON} -m alembic -c conf/a.ini upgrade heads"
    app.serves(timeout=60)
    assert db.value("SELECT count(*) FROM alembic_version") == 2
    app.serves().wait_for_line(r"everything is applied \(3 files")
    db.sql("DELETE FROM alembic_version WHERE version_num = 'ccc'")
    app.serves(timeout=60).wait_for_line("table has changed since")


def test_tool_behind_a_shell(folder, embark, db):
    """One simple command is seen through; of several, nobody knows what the others do."""
    app = Alembic(folder, embark, db).add("aaa")
    app.command = f"sh -c 'exec {PYTHON} -m alembic upgrade head'"
    app.serves(timeout=60)
    app.serves().wait_for_line(r"everything is applied \(1 file")
    app.command = f"sh -c 'echo first && {PYTHON} -m alembic upgrade head'"
    app.serves(timeout=60)
    assert "first" in app.serves(timeout=60).stderr


def test_compiled_leftovers_are_no_migrations(folder, embark, db):
    """__pycache__ appears when the tool runs."""
    app = Django(folder, embark, db).add("0001_one")
    app.serves(timeout=60)
    (app.versions / "__pycache__").mkdir(exist_ok=True)
    (app.versions / "__pycache__" / "0009_x.cpython-311.pyc").write_bytes(b"x")
    app.serves(timeout=60).wait_for_line(EVERYTHING)


# --- poolers

def nothing_is_stranded(db):
    assert db.locks() == [], "a lock is stranded on a pooled backend"
    assert not db.sql("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%%'")


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_pooler(folder, embark, db, bouncer, mode):
    """Works; and where everything is applied, too."""
    pool = bouncer(db, mode)
    app = Alembic(folder, embark, db).add("aaa", "CREATE TABLE one (n int)")
    held = embark.barrier(5, "echo", "served", **app.arguments(url=pool.url))
    for process in held.release():
        process.expect(0, timeout=90)
    assert outcomes(db) == ["done"]
    nothing_is_stranded(db)
    app.serves(url=pool.url).wait_for_line(EVERYTHING)
    app.add("bbb", "SELECT 1/0")
    app.fails(80, "division by zero", url=pool.url, timeout=60)
    nothing_is_stranded(db)


def test_pooler_that_cannot_hold_a_transaction(folder, embark, db, bouncer):
    """Statement pooling: refused at once, with the reason and the way out."""
    pool = bouncer(db, "statement")
    app = App(folder, embark, db).add("001_one", "CREATE TABLE one (n int)")
    process = app.fails(77, "statement pool", r"\n  hint: .*direct_url", url=pool.url, timeout=15)
    assert "applying" not in process.stderr
    nothing_is_stranded(db)


def test_statement_pooling_where_everything_is_applied(folder, embark, db, bouncer):
    """One query is fine there."""
    pool = bouncer(db, "statement")
    app = App(folder, embark, db).add("001_one")
    app.serves()
    app.serves(url=pool.url).wait_for_line(EVERYTHING)


@pytest.mark.parametrize("mode", ["transaction", "session", "statement"])
def test_direct_url_beside_a_pooler(folder, embark, db, bouncer, mode):
    """The lock, the ledger and the migration go past the pooler; the service gets what it had."""
    pool = bouncer(db, mode)
    app = Alembic(folder, embark, db).add("aaa", "CREATE TABLE port AS SELECT current_setting('application_name') AS name")
    how = {"url": pool.url, "keys": {"env": "DATABASE_URL"}, "extra": f"[database]\ndirect_url = {db.url.replace('postgresql:', 'postgresql+psycopg2:')}\n"}
    process = app.start(words=("sh", "-c", 'echo "$DATABASE_URL" >service_url; echo served'), **how)
    process.expect(0, timeout=60)
    assert (app.folder / "service_url").read_text().strip() == pool.url
    app.serves(**how).wait_for_line(EVERYTHING)
    assert outcomes(db) == ["done"]


def test_migration_gets_the_direct_url_by_name(folder, embark, db, bouncer):
    pool = bouncer(db, "transaction")
    app = App(folder, embark, db).add("001_one")
    app.command = "sh -c 'echo \"$DATABASE_URL\" >one; echo \"$ALEMBIC_URL\" >two'"
    text = app.config(f"[database]\ndirect_url = {db.url}\n", env="DATABASE_URL, ALEMBIC_URL")
    process = embark("sh", "-c", 'echo "$DATABASE_URL ${ALEMBIC_URL-unset}"', env={"DATABASE_URL": pool.url}, config=text, cwd=app.folder)
    process.wait(30)
    embark.secrets.clear()  # the service itself says the URL here
    assert process.stdout == f"{pool.url} unset\n", process.describe()
    assert (app.folder / "one").read_text() == (app.folder / "two").read_text() == db.url + "\n"


def test_killed_run_through_a_pooler(folder, embark, db, bouncer):
    """Its statement goes on at the server, on a pooled connection; it is found by its name, and waited for."""
    pool = bouncer(db, "transaction")
    app = App(folder, embark, db).add("001_slow", "SELECT pg_sleep(1000)")
    first = app.start(url=pool.url, pid1=True)
    first.wait_for_line("applying 001")
    eventually(lambda: db.sql("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%%' AND state = 'active'"))
    first.signal(signal.SIGKILL)
    first.wait()
    app.add("001_slow")
    second = app.serves(url=pool.url, env={"EMBARK_SERVICE_GRACE": "1s"}, timeout=60)
    assert re.search("interrupted", second.stderr), second.describe()
    assert not db.sql("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%%' AND state = 'active'")
    nothing_is_stranded(db)


def test_tool_that_keeps_its_table_in_public_whatever_search_path_says(folder, embark, db):
    """node-pg-migrate's --schema is public unless it is told otherwise."""
    db.server.sql(f"CREATE SCHEMA t1 AUTHORIZATION {db.role}", database=db.name)
    db.server.sql(f"ALTER ROLE {db.role} SET search_path = t1")
    app = NodePgMigrate(folder, embark, db).add("one")
    app.serves(timeout=90)
    app.serves(timeout=90).wait_for_line("everything is applied")
    assert db.value("SELECT count(*) FROM public.pgmigrations") == 1
