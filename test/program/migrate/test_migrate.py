"""One migration at a time, under the lock: whatever happens to the holder, the server, the network or a pooler between."""

import hashlib
import re
import signal
import socket

import pytest

from support import postgres
from support.process import alive, children, comm, marked, need_root, send
from support.waiting import eventually, steadily


def lock_key(name="embark"):
    """As include/embark/stages/migrate/migrate.h has it."""
    return int.from_bytes(hashlib.sha256(b"embark:" + name.encode()).digest()[:8], "big", signed=True)


def config(command, **keys):
    return f"[migrate]\ncommand = {command}\n" + "".join(f"{k} = {v}\n" for k, v in keys.items())


def holders(db, name="embark"):
    """Backends that have the lock."""
    return [pid for pid, key, app in db.locks() if key == lock_key(name)]


def foreign_lock(db, name="embark", application="billing-job"):
    """Somebody else takes the lock of that name; a connection to be closed."""
    connection = db.connect(application_name=application)
    connection.cursor().execute("SELECT pg_advisory_lock(%s)", (lock_key(name),))
    return connection


def ready(process, timeout=30):
    process.expect(0, "(?m)^embark: ready in ", timeout=timeout)
    assert process.stdout == "served\n", process.describe()
    return process


def failed(process, code, *patterns, timeout=20):
    process.expect(code, *patterns, timeout=timeout)
    assert "served" not in process.stdout, process.describe()
    return process


@pytest.fixture
def begin(embark, migration, folder):
    """begin(db): an embark whose migration has begun and waits for the file `go`."""
    def start(db, *words, name="begun", before=(), **how):
        keys = how.pop("keys", {})
        begun = folder / name
        process = embark("echo", "served", env={"DATABASE_URL": db.url, **how.pop("env", {})}, config=config(
            migration(*before, f"touch:{begun}", *(words or (f"until:{folder}/go",))), **keys), **how)
        eventually(lambda: begun.exists() or not process.running, what="the migration begins")
        assert process.running, process.describe()
        return process

    yield start


# --- once

def test_migration_runs_and_then_the_service(any_db, embark, migration):
    """On every version of PostgreSQL."""
    any_db.make_ledger()
    process = ready(embark("echo", "served", env={"DATABASE_URL": any_db.url}, config=config(migration("apply:one"))))
    assert any_db.value("SELECT count(*) FROM applied") == 1
    assert re.search(r"ready in .*\(wait .*, migrate .*\): echo served", process.stderr)
    assert any_db.locks() == []


def test_twenty_replicas_on_an_empty_database(any_db, embark, migration):
    """L1, L3: no two at a time; the migration was applied by one, and the others saw that."""
    any_db.make_ledger()
    count = 20 if any_db.server.version == postgres.DEFAULT else 5
    held = embark.barrier(count, "echo", "served", env={"DATABASE_URL": any_db.url}, config=config(migration("sleep:0.1", "apply:one")))
    for process in held.release():
        process.expect(0, timeout=60)
    assert any_db.value("SELECT count(*) FROM applied") == 1
    assert any_db.overlaps() == []
    assert any_db.value("SELECT count(*) FROM runs WHERE ended IS NULL") == 0


def test_waiter_runs_after_the_holder(db, embark, begin, migration, folder):
    """L3: the waiter's migration begins after the holder's end, and sees what it did."""
    db.make_ledger()
    first = begin(db, f"until:{folder}/go", "apply:one")
    second = embark("echo", "served", env={"DATABASE_URL": db.url, "REPLICA": "second"}, config=config(migration("apply:one")))
    second.wait_for_line("held by")
    (folder / "go").touch()
    ready(first)
    ready(second)
    assert db.overlaps() == [] and db.value("SELECT count(*) FROM applied") == 1


def test_different_lock_names_do_not_wait_for_each_other(db, embark, begin, folder, migration):
    db.make_ledger()
    first = begin(db, keys={"lock": "billing"})
    ready(embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(migration("apply:two"), lock="orders")))
    (folder / "go").touch()
    ready(first)


def test_other_databases_do_not_wait_for_each_other(db, server, embark, begin, folder, migration):
    """L19: advisory locks are per database."""
    db.make_ledger()
    first = begin(db)
    other = server.database()
    embark.secrets.append(other.password)
    other.make_ledger()
    ready(embark("echo", "served", env={"DATABASE_URL": other.url}, config=config(migration("apply:one"))))
    (folder / "go").touch()
    ready(first)
    other.drop()


SOME_NAMES = ["embark", "name0", "name1", "name2"]


@pytest.mark.parametrize("name", SOME_NAMES)
def test_key_is_found_again_in_pg_locks(db, embark, begin, folder, name):
    """L20: 64 bits, negative ones too; and it is the one that is documented."""
    db.make_ledger()
    process = begin(db, keys={"lock": name})
    assert holders(db, name), (db.locks(), lock_key(name))
    (folder / "go").touch()
    ready(process)


def test_names_of_both_signs_are_among_the_tested():
    keys = [lock_key(name) for name in SOME_NAMES]
    assert min(keys) < 0 < max(keys)


def test_lock_name_may_hold_anything(db, embark, begin, folder):
    db.make_ledger()
    name = "it's \"a\" 100% naïve; DROP TABLE runs"
    process = begin(db, keys={"lock": name})
    assert holders(db, name)
    (folder / "go").touch()
    ready(process)


# --- waiting for it

def test_create_index_concurrently_while_replicas_wait(db, embark, migration, folder):
    """L4: a waiter with a snapshot would make it hang."""
    db.make_ledger()
    db.sql(f'CREATE TABLE big AS SELECT n FROM generate_series(1, 20000) n; ALTER TABLE big OWNER TO "{db.role}"')
    first = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(migration(f"touch:{folder}/begun", f"until:{folder}/go", "index")))
    first.wait_for_file(folder / "begun")
    waiters = [embark("echo", "served", env={"DATABASE_URL": db.url}, config=config("true")) for _ in range(5)]
    for waiter in waiters:
        waiter.wait_for_line("held by")
    (folder / "go").touch()
    ready(first)
    for waiter in waiters:
        ready(waiter)
    assert db.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'big_n'::regclass")


def test_nobody_holds_a_snapshot_or_a_connection_while_waiting(db, embark, begin, folder):
    """L5: a waiter's connection lives for one try; the holder's has no snapshot."""
    db.make_ledger()
    first = begin(db)
    holder = holders(db)[0]
    waiters = [embark("echo", "served", env={"DATABASE_URL": db.url}, config=config("true")) for _ in range(5)]
    for waiter in waiters:
        waiter.wait_for_line("held by")
    eventually(lambda: db.backends("embark:migrate%") == [holder], gap=0.001, what="a moment without a waiter's connection")

    def look():
        rows = db.sql("SELECT pid, backend_xmin, extract(epoch FROM clock_timestamp() - backend_start) FROM pg_stat_activity"
                      " WHERE datname = current_database() AND application_name LIKE 'embark:migrate%%'")
        for pid, xmin, age in rows:
            if pid == holder:
                assert xmin is None, "the holder has a snapshot"
            else:
                assert age < 1, "a waiter keeps its connection"
        return True

    steadily(look, 1.5)
    (folder / "go").touch()
    for process in [first, *waiters]:
        ready(process)


def test_holder_is_named_while_waiting(db, embark, begin, folder):
    """With its pid, its application_name, and so the replica's host name."""
    db.make_ledger()
    first = begin(db)
    holder = holders(db)[0]
    waiter = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config("true"))
    line = waiter.wait_for_line("^embark: .*held by.*")[0]
    assert str(holder) in line and socket.gethostname() in line, line
    (folder / "go").touch()
    ready(first)
    ready(waiter)


def test_host_name_of_the_replica_is_its_containers(db, embark, begin, folder):
    """application_name carries what the container is called."""
    need_root("a UTS namespace")
    db.make_ledger()
    first = begin(db, prefix=["unshare", "--uts", "sh", "-c", 'hostname api-7f9c && exec "$@"', "sh"])
    apps = [app for _, key, app in db.locks() if key == lock_key()]
    assert len(apps) == 1 and "api-7f9c" in apps[0] and apps[0].startswith("embark"), apps
    (folder / "go").touch()
    ready(first)


def test_waiting_while_the_ledger_is_locked_leaves_no_backends(db, embark, begin, folder):
    """A waiter looks at the ledger, and gives up for now: the server wouldn't notice that, and keep a backend for each look."""
    db.make_ledger()
    begin(db)
    table = db.connect(application_name="the migration")
    table.autocommit = False
    stuck = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'embark:%' AND wait_event_type = 'Lock'"
    try:
        table.cursor().execute("LOCK TABLE embark_ledger IN ACCESS EXCLUSIVE MODE")
        waiter = embark("echo", "served", env={"DATABASE_URL": db.url, "EMBARK_DATABASE_CONNECT_TIMEOUT": "1s"}, config=config("true"))
        for _ in range(2):
            eventually(lambda: db.value(stuck) > 0, what="a look at the ledger")
            eventually(lambda: db.value(stuck) == 0, what="its end")
        waiter.wait_for_line('the lock "embark" is held by embark:')
    finally:
        table.close()
    (folder / "go").touch()
    ready(waiter)


def test_foreign_application_that_holds_the_key_is_named(db, embark):
    """L21"""
    foreign = foreign_lock(db)
    pid = foreign.info.backend_pid
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config("true"))
    line = process.wait_for_line("^embark: .*held by.*")[0]
    assert "billing-job" in line and str(pid) in line, line
    foreign.close()
    ready(process)


def test_foreign_name_cannot_forge_lines(db, embark):
    """application_name is printable ASCII by the server's own care since 9.0; a role's name is not shown."""
    foreign = foreign_lock(db, application="x\nembark: ready in 0 s: \x1b[2Jforged")
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config("true", lock_timeout="500ms"))
    failed(process, 75)
    assert not re.search(r"(?m)^embark: ready", process.stderr) and "\x1b" not in process.stderr
    foreign.close()


def test_lock_timeout(db, embark, begin, folder):
    """L13: 75, no service; the other one's migration goes on."""
    db.make_ledger()
    first = begin(db)
    second = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config("true", lock_timeout="700ms"))
    failed(second, 75, "700 ms", "held by", r"\n  hint: .*lock_timeout", timeout=10)
    (folder / "go").touch()
    ready(first)


def test_server_is_restarted_while_waiting_for_the_lock(own_server, embark):
    """L24: reconnect and go on."""
    server = own_server().start()
    db = server.database()
    foreign = foreign_lock(db)
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config("true"))
    process.wait_for_line("held by")
    server.stop("immediate")
    process.wait_for_line("refuses connections")
    server.start()
    ready(process)
    foreign.close()


def test_server_shuts_down_while_waiting_for_the_lock(own_server, embark):
    """L24: 57P03 at login."""
    server = own_server().start()
    db = server.database()
    foreign = foreign_lock(db)
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config("true"))
    process.wait_for_line("held by")
    server.popen.send_signal(signal.SIGTERM)
    process.wait_for_line("57P03")
    foreign.close()
    server.popen.wait(20)
    server.popen = None
    server.start()
    ready(process)


def test_full_server_while_waiting_for_the_lock(db, embark):
    """L26"""
    foreign = foreign_lock(db)
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config("true"))
    process.wait_for_line("held by")
    db.server.sql(f"ALTER ROLE {db.role} CONNECTION LIMIT 0")
    process.wait_for_line("53300")
    db.server.sql(f"ALTER ROLE {db.role} CONNECTION LIMIT 5")
    foreign.close()
    ready(process)


def test_holder_does_not_starve_its_own_migration_of_the_last_connection_for_ever(db, embark, migration):
    """L26: with one connection for the role, the lock's own would take the migration's. It is given back, and tried again."""
    db.make_ledger()
    db.server.sql(f"ALTER ROLE {db.role} CONNECTION LIMIT 1")
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(migration("apply:one")))
    process.wait_for_line("53300")
    eventually(lambda: db.locks() == [], gap=0.001, what="a moment in which it isn't held")
    db.server.sql(f"ALTER ROLE {db.role} CONNECTION LIMIT 3")
    ready(process)


def test_too_few_connections_end_with_the_lock_timeout(db, embark, migration):
    """L26"""
    db.make_ledger()
    db.server.sql(f"ALTER ROLE {db.role} CONNECTION LIMIT 1")
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(migration("apply:one"), lock_timeout="1s"))
    process.wait(15)
    assert process.popen.returncode in (69, 75), process.describe()
    assert "53300" in process.stderr and "CONNECTION LIMIT" in process.stderr
    assert db.locks() == []


# --- the holder goes

def test_killed_holder_is_followed_by_another(db, embark, begin, migration, folder):
    """L6: SIGKILL of the container: its PID 1 and all its processes."""
    db.make_ledger()
    first = begin(db, pid1=True, env={"REPLICA": "first"})
    second = embark("echo", "served", env={"DATABASE_URL": db.url, "REPLICA": "second"}, config=config(migration("apply:one")))
    second.wait_for_line("held by")
    first.signal(signal.SIGKILL)
    ready(second)
    assert db.sql("SELECT name, replica FROM applied") == [("one", "second")]
    assert db.sql("SELECT replica FROM runs WHERE ended IS NULL") == [("first",)]


def test_killed_embark_alone_is_followed_by_another(db, embark, begin, migration, folder):
    """L6: SIGKILL of embark outside of a PID namespace: its migration's processes are orphans then."""
    db.make_ledger()
    first = begin(db)
    second = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(migration("apply:one")))
    second.wait_for_line("held by")
    orphans = children(first.pid)
    first.signal(signal.SIGKILL)
    first.wait()
    ready(second)
    assert db.value("SELECT count(*) FROM applied") == 1
    for pid in orphans:
        send(pid, signal.SIGKILL)


def test_terminated_backend_of_the_lock(db, embark, begin, migration, folder):
    """L9: noticed, the migration is ended, the service never runs."""
    db.make_ledger()
    process = begin(db, before=[f"child:{folder}/child"])
    child = int((folder / "child").read_text())
    db.sql("SELECT pg_terminate_backend(%s)", (holders(db)[0],))
    failed(process, 80, r'lock.* lost', r"\n  hint: ")
    assert not alive(child) and not alive(int((folder / "begun").read_text()))


def test_reason_of_a_lost_lock_is_the_servers(db, embark, begin):
    """L9: it says farewell with 57P01, "terminating connection due to administrator command"."""
    db.make_ledger()
    process = begin(db)
    db.sql("SELECT pg_terminate_backend(%s)", (holders(db)[0],))
    failed(process, 80, "57P01|administrator")


def test_terminated_backend_and_a_migration_that_ignores_term(db, embark, begin, folder):
    """L9: another one may begin at any moment, so what doesn't go by itself is killed soon."""
    db.make_ledger()
    process = begin(db, before=["ignore:TERM"])
    db.sql("SELECT pg_terminate_backend(%s)", (holders(db)[0],))
    failed(process, 80, "lost", timeout=8)
    assert not alive(int((folder / "begun").read_text()))


def test_terminated_backend_right_before_the_migrations_end(db, embark, migration):
    """L9: the migration itself cuts the lock's connection and ends well at once: that is no success."""
    db.make_ledger()
    kill = "sql:SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = $$advisory$$"
    db.server.sql(f"GRANT pg_signal_backend TO {db.role}")
    for _ in range(5):
        failed(embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(migration(kill))), 80, "lost")


def test_migration_that_fails(db, embark, migration):
    """L14: its code is said, nobody execs, and the lock is free."""
    db.make_ledger()
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(migration("print:reason", "fail:3")))
    failed(process, 80, r"status 3|code 3", "(?m)^reason$", r"\n  hint: ")
    assert db.locks() == []


def test_the_failure_has_the_command_and_its_last_line(db, embark, folder):
    """Whole, and without its secrets."""
    script = folder / "fails.sh"
    script.write_text("echo Running upgrade; echo 'column \"nme\" does not exist' >&2; echo; exit 3\n")
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(f"sh {script} --password=hunter2-secret 'a b'"))
    failed(process, 80, rf"(?m)^embark: error: migrate: sh {script} --password=\*\*\*\* a b exited with status 3: column \"nme\" does not exist$")
    assert "hunter2-secret" not in process.stderr


def test_twenty_replicas_of_a_failing_migration(db, embark, migration):
    """L14: none of them serves."""
    db.make_ledger()
    held = embark.barrier(6, "echo", "served", env={"DATABASE_URL": db.url}, config=config(migration("fail:3")))
    for process in held.release():
        process.expect(80, timeout=60)
        assert "served" not in process.stdout
    assert db.overlaps() == [] and db.locks() == []


@pytest.mark.parametrize("number, name", [(9, "SIGKILL"), (15, "SIGTERM"), (11, "SIGSEGV"), (1, "SIGHUP")])
def test_migration_that_dies_by_a_signal(db, embark, migration, number, name):
    """L15: said as such."""
    db.make_ledger()
    failed(embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(migration(f"kill:{number}"))), 80, name)
    assert db.locks() == []


@pytest.mark.parametrize("command, code", [("no-such-tool upgrade", 127), ("/etc/passwd", 126), ("/nowhere/alembic", 127)])
def test_migration_that_cannot_be_executed(db, embark, command, code):
    """Not a migration that failed with 127."""
    failed(embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(command)), code, command.split()[0])
    assert db.locks() == []


def test_migration_that_exits_127_is_a_failed_migration(db, embark):
    failed(embark("echo", "served", env={"DATABASE_URL": db.url}, config=config("sh -c 'exit 127'")), 80, "127")


def test_server_is_restarted_during_the_migration(own_server, embark, begin, migration, folder):
    """L25: this start fails, the next one sorts it out."""
    server = own_server().start()
    db = server.database().make_ledger()
    process = begin(db, "sleep:100", "apply:one")
    server.restart("immediate")
    failed(process, 80)
    ready(embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(migration("apply:one"))))
    assert db.value("SELECT count(*) FROM applied") == 1


def test_server_goes_away_during_a_migration_that_does_not_notice(own_server, embark, begin, folder):
    """L25: the lock's connection does."""
    server = own_server().start()
    db = server.database().make_ledger()
    process = begin(db)
    server.stop("fast")
    failed(process, 80, "lost")
    assert not alive(int((folder / "begun").read_text()))


def test_network_of_the_holder_is_lost(own_server, embark, migration, namespace, folder):
    """L10: the server still holds the lock for it; waiters elsewhere time out and name it."""
    hub, near, far = namespace(), namespace(), namespace()
    here, server_near = near.join(hub, 1)
    there, server_far = far.join(hub, 2)
    server = own_server(namespace=hub, listen="0.0.0.0", host=server_near).start()
    db = server.database().make_ledger()
    first = embark("echo", "served", env={"DATABASE_URL": db.url}, prefix=near.prefix(folder),
                   config=config(migration(f"touch:{folder}/begun", f"until:{folder}/go")))
    first.wait_for_file(folder / "begun")
    holder = holders(db)[0]
    hub.black_hole(here)
    near.black_hole(server_near)
    second = embark("echo", "served", env={"DATABASE_URL": db.url_as(host=server_far)}, prefix=far.prefix(folder),
                    config=config("true", lock_timeout="1s"))
    failed(second, 75, rf"held by .*{socket.gethostname()}.*{holder}")
    # the holder's heartbeat: it can't know, and so must not go on for ever
    failed(first, 80, "lost|heartbeat", timeout=45)


# --- settings of the role and the server that would break it

@pytest.mark.parametrize("setting", ["idle_in_transaction_session_timeout = '1s'", "idle_session_timeout = '1s'"])
def test_lock_survives_the_roles_idle_timeouts(db, embark, migration, folder, setting):
    """L11"""
    db.make_ledger()
    db.server.sql(f"ALTER ROLE {db.role} SET {setting}")
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(
        migration.script(f"touch {folder}/begun; while [ ! -e {folder}/go ]; do sleep 0.05; done")))
    process.wait_for_file(folder / "begun")
    holder = holders(db)
    steadily(lambda: holders(db) == holder, 2.5, "the lock is held", gap=0.05)
    (folder / "go").touch()
    ready(process)


def test_lock_survives_the_roles_transaction_timeout(embark, migration, folder, versioned_server):
    """L11, for servers that have transaction_timeout (17)."""
    db = versioned_server.database()
    embark.secrets.append(db.password)
    if int(versioned_server.version) >= 17:
        versioned_server.sql(f"ALTER ROLE {db.role} SET transaction_timeout = '1s'")
    versioned_server.sql(f"ALTER ROLE {db.role} SET idle_in_transaction_session_timeout = '1s'")
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config(
        migration.script(f"touch {folder}/begun; while [ ! -e {folder}/go ]; do sleep 0.05; done")))
    process.wait_for_file(folder / "begun")
    holder = holders(db)
    steadily(lambda: holders(db) == holder, 1.5, "the lock is held", gap=0.05)
    (folder / "go").touch()
    ready(process)
    db.drop()


@pytest.mark.parametrize("setting", ["statement_timeout = '500ms'", "lock_timeout = '500ms'",
                                     "default_transaction_isolation = 'serializable'", "default_transaction_read_only = on",
                                     "search_path = 'nowhere'", "client_encoding = 'LATIN1'", "DateStyle = 'German'"])
def test_settings_of_the_role_cause_no_false_failure(db, embark, setting):
    """L12"""
    db.server.sql(f"ALTER ROLE {db.role} SET {setting}")
    foreign = foreign_lock(db)
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config("true"))
    process.wait_for_line("held by")
    steadily(lambda: process.running, 0.7, "it waits")
    foreign.close()
    ready(process)


def test_names_that_hide_the_systems_functions(db, embark):
    """A schema before pg_catalog in the search path with a function of the lock's name."""
    db.sql("CREATE SCHEMA evil; CREATE FUNCTION evil.pg_try_advisory_xact_lock(bigint) RETURNS bool LANGUAGE sql AS 'SELECT true';"
           "CREATE FUNCTION evil.pg_is_in_recovery() RETURNS bool LANGUAGE sql AS 'SELECT true';"
           "GRANT USAGE ON SCHEMA evil TO public")
    db.server.sql(f"ALTER ROLE {db.role} SET search_path = evil, pg_catalog, public")
    foreign = foreign_lock(db)
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config("true"))
    process.wait_for_line("held by")
    foreign.close()
    ready(process)


# --- what belongs to whom

def test_lock_is_not_inherited(db, embark, migration, folder):
    """L22: neither by the migration nor by the service."""
    db.make_ledger()
    process = embark("ls", "-l", "/proc/self/fd", env={"DATABASE_URL": db.url}, config=config(migration(f"fds:{folder}/fds")))
    process.expect(0)
    service = [line for line in process.stdout.splitlines() if "->" in line]
    assert len(service) == 4, process.stdout  # 0, 1, 2, and the folder that ls reads
    # the migration: its own connection is one socket, the folder that it lists is gone again
    lines = (folder / "fds").read_text().splitlines()
    sockets = [line for line in lines if "socket:" in line]
    assert len(sockets) == 1, lines
    assert not any("signalfd" in line or "anon_inode" in line for line in lines), lines


def test_connection_is_closed_before_exec(db, embark, migration):
    """L23"""
    db.make_ledger()
    process = embark("sh", "-c", "echo served; sleep 1000", env={"DATABASE_URL": db.url}, config=config(migration("apply:one")))
    process.wait_for_line("served", stream=process.out)
    eventually(lambda: db.backends("embark%") == [], timeout=5)


def test_migration_gets_the_direct_url_in_the_variables_that_are_named(db, embark, migration, folder, bouncer):
    """[migrate] env: for the migration only."""
    db.make_ledger()
    pool = bouncer(db, "session")
    direct = db.url.replace("postgresql://", "postgresql+psycopg2://")
    text = (f"[database]\ndirect_url = {direct}\n" + config(migration(f"env:DATABASE_URL={folder}/one", f"env:ALEMBIC_URL={folder}/two"),
                                                          env="DATABASE_URL, ALEMBIC_URL"))
    process = embark("sh", "-c", 'test "$DATABASE_URL" = "$WANTED" && test -z "$ALEMBIC_URL" && echo served',
                     env={"DATABASE_URL": pool.url, "WANTED": pool.url}, config=text)
    ready(process)
    assert (folder / "one").read_text() == direct and (folder / "two").read_text() == direct


def test_variables_named_without_a_direct_url_get_the_url(db, embark, migration, folder):
    text = config(f"sh -c 'printf %s \"$OTHER\" >{folder}/got'", env="OTHER")
    ready(embark("echo", "served", env={"DATABASE_URL": db.url}, config=text))
    assert (folder / "got").read_text() == db.url


def test_migrations_connections_are_marked(db, embark, begin, folder):
    """PGAPPNAME, for clients that honour it, with the run and the host; the service doesn't get it."""
    db.make_ledger()
    process = begin(db)
    names = [row[0] for row in db.sql("SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"
                                      " AND application_name LIKE 'embark:run %%'")]
    assert len(names) == 1 and socket.gethostname()[:18] in names[0]
    (folder / "go").touch()
    ready(process)
    service = embark.run("sh", "-c", 'echo "${PGAPPNAME-unset}"', env={"DATABASE_URL": db.url}, config=config("true")).expect(0)
    assert service.stdout == "unset\n"


def test_output_of_the_migration_goes_to_stderr(db, embark):
    """stdout belongs to the service."""
    process = ready(embark("echo", "served", env={"DATABASE_URL": db.url}, config=config("sh -c 'echo one; echo two >&2'")))
    assert "\none\n" in process.stderr and "\ntwo\n" in process.stderr


def test_migration_does_not_read_the_services_stdin(db, embark):
    process = embark("cat", stdin=b"for the service\n", env={"DATABASE_URL": db.url}, config=config("sh -c 'cat >&2; echo read'"))
    process.expect(0)
    assert process.stdout == "for the service\n" and "for the service" not in process.stderr


def test_flood_of_output_does_not_hang(db, embark):
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config("sh -c 'yes | head -c 4000000'"))
    ready(process, timeout=60)


@pytest.mark.parametrize("pid1", [False, True], ids=["child", "pid1"])
def test_what_the_migration_leaves_behind(db, embark, migration, folder, pid1):
    """L38: a background process of its group and a daemon that left it: neither holds the lock, neither outlives the migration."""
    db.make_ledger()
    process = embark("sh", "-c", "echo served; read x", stdin=-1, pid1=pid1, env={"DATABASE_URL": db.url},
                     config=config(migration(f"child:{folder}/child", f"daemon:{folder}/daemon")))
    process.wait_for_line("served", stream=process.out)
    assert db.locks() == []
    if not pid1:
        assert not alive(int((folder / "child").read_text())) and not alive(int((folder / "daemon").read_text()))
    assert len(marked(embark.mark)) == (2 if pid1 else 1), "only the service is left"  # and unshare
    process.popen.stdin.close()
    process.wait()


def test_stopped_process_of_the_migration_is_ended(db, embark, migration, folder):
    """It would sleep through SIGTERM."""
    db.make_ledger()
    process = embark("echo", "served", env={"DATABASE_URL": db.url, "EMBARK_SERVICE_GRACE": "1s"}, config=config(
        f"sh -c 'sleep 1000 & echo $! >{folder}/stopped; kill -STOP $!'"))
    ready(process)
    assert not alive(int((folder / "stopped").read_text()))


def test_migration_timeout(db, embark, begin, folder):
    """Ended, with its children; the lock is free."""
    db.make_ledger()
    process = begin(db, before=[f"child:{folder}/child"], keys={"timeout": "1s"})
    failed(process, 80, r"\b1 s\b", r"\n  hint: ")
    assert not alive(int((folder / "child").read_text())) and db.locks() == []


def test_migration_timeout_and_one_that_ignores_term(db, embark, begin, folder):
    db.make_ledger()
    process = begin(db, before=["ignore:TERM"], keys={"timeout": "4s"}, env={"EMBARK_SERVICE_GRACE": "500ms"})
    failed(process, 80)
    assert not alive(int((folder / "begun").read_text()))


# --- standbys

def test_standby_is_never_migrated(pair, embark, folder):
    """L27: not as url, and not as direct_url either."""
    primary, standby = pair
    db = primary.database()
    embark.secrets.append(db.password)
    eventually(lambda: standby.sql("SELECT 1 FROM pg_database WHERE datname = %s", (db.name,)))
    text = config(f"touch {folder}/migrated", lock_timeout="1s")
    on_standby = db.url_as(port=standby.port)
    failed(embark("echo", "served", env={"DATABASE_URL": on_standby, "EMBARK_DATABASE_TIMEOUT": "1s"}, config=text), 69)
    for url, direct in [(on_standby + "?target_session_attrs=any", ""), (on_standby + "?target_session_attrs=standby", ""),
                        (db.url, f"[database]\ndirect_url = {on_standby}\n")]:
        process = embark("echo", "served", env={"DATABASE_URL": url}, config=direct + text)
        process.wait()
        assert process.popen.returncode in (69, 75) and "served" not in process.stdout, process.describe()
        assert re.search("standby|recovery", process.stderr)
    assert not (folder / "migrated").exists()


# --- poolers

def test_transaction_pooling(db, embark, bouncer, migration):
    """L16, L18: excludes others, and nothing is stranded on a pooled backend."""
    db.make_ledger()
    pool = bouncer(db, "transaction")
    held = embark.barrier(6, "echo", "served", env={"DATABASE_URL": pool.url}, config=config(migration("sleep:0.2", "apply:one")))
    for process in held.release():
        process.expect(0, timeout=60)
    assert db.overlaps() == [] and db.value("SELECT count(*) FROM applied") == 1
    assert db.locks() == [], "a lock is stranded on a pooled backend"


def test_transaction_pooling_and_a_killed_holder(db, embark, bouncer, begin, migration):
    """L16: PgBouncer drops the backend of a client that is gone in mid-transaction."""
    db.make_ledger()
    pool = bouncer(db, "transaction")
    first = begin(db, env={"DATABASE_URL": pool.url}, pid1=True)
    first.signal(signal.SIGKILL)
    eventually(lambda: db.locks() == [])
    ready(embark("echo", "served", env={"DATABASE_URL": pool.url}, config=config(migration("apply:one"))))
    assert db.locks() == []


def test_session_settings_do_not_leak_through_a_transaction_pool(db, embark, bouncer):
    """The timeouts that are set to 0 for the lock stay with its transaction."""
    db.server.sql(f"ALTER ROLE {db.role} SET statement_timeout = '33s'")
    db.server.sql(f"ALTER ROLE {db.role} SET idle_in_transaction_session_timeout = '44s'")
    pool = bouncer(db, "transaction", default_pool_size=2, server_reset_query="")
    ready(embark("echo", "served", env={"DATABASE_URL": pool.url}, config=config("true")))
    clients = [pool.connect(), pool.connect()]
    for client in clients:  # a transaction each, so that both of the pool's connections are looked at
        cursor = client.cursor()
        cursor.execute("BEGIN")
        for name, value in (("statement_timeout", "33s"), ("idle_in_transaction_session_timeout", "44s")):
            cursor.execute(f"SHOW {name}")
            assert cursor.fetchone()[0] == value
    for client in clients:
        client.close()


def test_pool_of_one_connection(db, embark, bouncer):
    """The lock's transaction would keep the migration from its own connection for ever: that ends, and is said as what it is."""
    pool = bouncer(db, "transaction", default_pool_size=1)
    process = embark("echo", "served", env={"DATABASE_URL": pool.url, "EMBARK_DATABASE_CONNECT_TIMEOUT": "1s"},
                     config=config("true", lock_timeout="3s"))
    process.wait(20)
    assert process.popen.returncode in (69, 75), process.describe()
    assert "direct_url" in process.stderr or "pool" in process.stderr or "second connection" in process.stderr, process.describe()
    assert "served" not in process.stdout


def test_session_pooling(db, embark, bouncer, migration):
    """L17"""
    db.make_ledger()
    pool = bouncer(db, "session")
    held = embark.barrier(4, "echo", "served", env={"DATABASE_URL": pool.url}, config=config(migration("sleep:0.2", "apply:one")))
    for process in held.release():
        process.expect(0, timeout=60)
    assert db.overlaps() == [] and db.locks() == []


def test_statement_pooling_is_refused_and_direct_url_named(db, embark, bouncer, folder):
    """A transaction can't be had there, so neither can the lock."""
    pool = bouncer(db, "statement")
    process = embark("echo", "served", env={"DATABASE_URL": pool.url}, config=config(f"touch {folder}/migrated", lock_timeout="5s"))
    assert process.wait() in (69, 77, 78), process.describe()
    assert "direct_url" in process.stderr, process.describe()
    assert not (folder / "migrated").exists() and "served" not in process.stdout and db.locks() == []


@pytest.mark.parametrize("mode", ["transaction", "session", "statement"])
def test_direct_url_beside_a_pooler(db, embark, bouncer, migration, folder, mode):
    """The service's wait goes through the pooler, the lock and the migration past it."""
    db.make_ledger()
    pool = bouncer(db, mode)
    text = f"[database]\ndirect_url = {db.url}\n" + config(migration(f"env:DATABASE_URL={folder}/url", "apply:one"), env="DATABASE_URL")
    process = embark("sh", "-c", 'test "$DATABASE_URL" = "$WANTED" && echo served', env={"DATABASE_URL": pool.url, "WANTED": pool.url}, config=text)
    ready(process)
    assert (folder / "url").read_text() == db.url


def test_pooler_whose_server_is_away(own_server, embark, bouncer):
    """PgBouncer accepts, and then says that it can't connect: 08P01. It is waited for."""
    server = own_server().start()
    db = server.database()
    embark.secrets.append(db.password)
    pool = bouncer(db, "transaction", server_login_retry="1", query_wait_timeout="2")
    server.stop()
    process = embark("echo", "served", env={"DATABASE_URL": pool.url}, config="[database]\nconnect_timeout = 1s\n")
    process.wait_for_line(r"^embark: wait: .*\(\d")
    server.start()
    ready(process)


def test_lock_is_reported_lost_when_the_pooler_goes(db, embark, bouncer, begin):
    db.make_ledger()
    pool = bouncer(db, "transaction")
    process = begin(db, env={"DATABASE_URL": pool.url})
    pool.stop()
    failed(process, 80, "lost")


def test_migrate_steps_can_be_many_words(db, embark, folder):
    """[migrate] command is split as a shell does it, and expanded after that."""
    text = config("""sh -c 'printf "%s|" "$@" >$OUT' x "a b" ${WORDS} 'c  d' \\"e""", )
    ready(embark("echo", "served", env={"DATABASE_URL": db.url, "OUT": str(folder / "out"), "WORDS": "one value"}, config=text))
    assert (folder / "out").read_text() == 'a b|one value|c  d|"e|'


def test_migration_runs_where_embark_was_started(db, embark, folder):
    (folder / "here").mkdir()
    ready(embark("echo", "served", cwd=folder / "here", env={"DATABASE_URL": db.url}, config=config("touch made")))
    assert (folder / "here" / "made").exists()


def test_titles(db, embark, begin, folder):
    """ps and docker top show the phase."""
    db.make_ledger()
    first = begin(db)
    second = embark("echo", "served", env={"DATABASE_URL": db.url}, config=config("true"))
    second.wait_for_line("held by")
    assert comm(first.pid) == "embark:migrate" and comm(second.pid) == "embark:lock"
    (folder / "go").touch()
    ready(first)
    ready(second)


def test_everything_as_pid_1(db, embark, migration, folder):
    db.make_ledger()
    process = embark("sh", "-c", "test $$ = 1 && echo served", pid1=True, env={"DATABASE_URL": db.url}, config=config(migration("apply:one")))
    ready(process)
    assert db.value("SELECT count(*) FROM applied") == 1
