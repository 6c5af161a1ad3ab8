"""Name servers that misbehave (support/hostile_dns.py): embark ends by its deadline, in little memory, says one clear line, asks the next server where the
first one says nothing that counts, and never connects to what no answer said."""

import signal
import socket

import pytest

from support import hostile_dns, net
from support.hostile_dns import EMPTY, GOOD, NONE
from support.process import asan
from support.waiting import eventually
from test_health import ALONE
from test_hostile_server import AT_ONCE, LATE, TIMEOUT, Peak, ended

KNOWN = rf"{hostile_dns.NAME} (is unknown|can't be looked up)"


class Place:
    """A namespace in which the address of good answers accepts connections, and so does the trap."""

    def __init__(self, embark, namespace):
        self.embark, self.inside = embark, namespace()
        self.good, self.trap = (net.Listener(sock=self.inside.socket(socket.SOCK_STREAM, (address, 5432)))
                                for address in (hostile_dns.ADDRESS, hostile_dns.TRAP))
        self.servers = []

    def start(self, modes, *words, what="wait", timeout=f"{TIMEOUT}s", **how):
        self.servers += [hostile_dns.NameServer(self.inside, f"127.0.0.{i + 1}", mode) for i, mode in enumerate(modes)]
        self.inside.resolv.write_text("".join(f"nameserver {server.address}\n" for server in self.servers))
        started = self.embark(*(words or (what,)), config=f"[{what}]\ntcp = {hostile_dns.NAME}:5432\ntimeout = {timeout}\n",
                              prefix=[*self.inside.prefix("/"), *ALONE], **how)
        started.peak = Peak(started.pid)
        return started

    def end(self):
        self.embark.end()
        for one in (*self.servers, self.good, self.trap):
            one.close()


@pytest.fixture
def place(namespace, embark, request):
    if asan() and "tcp-wrong-question" in request.node.name:
        pytest.skip("the sanitizer build has glibc's resolver, which takes that")
    one = Place(embark, namespace)
    yield one
    one.end()
    assert one.trap.accepted == 0, "something was believed"


@pytest.mark.parametrize("mode", [*NONE, *EMPTY])
def test_wait_deadline(place, mode):
    started = place.start([mode])
    assert ended(started, TIMEOUT + LATE) == 69, started.describe()
    started.expect(69, KNOWN)
    assert len(started.stderr.splitlines()) <= 4, started.describe()


@pytest.mark.parametrize("mode", [*NONE, *EMPTY])
def test_health_deadline(place, mode):
    started = place.start([mode], what="health")
    assert ended(started, TIMEOUT + LATE) == 1, started.describe()
    started.expect(1, "not healthy: " + KNOWN)
    assert len(started.stderr.splitlines()) == 1, started.describe()


@pytest.mark.parametrize("mode", NONE)
def test_the_next_server(place, mode):
    """As the C library that the service has: what is no answer is none."""
    started = place.start([mode, "address"], timeout="20s")
    started.expect(0, "ready in")
    assert place.servers[1].asked
    eventually(lambda: place.good.accepted, what="the connection")  # the test's own threads are busy


@pytest.mark.parametrize("mode", GOOD)
def test_good_answers(place, mode):
    place.start([mode], timeout="20s").expect(0)
    eventually(lambda: place.good.accepted, what="the connection")


@pytest.mark.parametrize("mode", ["silent", "late", "wrong-numbers-without-end", "SERVFAIL-without-end", "tcp-that-is-silent", "tcp-that-drips",
                                  "tcp-length-too-long"])
def test_sigterm(place, mode):
    started = place.start([mode], timeout="30s")
    assert place.servers[0].engaged.wait(10), started.describe()
    started.signal(signal.SIGTERM)
    assert ended(started, AT_ONCE) == 128 + signal.SIGTERM, started.describe()


@pytest.mark.parametrize("mode", [*NONE, *EMPTY])
def test_doctor(place, mode):
    """It asks each server by itself, too, with a bound of its own."""
    started = place.start([mode], "doctor", env={"DATABASE_URL": f"postgresql://u:p@{hostile_dns.NAME}/d", "EMBARK_DATABASE_TIMEOUT": f"{TIMEOUT}s"})
    assert ended(started, 10 + LATE) == 69, started.describe()


@pytest.mark.parametrize("mode", ["wrong-numbers-without-end", "wrong-question", "the-query-itself", "one-byte", "header-alone"])
def test_doctor_believes_no_stranger(place, mode):
    started = place.start([mode], "doctor", env={"DATABASE_URL": f"postgresql://u:p@{hostile_dns.NAME}/d", "EMBARK_DATABASE_TIMEOUT": f"{TIMEOUT}s"})
    ended(started, 10 + LATE)
    assert "no answer" in started.stdout, started.describe()
