"""embark health: 0 or 1, one line saying why, in time and in little memory, whatever answers."""

import socket
import subprocess
import threading
from pathlib import Path

import pytest

from conftest import TOP
from support import process as processes

# Other tests' embarks start up on this machine at the same time: with a mount namespace of its own the healthcheck sees only those
# of "its container".
ALONE = ("unshare", "--mount", "--")


def health(embark, *words, config=None, env=None, **how):
    processes.need_root("a mount namespace")
    return embark.run("health", *words, config=config, env=env, prefix=ALONE, **how)


def is_healthy(process, text):
    process.expect(0)
    check_line(process, "embark: healthy: ", text)


def is_not(process, text):
    process.expect(1)
    check_line(process, "embark: not healthy: ", text)


def check_line(process, start, text):
    lines = process.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith(start) and text in lines[0], process.describe()
    assert len(lines[0].encode()) <= 200 and process.stdout == ""


def answer(status="200 OK", body=b"fine", more=""):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


# --- what answers

@pytest.mark.parametrize("how", ["word", "config", "environment"])
def test_http(embark, listener, how):
    url = f"http://127.0.0.1:{listener(answer()).port}/health"
    how = {"word": {"words": [url]}, "config": {"config": f"[health]\nhttp = {url}\n"},
           "environment": {"env": {"EMBARK_HEALTH_HTTP": url}}}[how]
    is_healthy(health(embark, *how.pop("words", []), **how), f"{url} answers 200 in ")


@pytest.mark.parametrize("reply, code, text", [
    (answer("503 Service Unavailable"), 1, "answers 503, not 200-399"),
    (answer("302 Found", more="Location: /x\r\n"), 0, "answers 302"),
    (answer("404 Not Found"), 1, "answers 404"),
    (b"HTTP/1.0 200 OK\r\n\r\nold", 0, "answers 200"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n", 0, "answers 200"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", 1, "is not HTTP"),
    (b"\x00\xff\x1b[31m" * 20, 1, "is not HTTP"),
    ("close", 1, ""), ("reset", 1, ""),
])
def test_answers(embark, listener, reply, code, text):
    url = f"http://127.0.0.1:{listener(reply).port}/"
    (is_not if code else is_healthy)(health(embark, url), text)


def test_status_and_text_that_are_expected(embark, listener):
    body = b'{"db": "up"}'
    url = f"http://127.0.0.1:{listener(answer('201 Created', body)).port}/"
    is_healthy(health(embark, config=f"[health]\nhttp = {url}\nstatus = 201\ntext = up\n"), "answers 201")
    is_not(health(embark, config=f"[health]\nhttp = {url}\nstatus = 200\n"), "answers 201, not 200")
    is_not(health(embark, config=f"[health]\nhttp = {url}\ntext = down\n"), 'without "down"')


def test_text_in_chunks(embark, listener):
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhea\r\n4\r\nlthy\r\n0\r\n\r\n"
    url = f"http://127.0.0.1:{listener(chunked).port}/"
    is_healthy(health(embark, config=f"[health]\nhttp = {url}\ntext = healthy\n"), "answers 200")


def test_host_header(embark, listener):
    one = listener(answer())
    is_healthy(health(embark, f"http://127.0.0.1:{one.port}/", env={"EMBARK_HEALTH_HOST_HEADER": "shop.example"}), "answers 200")
    assert b"Host: shop.example\r\n" in one.received


def test_unix_socket(embark, folder):
    path = folder / "api.sock"
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    sock.listen(5)

    def serve():
        peer, _ = sock.accept()
        peer.recv(4096)
        peer.sendall(answer())
        peer.close()

    threading.Thread(target=serve, daemon=True).start()
    is_healthy(health(embark, f"unix:{path}:/health"), "answers 200")
    sock.close()


def test_tcp(embark, listener, refused_port):
    is_healthy(health(embark, f"127.0.0.1:{listener().port}"), "accepts connections")
    is_not(health(embark, f"127.0.0.1:{refused_port}"), "refuses connections")


def test_database(embark, db):
    env = {"DATABASE_URL": db.url, "EMBARK_HEALTH_DATABASE": "yes"}
    is_healthy(health(embark, env=env), "lets the service in")
    wrong = {**env, "DATABASE_URL": db.url.replace(db.password, "Wr0ng-pass")}
    is_not(health(embark, env=wrong), "28P01")
    # the database's outage is none of the service's
    is_healthy(health(embark, "--live", env=wrong), "the service is started")


# --- under fire

def test_server_that_never_answers(embark, listener):
    is_not(health(embark, f"http://127.0.0.1:{listener('silent').port}/", env={"EMBARK_HEALTH_TIMEOUT": "300ms"}), "does not answer")


def test_one_byte_at_a_time(embark):
    server = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve():
        peer, _ = server.accept()
        try:
            for byte in answer() * 50:
                if stop.wait(0.05):
                    break
                peer.sendall(bytes([byte]))
        except OSError:
            pass
        peer.close()

    threading.Thread(target=serve, daemon=True).start()
    process = health(embark, f"http://127.0.0.1:{server.getsockname()[1]}/", env={"EMBARK_HEALTH_TIMEOUT": "300ms"})
    stop.set()
    server.close()
    is_not(process, "")


def test_headers_without_end(embark):
    """Read as far as the limit, and no further."""
    server = socket.create_server(("127.0.0.1", 0))
    sent = []

    def serve():
        peer, _ = server.accept()
        total = 0
        try:
            peer.sendall(b"HTTP/1.1 200 OK\r\n")
            while total < 1 << 30:
                total += peer.send(b"X-Filler: " + b"x" * 65000 + b"\r\n")
        except OSError:
            pass
        sent.append(total)
        peer.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    is_not(health(embark, f"http://127.0.0.1:{server.getsockname()[1]}/"), "")
    thread.join(20)
    server.close()
    assert sent and sent[0] < 64 << 20


# --- the phase

def test_not_before_the_service_runs(embark, refused_port, listener):
    """As docker exec sees it: the healthcheck in the container's namespaces, while embark is PID 1."""
    url = f"http://127.0.0.1:{listener(answer()).port}/"
    main = embark("sleep", "1000", env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a"}, pid1=True)
    main.wait_for_line("refuses connections")
    inside = ("nsenter", "--target", str(main.pid), "--pid", "--mount", "--")
    is_not(embark.run("health", url, prefix=inside), "isn't started yet: it waits for the database")
    is_not(embark.run("health", "--start", prefix=inside), "isn't started yet")


@pytest.mark.parametrize("init", [False, True], ids=["pid1", "below an init"])
def test_once_the_service_runs(embark, listener, init):
    url = f"http://127.0.0.1:{listener(answer()).port}/"
    inner = ("sh", "-c", '"$@"; exit', "sh") if init else ()
    main = embark("sleep", "1000", pid1=True, inner=inner)
    main.wait_for_line("ready in")
    inside = ("nsenter", "--target", str(main.pid), "--pid", "--mount", "--")
    processes.eventually(lambda: embark.run("health", "--start", prefix=inside).popen.returncode == 0, what="healthy")
    is_healthy(embark.run("health", url, prefix=inside), "answers 200")


def test_below_an_init_that_waits(embark, refused_port):
    """docker run --init: embark is not PID 1."""
    main = embark("true", env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a"}, pid1=True,
                  inner=("sh", "-c", '"$@"; exit', "sh"))
    main.wait_for_line("refuses connections")
    inside = ("nsenter", "--target", str(main.pid), "--pid", "--mount", "--")
    is_not(embark.run("health", prefix=inside), "isn't started yet")


def inside(main):
    """As docker exec."""
    return ("nsenter", "--target", str(main.pid), "--pid", "--mount", "--")


def waiting(embark, refused_port, **how):
    main = embark("sleep", "1000", env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a"}, **how)
    main.wait_for_line("refuses connections")
    return main


def test_what_docker_exec_brings_in_is_no_start(embark, refused_port, listener):
    """An operator's embark in a container whose service runs: a healthcheck that fails now would have it restarted."""
    main = embark("sleep", "1000", pid1=True)
    main.wait_for_line("ready in")
    processes.eventually(lambda: embark.run("health", "--start", prefix=inside(main)).popen.returncode == 0, what="healthy")
    operator = embark("wait", env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a"}, prefix=inside(main))
    operator.wait_for_line("refuses connections")
    is_healthy(embark.run("health", "--start", prefix=inside(main)), "is started")
    assert operator.running


def test_other_containers_of_a_shared_pid_namespace_do_not_count(embark, refused_port):
    """docker run --pid=host, and a pod with shareProcessNamespace: their mounts are others."""
    main = embark("sleep", "1000", pid1=True, inner=("sh", "-c", '"$@"; exit', "sh"))  # the pause container's part: PID 1
    main.wait_for_line("ready in")
    beside = ("nsenter", "--target", str(main.pid), "--pid", "--", "unshare", "--mount", "--")
    waiting(embark, refused_port, prefix=beside)
    is_healthy(embark.run("health", "--start", prefix=beside), "is started")


def test_the_embark_of_ones_own_container_in_a_shared_pid_namespace(embark, refused_port):
    """There its PID isn't 1, and it doesn't descend from PID 1."""
    pause = embark("sleep", "1000", pid1=True)
    pause.wait_for_line("ready in")
    main = waiting(embark, refused_port, prefix=("nsenter", "--target", str(pause.pid), "--pid", "--", "unshare", "--mount", "--"))
    child, = processes.children(main.pid)  # nsenter's: embark itself
    is_not(embark.run("health", "--start", prefix=("nsenter", "--target", str(child), "--pid", "--mount", "--")), "isn't started yet")


@pytest.mark.parametrize("ours", [True, False], ids=["our cgroup", "another"])
def test_a_process_that_may_not_be_looked_into(embark, refused_port, ours):
    """Root's embark, and a healthcheck of nobody's, as after a USER: the cgroups tell."""
    processes.need_root("a mount namespace")
    group = Path(f"/sys/fs/cgroup/freezer/{embark.mark}")
    if not ours:
        try:
            group.mkdir()
        except OSError as error:
            pytest.skip(f"no cgroup can be made here: {error}")
    main = waiting(embark, refused_port, pid1=True, inner=("sh", "-c", '"$@"; exit', "sh"))
    enter = ["nsenter", "--target", str(main.pid), "--pid", "--mount", "--", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    try:
        if ours:
            is_not(embark.run("health", "--start", prefix=enter), "isn't started yet")
        else:
            for pid in [main.pid, *processes.children(main.pid)]:
                (group / "cgroup.procs").write_text(str(pid))
            is_healthy(embark.run("health", "--start", prefix=enter), "is started")
    finally:
        main.kill()
        if not ours:
            processes.eventually(lambda: not (group / "cgroup.procs").read_text(), what="an empty cgroup")
            group.rmdir()


def test_a_start_shows_from_the_first_moment(embark, folder):
    """Before there is a step that it could be in: the title is set before the configuration is looked for."""
    trace = folder / "trace"
    embark(argv=["strace", "-o", str(trace), embark.binary, "true"]).expect(0)
    lines = trace.read_text().splitlines()
    title, = [n for n, line in enumerate(lines) if 'PR_SET_NAME, "embark:start"' in line]
    assert title < min(n for n, line in enumerate(lines) if "embark.ini" in line)


# --- one line of at most 200 bytes

@pytest.mark.parametrize("env", [{"EMBARK_LOG": "json,debug"}, {"EMBARK_LOG_TIMESTAMPS": "yes"}, {"EMBARK_LOG": "error"},
                                 {"EMBARK_FROBNICATE": "means nothing"}])
def test_the_log_is_another_matter(embark, listener, env):
    url = f"http://127.0.0.1:{listener(answer()).port}/"
    is_healthy(health(embark, url, env=env), "answers 200")
    is_not(health(embark, "127.0.0.1:1", env=env), "refuses")


@pytest.mark.parametrize("text", ["\x1b[31m" * 60, "é" * 150, "😀" * 99, "x" * 400, "\xff".encode("latin-1").decode("utf-8", "surrogateescape") * 150,
                                  "\n" * 90])
def test_long_and_hostile_texts(embark, listener, text):
    url = f"http://127.0.0.1:{listener(answer()).port}/"
    process = health(embark, url, env={"EMBARK_HEALTH_TEXT": text})
    is_not(process, "answers 200, but without")
    process.err.raw.decode()
    assert process.stderr.endswith("…\n") and len(process.stderr.encode()) > 190


def test_a_server_that_says_too_much(embark):
    """PostgreSQL's messages may be as long as they like."""
    import test_log

    server = test_log.FakeServer(**{**test_log.FATAL, "C": b"28000", "M": b"\x1b[2J" * 500, "H": b"x" * 500})
    is_not(health(embark, env={"DATABASE_URL": server.url, "EMBARK_HEALTH_DATABASE": "yes"}), "refuses the login")
    server.close()


def test_many_mistakes_are_one_line(embark):
    is_not(health(embark, config="[health]\nhtpp = x\n[nonsense]\n" + "x = y\n" * 20), "has no key htpp")
    is_not(health(embark, env={"EMBARK_CONFIG": "/nowhere/" + "x" * 250}), "/nowhere/")
    is_not(health(embark, "--" + "x" * 300), "unknown option")


# --- its costs

@pytest.mark.skipif(processes.asan(), reason="the sanitizer build isn't small")
def test_peak_memory(embark, listener, db, session_folder):
    """At most 1 MiB; with a login, which is libpq's, 1.75."""
    peak = session_folder / "peak-of-health"
    subprocess.run(["cc", "-O2", "-o", peak, TOP / "test/bench/peak.c"], check=True)
    port = listener(answer()).port
    most = {"--start": 1024, f"http://127.0.0.1:{port}/": 1024, f"127.0.0.1:{port}": 1024}
    for word, limit in most.items():
        process = embark(argv=[peak, embark.binary, "health", word], prefix=ALONE).expect(0)
        assert int(process.stdout.split()[1]) <= limit, (word, process.stdout)
    env = {"DATABASE_URL": db.url, "EMBARK_HEALTH_DATABASE": "yes"}
    process = embark(argv=[peak, embark.binary, "health"], env=env, prefix=ALONE).expect(0)
    assert int(process.stdout.split()[1]) <= 1792, process.stdout


# --- 0 and 1 only

@pytest.mark.parametrize("words, text", [
    (["--foo"], "unknown option"), (["--live", "--ready"], "exclude each other"), (["ftp://a/"], "https"), (["nonsense"], "expected HOST:PORT"),
    (["http://127.0.0.1:1/", "more"], "no further words"),
])
def test_usage_is_1(embark, words, text):
    is_not(health(embark, *words), text)


def test_bad_configuration_is_1(embark):
    is_not(health(embark, config="[health]\nhtpp = x\n"), "has no key htpp")
    is_not(health(embark, "http://127.0.0.1:1/", env={"EMBARK_HEALTH_STATUS": "0"}), "")


def test_secrets_stay_hidden(embark, refused_port):
    process = health(embark, env={"DATABASE_URL": f"postgresql://a:Sup3r-geheim@127.0.0.1:{refused_port}/a", "EMBARK_HEALTH_DATABASE": "yes"})
    assert "Sup3r" not in process.stderr
    process.expect(1)
