"""embark doctor, logged in: standbys, poolers, what the role may do, who migrates and what was left behind."""

import datetime
import threading

import psycopg2
import pytest
from support.doctor import MIGRATE, PATIENT, looker
from support.waiting import eventually


@pytest.fixture
def look(embark):
    return looker(embark)


# --- standbys

@pytest.fixture
def both(pair, embark):
    """A database on a primary, and its standby's port."""
    primary, standby = pair
    db = primary.database()
    embark.secrets.append(db.password)
    eventually(lambda: standby.value("SELECT count(*) FROM pg_database WHERE datname = %s", (db.name,)))
    yield db, standby.port
    embark.end()
    db.drop()


def test_standby(look, both):
    db, port = both
    for config in ("", MIGRATE):
        row = look(db.url_as(port=port), PATIENT + config, code=69).one("primary", "bad", "a primary is needed")
        assert row["code"] == 69 and "target_session_attrs=any" in row["hint"]
    url = db.url_as(port=port, query="target_session_attrs=any")
    look(url, PATIENT).nothing_wrong().one("primary", "info", "a standby")
    look(url, PATIENT + MIGRATE).one("primary", "warning", "is not migrated")
    seen = look(url, PATIENT + f"direct_url = {db.url}\n" + MIGRATE).nothing_wrong()
    seen.one("direct primary", "ok")
    assert not seen.of("direct database"), "it is the same database"
    look(db.url, PATIENT + f"direct_url = {db.url_as(port=port)}\n" + MIGRATE).one("direct primary", "warning", "is not migrated")


# --- poolers

@pytest.mark.parametrize("mode", ["transaction", "session", "statement"])
def test_pooler(look, db, bouncer, mode):
    pooler = bouncer(db, mode)
    seen = look(pooler.url, PATIENT + MIGRATE, code=77 if mode == "statement" else 0)
    row = seen.one("pooler", "info" if mode == "session" else "warning", f", in {mode} mode")
    assert mode == "session" or "direct_url" in row["hint"]
    if mode == "statement":
        assert [row for row in seen.document["looks"] if row["key"] == "lock" and row["section"] == "migrations" and row["code"] == 77
                and "statement" in row["text"] + row["hint"]]
    else:
        seen.one("lock", "ok")
    seen = look(pooler.url, PATIENT + f"direct_url = {db.url}\n" + MIGRATE).nothing_wrong()
    seen.one("pooler", "info", f", in {mode} mode")
    seen.one("direct pooler", "ok")
    seen.one("direct privileges", "ok")


def test_nothing_stays_with_a_pooled_connection(look, db, bouncer):
    pooler = bouncer(db, "transaction", default_pool_size=1)
    names = ("default_transaction_read_only", "transaction_read_only", "statement_timeout")

    def settings():
        with pooler.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid(), " + ", ".join(f"current_setting('{name}')" for name in names))
            return cursor.fetchall()

    before = settings()
    look(pooler.url, PATIENT + MIGRATE)
    assert settings() == before


def test_a_used_up_pool(look, db, bouncer):
    """Which mode it is can't be told: the second client waits."""
    pooler = bouncer(db, "session", default_pool_size=1)
    text = look(pooler.url, PATIENT + MIGRATE).one("pooler", "warning")["text"]
    assert "mode" not in text


def test_direct_url_through_a_pooler(look, db, bouncer):
    pooler = bouncer(db, "transaction")
    look(pooler.url, PATIENT + f"direct_url = {pooler.url}\n" + MIGRATE).one("direct pooler", "warning", "a pooler as well")


def test_direct_url_to_another_database(look, db, server, embark):
    other = server.database()
    embark.secrets.append(other.password)
    seen = look(db.url, PATIENT + f"direct_url = {other.url}\n" + MIGRATE)
    assert "past the pooler" in seen.one("direct database", "warning", "another database")["hint"]
    other.drop()


def test_direct_url_that_does_not_answer(look, db, refused_port):
    direct = db.url_as(port=refused_port)
    seen = look(db.url, PATIENT + f"direct_url = {direct}\n" + MIGRATE, code=69)
    seen.one("login", "ok")
    seen.one("direct address", "bad", "refuses connections")
    look(db.url, PATIENT + f"direct_url = {direct}\n").one("direct address", "warning", "refuses connections")


# --- the role

def test_superuser(look, server, db):
    server.sql(f'ALTER ROLE "{db.role}" SUPERUSER')
    look(db.url, MIGRATE + PATIENT).nothing_wrong().one("role", "info", "a superuser")


def test_role_that_creates(look, server, db):
    server.sql(f'ALTER ROLE "{db.role}" CREATEDB CREATEROLE')
    look(db.url, PATIENT).one("role", "info", "may create databases and roles")


def test_password_that_expires(look, server, db):
    soon = datetime.date.today() + datetime.timedelta(days=5)
    server.sql(f"ALTER ROLE \"{db.role}\" VALID UNTIL '{soon}'")
    assert "VALID UNTIL" in look(db.url, PATIENT).one("role", "warning", f"valid until {soon}")["hint"]


def test_read_only_role(look, server, db):
    server.sql(f'ALTER ROLE "{db.role}" SET default_transaction_read_only = on')
    look(db.url, PATIENT).nothing_wrong()
    assert "RESET" in look(db.url, MIGRATE + PATIENT).one("role", "warning", "migrations can't write")["hint"]


def test_connection_limits(look, server, db):
    server.sql(f'ALTER ROLE "{db.role}" CONNECTION LIMIT 2')
    server.sql(f'ALTER DATABASE "{db.name}" CONNECTION LIMIT 3')
    seen = look(db.url, MIGRATE + PATIENT)
    assert "a start needs 3" in seen.one("connections", "warning", "0 of 2 in use, the role's CONNECTION LIMIT")["hint"]
    seen.one("connections", "info", "0 of 3 in use, the database's CONNECTION LIMIT")
    look(db.url, PATIENT).nothing_wrong()


def test_full_server(look, own_server, embark):
    server = own_server(conf={"max_connections": "8"}).start()
    db = server.database()
    embark.secrets.append(db.password)
    held = [db.connect_as_role() for _ in range(4)]
    seen = look(db.url, MIGRATE + PATIENT)
    assert "max_connections" in seen.one("connections", "warning", "4 of 8 in use, 3 reserved for superusers")["hint"]
    held.append(db.connect_as_role())
    row = look(db.url, MIGRATE + PATIENT, code=69).one("login", "bad", "53300")
    assert "[database] timeout" in row["hint"]
    for connection in held:
        connection.close()


# --- privileges

def test_no_create(look, db):
    db.sql("ALTER SCHEMA public OWNER TO postgres")
    db.sql("REVOKE CREATE ON SCHEMA public FROM public")
    seen = look(db.url, MIGRATE + PATIENT)
    row = seen.one("privileges", "warning", f"{db.role} may not create in the schema public (owner: postgres)")
    assert f"GRANT CREATE ON SCHEMA public TO {db.role}" in row["hint"]
    assert "[migrate] ledger" in seen.one("ledger", "warning", "can't be created in public")["hint"]
    assert not look(db.url, MIGRATE + "ledger = off\n" + PATIENT).of("ledger")
    db.sql(row["hint"].split(" (")[0])
    look(db.url, MIGRATE + PATIENT).nothing_wrong()


def test_ledger_in_a_schema(look, embark, db):
    config = MIGRATE + "ledger = audit.ledger\n" + PATIENT
    look(db.url, config).one("ledger", "warning", "audit.ledger is not there, and can't be created, as its schema is not there")
    db.sql("CREATE SCHEMA audit")
    look(db.url, config).one("ledger", "warning", "can't be created in audit")
    other = f"postgresql://postgres@/{db.name}?host={db.server.socket_folder}&port={db.server.port}"
    assert embark.run("migrate", env={"DATABASE_URL": other}, config=config).popen.returncode == 0
    look(db.url, config).one("ledger", "warning", "may not be read and written to")
    db.sql(f'GRANT USAGE ON SCHEMA audit TO "{db.role}"')
    db.sql(f'GRANT SELECT, INSERT, UPDATE ON audit.ledger TO "{db.role}"')
    look(db.url, config).one("ledger", "ok", "is there, and can be written to")


def test_no_schema_and_no_temporary_tables(look, server, db):
    server.sql(f'ALTER DATABASE "{db.name}" OWNER TO postgres')
    server.sql(f'REVOKE TEMPORARY ON DATABASE "{db.name}" FROM public')
    server.sql(f'ALTER ROLE "{db.role}" SET search_path = gone')
    seen = look(db.url, MIGRATE + PATIENT)
    seen.one("privileges", "warning", "none of the schemas in search_path (gone)")
    seen.one("privileges", "warning", "may not create temporary tables")
    seen.one("ledger", "warning", "its schema is not there")


def test_tables_of_others(look, db):
    """A member of the owner may alter them."""
    for number in range(5):
        db.sql(f"CREATE TABLE t{number} (x int)")
    db.sql('CREATE TABLE "Odd name" (x int)')
    row = look(db.url, MIGRATE + PATIENT).one("tables", "warning")
    assert 'public."Odd name" (postgres), public.t0 (postgres), public.t1 (postgres) and 3 more' in row["text"]
    assert "OWNER TO" in row["hint"]
    owner = f"{db.role}owner"
    db.sql(f"CREATE ROLE {owner}")
    db.sql(f'GRANT {owner} TO "{db.role}"')
    for name in ["t0", "t1", "t2", "t3", "t4", '"Odd name"']:
        db.sql(f"ALTER TABLE {name} OWNER TO {owner}")
    look(db.url, MIGRATE + PATIENT).nothing_wrong()
    db.sql(f"DROP OWNED BY {owner}")
    db.sql(f"DROP ROLE {owner}")


# --- who migrates, and what was left

def sleeps(db):
    return db.sql("SELECT pid FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(1000)%%' AND state = 'active' AND pid <> pg_backend_pid()")


def test_a_migration_that_runs_and_one_that_was_killed(look, embark, db, migration):
    script = migration.script(f'exec psql -c "SELECT pg_sleep(1000)" "{db.url}"')
    config = f"[migrate]\ncommand = {script}\nlock = mine\n"
    running = embark("migrate", env={"DATABASE_URL": db.url}, config=config)
    eventually(lambda: sleeps(db))
    (pid, _, name), = db.locks()
    seen = look(db.url, config + PATIENT)
    row = seen.one("lock", "warning", f'"mine" is held by {name} (pid {pid}, 127.0.0.1)')
    assert f"pg_terminate_backend({pid})" in row["hint"]
    seen.one("migration", "info", "SELECT pg_sleep(1000)")
    look(db.url, config.replace("mine", "another") + PATIENT).one("lock", "ok", '"another" is free')
    assert seen.migrations("last run", "running for ")["hint"] == "a start waits for it"
    assert "when the run that goes on gives it back" in seen.migrations("next start")["text"]
    running.popen.kill()
    eventually(lambda: not db.locks())
    seen = look(db.url, config + PATIENT)
    seen.one("lock", "ok")
    row = seen.migrations("last run", "killed: it began ")
    assert "its end is not noted, and nobody has the lock" in row["text"] and "next start runs it again" in row["hint"]
    assert seen.migrations("next start")["text"].startswith("takes the lock and runs ")
    (left,), = sleeps(db)
    row = seen.one("leftover", "warning", f"(pid {left})")
    assert f"pg_terminate_backend({left})" in row["hint"]
    db.sql("SELECT pg_terminate_backend(%s)", (left,))
    eventually(lambda: not sleeps(db))
    assert not look(db.url, config + PATIENT).of("leftover")


def test_L39_invalid_index(look, any_db):
    db = any_db
    db.sql(f'SET ROLE "{db.role}"; CREATE TABLE t (x int)')
    holder = db.connect()
    holder.autocommit = False
    holder.cursor().execute("INSERT INTO t VALUES (1)")
    builder = db.connect(application_name="builder")

    def build():
        with pytest.raises(psycopg2.Error):
            builder.cursor().execute('CREATE INDEX CONCURRENTLY "Left" ON t (x)')

    thread = threading.Thread(target=build)
    thread.start()
    pid = eventually(lambda: db.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'builder' AND wait_event_type = 'Lock'"))[0][0]
    look(db.url, PATIENT).nothing_wrong().one("index", "info", f"pid {pid} works on the table")
    db.sql("SELECT pg_terminate_backend(%s)", (pid,))
    thread.join(20)
    holder.rollback()
    holder.close()
    eventually(lambda: not db.sql("SELECT 1 FROM pg_stat_activity WHERE application_name = 'builder'"))
    row = look(db.url, PATIENT).one("index", "warning", 'public."Left" on public.t is not valid')
    assert 'DROP INDEX CONCURRENTLY public."Left"' in row["hint"]
    db.sql('REINDEX INDEX CONCURRENTLY public."Left"')
    assert not look(db.url, PATIENT).of("index")
