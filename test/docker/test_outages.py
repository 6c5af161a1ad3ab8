"""What fails while containers start: a container is killed, the database goes away, the network does, a name appears late.

The migration that others wait for holds until the test opens the gate: a row in a table. It records itself as tools do, so that whoever has
the lock next finds everything applied.
"""

import json
import re

import pytest
from containers import docker
from support.waiting import eventually

GATED = """
DO $$ BEGIN
  WHILE NOT EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep(0.05); END LOOP;
END $$;
INSERT INTO done VALUES (pg_backend_pid());
CREATE TABLE IF NOT EXISTS schema_migrations (version text);
INSERT INTO schema_migrations VALUES ('gated');
"""


@pytest.fixture
def gated(tmp_path):
    """docker run's options and environment for a service with that migration."""
    tmp_path.chmod(0o755)
    (tmp_path / "gated.sql").write_text(GATED)

    def make(url, **more):
        return {"options": ["-v", f"{tmp_path}:/migrations:ro"],
                "env": {"DATABASE_URL": url, "EMBARK_MIGRATE_COMMAND": "/embark sql /migrations/gated.sql",
                        "EMBARK_MIGRATE_FILES": "/migrations/*.sql", "EMBARK_MIGRATE_RETRY_AFTER": "1s", "EMBARK_SERVICE_GRACE": "2s",
                        "EMBARK_DATABASE_TIMEOUT": "5m", **more}}

    return make


class Gate:
    def __init__(self, server, database="postgres"):
        self.server, self.database = server, database
        server.sql("CREATE TABLE gate (n int); CREATE TABLE done (backend int); GRANT ALL ON gate, done TO PUBLIC", database)

    def open(self):
        self.server.sql("INSERT INTO gate VALUES (1)", self.database)

    @property
    def passed(self):
        return int(self.server.sql("SELECT count(*) FROM done", self.database))


def title(container, name):
    eventually(lambda: container.title == f"embark:{name}", 120, f"{container.name} to be embark:{name}\n{container.logs}", gap=0.1)


def test_the_one_that_migrates_is_killed_while_seven_wait(boxes, image, db, server, gated):
    gate = Gate(server, db.name)
    eight = [boxes.run(image, **gated(db.url)) for _ in range(8)]
    titles = lambda: [container.title for container in eight]  # noqa: E731
    eventually(lambda: sorted(titles()) == ["embark:lock"] * 7 + ["embark:migrate"], 180, "one to migrate and seven to wait", gap=0.2)
    # those that wait name the one that they wait for
    migrating = eight[titles().index("embark:migrate")]
    others = [container for container in eight if container is not migrating]
    others[0].says(re.escape(migrating.inspect("{{.Config.Hostname}}")))
    migrating.kill()
    migrating.ends(137)
    eventually(lambda: titles().count("embark:migrate") == 1, 120, "another one to migrate", gap=0.2)
    gate.open()
    for container in others:
        assert container.serves() == "served\n"
    assert gate.passed == 1


def test_the_database_stops_in_mid_migration(boxes, image, own_server, gated):
    """One fails, is restarted, and comes up; one that waits for the lock goes on waiting."""
    network = boxes.make_network()
    server = own_server(network=network).start()
    gate = Gate(server)
    how = gated(server.superuser_url)
    how["options"] += ["--restart", "on-failure"]
    first = boxes.run(image, network=network, **how)
    title(first, "migrate")
    second = boxes.run(image, network=network, **how)
    title(second, "lock")
    docker("stop", server.container.name)
    first.says("embark: (error: )?migrate: .*\n", timeout=120)
    server.start()
    gate.open()
    assert first.serves(180) == second.serves(180) == "served\n"
    assert gate.passed == 1
    assert int(first.inspect("{{.RestartCount}}")) >= 1
    assert int(second.inspect("{{.RestartCount}}")) == 0, second.logs


def test_the_database_restarts_while_it_is_waited_for(boxes, image, own_server):
    """Started before its server, whose volume is empty, which is killed in the middle of its set-up and started again."""
    network = boxes.make_network()
    server = own_server(network=network)
    service = boxes.run(image, network=network, env={"DATABASE_URL": server.superuser_url, "EMBARK_DATABASE_TIMEOUT": "5m"})
    title(service, "wait")
    server.start(wait=False)
    docker("stop", "-t", "0", server.container.name)
    # what is half made isn't taken up again by initdb, so a fresh volume, as an operator would do it
    docker("rm", "-f", "-v", server.container.name)
    server.container = None
    assert service.title == "embark:wait"
    server.start()
    assert service.serves() == "served\n"


def test_the_database_hangs(boxes, image, own_server):
    """A server that takes connections and answers nothing."""
    network = boxes.make_network()
    server = own_server(network=network).start()
    docker("pause", server.container.name)
    service = boxes.run(image, network=network,
                        env={"DATABASE_URL": server.superuser_url, "EMBARK_DATABASE_TIMEOUT": "5m", "EMBARK_DATABASE_CONNECT_TIMEOUT": "1s"})
    service.says("embark: wait: .*does not answer")
    docker("unpause", server.container.name)
    assert service.serves() == "served\n"


def test_a_network_that_is_connected_late(boxes, image, own_server):
    network = boxes.make_network()
    server = own_server(network=network).start()
    waiting = boxes.run(image, network="bridge", env={"DATABASE_URL": server.superuser_url, "EMBARK_DATABASE_TIMEOUT": "5m"})
    waiting.says("embark: wait: db")
    docker("network", "connect", network, waiting.name)
    assert waiting.serves() == "served\n"


def test_the_network_of_one_that_waits_for_the_lock_is_cut(boxes, image, db, server, network, gated):
    gate = Gate(server, db.name)
    first = boxes.run(image, **gated(db.url))
    title(first, "migrate")
    second = boxes.run(image, **gated(db.url))
    title(second, "lock")
    docker("network", "disconnect", network, second.name)
    second.says("embark: .*(db|server|connection)", timeout=120, times=3)
    docker("network", "connect", network, second.name)
    gate.open()
    assert first.serves() == second.serves() == "served\n"
    assert gate.passed == 1


def test_the_network_of_the_one_that_migrates_is_cut(boxes, image, db, server, network, gated):
    """It can't know whether it has the lock still: it ends. The server gives the lock to the next one, though nobody has told it."""
    gate = Gate(server, db.name)
    first = boxes.run(image, **gated(db.url))
    title(first, "migrate")
    second = boxes.run(image, **gated(db.url))
    title(second, "lock")
    docker("network", "disconnect", network, first.name)
    first.ends(80, "embark: error: migrate: the lock \"embark\" was lost", timeout=150)
    eventually(lambda: second.title == "embark:migrate", 150, f"the other to migrate\n{second.logs}", gap=0.2)
    gate.open()
    assert second.serves() == "served\n"
    assert gate.passed == 1


def test_a_name_that_appears_late(boxes, image, own_server):
    network = boxes.make_network()
    service = boxes.run(image, network=network, env={"DATABASE_URL": "postgresql://postgres:Super-Pw-1@late/postgres", "EMBARK_DATABASE_TIMEOUT": "5m"})
    service.says("embark: wait: late")
    server = own_server(network=boxes.make_network()).start()
    docker("network", "connect", "--alias", "late", network, server.container.name)
    assert service.serves() == "served\n"


def test_a_name_that_moves(boxes, image, own_server):
    """To another address: each try resolves it anew."""
    network = boxes.make_network()
    placeholder = boxes.run("embark-test/base", "sleep", "1000", network=network, options=["--network-alias", "db"])
    service = boxes.run(image, network=network, env={"DATABASE_URL": "postgresql://postgres:Super-Pw-1@db/postgres", "EMBARK_DATABASE_TIMEOUT": "5m"})
    service.says("embark: wait: db.*refuse")
    docker("network", "disconnect", network, placeholder.name)
    own_server(network=network).start()
    assert service.serves() == "served\n"


# --- logs

LINES = 3000
CHATTY = """i=0
while [ $i -lt %d ]; do i=$((i + 1)); echo "out $i %s"; echo "err $i %s" >&2; done
"""


def check_order(text, word, filler, count=LINES):
    found = re.findall(rf"^{word} (\d+) {filler}$", text, re.M)
    assert found == [str(number) for number in range(1, count + 1)]


def test_log_lines_are_whole_and_in_order(boxes, image, db, tmp_path):
    """Those of a migration, of which both streams go to stderr, and those of the service; long ones and very long ones too."""
    tmp_path.chmod(0o755)
    for name, count, filler in (("migrate", LINES, "m" * 90), ("serve", LINES, "s" * 90), ("long", 40, "l" * 20000)):
        (tmp_path / f"{name}.sh").write_text(CHATTY % (count, filler, filler))
    service = boxes.run(image, "sh", "-c", "sh /scripts/serve.sh && exec sh /scripts/long.sh", options=["-v", f"{tmp_path}:/scripts:ro"],
                        env={"DATABASE_URL": db.url, "EMBARK_MIGRATE_COMMAND": "sh /scripts/migrate.sh"}).ends(0, timeout=180)
    out, err = service.streams()
    for word in ("out", "err"):
        check_order(err, word, "m" * 90)
        check_order(out if word == "out" else err, word, "s" * 90)
        check_order(out if word == "out" else err, word, "l" * 20000, 40)
    assert "embark:" not in out
    mine = re.findall(r"^embark: (\w+)", err, re.M)
    assert len(mine) == err.count("embark: ") and mine[-1] == "ready"
    # the migration's lines before embark's last one, the service's after it
    lines = err.splitlines()
    ready = next(number for number, line in enumerate(lines) if line.startswith("embark: ready"))
    assert all("m" * 90 not in line for line in lines[ready:]) and all("s" * 90 not in line for line in lines[:ready])


def test_log_lines_of_eight(boxes, image, db, tmp_path):
    """As JSON, one object a line, from eight at a time."""
    tmp_path.chmod(0o755)
    (tmp_path / "1_one.sql").write_text("SELECT pg_sleep(1);")
    eight = [boxes.run(image, "echo", "served", options=["-v", f"{tmp_path}:/migrations:ro"],
                       env={"DATABASE_URL": db.url, "EMBARK_MIGRATE_SQL": "/migrations", "EMBARK_LOG_FORMAT": "json"}) for _ in range(8)]
    for container in eight:
        out, err = container.ends(0).streams()
        assert out == "served\n"
        times = [json.loads(line)["time"] for line in err.splitlines()]
        assert times == sorted(times) and len(times) >= 1
