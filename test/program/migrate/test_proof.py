"""Nothing is skipped but on proof: the newest run is done, it did what this start would do, every file was seen, and the tool's table
is as that run left it."""

import re

import pytest

from support.apps import Alembic, App, ledger, outcomes
from support.waiting import eventually

EVERYTHING = "everything is applied"


@pytest.fixture
def app(folder, embark, db):
    return App(folder, embark, db).add("001_one", "CREATE TABLE one (n int)")


# --- the newest run

@pytest.mark.parametrize("outcome", ["running", "failed", "interrupted"])
def test_newest_run_that_is_not_done(app, db, outcome):
    app.serves()
    db.sql("INSERT INTO embark_ledger (scope, run, outcome, host, command, files_sha256, files, started_at, finished_at, tool_digest, place,"
           " acts_in, identity, tables) SELECT scope, 'x', %s, host, command, files_sha256, files, now() - interval '1 hour',"
           " now() - interval '1 hour', tool_digest, place, acts_in, identity, tables FROM embark_ledger", (outcome,))
    process = app.serves()
    assert EVERYTHING not in process.stderr
    assert outcomes(db) == ["done", "interrupted" if outcome == "running" else outcome, "done"]
    app.serves().wait_for_line(EVERYTHING)


def test_failure_after_a_good_run(app, db):
    """The table is brought back to what it was when all was well, and the command fails after that."""
    (app.folder / "then").write_text("#!/bin/sh\n[ ! -e fail ]\n")
    (app.folder / "then").chmod(0o755)
    command = "sh\n    -c\n    \"" + app.command.replace("\n   ", "") + " && ./then\""
    app.serves(command=command)
    db.sql("DELETE FROM schema_migrations; DROP TABLE one")
    (app.folder / "fail").touch()
    app.fails(80, command=command, retry_after="0s")
    app.fails(80, command=command, retry_after="0s")
    (app.folder / "fail").unlink()
    app.serves(command=command, retry_after="0s").wait_for_line("did not end well")


def test_run_that_goes_on_is_waited_for(app, db, folder):
    app.serves()
    app.add("002_slow", "SELECT pg_sleep(2)")
    other = app.start()
    other.wait_for_line("applying 002_slow")
    app.drop("002_slow")
    second = app.start()
    second.wait_for_line("held by")
    other.expect(0)
    second.expect(81)


# --- the same command, the same files, the same place

def test_changed_command(folder, embark, db):
    app = App(folder, embark, db).add("001_one")
    app.serves()
    app.command += "\n    another_table"
    app.serves().wait_for_line("the command, its settings, or the schema")
    assert db.value("SELECT count(*) FROM another_table") == 1
    app.serves().wait_for_line(EVERYTHING)


def test_changed_password_is_no_other_command(app, db):
    command = app.command + "\n    schema_migrations\n    --password=${SECRET}"
    app.serves(command=command, env={"SECRET": "first-secret"})
    app.serves(command=command, env={"SECRET": "second-secret"})
    assert "secret" not in "".join(run["command"] for run in ledger(db))


@pytest.mark.parametrize("kind", ["options", "role", "database", "schema="])
def test_two_schemas_of_one_database(folder, embark, db, kind):
    """Each has migrations of its own, whichever way the schema is named."""
    app = App(folder, embark, db).add("001_one")
    db.sql("CREATE SCHEMA t1; CREATE SCHEMA t2")
    for tenant in ("t1", "t2"):
        url = db.url
        if kind == "options":
            url += f"?options=-csearch_path%3D{tenant},public"
        elif kind == "schema=":
            url += f"?schema={tenant}"
        else:
            what = f"ROLE {db.role}" if kind == "role" else f'DATABASE "{db.name}"'
            db.server.sql(f"ALTER {what} SET search_path = {tenant}, public")
        # the tool reads DATABASE_URL, and knows no schema=
        how = {"command": app.command, "env": {"DATABASE_URL": db.url}, "extra": f"[database]\nurl = {url}\n"} if kind == "schema=" else {"url": url}
        assert EVERYTHING not in app.serves(**how).stderr
        app.serves(**how).wait_for_line(EVERYTHING)
    places = {run["place"] for schema in ("t1", "t2", "public")
              for run in ledger(db, table=f"{schema}.embark_ledger")}
    assert places == {"t1", "t2"}


def test_schema_of_the_roles_own_name(folder, embark, db):
    app = App(folder, embark, db).add("001_one")
    app.serves()
    app.serves().wait_for_line(EVERYTHING)
    db.server.sql(f"CREATE SCHEMA AUTHORIZATION {db.role}", database=db.name)
    assert EVERYTHING not in app.serves().stderr
    assert db.value("SELECT to_regclass(%s) IS NOT NULL", (f"{db.role}.schema_migrations",))
    app.serves().wait_for_line(EVERYTHING)


@pytest.mark.parametrize("path, schema, place", [
    ('"$user", public', "public", "public"), ('"$USER",public', "public", "$USER"), ("Mixed, public", "mixed", "mixed"),
    ('"we""ird <&> , é", public', 'we"ird <&> , é', 'we"ird <&> , é'), ("gone, public", "public", "gone"), ("public", "public", "public")])
def test_place_is_the_first_name_of_search_path(folder, embark, db, path, schema, place):
    """Whichever way it is written, by a setting of the role's; and it stays one query."""
    app = App(folder, embark, db).add("001_one")
    quoted = '"' + schema.replace('"', '""') + '"'
    db.sql(f"CREATE SCHEMA IF NOT EXISTS {quoted} AUTHORIZATION {db.role}")
    db.server.sql(f"ALTER ROLE {db.role} SET search_path = {path}")
    app.serves()
    app.serves().wait_for_line(EVERYTHING)
    assert [run["place"] for run in ledger(db, table=f"{quoted}.embark_ledger")] == [place]


def test_setting_of_another_role_is_no_place(folder, embark, db):
    other = db.server.database()
    other.server.sql(f"ALTER ROLE {other.role} SET search_path = elsewhere; ALTER DATABASE \"{other.name}\" SET search_path = there")
    app = App(folder, embark, db).add("001_one")
    app.serves()
    app.serves().wait_for_line(EVERYTHING)
    assert [run["place"] for run in ledger(db)] == ["public"]


def test_tools_table_with_a_column_of_any_name(folder, embark, db):
    """All of a row counts."""
    app = App(folder, embark, db).add("001_one").add("002_table", "CREATE TABLE IF NOT EXISTS _prisma_migrations (r text, id text);"
                                                     "INSERT INTO _prisma_migrations VALUES ('r', 'one')")
    app.serves()
    app.serves().wait_for_line(EVERYTHING)
    db.sql("UPDATE _prisma_migrations SET id = 'two'")
    assert EVERYTHING not in app.serves().stderr


# --- every file

def test_files_that_are_not_known(app, db):
    """Said with what would help; [image] build is enough where the build is the same."""
    build = "[image]\nbuild = {}\n"
    for _ in range(2):
        process = app.serves(files=None)
    assert "files are not known" in process.stderr or "not known" in process.stderr
    assert "hint: " in process.stderr and "[migrate] files" in process.stderr
    app.serves(files=None, extra=build.format(1))
    app.serves(files=None, extra=build.format(1)).wait_for_line(EVERYTHING)
    assert EVERYTHING not in app.serves(files=None, extra=build.format(2)).stderr
    assert EVERYTHING not in app.serves(files=None).stderr


def test_any_command_once_among_many(folder, embark, db):
    """A shell script whose files are named is run by one of them."""
    app = App(folder, embark, db)
    (app.folder / "migrations" / "x.sql").write_text("x\n")
    (app.folder / "script").write_text("#!/bin/sh\necho ran >>ran\nsleep 0.3\n")
    (app.folder / "script").chmod(0o755)
    replicas = [app.start(command="./script", files="migrations") for _ in range(12)]
    for replica in replicas:
        replica.expect(0, timeout=60)
    assert (app.folder / "ran").read_text() == "ran\n"
    assert outcomes(db) == ["done"]


# --- the end of a run

def test_end_is_not_noted_over_a_row_that_was_called_interrupted(app, db, folder):
    """Another holder of the lock has been there meanwhile: the database's state is its business, and nothing is served."""
    app.serves()
    app.add("002_slow", "SELECT pg_sleep(2)")
    process = app.start()
    process.wait_for_line("applying 002_slow")
    db.sql("UPDATE embark_ledger SET outcome = 'interrupted' WHERE outcome = 'running'")
    process.expect(80, "its end could not be noted")
    assert "served" not in process.stdout
    assert outcomes(db) == ["done", "interrupted"]


# --- tables of others

def other_role(db, name):
    role = f"{db.role}_{name}"
    db.server.sql(f"CREATE ROLE {role}")
    return role


def test_ledger_that_another_role_has_made(app, db):
    """It says "done"; its owner is nobody who could know."""
    app.serves()
    role = other_role(db, "mallory")
    db.server.sql(f"ALTER TABLE embark_ledger OWNER TO {role}; GRANT ALL ON embark_ledger TO {db.role}", database=db.name)
    process = app.serves()
    assert EVERYTHING not in process.stderr
    process.wait_for_line("public.embark_ledger belongs to another role")
    # by its name with the schema the user vouches for it
    db.server.sql(f"GRANT ALL ON SEQUENCE embark_ledger_id_seq TO {db.role}", database=db.name)
    app.serves(ledger="public.embark_ledger").wait_for_line(EVERYTHING)


@pytest.mark.parametrize("what", ["view", "policy", "trigger"])
def test_ledger_that_would_run_others_code(app, db, what):
    app.serves()
    role = other_role(db, what)
    db.server.sql({
        "view": "ALTER TABLE embark_ledger RENAME TO real_one; CREATE VIEW embark_ledger AS SELECT * FROM real_one",
        "policy": f"ALTER TABLE embark_ledger ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON embark_ledger USING (1/0 = 1)",
        "trigger": "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''it ran''; END';"
                   "CREATE TRIGGER t BEFORE INSERT OR UPDATE ON embark_ledger FOR EACH ROW EXECUTE FUNCTION f()",
    }[what] + f"; ALTER TABLE embark_ledger OWNER TO {role}; GRANT ALL ON embark_ledger TO {db.role}", database=db.name)
    app.add("002_two")
    process = app.serves()
    assert EVERYTHING not in process.stderr and "it ran" not in process.stderr
    assert "the ledger can't be kept" in process.stderr


def test_older_ledger_is_brought_up_to_date(app, db):
    """As 0.1.0 made it: its rows prove nothing, as they don't tell what was run, but they tell which image is older."""
    app.serves()
    db.sql("ALTER TABLE embark_ledger DROP COLUMN place, DROP COLUMN acts_in, DROP COLUMN identity, DROP COLUMN tables;"
           "CREATE TABLE old AS SELECT id, scope, run, started_at, finished_at, outcome, host, build, command, files_sha256, files, tool_digest,"
           " error, output, ledger_version FROM embark_ledger; DROP TABLE embark_ledger; ALTER TABLE old RENAME TO embark_ledger;"
           "ALTER TABLE embark_ledger ADD PRIMARY KEY (id), ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (START 2);"
           f"ALTER TABLE embark_ledger OWNER TO {db.role}")
    app.serves().wait_for_line("an older embark")
    app.serves().wait_for_line(EVERYTHING)
    assert outcomes(db) == ["done", "done"]


def test_variable_that_names_the_host(folder, embark, db):
    """One of each replica's own, which the tool's configuration mentions: not another command in each."""
    app = Alembic(folder, embark, db).add("aaa")
    script = app.folder / "migrations" / "env.py"
    script.write_text(script.read_text() + "\nlabel = os.environ.get('TRACE_LABEL')\n")
    app.serves(env={"HOSTNAME": "shop-6f7c9d-x2x1a", "TRACE_LABEL": "app/shop-6f7c9d-x2x1a"})
    assert "everything is applied" in app.serves(env={"HOSTNAME": "shop-6f7c9d-b4b4b", "TRACE_LABEL": "app/shop-6f7c9d-b4b4b"}).stderr
    app.serves(env={"HOSTNAME": "web", "TRACE_LABEL": "web"})
    assert "everything is applied" in app.serves(env={"HOSTNAME": "two", "TRACE_LABEL": "two"}).stderr
    # a short name within another word is none
    assert "its settings" in app.serves(env={"HOSTNAME": "web", "TRACE_LABEL": "webber"}).stderr
