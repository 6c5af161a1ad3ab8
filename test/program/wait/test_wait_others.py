"""[wait] tcp, http, unix and file: what counts as ready, what is said meanwhile, and that neither SIGTERM nor the deadline waits
for anything."""

import itertools
import signal
import socket
import struct
import threading
import time

import pytest

from support import net, process
from support.waiting import eventually, steadily

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


def wait(embark, *lines, timeout="20s", words=("wait",), **how):
    return embark(*words, config="[wait]\n" + "".join(f"{line}\n" for line in lines) + f"timeout = {timeout}\n", **how)


class Web:
    """A server whose n-th connection is given to behaviour(connection, n), after its request was read. Threads, not processes."""

    def __init__(self, behaviour, sock=None, port=0):
        self.behaviour = behaviour
        self.socket = sock or socket.create_server(("127.0.0.1", port))
        self.requests = []
        if self.socket.family == socket.AF_INET:
            self.port = self.socket.getsockname()[1]
            self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        for number in itertools.count():
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer, number), daemon=True).start()

    def _serve(self, peer, number):
        try:
            peer.settimeout(30)
            request = b""
            while b"\r\n\r\n" not in request:
                piece = peer.recv(4096)
                if not piece:
                    return
                request += piece
            self.requests.append(request)
            self.behaviour(peer, number)
        except OSError:
            pass  # the other end has had enough
        finally:
            peer.close()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


@pytest.fixture
def web():
    made = []

    def make(behaviour, **how):
        if isinstance(behaviour, bytes):
            answer = behaviour
            made.append(Web(lambda peer, number: peer.sendall(answer), **how))
        else:
            made.append(Web(behaviour, **how))
        return made[-1]

    yield make
    for one in made:
        one.close()


def drip(peer, number):
    """One byte a second, for as long as somebody listens."""
    for byte in OK * 100:
        peer.sendall(bytes([byte]))
        time.sleep(1)  # what the server is about, not what the test waits for


def silent(peer, number):
    peer.recv(1)


def timed(started):
    return time.monotonic() - started


# --- tcp

def test_tcp_server_appears_late(embark, refused_port, listener):
    waiting = wait(embark, f"tcp = 127.0.0.1:{refused_port}")
    waiting.wait_for_line(rf"^embark: wait: 127\.0\.0\.1:{refused_port} refuses connections \(0\.\d s of 20 s\)$")
    listener(port=refused_port)
    waiting.expect(0, rf"embark: wait: 127\.0\.0\.1:{refused_port} accepts connections \(after .*\)")


def test_what_is_ready_at_once_is_not_worth_a_line(embark, listener, web, folder):
    (folder / "there").touch()
    waiting = wait(embark, f"tcp = localhost:{listener().port}", f"http = {web(OK).url}/health", f"file = {folder}/there")
    waiting.expect(0)
    assert "wait:" not in waiting.stderr


def test_tcp_needs_no_word_from_the_server(embark, listener):
    quiet = listener("silent")
    wait(embark, f"tcp = 127.0.0.1:{quiet.port}").expect(0)
    eventually(lambda: quiet.accepted == 1)


def test_ipv6(embark, listener):
    try:
        sock = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 on this machine's loopback")
    wait(embark, f"tcp = [::1]:{listener(sock=sock).port}").expect(0)


def test_a_full_backlog_does_not_answer(embark):
    full = net.Backlog()
    wait(embark, f"tcp = 127.0.0.1:{full.port}", timeout="500ms").expect(69, r"gave up after 500 ms: \S+ does not answer")
    full.close()


def test_a_connection_to_itself_is_none(embark, namespace):
    """Of a port of our own nobody listens on, the kernel may make both ends of a connection."""
    inside = namespace()
    inside.run("sysctl", "-qw", "net.ipv4.ip_local_port_range=40000 40001")
    waiting = wait(embark, "tcp = 127.0.0.1:40000", timeout="1s", prefix=inside.prefix("/"))
    waiting.expect(69, "127.0.0.1:40000 refuses connections")
    # and what was tried does not keep the server from its port
    inside.socket(socket.SOCK_STREAM, ("127.0.0.1", 40000)).close()


# --- http

@pytest.mark.parametrize("answer", [
    OK,
    b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.invalid/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\n\nlines of LF",
    b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n",  # the body isn't waited for
], ids=range(8))
def test_http_is_ready(embark, web, answer):
    server = web(answer)
    wait(embark, f"http = {server.url}/health?full=1#top").expect(0)
    assert server.requests[0].startswith(b"GET /health?full=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % server.port)


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_http_answers_something_else(embark, web, status):
    server = web(b"HTTP/1.1 %d Something\r\nContent-Length: 0\r\n\r\n" % status)
    wait(embark, f"http = {server.url}/health?token=geheim", timeout="300ms").expect(
        69, rf"(?m)gave up after 300 ms: {server.url}/health answers {status}$")
    assert len(server.requests) > 3
    embark.secrets.append("geheim")


def test_http_500_then_200(embark, web):
    server = web(lambda peer, number: peer.sendall(BUSY if number < 5 else OK))
    wait(embark, f"http = {server.url}/").expect(0, "answers 503 ", "/ answers \\(after")
    assert len(server.requests) == 6


@pytest.mark.parametrize("behaviour, said", [
    ("silent", "accepts connections but does not answer"),
    ("close", r"(resets the connection|: the answer is empty)"),
    ("reset", r"(resets the connection|: the answer is empty|resets connections)"),
    (b"SSH-2.0-OpenSSH_9.2p1\r\n", r': the answer is not HTTP/1 \(it starts with "SSH-2\.0-OpenSSH_9\.2p1'),
    (b"\x15\x03\x01\x00\x02\x02\x46", ": the answer is TLS, not plain HTTP"),
    (b"\x00\x1b[31m\xff\x80" * 1000, r': the answer is not HTTP/1 \(it starts with "\\x00\\x1[bB]\[31m\\x[fF]{2}\\x80'),
    (b"\x1b[31mred" * 1000, r': the answer is not HTTP/1 \(it starts with "\\x1[bB]\[31mred'),
    (b"HTTP/1.1 200 OK\r\nX: y\r\n", ": the answer ends before its header is complete"),
    (b"HTTP/1.1 twohundred OK\r\n\r\n", ": the answer has a status line that is not HTTP/1"),
    (b"", ": the answer is empty"),
], ids=["silent", "close", "reset", "ssh", "tls", "binary", "escape", "half", "status", "empty"])
def test_http_server_misbehaves(embark, listener, behaviour, said):
    server = listener(behaviour)
    started = time.monotonic()
    waiting = wait(embark, f"http = http://127.0.0.1:{server.port}/health", timeout="700ms")
    waiting.expect(69, f"gave up after 700 ms: (http://127.0.0.1:{server.port}/health|127.0.0.1:{server.port}) ?{said}")
    assert timed(started) < 10
    assert "\x1b" not in waiting.stderr and "\0" not in waiting.stderr


def test_http_one_byte_a_second(embark, web):
    started = time.monotonic()
    wait(embark, f"http = {web(drip).url}/", timeout="2500ms").expect(69, "/ does not complete its answer")
    assert 2.4 < timed(started) < 10


@pytest.mark.parametrize("piece", [b"X-Header: and so on\r\n", b"X", b"HTTP/1.1 100 Continue\r\n\r\n"],
                         ids=["lines", "line", "interim"])
def test_http_100_MB_of_header(embark, web, piece):
    sent = []

    def flood(peer, number):
        peer.sendall(piece if piece.startswith(b"HTTP") else b"HTTP/1.1 200 OK\r\nX: ")
        block = piece * (1000000 // len(piece))
        for _ in range(100):
            peer.sendall(block)
            sent.append(number)

    waiting = wait(embark, f"http = {web(flood).url}/")
    waiting.wait_for_line("the answer has a header that is too large")
    peak = [line for line in process.read(f"/proc/{waiting.pid}/status").decode().splitlines() if line.startswith("VmHWM")]
    waiting.signal(signal.SIGTERM)
    waiting.expect(143)
    assert sent.count(0) < 50  # it has hung up long before
    if not process.asan():
        assert int(peak[0].split()[1]) < 4096, peak


def test_http_over_a_unix_socket(embark, web, folder):
    waiting = wait(embark, f"http = unix:{folder}/app.sock:/health")
    waiting.wait_for_line(f"{folder}/app.sock does not exist")
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(f"{folder}/app.sock")
    waiting.wait_for_line(f"{folder}/app.sock refuses connections")
    sock.listen()
    server = web(OK, sock=sock)
    waiting.expect(0)
    assert server.requests[0].startswith(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")


def test_a_connection_that_got_stuck_does_not_use_up_the_deadline(embark, web):
    server = web(lambda peer, number: silent(peer, number) if number == 0 else peer.sendall(OK))
    wait(embark, f"http = {server.url}/", timeout="60s").expect(0, "does not answer", timeout=30)


# --- unix, file

def test_unix_socket_appears(embark, folder):
    path = folder / "late.sock"
    waiting = wait(embark, f"unix = {path}")
    waiting.wait_for_line(f"{path} does not exist")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        waiting.wait_for_line(f"{path} refuses connections")
        server.listen()
        waiting.expect(0, f"{path} accepts connections")


def test_a_file_is_no_socket(embark, folder):
    (folder / "plain").touch()
    wait(embark, f"unix = {folder}/plain", timeout="200ms").expect(69, "plain refuses connections")


def test_file_appears(embark, folder):
    waiting = wait(embark, f"file = {folder}/flag")
    waiting.wait_for_line(f"wait: {folder}/flag does not exist")
    (folder / "flag").symlink_to(folder / "target")  # still no file
    steadily(lambda: waiting.running, 0.5)
    (folder / "target").touch()
    waiting.expect(0, f"{folder}/flag exists")


def test_file_behind_a_closed_door(embark, folder):
    (folder / "closed").mkdir(mode=0o700)
    (folder / "closed" / "flag").touch()
    wait(embark, f"file = {folder}/closed/flag", timeout="200ms", user="nobody").expect(69, "flag: Permission denied")


# --- the deadline, and what is said

def test_deadline(embark, refused_port):
    started = time.monotonic()
    waiting = wait(embark, f"tcp = 127.0.0.1:{refused_port}", timeout="1s")
    waiting.expect(69, rf"(?m)^embark: error: wait: gave up after 1 s: 127\.0\.0\.1:{refused_port} refuses connections$",
                   r"(?m)^  hint: is it running, .*\[wait\] timeout")
    assert 0.99 < timed(started) < 8


def test_one_deadline_for_all(embark, folder, refused_port):
    started = time.monotonic()
    waiting = wait(embark, f"tcp = 127.0.0.1:{refused_port}", f"file = {folder}/never", timeout="1500ms")
    waiting.wait_for_line("refuses connections")
    steadily(lambda: waiting.running, 0.5)
    with socket.create_server(("127.0.0.1", refused_port)):
        waiting.wait_for_line("never does not exist")
    waiting.expect(69, "gave up after 1.50 s: .*never does not exist")
    assert timed(started) < 8


def test_a_state_is_said_once_and_every_5_s(embark, refused_port):
    waiting = wait(embark, f"tcp = 127.0.0.1:{refused_port}", timeout="5500ms")
    waiting.expect(69)
    said = [line for line in waiting.said if "refuses connections (" in line]
    assert len(said) == 2 and "(5." in said[1], said


def test_states_that_alternate_do_not_flood(embark, web):
    server = web(lambda peer, number: peer.sendall(BUSY if number % 2 else BUSY.replace(b"503", b"500")))
    started = time.monotonic()
    waiting = wait(embark, f"http = {server.url}/", timeout="2500ms")
    waiting.expect(69)
    said = [line for line in waiting.said if " answers " in line and "gave up" not in line]
    assert len(server.requests) > 20
    assert 2 <= len(said) <= 2 + timed(started)


def test_no_limit(embark, refused_port, listener):
    waiting = wait(embark, f"tcp = 127.0.0.1:{refused_port}", timeout="none")
    waiting.wait_for_line(r"refuses connections \(0\.\d s\)$")
    listener(port=refused_port)
    waiting.expect(0)


def test_skip(embark, refused_port):
    wait(embark, f"tcp = 127.0.0.1:{refused_port}", words=("--", "echo", "here"), env={"EMBARK_SKIP": "wait"}).expect(0)


# --- configuration

@pytest.mark.parametrize("line, said", [
    ("tcp = db", r'\[wait\] tcp: "db" is not HOST:PORT'),
    ("tcp = :5432", '":5432" is not HOST:PORT'),
    ("tcp = db:postgresql", "is not HOST:PORT"),
    ("tcp = db:0", "is not HOST:PORT"),
    ("tcp = ::1:5432", r"(?s)is not HOST:PORT.*hint: .*\[::1\]:5432"),
    ("tcp = http://db:80", "(?s)a URL, where HOST:PORT is wanted.*hint: .*http = URL"),
    ("http = api:8000/health", "is neither an http:// or https:// URL nor unix:"),
    ("http = http://api:http/", "has no valid port"),
    ("http = https:///health", r"\[wait\] http: .*has no valid host"),
    ("header = no header", r"\[wait\] header: not NAME: VALUE"),
    ("http = http://me:geheim@api/", "user or password before an @"),
    ("http = unix:app.sock", "no absolute path"),
    ("unix = unix:/run/app.sock", "is not a path"),
    ("unix = /" + "x" * 110, "107"),
])
def test_malformed_values_are_configuration_errors(embark, line, said):
    waiting = wait(embark, line)
    waiting.expect(78, rf"embark1\.ini:2: {said}" if said.startswith(r"\[") else said, r"embark1\.ini:2: \[wait\] ")
    assert "geheim" not in waiting.stderr


def test_all_malformed_values_are_listed_before_anything_starts(embark, folder, listener):
    port = listener().port
    waiting = embark("--", "touch", f"{folder}/started", config=f"[wait]\ntcp = localhost:{port}\ntcp = db\nhttp = ftp://x/\n",
                     env={"EMBARK_WAIT_UNIX": "/" + "x" * 120})
    waiting.expect(78, r"embark1\.ini:3: \[wait\] tcp", r"embark1\.ini:4: \[wait\] http", r"\$EMBARK_WAIT_UNIX: \[wait\] unix")
    assert not (folder / "started").exists()


# --- signals

@pytest.fixture
def dead_dns(namespace):
    """A namespace whose only DNS server swallows everything."""
    inside = namespace()
    server = net.NameServer(inside.socket(socket.SOCK_DGRAM, ("127.0.0.1", 53)), dead=True)
    inside.dns = server
    yield inside
    server.close()


def assert_stops_at_once(waiting, number, name):
    started = time.monotonic()
    waiting.signal(number)
    waiting.expect(128 + number, f"stopped by {name}")
    assert timed(started) < 1


@pytest.mark.parametrize("number, name", [(signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "SIGINT")])
@pytest.mark.parametrize("pid1", [False, True])
@pytest.mark.parametrize("target", ["refused", "backlog", "silent", "drip", "file"])
def test_signals_end_it_at_once(embark, listener, web, folder, refused_port, target, number, name, pid1):
    full = net.Backlog()
    line, state = {
        "refused": (f"tcp = 127.0.0.1:{refused_port}", lambda w: w.wait_for_line("refuses")),
        "backlog": (f"tcp = 127.0.0.1:{full.port}", None),
        "silent": (f"http = http://127.0.0.1:{listener('silent').port}", None),
        "drip": (f"http = {web(drip).url}", None),
        "file": (f"file = {folder}/never", lambda w: w.wait_for_line("does not exist")),
    }[target]
    waiting = wait(embark, line, pid1=pid1)
    if state:
        state(waiting)
    else:
        eventually(lambda: process.comm(waiting.pid) == "embark:wait" and process.state(waiting.pid) == "S")
    assert_stops_at_once(waiting, number, name)
    full.close()


@pytest.mark.parametrize("pid1", [False, True])
def test_a_dead_dns_server_does_not_hold_up_sigterm(embark, dead_dns, pid1):
    waiting = wait(embark, "tcp = db.test:5432", prefix=dead_dns.prefix("/"), pid1=pid1)
    eventually(lambda: dead_dns.dns.asked)
    assert_stops_at_once(waiting, signal.SIGTERM, "SIGTERM")
    assert process.marked(embark.mark) == []


def test_a_dead_dns_server_does_not_hold_up_the_deadline(embark, dead_dns):
    started = time.monotonic()
    waiting = wait(embark, "tcp = db.test:5432", "http = http://api.test/", timeout="1s", prefix=dead_dns.prefix("/"))
    waiting.expect(69, r"gave up after 1 s: db\.test can't be looked up \(the DNS servers don't answer")
    assert 0.99 < timed(started) < 8
    assert process.marked(embark.mark) == []


def test_the_resolver_ends_with_a_killed_embark(embark, dead_dns):
    waiting = wait(embark, "tcp = db.test:5432", prefix=dead_dns.prefix("/"))
    eventually(lambda: dead_dns.dns.asked)
    assert len(process.marked(embark.mark)) == 2
    waiting.signal(signal.SIGKILL)
    waiting.wait()
    eventually(lambda: process.marked(embark.mark) == [])


def test_no_child_is_left_to_the_service(embark, listener):
    """The resolver's processes are reaped: a service must not find children that it didn't start."""
    done = wait(embark, f"tcp = localhost:{listener().port}", words=("--", "cat", "/proc/thread-self/children"), pid1=True)
    done.expect(0)
    assert done.stdout.strip() == ""


# --- names

def test_the_name_appears_in_etc_hosts(embark, namespace):
    inside = namespace()
    dns = net.NameServer(inside.socket(socket.SOCK_DGRAM, ("127.0.0.1", 53)))
    server = net.Listener(sock=inside.socket(socket.SOCK_STREAM, ("127.0.0.5", 5432)))
    waiting = wait(embark, "tcp = db.test:5432", prefix=inside.prefix("/"))
    waiting.wait_for_line(r"wait: db\.test is unknown \(DNS: Name does not resolve\) \(")
    steadily(lambda: waiting.running, 0.5)
    inside.hosts.write_text("127.0.0.1 localhost\n127.0.0.5 db.test\n")
    waiting.expect(0, "db.test:5432 accepts connections")
    dns.close()
    server.close()


def test_the_name_appears_in_the_dns(embark, namespace):
    inside = namespace()
    dns = net.NameServer(inside.socket(socket.SOCK_DGRAM, ("127.0.0.1", 53)))
    server = net.Listener(sock=inside.socket(socket.SOCK_STREAM, ("127.0.0.5", 5432)))
    waiting = wait(embark, "tcp = db.test:5432", prefix=inside.prefix("/"))
    waiting.wait_for_line("db.test is unknown")
    dns.names["db.test"] = "127.0.0.6"  # there, but wrong: the address is asked for again at every try
    waiting.wait_for_line("db.test:5432 refuses connections")
    dns.names["db.test"] = "127.0.0.5"
    waiting.expect(0)
    dns.close()
    server.close()


class HalfNameServer(net.NameServer):
    """Answers A, and AAAA with an error: common, and musl's getaddrinfo drops the good half."""

    error = 2

    def _serve(self):
        for query, peer in net.queries(self.socket):
            end = query.index(b"\0", 12) + 5
            good = struct.unpack(">H", query[end - 4:end - 2])[0] == 1
            record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton("127.0.0.5")
            head = query[:2] + struct.pack(">HHHHH", 0x8180 | (0 if good else self.error), 1, 1 if good else 0, 0, 0)
            self.socket.sendto(head + query[12:end] + (record if good else b""), peer)


@pytest.mark.parametrize("error", [2, 3, 5], ids=["SERVFAIL", "NXDOMAIN", "REFUSED"])
def test_a_name_server_that_fails_for_ipv6(embark, namespace, error):
    inside = namespace()
    dns = HalfNameServer(inside.socket(socket.SOCK_DGRAM, ("127.0.0.1", 53)))
    dns.error = error
    server = net.Listener(sock=inside.socket(socket.SOCK_STREAM, ("127.0.0.5", 5432)))
    wait(embark, "tcp = db.test:5432", prefix=inside.prefix("/")).expect(0)
    dns.close()
    server.close()


def test_an_address_that_swallows_everything_leaves_time_for_the_others(embark, namespace):
    here, there = namespace(), namespace()
    _, address = here.join(there, 1)
    hole = address.rpartition(".")[0] + ".3"
    here.run("ip", "neigh", "add", hole, "lladdr", "02:00:00:00:00:03", "dev", "peer1a", "nud", "permanent")
    here.hosts.write_text(f"127.0.0.1 localhost\n{hole} db.test\n{address} db.test\n")
    server = net.Listener(sock=there.socket(socket.SOCK_STREAM, (address, 5432)))
    wait(embark, "tcp = db.test:5432", prefix=here.prefix("/")).expect(0)
    server.close()
    wait(embark, f"tcp = {hole}:5432", prefix=here.prefix("/"), timeout="300ms").expect(69, f"{hole}:5432 does not answer")


def test_no_route(embark, namespace):
    inside = namespace()
    wait(embark, "tcp = 10.1.2.3:5432", prefix=inside.prefix("/"), timeout="300ms").expect(
        69, r"10\.1\.2\.3:5432 is unreachable \(Network (is )?unreachable\)")
