"""Runs that fail, hang, flood, are killed or lose their server: what is said, how it ends, and what the next start does."""

import re
import signal
import socket
import threading

import pytest

from support import postgres
from support.apps import App, ledger, outcomes
from support.process import alive, children, need_root, send
from support.waiting import eventually, steadily


@pytest.fixture
def app(folder, embark, db):
    db.make_ledger()
    return App(folder, embark, db).add("001_one", "CREATE TABLE one (n int)")


def working(db, statement="%pg_sleep%"):
    """Backends of a migration in the middle of that statement."""
    return [row[0] for row in db.sql("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
                                     " AND query LIKE %s AND pid <> pg_backend_pid()", (statement,))]


def in_statement(process, db):
    process.wait_for_line("applying 002")
    return eventually(lambda: working(db), what="the migration is in the middle of its statement")[0]


def lock_holder(db):
    return [pid for pid, key, name in db.locks()][0]


# --- failed runs, and who tries again

def test_last_lines_are_kept(app, db):
    """Twenty of them, for those who come later."""
    app.add("002_bad", "SELECT 1/0")
    app.command = "sh -c 'for i in $(seq 1 50); do echo \"line $i\"; done; exit 3'"
    app.fails(80, "line 1\n", "status 3")
    run, = ledger(db)
    assert run["outcome"] == "failed" and run["output"].splitlines() == [f"line {n}" for n in range(31, 51)]
    assert "3" in run["error"] and run["finished_at"]


def test_replicas_fail_fast_with_the_same_error(app, db):
    app.add("002_bad", "SELECT 1/0")
    app.fails(80, "division by zero", retry_after="10m")
    for _ in range(3):
        process = app.fails(80, r"not run: with these files it failed .* ago on \S+, ", "exited with status 1", r"\| 002_bad.sql: division by zero",
                            r"\n  hint: .*retry_after", retry_after="10m")
        assert "has the lock" not in process.stderr
    assert outcomes(db) == ["failed"] and db.value("SELECT count(*) FROM runs") == 1


def test_replicas_that_start_together_run_a_failing_migration_once(app, db, embark):
    """L14: none of them serves, and it isn't hammered."""
    app.add("002_bad", "SELECT pg_sleep(0.5); SELECT 1/0")
    held = embark.barrier(10, "echo", "served", **app.arguments(retry_after="10m"))
    for process in held.release():
        process.expect(80, "division by zero", timeout=60)
        assert "served" not in process.stdout
    assert db.value("SELECT count(*) FROM runs") == 1 and outcomes(db) == ["failed"]


def test_one_replica_tries_again_after_a_while(app, db, embark):
    app.add("002_bad", "SELECT pg_sleep(0.3); SELECT 1/0")
    app.fails(80, retry_after="10m")
    db.sql("UPDATE embark_ledger SET started_at = started_at - interval '1 hour', finished_at = finished_at - interval '1 hour'")
    held = embark.barrier(6, "echo", "served", **app.arguments(retry_after="10m"))
    for process in held.release():
        process.expect(80, timeout=60)
    assert db.value("SELECT count(*) FROM runs") == 2 and outcomes(db) == ["failed", "failed"]


def test_success_after_a_retry(app, db):
    """The cause is gone, the files are the same."""
    app.add("002_needs", "INSERT INTO missing VALUES (1)")
    app.fails(80, retry_after="500ms")
    db.sql(f"CREATE TABLE missing (n int); ALTER TABLE missing OWNER TO {db.role}")
    eventually(lambda: db.value("SELECT clock_timestamp() - finished_at > '500ms' FROM embark_ledger"))
    app.serves(retry_after="500ms")
    assert outcomes(db) == ["failed", "done"]


def test_fixed_image_does_not_wait(app, db):
    app.add("002_bad", "SELECT 1/0")
    app.fails(80, retry_after="10m")
    app.add("002_bad", "SELECT 1")
    app.serves(retry_after="10m")
    assert outcomes(db) == ["failed", "done"]


def test_retry_after_nothing(app, db):
    app.add("002_bad", "SELECT 1/0")
    for _ in range(2):
        app.fails(80, retry_after="0s")
    assert outcomes(db) == ["failed", "failed"]


def test_ledger_off_keeps_nobody_from_trying(app, db):
    app.add("002_bad", "SELECT 1/0")
    for _ in range(2):
        app.fails(80, "division by zero", ledger="off")


def test_output_that_the_databases_encoding_lacks(folder, embark, server):
    """The outcome is noted without it."""
    db = server.database()
    server.sql(f'DROP DATABASE "{db.name}"')
    server.sql(f'CREATE DATABASE "{db.name}" OWNER "{db.role}" TEMPLATE template0 ENCODING \'LATIN1\'')
    app = App(folder, embark, db).add("001_one")
    (app.folder / "say.sh").write_text("echo '→ schön 😀'; exit 1\n")
    app.command = "sh say.sh"
    app.fails(80)
    assert outcomes(db) == ["failed"]
    app.fails(80, "not run", retry_after="10m")
    embark.end()
    db.drop()


@pytest.mark.parametrize("encoding, name, stored", [("LATIN1", "001_→_one", "001_\\xe2\\x86\\x92_one"), ("UTF8", "001_\udcff", "001_\\xff")])
def test_file_names_that_the_databases_encoding_lacks(folder, embark, server, encoding, name, stored):
    """Written as numbers, so that the next start knows them again."""
    db = server.database()
    server.sql(f'DROP DATABASE "{db.name}"')
    server.sql(f'CREATE DATABASE "{db.name}" OWNER "{db.role}" TEMPLATE template0 ENCODING \'{encoding}\'')
    db.sql(f'CREATE TABLE schema_migrations AS SELECT 1 AS version; ALTER TABLE schema_migrations OWNER TO "{db.role}"')
    app = App(folder, embark, db).add(name)
    app.command = "true"
    app.serves()
    assert outcomes(db) == ["done"]
    assert stored in ledger(db)[0]["files"]
    app.serves().expect(0, "everything is applied")
    embark.end()
    db.drop()


def test_output_that_is_no_text(app, db):
    """Bytes that are no UTF-8 and NULs can't be stored in a text column: the run is noted all the same."""
    app.command = "sh -c 'printf \"\\377\\376\\000 raw \\303\\n\\033[31mred\\n\"; exit 1'"
    app.fails(80)
    run, = ledger(db)
    assert run["outcome"] == "failed" and "red" in run["output"]
    process = app.fails(80, "not run", retry_after="10m")
    assert "red" in process.stderr


# --- killed

def test_interrupted_run_is_explained(app, db):
    """SIGKILL of the container, between two statements."""
    app.add("002_slow", "SELECT pg_sleep(100)")
    first = app.start(pid1=True, extra="[image]\nbuild = b7\n")
    pid = in_statement(first, db)
    first.signal(signal.SIGKILL)
    first.wait()
    db.sql("SELECT pg_terminate_backend(%s)", (pid,))
    app.add("002_slow")
    app.serves().wait_for_line(rf"interrupted .*{re.escape(socket.gethostname())}.*build b7")
    assert outcomes(db) == ["interrupted", "done"]


def test_backend_of_a_killed_migration_is_waited_for(app, db):
    """It ends by itself: nobody is terminated, and the next holder runs only then."""
    app.add("002_slow", "SELECT pg_sleep(3)")
    first = app.start(pid1=True)
    pid = in_statement(first, db)
    first.signal(signal.SIGKILL)
    first.wait()
    second = app.start()
    second.wait_for_line(rf"killed, but its backend \(pid {pid}\) still works on: SELECT pg_sleep\(3\)")
    assert working(db) == [pid], "the second one waits"
    second.expect(0, timeout=40)
    assert "terminate" not in second.stderr
    began = db.value("SELECT began FROM runs ORDER BY id DESC LIMIT 1")
    assert db.value("SELECT %s - min(began) > '2.5 s' FROM runs", (began,)), "the second one began beside the first one's statement"


def test_statement_of_a_leftover_is_shown_without_its_password(app, db):
    app.add("002_slow", "SELECT pg_sleep(3) /* ALTER ROLE x PASSWORD 'Pw-of-a-statement' */")
    first = app.start(pid1=True)
    in_statement(first, db)
    first.signal(signal.SIGKILL)
    first.wait()
    second = app.start()
    second.wait_for_line(r"still works on: SELECT pg_sleep\(3\) /\* ALTER ROLE x PASSWORD \.\.\.")
    second.expect(0, timeout=40)
    assert "Pw-of-a" not in second.stderr


def test_backend_of_a_killed_migration_is_ended_in_the_end(app, db):
    app.add("002_slow", "SELECT pg_sleep(1000)")
    first = app.start(pid1=True)
    pid = in_statement(first, db)
    first.signal(signal.SIGKILL)
    first.wait()
    app.add("002_slow")
    second = app.serves(env={"EMBARK_SERVICE_GRACE": "1s"})
    second.wait_for_line(rf"pid {pid}.*it is given 1 s")
    second.wait_for_line("pg_terminate_backend")
    assert working(db) == [] and outcomes(db) == ["interrupted", "done"]


def test_stop_is_obeyed_while_a_backend_is_waited_for(app, db):
    app.add("002_slow", "SELECT pg_sleep(1000)")
    first = app.start(pid1=True)
    in_statement(first, db)
    first.signal(signal.SIGKILL)
    second = app.start(env={"EMBARK_SERVICE_GRACE": "10m"})
    second.wait_for_line("still works on")
    second.signal(signal.SIGTERM)
    second.expect(143, timeout=10)


def test_killed_embark_takes_its_migration_along(app, db, folder, migration):
    """SIGKILL of embark alone: the process that it started ends, too."""
    app.command = migration(f"touch:{folder}/begun", f"until:{folder}/go")
    first = app.start()
    first.wait_for_file(folder / "begun")
    pid = int((folder / "begun").read_text())
    first.signal(signal.SIGKILL)
    first.wait()
    eventually(lambda: not alive(pid), what="the migration is killed")


def test_killed_embark_whose_migration_lives_on_in_a_statement(app, db):
    """SIGKILL of embark alone: its migration is an orphan that goes on."""
    app.add("002_slow", "SELECT pg_sleep(1000)").add("003_after", "CREATE TABLE after_kill (n int)")
    first = app.start(env={"REPLICA": "first"})
    pid = in_statement(first, db)
    orphan = children(first.pid)[0]
    first.signal(signal.SIGKILL)
    first.wait()
    app.add("002_slow")
    second = app.serves(env={"EMBARK_SERVICE_GRACE": "1s"})
    second.wait_for_line(rf"pid {pid}")
    eventually(lambda: not alive(orphan), what="the orphan ends, its backend is gone")
    assert db.value("SELECT count(*) FROM schema_migrations") == 3


@pytest.mark.parametrize("shell", [False, True], ids=["itself", "behind a shell"])
def test_killed_embark_whose_migration_lives_on_between_statements(app, db, migration, folder, shell):
    """Its backend is idle: what it is about to do isn't seen. The ledger tells that it was not ended, and its holder might not know yet that
    it has lost the lock: it is given the time."""
    app.command = migration(f"touch:{folder}/begun", f"until:{folder}/go", "sql:CREATE TABLE late (n int)")
    if shell:
        app.command = migration.script(app.command.replace("\n", " ") + "; exit $?\n")
    first = app.start(env={"REPLICA": "first"})
    first.wait_for_file(folder / "begun")
    orphan = int((folder / "begun").read_text())
    first.signal(signal.SIGKILL)
    first.wait()
    second = app.start(env={"REPLICA": "second"})
    eventually(lambda: db.sql("SELECT 1 FROM runs WHERE replica = 'second'"), timeout=45, what="the second one runs")
    assert not alive(orphan) or db.value(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'embark:run%%' AND datname = current_database()") == 1
    (folder / "go").touch()
    second.expect(0)
    eventually(lambda: not alive(orphan), what="the first one's process ends")
    assert db.value("SELECT count(*) FROM runs WHERE ended IS NOT NULL") == 1, "the first one went on"
    assert db.value("SELECT to_regclass('late') IS NOT NULL")


def test_terminated_backend_of_the_lock_in_the_middle_of_a_statement(app, db):
    """The migration's processes are ended, the statement goes on: the next holder waits for it."""
    app.add("002_slow", "SELECT pg_sleep(1000)")
    first = app.start()
    pid = in_statement(first, db)
    db.sql("SELECT pg_terminate_backend(%s)", (lock_holder(db),))
    first.expect(80, "lost", r"\n  hint: ")
    assert working(db) == [pid]
    app.add("002_slow")
    second = app.serves(env={"EMBARK_SERVICE_GRACE": "1s"})
    second.wait_for_line(rf"pid {pid}.*still works on")
    assert outcomes(db) == ["interrupted", "done"]


def test_terminated_backend_of_the_migration(app, db):
    """An administrator ends the migration itself."""
    app.add("002_slow", "SELECT pg_sleep(1000)")
    process = app.start()
    pid = in_statement(process, db)
    db.sql("SELECT pg_terminate_backend(%s)", (pid,))
    process.expect(80, "terminating connection due to administrator command|server closed")
    assert outcomes(db) == ["failed"]


def test_stopped_migration_is_an_interrupted_one(app, db):
    """SIGTERM in mid-migration is no failure of the migration: the next start tries at once."""
    app.add("002_slow", "SELECT pg_sleep(1000)")
    process = app.start(retry_after="10m")
    in_statement(process, db)
    process.signal(signal.SIGTERM)
    process.expect(143)
    app.add("002_slow", "SELECT pg_sleep(0)")
    app.serves(retry_after="10m", env={"EMBARK_SERVICE_GRACE": "1s"})
    assert outcomes(db) == ["interrupted", "done"]


def test_migration_that_hangs(app, db):
    """timeout: its processes are ended, and its statement by the next holder. It counts as failed."""
    app.add("002_slow", "SELECT pg_sleep(1000)")
    app.fails(80, r"did not end within 1 s", r"\n  hint: .*timeout", env={"EMBARK_MIGRATE_TIMEOUT": "1s"})
    assert outcomes(db) == ["failed"] and db.locks() == []
    second = app.fails(80, "not run: with these files it failed", "did not end within", retry_after="10m")
    assert "has the lock" not in second.stderr
    app.add("002_slow")
    third = app.serves(env={"EMBARK_SERVICE_GRACE": "500ms"})
    assert "still works on" in third.stderr and not working(db)


# --- connections

class Cable:
    """A TCP relay before the server whose connections can be cut."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.target = port
        self.pairs = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self.pairs.append((near, far))
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    @staticmethod
    def _pump(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        for pair in self.pairs:
            for s in pair:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs.clear()

    def close(self):
        self.listener.close()
        self.cut()


def test_connections_are_cut(app, db):
    """All of them, as by a firewall's timeout or a proxy's restart. The next start goes on."""
    cable = Cable(db.server.port)
    app.add("002_slow", "SELECT pg_sleep(1000)")
    process = app.start(url=db.url_as(port=cable.port))
    in_statement(process, db)
    cable.cut()
    process.expect(80, "lost|closed")
    cable.close()
    app.add("002_slow")
    app.serves(env={"EMBARK_SERVICE_GRACE": "500ms"})
    assert outcomes(db)[-1] == "done"


def test_server_is_restarted_in_mid_migration(folder, embark, own_server):
    """L25: the tables of the run before are whole, and the next start does the rest."""
    server = own_server(conf={"synchronous_commit": "on"}).start()
    db = server.database()
    app = App(folder, embark, db).add("001_one", "CREATE TABLE one (n int)").add("002_slow", "CREATE TABLE two (n int); SELECT pg_sleep(1000)")
    process = app.start()
    in_statement(process, db)
    server.restart("immediate")
    process.expect(80)
    app.add("002_slow", "CREATE TABLE two (n int)")
    second = app.serves(timeout=60)
    assert "applying 001" not in second.stderr and db.value("SELECT count(*) FROM schema_migrations") == 2


def test_server_that_is_restarted_again_and_again(folder, embark, own_server):
    """A crash loop of the server: each start ends with a reason, the last one serves."""
    server = own_server().start()
    db = server.database()
    app = App(folder, embark, db).add("001_one", "CREATE TABLE one (n int)")
    for number in range(3):
        process = app.start()
        server.restart("immediate")
        assert process.wait(60) in (0, 69, 80), process.describe()
    app.serves(timeout=60, retry_after="0s")
    assert db.value("SELECT count(*) FROM schema_migrations") == 1


def test_full_server(folder, embark, own_server):
    """L26: max_connections. The lock is given back until there is room for the migration beside it."""
    server = own_server(conf={"max_connections": "8", "superuser_reserved_connections": "2"}).start()
    db = server.database()
    app = App(folder, embark, db).add("001_one", "CREATE TABLE one (n int)")
    others = [db.connect_as_role() for _ in range(5)]
    process = app.start()
    process.wait_for_line(r"no second connection.*53300")
    process.wait_for_line(r"hint: .*max_connections")
    eventually(lambda: db.locks() == [], gap=0.001, what="a moment in which the lock is free")
    for other in others:
        other.close()
    process.expect(0, timeout=60)


def test_full_server_from_the_start(folder, embark, own_server):
    """No slot at all: waited for, as for any server that isn't ready."""
    server = own_server(conf={"max_connections": "8", "superuser_reserved_connections": "2"}).start()
    db = server.database()
    app = App(folder, embark, db).add("001_one")
    others = [db.connect_as_role() for _ in range(6)]
    process = app.start()
    process.wait_for_line("53300")
    for other in others:
        other.close()
    process.expect(0, timeout=60)


def test_connections_run_out_in_mid_migration(folder, embark, own_server):
    """The migration gets none, and fails; it is noted as soon as there is one, or said that it wasn't."""
    server = own_server(conf={"max_connections": "9", "superuser_reserved_connections": "2"}).start()
    db = server.database()
    app = App(folder, embark, db).add("001_one")
    steps = app.command.replace("\n    ", " ")
    app.command = f"sh -c 'touch begun; while [ ! -e go ]; do sleep 0.05; done; exec {steps}'"
    process = app.start()
    process.wait_for_file(app.folder / "begun")
    others = [db.connect_as_role() for _ in range(6)]
    (app.folder / "go").touch()
    process.expect(80, "too many clients|remaining connection slots|reserved", timeout=60)
    for other in others:
        other.close()
    app.serves(retry_after="0s")


def test_standby_is_promoted_in_mid_migration(folder, embark, cluster, own_server):
    """L42: the primary is not to be reached any more, with the lock held, by who came to it through a relay, whose kernel answers for it.
    Advisory locks aren't replicated: a second replica migrates the new primary; the first one can't know, and ends when its heartbeat has not
    been answered for 60 s."""
    primary = own_server().start()
    db = primary.database()
    db.make_ledger()
    standby = postgres.standby_of(primary).start()
    app = App(folder, embark, db).add("001_one", "CREATE TABLE one (n int)")
    app.serves()
    both = db.url_as(port=f"{primary.port},127.0.0.1:{standby.port}", query="target_session_attrs=read-write&connect_timeout=2")
    app.add("002_slow", "SELECT pg_sleep(1000)")
    eventually(lambda: primary.value("SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()"))
    cable = Cable(primary.port)
    first = app.start(url=db.url_as(host="127.0.0.1", port=cable.port))
    in_statement(first, db)
    for pid in [primary.popen.pid, *postgres.backends_of(primary.popen.pid)]:
        send(pid, signal.SIGSTOP)
    try:
        postgres.promote(standby)
        app.add("002_slow", "CREATE TABLE two (n int)")
        app.serves(url=both, extra="[database]\nconnect_timeout = 4s\n", timeout=90)
        first.expect(80, "pooler or a proxy, did not answer the heartbeat within 60 s", timeout=90)
    finally:
        cable.close()
        for pid in [primary.popen.pid, *postgres.backends_of(primary.popen.pid)]:
            send(pid, signal.SIGCONT)
    assert standby.value("SELECT count(*) FROM schema_migrations", database=db.name) == 2
    standby.destroy()


def test_disk_of_the_server_is_full(folder, embark, own_server, namespace):
    """A tablespace on a small file system, in a mount namespace of its own."""
    need_root("a small file system")
    inside = namespace()
    server = own_server(namespace=inside)
    small = server.folder / "small"
    small.mkdir()
    inside.run("mount", "-t", "tmpfs", "-o", "size=24m,mode=0777", "tmpfs", str(small))
    inside.run("mkdir", str(small / "space"))
    user = postgres.server_user()
    if user:
        inside.run("chown", f"{user.pw_uid}", str(small / "space"))
    inside.run("chmod", "700", str(small / "space"))
    server.start()
    server.sql(f"CREATE TABLESPACE small LOCATION '{small}/space'")
    db = server.database()
    server.sql(f"GRANT CREATE ON TABLESPACE small TO {db.role}")
    server.sql(f'ALTER DATABASE "{db.name}" SET TABLESPACE small')
    app = App(folder, embark, db).add("001_one", "CREATE TABLE one (n int)")
    prefix = inside.prefix(app.folder)
    app.serves(prefix=prefix)
    app.add("002_fills", "CREATE TABLE fills AS SELECT n, repeat('x', 1000) FROM generate_series(1, 1000000) n")
    app.fails(80, "No space left on device", prefix=prefix, timeout=60)
    inside.run("mount", "-o", "remount,size=400m", str(small))
    app.add("002_fills", "CREATE TABLE fills AS SELECT n FROM generate_series(1, 1000) n")
    app.serves(prefix=prefix, timeout=60)
    assert db.value("SELECT count(*) FROM fills") == 1000


# --- output

def test_flood_of_output(app, db):
    """100 MB pass through, embark's memory stays small, the last lines are kept."""
    app.command = ("sh -c 'yes \"a line of output that is neither short nor long\" | head -c 100000000; echo; echo the end; "
                   "grep VmHWM /proc/$PPID/status >peak; exit 1'")
    process = app.fails(80, timeout=120)
    assert len(process.err.raw) > 100_000_000
    assert int((app.folder / "peak").read_text().split()[1]) < 40_000
    run, = ledger(db)
    assert run["output"].splitlines()[-1] == "the end" and len(run["output"].splitlines()) == 20


def test_flood_without_a_newline(app, db):
    app.command = "sh -c 'head -c 20000000 /dev/zero | tr \"\\0\" x; exit 1'"
    process = app.fails(80, timeout=120)
    assert process.err.raw.count(b"x") >= 20_000_000
    run, = ledger(db)
    assert 0 < len(run["output"]) < 100_000


def test_signals_and_heartbeat_under_a_flood(app, db):
    """Output for ever doesn't keep embark from noticing that the lock is lost, or that it shall stop."""
    app.command = "yes"
    for end in ("lock", "signal"):
        process = app.start(retry_after="0s")
        eventually(lambda: db.locks() and len(process.err.raw) > 100_000, what="the flood")
        if end == "lock":
            db.sql("SELECT pg_terminate_backend(%s)", (lock_holder(db),))
            process.expect(80, timeout=30)
        else:
            process.signal(signal.SIGTERM)
            process.expect(143, timeout=30)


# --- progress

def test_progress_says_what_the_backend_does(app, db):
    """Every 5 s one line."""
    app.add("002_slow", "SELECT pg_sleep(11)")
    process = app.start()
    pid = in_statement(process, db)
    process.expect(0, timeout=60)
    lines = [line for line in process.stderr.splitlines() if "runs for" in line]
    assert len(lines) == 2, process.describe()
    assert re.search(rf"runs for [45](\.\d+)? s; its backend \(pid {pid}\) waits for Timeout/PgSleep in: SELECT pg_sleep\(11\)", lines[0])
    assert re.search(r"runs for (9|10)", lines[1])


def test_progress_says_that_the_server_waits_for_the_program(app, db, folder):
    """PostgreSQL calls that Client/ClientRead."""
    script = folder / "slow.py"
    script.write_text("import os, psycopg2, time\ndb = psycopg2.connect(os.environ['DATABASE_URL'])\n"
                      f"db.cursor().execute('CREATE TABLE begun (n int)')\nwhile not os.path.exists('{folder}/go'):\n    time.sleep(0.02)\n")
    app.command = f"/usr/bin/python3 {script}"
    process = app.start()
    line = process.wait_for_line("runs for", timeout=30).string
    assert re.search(r"\(pid \d+\) has done: CREATE TABLE begun \(n int\), and the server waits for the migration's program", line), line
    (folder / "go").touch()
    process.expect(0)


def test_progress_says_who_blocks_it(app, db):
    app.serves()
    other = db.connect(application_name="billing-job")
    other.autocommit = False
    other.cursor().execute("SELECT * FROM one")
    app.add("002_alter", "ALTER TABLE one ADD COLUMN m int")
    process = app.start()
    line = process.wait_for_line("runs for", timeout=30).string
    assert re.search(rf"waits for Lock/relation in: ALTER TABLE one ADD COLUMN m int; blocked by billing-job \(pid {other.info.backend_pid}\)", line), line
    other.rollback()
    other.close()
    process.expect(0)


def test_progress_of_an_index_that_is_made_concurrently(any_db, folder, embark):
    app = App(folder, embark, any_db).add("001_one", "CREATE TABLE one (n int)")
    app.serves()
    other = any_db.connect(application_name="report")
    other.set_session(isolation_level="REPEATABLE READ", autocommit=False)
    other.cursor().execute("SELECT * FROM one")
    app.add("002_index", "/* -- no transaction */ CREATE INDEX CONCURRENTLY one_n ON one (n)")
    process = app.start()
    line = process.wait_for_line("runs for", timeout=30).string
    assert re.search(r"waiting for (old snapshots|writers)", line) and "blocked by report" in line, line
    other.rollback()
    other.close()
    process.expect(0)
    assert any_db.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'one_n'::regclass")


def test_invalid_index_of_a_failed_run(app, db):
    """L39: CREATE INDEX CONCURRENTLY leaves one behind. The next run isn't hindered; what to do is the tool's business."""
    db.sql("CREATE TABLE t AS SELECT 1 AS n FROM generate_series(1, 2)")
    db.sql(f"ALTER TABLE t OWNER TO {db.role}")
    app.add("002_index", "/* -- no transaction */ CREATE UNIQUE INDEX CONCURRENTLY t_n ON t (n)")
    app.fails(80, "could not create unique index")
    assert db.value("SELECT NOT indisvalid FROM pg_index WHERE indexrelid = 't_n'::regclass")
    app.add("002_index", "DROP INDEX t_n; DELETE FROM t").add("003_again", "/* -- no transaction */ CREATE UNIQUE INDEX CONCURRENTLY t_n ON t (n)")
    app.serves()
    assert db.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_n'::regclass")


def test_role_with_limits_of_its_own(app, db):
    """L11, L12: a role whose sessions may not idle, whose statements may not take long: no false failure of the ledger or the lock."""
    for setting in ("idle_in_transaction_session_timeout = '1s'", "idle_session_timeout = '1s'", "lock_timeout = '500ms'"):
        db.server.sql(f"ALTER ROLE {db.role} SET {setting}")
    app.command = "sh -c 'sleep 3'"
    process = app.start()
    eventually(lambda: db.locks())
    holder = lock_holder(db)
    steadily(lambda: not db.locks() or lock_holder(db) == holder, 2, gap=0.05)
    process.expect(0)
