"""The ledger: what it holds, when it spares a start the lock and the command, and when it must not."""

import re
import subprocess

import pytest

from support import postgres
from support.apps import App, ledger, outcomes
from support.waiting import eventually

EVERYTHING = "everything is applied"


@pytest.fixture
def app(folder, embark, db):
    return App(folder, embark, db).add("001_one", "CREATE TABLE one (n int)")


class Watched:
    """What the server logs of embark's sessions in one database."""

    def __init__(self, db):
        self.db = db
        db.server.sql(f"ALTER ROLE {db.role} SET log_statement = 'all'")
        self.offset = len(db.server.log_text())

    def lines(self):
        text = self.db.server.log_text()[self.offset:]
        return [line for line in text.splitlines() if f"@{self.db.name}/embark" in line]

    def statements(self):
        return [line for line in self.lines() if re.search(r"LOG:  (statement|execute \S+):", line)]

    def logins(self):
        return [line for line in self.db.server.log_text()[self.offset:].splitlines()
                if f"connection authorized: user={self.db.role} database={self.db.name} application_name=embark" in line]


# --- the fast path

def test_one_login_and_one_query_where_everything_is_applied(any_db, folder, embark):
    """L2"""
    app = App(folder, embark, any_db).add("001_one")
    app.serves()
    watched = Watched(any_db)
    app.serves().wait_for_line(EVERYTHING)
    assert len(watched.logins()) == 1, watched.lines()
    assert len(watched.statements()) == 1, watched.lines()
    assert "advisory" not in "".join(watched.lines()) and "ERROR" not in "".join(watched.lines())
    assert outcomes(any_db) == ["done"]


def test_no_lock_is_needed_where_everything_is_applied(app, db):
    """A stuck holder of the lock doesn't keep a replica from starting that has nothing to do."""
    app.serves()
    holder = db.connect()
    holder.cursor().execute("SELECT pg_advisory_lock(('x' || substr(encode(sha256('embark:embark'), 'hex'), 1, 16))::bit(64)::bigint)")
    app.serves().wait_for_line(EVERYTHING)
    holder.close()


def test_through_a_direct_url_too(app, db):
    app.serves(extra=f"[database]\ndirect_url = {db.url}\n")
    app.serves(extra=f"[database]\ndirect_url = {db.url}\n").wait_for_line(EVERYTHING)


def test_new_migration_is_run(app, db):
    app.serves()
    app.add("002_two", "CREATE TABLE two (n int)")
    app.serves().wait_for_line("applying 002_two")
    assert db.value("SELECT to_regclass('two') IS NOT NULL")
    app.serves().wait_for_line(EVERYTHING)


def test_waiter_finds_everything_done(app, db, folder):
    """The second replica waits for the lock, then sees that nothing is left for it."""
    db.make_ledger()
    app.add("002_slow", "SELECT pg_sleep(2)")
    first = app.start()
    first.wait_for_line("applying 002_slow")
    second = app.start()
    second.wait_for_line("held by")
    first.expect(0)
    second.expect(0, EVERYTHING)
    assert db.value("SELECT count(*) FROM runs") == 1 and outcomes(db) == ["done"]


@pytest.mark.parametrize("setting", ["TimeZone = 'Asia/Kathmandu'", "DateStyle = 'German'", "IntervalStyle = 'iso_8601'",
                                     "bytea_output = 'escape'", "extra_float_digits = -3", "client_encoding = 'LATIN1'",
                                     "lc_monetary = 'C'", "xmlbinary = 'hex'", "xmloption = 'document'", "search_path = public, pg_catalog",
                                     "default_transaction_read_only = off", "statement_timeout = '5s'", "row_security = off"])
def test_session_settings_do_not_change_the_digest(app, db, setting):
    app.add("002_table", "CREATE TABLE _prisma_migrations (id text, at timestamptz, took interval, sum bytea, f float8, p money);"
                         "INSERT INTO _prisma_migrations VALUES ('ä<&\"', '2026-03-04 05:06:07.89+02', '1 day 2:03', '\\x00ff', 0.1, 3)")
    app.serves()
    db.server.sql(f"ALTER ROLE {db.role} SET {setting}")
    app.serves().wait_for_line(EVERYTHING)


# --- what is no reason to skip

def test_downgrade_by_hand_is_noticed(app, db):
    app.add("002_two", "CREATE TABLE two (n int)")
    app.serves()
    db.sql("DROP TABLE two; DELETE FROM schema_migrations WHERE version = '002_two'")
    app.serves().wait_for_line("table has changed since")
    assert db.value("SELECT to_regclass('two') IS NOT NULL")
    app.serves().wait_for_line(EVERYTHING)


def test_tools_table_that_was_dropped(app, db):
    app.serves()
    db.sql("DROP TABLE schema_migrations, one")
    app.serves()
    assert db.value("SELECT to_regclass('one') IS NOT NULL")


def test_tools_table_that_was_emptied(app, db):
    app.serves()
    db.sql("DELETE FROM schema_migrations; DROP TABLE one")
    app.serves()
    assert db.value("SELECT to_regclass('one') IS NOT NULL")


@pytest.mark.parametrize("with_ledger", [True, False])
def test_restored_backup(app, db, with_ledger):
    """The database of before the last migration, with its ledger or without one (another schema's dump)."""
    app.serves()
    backup = f"{db.name}backup"
    db.server.sql(f'CREATE DATABASE "{backup}" TEMPLATE "{db.name}" OWNER "{db.role}"')
    app.add("002_two", "CREATE TABLE two (n int)")
    app.serves()
    db.server.sql(f'DROP DATABASE "{db.name}"')
    db.server.sql(f'ALTER DATABASE "{backup}" RENAME TO "{db.name}"')
    if not with_ledger:
        db.sql("DROP TABLE embark_ledger")
    app.serves().wait_for_line("applying 002_two")
    assert db.value("SELECT to_regclass('two') IS NOT NULL")


def test_ledger_of_another_time_beside_restored_data(app, db):
    """Data taken back, the ledger kept: the digest tells."""
    app.serves()
    db.sql("CREATE TABLE backup AS SELECT * FROM schema_migrations")
    app.add("002_two", "CREATE TABLE two (n int)")
    app.serves()
    db.sql("TRUNCATE schema_migrations; INSERT INTO schema_migrations SELECT * FROM backup; DROP TABLE two")
    app.serves().wait_for_line("applying 002_two")


def test_command_without_a_known_tool_or_table(folder, embark, db):
    """The user has named its files: that is enough."""
    app = App(folder, embark, db).add("001_one")
    app.command += "\n    my_own_table"
    app.serves().wait_for_line("there is no ledger yet")
    for _ in range(2):
        app.serves().wait_for_line(EVERYTHING)
    app.add("002_two").serves().wait_for_line("there are new migrations")
    assert outcomes(db) == ["done"] * 2


def test_table_of_another_service_in_the_same_database(app, db):
    """Our runs leave it alone, so it isn't ours: its changes cost no run, and a session that has locked it holds up nothing."""
    db.sql("CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('a')")
    app.serves()
    db.sql("UPDATE alembic_version SET version_num = 'b'")
    app.serves().wait_for_line(EVERYTHING)
    holder = db.connect()
    holder.autocommit = False
    holder.cursor().execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
    app.serves().wait_for_line(EVERYTHING)
    app.add("002_two").serves().wait_for_line("there are new migrations")
    holder.close()
    assert outcomes(db) == ["done"] * 2


def test_without_known_files_nothing_is_skipped(app, db):
    for _ in range(2):
        app.serves(files=None)
    app.serves(files=None).wait_for_line("isn't known to embark")
    assert outcomes(db) == ["done"] * 3


def test_files_that_match_nothing(app):
    """Not copied into the image: a configuration that can't be right."""
    app.fails(78, r"nowhere/\*\.sql", r"\n  hint: ", files="nowhere/*.sql")


def test_changed_file_is_reported(app, db):
    app.serves()
    app.add("001_one", "CREATE TABLE one (n bigint)")
    process = app.serves()
    process.wait_for_line(r"changed after they were applied: migrations/001_one\.sql")
    assert "hint:" in process.stderr
    assert "changed after" not in app.serves().stderr, "said once"


# --- the tools' tables

TABLES = {
    "dbmate": ("schema_migrations", "version varchar(128) PRIMARY KEY", "('20260101000000')"),
    "rails": ("schema_migrations", "version varchar NOT NULL PRIMARY KEY", "('20260101000000')"),
    "golang-migrate": ("schema_migrations", "version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL", "(3, false)"),
    "prisma": ("_prisma_migrations", "id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,"
               " migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,"
               " started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count int NOT NULL DEFAULT 0",
               "('3e1f', 'abc', now(), '20260101_init', NULL, NULL, now(), 1)"),
    "flyway": ("flyway_schema_history", "installed_rank int PRIMARY KEY, version varchar(50), description varchar(200), script"
               " varchar(1000), checksum int, installed_on timestamp DEFAULT now(), success boolean", "(1, '1', 'x', 'V1__x.sql', 7, now(), true)"),
    "knex": ("knex_migrations", "id serial PRIMARY KEY, name varchar(255), batch int, migration_time timestamptz",
             "(1, '1_x.js', 1, now())"),
    "goose": ("goose_db_version", "id serial PRIMARY KEY, version_id bigint, is_applied boolean, tstamp timestamp DEFAULT now()",
              "(1, 0, true, now())"),
    "sqlx": ("_sqlx_migrations", "version bigint PRIMARY KEY, description text, installed_on timestamptz DEFAULT now(), success"
             " boolean, checksum bytea, execution_time bigint", "(1, 'x', now(), true, '\\x00ff', 12)"),
    "sequelize": ('"SequelizeMeta"', "name varchar(255) PRIMARY KEY", "('1-x.js')"),
    "node-pg-migrate": ("pgmigrations", "id serial PRIMARY KEY, name varchar(255), run_on timestamp", "(1, '1_x', now())"),
    "ef": ('"__EFMigrationsHistory"', '"MigrationId" varchar(150) PRIMARY KEY, "ProductVersion" varchar(32)', "('1_x', '8.0')"),
    "alembic": ("alembic_version", "version_num varchar(32) PRIMARY KEY", "('abc')"),
    "django": ("django_migrations", "id serial PRIMARY KEY, app varchar(255), name varchar(255), applied timestamptz",
               "(1, 'a', '0001', now())"),
}


@pytest.mark.parametrize("tool", TABLES)
def test_tables_of_the_tools(folder, embark, db, tool):
    """The state is the whole table's: a row more, or one that is gone, is another one."""
    schema = "public" if len(tool) % 2 else "Other App"
    table, columns, row = TABLES[tool]
    app = App(folder, embark, db).add("001_tool", f'CREATE SCHEMA IF NOT EXISTS "{schema}"; CREATE TABLE IF NOT EXISTS "{schema}".{table} ({columns});'
                                                  f'INSERT INTO "{schema}".{table} VALUES {row} ON CONFLICT DO NOTHING')
    app.command += "\n    noted"
    app.serves()
    app.serves().wait_for_line(EVERYTHING)
    db.sql(f'DELETE FROM "{schema}".{table}; DELETE FROM noted')
    app.serves().wait_for_line("applying 001_tool")
    app.serves().wait_for_line(EVERYTHING)


def test_strange_tables_of_these_names(app, db):
    """Views, foreign schemas, other sessions' temporary tables, contents that XML doesn't like, no columns, no rights: a start neither
    fails nor is its state unknown."""
    app.add("002_strange", "CREATE VIEW alembic_version AS SELECT 1/0 AS boom; CREATE TABLE django_migrations ();"
                           "CREATE TABLE knex_migrations (a text, \"b \"\"q\" int[]) PARTITION BY LIST (a);"
                           "INSERT INTO schema_migrations VALUES (E'\\x01<![CDATA[&]]>''\"\\\\')")
    db.sql("CREATE SCHEMA closed; CREATE TABLE closed.alembic_version (v text);"
           "CREATE TABLE goose_db_version (v text)")
    other = db.connect()
    other.cursor().execute("CREATE TEMP TABLE schema_migrations AS SELECT 'x' AS v FROM generate_series(1, 1000)")
    app.serves()
    app.serves().wait_for_line(EVERYTHING)
    other.close()
    app.serves().wait_for_line(EVERYTHING)


def test_temporary_table_of_another_session_and_a_superuser(app, db):
    """A superuser may name another session's temporary table, and not read it."""
    db.server.sql(f"ALTER ROLE {db.role} SUPERUSER")
    other = db.connect()
    other.cursor().execute("CREATE TEMP TABLE schema_migrations AS SELECT 'x' AS v FROM generate_series(1, 1000)")
    app.serves()
    app.serves().wait_for_line(EVERYTHING)
    other.close()


def test_large_tools_table(app, db):
    """Ten thousand migrations are still one quick query."""
    app.add("002_many", "INSERT INTO schema_migrations SELECT 'old ' || n FROM generate_series(1, 10000) n")
    app.serves()
    app.serves().wait_for_line(EVERYTHING)


# --- what it holds

def test_columns_for_people(app, db):
    app.add("002 two'\"", "CREATE TABLE two (n int)")
    app.serves(extra="[image]\nbuild = v1.2.3\n")
    run, = ledger(db)
    assert run["scope"] == "embark" and run["outcome"] == "done" and run["build"] == "v1.2.3" and run["error"] is None
    assert run["started_at"] <= run["finished_at"] and re.fullmatch("[0-9a-f]{16}", run["run"])
    assert run["command"].endswith("steps.py migrations") and run["host"] and run["ledger_version"] == 2
    assert "applying 001_one.sql" in run["output"].splitlines()
    checked = subprocess.run(["sha256sum", "-c"], input=run["files"], cwd=app.folder, capture_output=True, text=True)
    assert checked.returncode == 0 and checked.stdout.count(": OK") == 2, checked
    summed = subprocess.run(["sha256sum"], input=run["files"], capture_output=True, text=True).stdout.split()[0]
    assert summed == run["files_sha256"]


def test_no_password_in_the_ledger(app, db):
    app.add("002_bad", "SELECT 1/0")
    app.command = f"sh -c 'echo \"connects to $0\"; echo \"${{DATABASE_URL}}\"; exit 1' {db.url}"
    app.fails(80)
    run, = ledger(db)
    assert run["outcome"] == "failed" and "connects to" in run["output"]
    assert db.password not in repr(run), run


def test_no_part_of_a_password_where_a_line_is_cut(app, db):
    """Lines of the output are cut before they are kept."""
    app.command = f"sh -c 'printf %0990d%s%s\\\\n 0 \"$0\" tail; exit 1' {db.password}"
    app.fails(80)
    run, = ledger(db)
    assert run["output"].startswith("0" * 990) and db.password[:4] not in run["output"], run


def test_status_and_dry_run(app, db, embark):
    """They change nothing, and take no lock."""
    process = embark.run("migrate", "--dry-run", **app.arguments()).expect(0)
    assert "would run" in process.stdout + process.stderr and "001_one" not in outcomes(db)
    assert db.value("SELECT count(*) FROM pg_class WHERE relname IN ('embark_ledger', 'schema_migrations')") == 0
    app.serves()
    app.add("002_two")
    process = embark.run("migrate", "--dry-run", **app.arguments()).expect(0)
    assert re.search(r"new\S* migrations/002_two\.sql|new migrations/002_two", process.stdout + process.stderr), process.describe()
    process = embark.run("migrate", "--status", **app.arguments()).expect(0)
    assert re.search(r"1 +\S+ \S+ +done", process.stdout + process.stderr), process.describe()
    assert outcomes(db) == ["done"]


# --- scopes

def test_two_services_in_one_database(folder, embark, db):
    """Each lock's name is a scope of its own: neither takes the other's files for its own."""
    one = App(folder, embark, db, "one").add("001_a", "CREATE TABLE a (n int)")
    two = App(folder, embark, db, "two").add("001_b", "CREATE TABLE b (n int)").add("002_c")
    one.serves(lock="one")
    two.serves(lock="two")
    one.serves(lock="one")
    two.serves(lock="two")
    one.serves(lock="one").wait_for_line(EVERYTHING)
    two.serves(lock="two").wait_for_line(EVERYTHING)
    assert set(outcomes(db, scope="one") + outcomes(db, scope="two")) == {"done"} and outcomes(db) == []


def test_two_services_that_share_a_scope_by_mistake(folder, embark, db):
    """The second one looks like an older image of the first; the hint says what else it can be."""
    App(folder, embark, db, "one").add("001_a").add("002_b").serves()
    other = App(folder, embark, db, "two").add("001_a")
    process = other.fails(81, r"lacks migrations/002_b\.sql", r"lock name of its own.*\"embark\"")
    assert "applying" not in process.stderr


def test_scope_with_any_characters(app, db):
    name = "it's \"one\" $1 %s \\ ä"
    app.serves(lock=name)
    app.serves(lock=name).wait_for_line(EVERYTHING)
    assert outcomes(db, scope=name) == ["done"]


# --- the table

def test_ledger_in_a_schema(app, db):
    db.sql(f"CREATE SCHEMA ops AUTHORIZATION {db.role}")
    app.serves(ledger="ops.Runs")
    app.serves(ledger="ops.Runs").wait_for_line(EVERYTHING)
    assert outcomes(db, table='ops."Runs"') == ["done"]


def test_ledger_in_a_schema_that_is_missing(app):
    for _ in range(2):
        process = app.serves(ledger="ops.runs")
        process.wait_for_line("ledger can't be kept")
        process.wait_for_line("hint: .*ledger")


def test_ledger_off(app, db):
    for _ in range(2):
        process = app.serves(ledger="off")
        assert "has the lock" in process.stderr
    assert db.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'embark%%'") == 0


def may_not_create(db):
    """What PostgreSQL 15 gives to a role that doesn't own the database: no CREATE in public."""
    db.make_ledger()
    db.sql(f'ALTER DATABASE "{db.name}" OWNER TO postgres')
    db.sql("CREATE TABLE schema_migrations (version text PRIMARY KEY)")
    db.sql(f"GRANT ALL ON schema_migrations TO {db.role}")


@pytest.fixture
def recorded(folder):
    """A tool's run that creates nothing: it records itself, and ends."""
    return "\n    ".join(["/usr/bin/python3", str(postgres.__file__).replace("postgres.py", "migration.py"), "sleep:0.3", "apply:one"])


def test_ledger_that_cannot_be_created(any_db, folder, embark, recorded):
    """A warning, and the command runs under the lock at every start."""
    may_not_create(any_db)
    app = App(folder, embark, any_db).add("001_one")
    app.command = recorded
    held = embark.barrier(4, "echo", "served", **app.arguments())
    for process in held.release():
        process.expect(0, "ledger can't be kept", r"hint: GRANT", timeout=60)
    assert any_db.value("SELECT count(*) FROM runs") == 4 and any_db.overlaps() == []
    assert any_db.value("SELECT to_regclass('embark_ledger') IS NULL")


@pytest.mark.parametrize("rights", ["", "SELECT", "INSERT", "SELECT, INSERT"])
def test_ledger_of_another_role(app, db, rights):
    """Somebody else made it, and the role may not do all with it: the same warning, no failure."""
    app.serves()
    db.sql("ALTER TABLE embark_ledger OWNER TO postgres")
    if rights:
        db.sql(f"GRANT {rights} ON embark_ledger TO {db.role}")
    app.add("002_two")
    process = app.serves()
    assert re.search("ledger", process.stderr) and "applying 002_two" in process.stderr


def test_ledger_made_beforehand_by_an_administrator(app, db):
    """The role needs no CREATE then."""
    app.serves()
    db.sql("TRUNCATE embark_ledger; ALTER TABLE embark_ledger OWNER TO postgres; DROP TABLE one; DELETE FROM schema_migrations")
    db.sql(f"GRANT SELECT, INSERT, UPDATE ON embark_ledger TO {db.role}")
    app.serves()
    process = app.serves()
    process.wait_for_line(EVERYTHING)
    assert "can't be kept" not in process.stderr


def test_later_ledgers_columns_do_no_harm(app, db):
    """A newer embark added what this one doesn't know."""
    app.serves()
    db.sql("ALTER TABLE embark_ledger ADD COLUMN IF NOT EXISTS later jsonb DEFAULT '{}', ALTER COLUMN ledger_version SET DEFAULT 2")
    app.serves().wait_for_line(EVERYTHING)
    app.add("002_two")
    app.serves()
    app.serves().wait_for_line(EVERYTHING)


def test_ledger_that_is_something_else(app, db):
    """A table of that name with other columns: said, not overwritten; the start can't know what was run."""
    db.sql(f"CREATE TABLE embark_ledger (x int); ALTER TABLE embark_ledger OWNER TO {db.role}")
    process = app.start()
    assert process.wait(30) != 0, process.describe()
    assert "embark_ledger" in process.stderr and "served" not in process.stdout
    assert db.sql("SELECT * FROM embark_ledger") == []


def test_many_scopes_create_the_ledger_at_once(any_db, folder, embark):
    """L37: CREATE TABLE IF NOT EXISTS fails for the loser of the race."""
    app = App(folder, embark, any_db).add("001_one")
    app.command = "true"
    rounds = 3 if any_db.server.version == postgres.DEFAULT else 1
    for number in range(rounds):
        held = []
        for scope in range(4):
            held.append(embark.barrier(2, "echo", "served", **app.arguments(lock=f"scope{scope}")))
        started = [process for barrier in held for process in barrier.release()]
        for process in started:
            process.expect(0, timeout=60)
        assert any_db.value("SELECT count(DISTINCT scope) FROM embark_ledger") == 4
        assert any_db.value("SELECT count(*) FROM embark_ledger WHERE outcome <> 'done'") == 0
        any_db.sql("DROP TABLE embark_ledger")


def test_race_for_the_ledger_is_lost_for_sure(app, db):
    """L37: the table appears between the look and the CREATE, in a transaction that commits later: 23505 or 42P07 is no failure."""
    other = db.connect()
    other.autocommit = False
    app.serves()
    ddl = db.value("SELECT count(*) FROM embark_ledger")
    assert ddl == 1
    db.sql("ALTER TABLE embark_ledger RENAME TO model")
    cursor = other.cursor()
    cursor.execute("CREATE TABLE embark_ledger (LIKE model INCLUDING ALL)")
    cursor.execute(f"ALTER TABLE embark_ledger OWNER TO {db.role}")
    process = app.start()
    eventually(lambda: db.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'CREATE TABLE%%'"))
    other.commit()
    other.close()
    process.expect(0)
    assert outcomes(db) == ["done"]


def test_noting_waits_for_nobody_for_ever(app, db):
    """Somebody has the ledger locked: the start ends with a reason."""
    app.serves()
    app.add("002_two")
    other = db.connect()
    other.autocommit = False
    other.cursor().execute("LOCK TABLE embark_ledger")
    process = app.start(lock_timeout="2s")
    eventually(lambda: db.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'embark%%'"))
    other.rollback()
    other.close()
    process.expect(0, timeout=60)
