"""Web servers that misbehave (support/hostile_web.py), beside [wait] http and embark health: it ends by its deadline, in little memory, says one clear
line, and ends at once when it is asked to, whatever the other end sends."""

import signal
import socket
import threading

import pytest

from support import hostile_server, hostile_web, process
from support.hostile_web import BODY, GOOD, HEAD, RAW, REDIRECT, Below, Raw, Web
from test_health import ALONE
from test_hostile_server import AT_ONCE, LATE, TIMEOUT, Peak, ended

# What the text of these is looked for in is never all there.
KEYS = "redirects = yes\ntls_verify = no\n"
TEXT = "text = ready\n"

PLAIN = [("http", name) for name in (*HEAD, *REDIRECT)] + [("body", name) for name in BODY]
OVER_TLS = [("https", name) for name in ("silent", "drip", "headers-without-end", "header-line-without-end", "interim-answers", "garbage", "closes", "resets",
                                         "to-itself", "always-elsewhere", "slowly", "to-the-other-scheme", "with-a-body-without-end")]
OVER_TLS += [("tls-body", name) for name in ("body-without-end", "body-that-drips", "chunk-extensions", "trailers-without-end", "length-of-18-digits")]
BELOW = [("raw", name) for name in RAW] + [("below", name) for name in Below.KINDS]
ALL = [*PLAIN, *OVER_TLS, *BELOW]
each = pytest.mark.parametrize("kind, mode", ALL, ids=["-".join(one) for one in ALL])


@pytest.fixture
def against(embark, certificates):
    """Starts embark against a server that does so."""
    servers = []
    embark.secrets.append(hostile_server.SECRET)

    def start(kind, mode, what, timeout, **how):
        modes = {**HEAD, **REDIRECT, **BODY, **GOOD}
        if kind == "raw":
            server = Raw(RAW[mode])
        elif kind == "below":
            server = Below(mode, certificates.good)
        else:
            server = Web(modes[mode], certificates.good if kind in ("https", "tls-body") else None)
        servers.append(server)
        text = TEXT if "body" in kind else ""
        config = f"[{what}]\nhttp = {server.url}\ntimeout = {timeout}\n{KEYS}{text}"
        started = embark(what, config=config, **({"prefix": ALONE} if what == "health" else {}), **how)
        started.peak = Peak(started.pid)
        return started, server

    yield start
    for server in servers:
        server.close()


def one_line(started, begins):
    lines = started.stderr.splitlines()
    assert lines and lines[-1].startswith(("embark: " + begins, "  hint: ")), started.describe()
    assert len(lines) <= 6 and all(len(line) < 600 for line in lines), started.describe()


@each
def test_wait_deadline(against, kind, mode):
    started, _ = against(kind, mode, "wait", f"{TIMEOUT}s")
    assert ended(started, TIMEOUT + LATE) == 69, started.describe()
    one_line(started, "error: gave up after")


@each
def test_health_deadline(against, kind, mode):
    started, _ = against(kind, mode, "health", f"{TIMEOUT}s")
    assert ended(started, TIMEOUT + LATE) == 1, started.describe()
    one_line(started, "not healthy: ")


# These answer, or end the connection, and are asked again: there is nothing that embark is held by.
HOLDING = [one for one in ALL if one[1] in ("silent", "drip", "drip-in-the-first-line", "interim-answers-drip", "to-a-host-that-does-not-answer",
                                            "to-a-port-of-its-own-that-is-silent", "to-60000-bytes-that-nobody-answers", "body-that-drips", "chunks-that-drip",
                                            "chunk-extensions", "slowly", "says-nothing", "raw-drip", "hello-requests", "short-hello-requests",
                                            "length-of-18-digits", "tickets", "key-updates", "shake-hands-again")]


@pytest.mark.parametrize("what", ["wait", "health"])
@pytest.mark.parametrize("kind, mode", HOLDING, ids=["-".join(one) for one in HOLDING])
def test_sigterm(against, kind, mode, what):
    started, server = against(kind, mode, what, "30s")
    assert server.engaged.wait(10), started.describe()
    process.send(started.pid, signal.SIGTERM)  # without a route to the host it has ended by itself
    code = ended(started, AT_ONCE)
    assert code == (1 if what == "health" else 128 + signal.SIGTERM), started.describe()
    assert "stopped by SIGTERM" in started.stderr or mode == "to-a-host-that-does-not-answer", started.describe()


@pytest.mark.parametrize("mode", GOOD)
def test_good_answers(against, mode):
    started, _ = against("http", mode, "wait", "5s")
    started.expect(0)


def test_a_server_is_not_believed_about_sockets(embark, folder):
    """Who asks a server by TCP doesn't let it choose a socket of the machine."""
    asked = []

    class Inside(hostile_server.Server):
        def __init__(self, path):
            super().__init__()
            self.end(self.socket)
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.bind(str(path))
            self.socket.listen(5)
            threading.Thread(target=self._accept, daemon=True).start()

        def serve(self, sock):
            asked.append(sock.recv(4096))
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    inside = Inside(folder / "s")
    server = Web(hostile_web.to(f"unix:{folder}/s:/containers/json".encode()))
    embark.run("wait", config=f"[wait]\nhttp = {server.url}\ntimeout = 1s\nredirects = yes\n").expect(69, "sends to an address that embark can't ask")
    assert asked == []
    server.close()
    inside.close()
