"""docker run, exec, kill, stop and restart, and the terminal."""

import re
import subprocess

import pytest
from containers import Container, docker
from support.terminal import Screen
from support.waiting import eventually


def with_database(db, **more):
    return {"DATABASE_URL": db.url, **more}


# --- docker run

def test_echo(boxes, image):
    done = boxes.run_to_end(image, "echo", "hello").expect(0)
    assert done.stdout == "hello\n"


def test_echo_with_a_database(boxes, image, db):
    done = boxes.run_to_end(image, "echo", "hello", env=with_database(db)).expect(0)
    assert done.stdout == "hello\n"
    assert re.search(r"^embark: ready in .*: echo hello$", done.stderr, re.M)


@pytest.mark.parametrize("command, code", [(["sh", "-c", "exit 3"], 3), (["nothing"], 127), (["/etc/passwd"], 126)])
def test_exit_codes(boxes, image, command, code):
    done = boxes.run_to_end(image, *command).expect(code)
    if code > 125:
        done.expect(code, "embark: ", "hint: ")


def test_the_service_is_process_1_and_nothing_else(boxes, image, db):
    service = boxes.run(image, env=with_database(db))
    assert service.serves() == "served\n"
    service.says("service: pid 1\n")
    rows = docker("top", service.name, "-eo", "pid,comm").stdout.splitlines()[1:]
    assert [row.split()[1] for row in rows] == ["service"]
    # the environment, and no descriptor of embark's
    assert f"DATABASE_URL={db.url}" in service.exec("cat", "/proc/1/environ").stdout.split("\0")
    assert set(service.exec("ls", "/proc/1/fd").stdout.split()) <= {"0", "1", "2", "3"}


def test_a_file_of_secrets(boxes, image, db, tmp_path):
    secret = tmp_path / "url"
    secret.write_text(f"{db.url}\n")
    done = boxes.run_to_end(image, "echo", "hello", options=["-v", f"{secret}:/run/secrets/url:ro"], env={"DATABASE_URL_FILE": "/run/secrets/url"})
    done.expect(0, "hello")
    assert db.password not in done.output


# --- docker exec, and what is seen from outside

def test_exec(boxes, image, db):
    service = boxes.run(image, env=with_database(db))
    service.serves()
    service.exec("/embark", "health").expect(0, "embark: healthy: ")
    service.exec("/embark", "health", "http://127.0.0.1:8000/").expect(0, "answers 200")
    service.exec("/embark", "health", "http://127.0.0.1:8001/", code=1).expect(1, "refuses connections")
    service.exec("/embark", "doctor").expect(0, "a start")
    assert service.exec("echo", "hello").stdout == "hello\n"


def test_exec_while_it_waits(boxes, image):
    waiting = boxes.run(image, env={"DATABASE_URL": "postgresql://app:pw@nobody/app"}).has_title("embark:wait")
    waiting.exec("/embark", "health", code=1).expect(1, "not healthy: ", "wait")
    waiting.kill("TERM")
    waiting.ends(143)


# --- signals

@pytest.mark.parametrize("init", ["no", "yes"])
@pytest.mark.parametrize("signal", ["HUP", "USR1", "TERM", "INT"])
def test_kill_reaches_the_service(boxes, image, db, signal, init):
    service = boxes.run(image, env=with_database(db, EMBARK_SERVICE_INIT=init))
    service.serves()
    service.kill(signal)
    service.says(f"service: SIG{signal}")
    if signal in ("TERM", "INT"):
        service.ends(0)
    else:
        service.serves()


def test_kill_kills(boxes, image, db):
    service = boxes.run(image, env=with_database(db))
    service.serves()
    service.kill()
    service.ends(137)


def test_stop_with_another_signal(boxes, image, db):
    service = boxes.run(image, options=["--stop-signal", "SIGINT"], env=with_database(db))
    service.serves()
    docker("stop", service.name)
    service.ends(0, "service: SIGINT")


def test_restart(boxes, image, db, tmp_path):
    (tmp_path / "1_one.sql").write_text("CREATE TABLE one (n int);")
    service = boxes.run(image, options=["-v", f"{tmp_path}:/migrations:ro"], env=with_database(db, EMBARK_MIGRATE_SQL="/migrations"))
    service.serves()
    docker("restart", service.name)
    service.serves()
    # again, with nothing to do
    service.says(r"embark: ready in ", times=2)
    assert len(re.findall("1_one.sql", service.logs)) == 1, service.logs


def test_restarted_by_docker_until_the_database_is_there(boxes, image, own_server):
    """A start that gives up is taken up again by the engine."""
    network = boxes.make_network()
    service = boxes.run(image, options=["--restart", "on-failure"], network=network,
                        env={"DATABASE_URL": "postgresql://postgres:Super-Pw-1@late/postgres", "EMBARK_DATABASE_TIMEOUT": "200ms"})
    eventually(lambda: int(service.inspect("{{.RestartCount}}")) >= 1, 60, "a restart", gap=0.1)
    own_server(network=network, alias="late").start()
    service.serves()


# --- [service] init = yes

def with_init(db, **more):
    return with_database(db, EMBARK_SERVICE_INIT="yes", **more)


def test_embark_stays_as_process_1(boxes, image, db):
    service = boxes.run(image, env=with_init(db))
    assert service.serves() == "served\n"
    assert service.title == "embark:init"
    rows = docker("top", service.name, "-eo", "pid,comm").stdout.splitlines()[1:]
    assert [row.split()[1] for row in rows] == ["embark:init", "service"]
    service.exec("/embark", "health", "http://127.0.0.1:8000/").expect(0, "answers 200")
    service.exec("/embark", "doctor").expect(0, "a start")
    # an orphan of somebody's is reaped
    service.exec("sh", "-c", "(sleep 0.2 &)")
    eventually(lambda: len(docker("top", service.name, "-eo", "pid,comm").stdout.splitlines()) == 3, 30, "the orphan to be reaped", gap=0.1)
    docker("stop", service.name)
    service.ends(0, "service: SIGTERM")


def test_exit_code_by_embark(boxes, image, db):
    boxes.run_to_end(image, "sh", "-c", "exit 3", env=with_init(db)).expect(3)
    boxes.run_to_end(image, "sh", "-c", "kill -KILL $$", env=with_init(db)).expect(137)
    boxes.run_to_end(image, "sh", "-c", "exit 143", env=with_init(db, EMBARK_SERVICE_REMAP_EXIT="143:0")).expect(0)
    boxes.run_to_end(image, "nothing", env=with_init(db)).expect(127, "hint: ")


# --- the terminal

class Terminal(Screen):
    """`docker run -it`, and somebody who types."""

    def __init__(self, boxes, image, *command, options=(), env=None):
        super().__init__()
        self.container = Container(boxes._name("c"))
        boxes.containers.append(self.container)
        words = ["docker", "run", "-it", "--name", self.container.name, *boxes.words(options, env, None), image, *command]
        self.process = subprocess.Popen(words, stdin=self.child, stdout=self.child, stderr=self.child, start_new_session=True)
        self.started()

    def ends(self, code, timeout=60):
        assert self.process.wait(timeout) == code, self.seen
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        super().close()


@pytest.fixture
def terminal(boxes):
    made = []

    def make(*words, **how):
        made.append(Terminal(boxes, *words, **how))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_shell(terminal, image):
    """Without any step, although the database can't be had."""
    shell = terminal(image, "sh", env={"DATABASE_URL": "postgresql://app:pw@nobody/app"})
    shell.shows(r"embark: .*skipped")
    shell.shows("# ")
    shell.type("test -t 0 && test -t 1 && echo t''ty; echo pid $$\r")
    shell.shows("tty\r\n")
    shell.shows("pid 1\r\n")
    # job control: ^C ends what runs, not the shell
    shell.type("sleep 1000\r")
    eventually(lambda: "sleep" in docker("top", shell.container.name).stdout, 30, "sleep to run", gap=0.1)
    shell.type("\x03")
    shell.type("echo a''live\r")
    shell.shows("alive\r\n")
    shell.type("exit 3\r")
    shell.ends(3)


def test_interrupt_while_it_waits(terminal, image):
    waiting = terminal(image, env={"DATABASE_URL": "postgresql://app:pw@nobody/app"})
    eventually(lambda: docker("ps", "-q", "--filter", f"name={waiting.container.name}").stdout, 30, "the container", gap=0.1)
    waiting.container.has_title("embark:wait")
    waiting.type("\x03")
    waiting.ends(130)


@pytest.mark.parametrize("init", ["no", "yes"])
def test_interrupt_of_the_service(terminal, image, db, init):
    service = terminal(image, env=with_database(db, EMBARK_SERVICE_INIT=init))
    service.shows(r"service: pid \d+")
    service.type("\x03")
    service.shows("service: SIGINT")
    service.ends(0)
