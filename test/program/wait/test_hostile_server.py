"""Servers that speak PostgreSQL's protocol badly (support/hostile_server.py): embark ends by its deadline, in little memory, and at once when it
is asked to, whatever the other end sends."""

import re
import signal
import subprocess
import threading
import time

import pytest

from support import hostile_server as hostile
from support import process
from test_health import ALONE

TIMEOUT = 1.5     # embark's, in seconds
LATE = 1.0        # after that it has ended
AT_ONCE = 0.5     # after SIGTERM; 0.1 s on a machine with nothing else to do
MEMORY = 32       # MiB
RAW = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")


def at_once(mode):
    """A row of megabytes is copied by the sanitizers again and again."""
    return 5 if process.asan() and mode == "huge-row" else AT_ONCE


class Peak:
    """The most memory that a process has had, in MiB: it is gone when it has ended."""

    def __init__(self, pid):
        self.pid, self.mib = pid, 0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self):
        while text := process.read(f"/proc/{self.pid}/status"):
            match = re.search(rb"VmHWM:\s+(\d+) kB", text)
            if not match:
                return  # a zombie
            self.mib = max(self.mib, int(match[1]) / 1024)
            time.sleep(0.01)


@pytest.fixture
def against(embark):
    """Starts embark against a server, and looks at what is true of every end."""
    servers = []
    embark.secrets.append(hostile.SECRET)

    def start(server, *words, env=None, **how):
        servers.append(server)
        env = {"DATABASE_URL": server.url, "EMBARK_DATABASE_TIMEOUT": f"{TIMEOUT}s", "EMBARK_DATABASE_CONNECT_TIMEOUT": "1s",
               "EMBARK_MIGRATE_LOCK_TIMEOUT": f"{TIMEOUT}s", **(env or {})}
        started = embark(*words, env=env, **how)
        started.peak = Peak(started.pid)
        return started

    yield start
    for server in servers:
        server.close()


def ended(started, within):
    """No success, no crash, nothing raw, little memory."""
    begun = time.monotonic()
    code = started.wait(20)
    took = time.monotonic() - begun
    assert code > 0, started.describe()
    assert took < within, f"took {took:.2f} s of {within} s\n{started.describe()}"
    assert not RAW.search(started.err.raw), started.describe()
    assert started.out is None or "served" not in started.stdout, started.describe()
    if not process.asan():
        assert started.peak.mib <= MEMORY, f"{started.peak.mib:.0f} MiB\n{started.describe()}"
    return code


# What tells embark no, at once and for good.
REFUSED = {"control-characters", "unknown-authentication"}
MIGRATE = "[migrate]\ncommand = true\n"


@pytest.mark.parametrize("mode", hostile.MODES)
def test_deadline(against, mode):
    started = against(hostile.Hostile(mode), "--", "echo", "served", config=MIGRATE)
    assert ended(started, 2 * TIMEOUT + LATE) in (69, 70, 73, 75, 76, 77), started.describe()


@pytest.mark.parametrize("mode", [*hostile.LOGIN, *hostile.QUERY])
def test_sigterm(against, mode):
    server = hostile.Hostile(mode)
    started = against(server, "--", "echo", "served", config=MIGRATE,
                      env={"EMBARK_DATABASE_TIMEOUT": "30s", "EMBARK_DATABASE_CONNECT_TIMEOUT": "20s"})
    assert server.engaged.wait(10), started.describe()
    if started.running:
        started.signal(signal.SIGTERM)
    code = ended(started, at_once(mode))
    assert code == 128 + signal.SIGTERM or (mode in REFUSED and code == 77), started.describe()


@pytest.mark.parametrize("mode", [*hostile.LOGIN, *hostile.QUERY])
def test_doctor(against, mode):
    """It asks several things, each within its own time."""
    ended(against(hostile.Hostile(mode), "doctor", config=MIGRATE), 10 + LATE)


@pytest.mark.parametrize("mode", [*hostile.LOGIN, *hostile.QUERY])
def test_health(against, mode):
    """It logs in and asks nothing. Alone, as another embark of this machine that hasn't started its service is a reason to say no."""
    started = against(hostile.Hostile(mode), "health", config="[health]\ndatabase = yes\ntimeout = 1500ms\n", prefix=ALONE)
    if mode in hostile.LOGIN:
        ended(started, TIMEOUT + LATE)
    else:
        assert started.wait(TIMEOUT + LATE) == 0 and "lets the service in" in started.stderr, started.describe()


@pytest.mark.parametrize("mode", hostile.LOGIN)
def test_sql_login(against, mode):
    ended(against(hostile.Hostile(mode), "sql", "-", stdin=b"SELECT 1;\n"), 2 * TIMEOUT + LATE)


@pytest.mark.parametrize("mode", hostile.QUERY)
def test_sql_statement(against, mode):
    """A statement of the users' may take its time, and its rows are handed on as they come: it ends at SIGTERM."""
    server = hostile.Hostile(mode)
    started = against(server, "sql", "-", stdin=b"SELECT 1;\n", stdout=subprocess.DEVNULL)
    assert server.engaged.wait(10), started.describe()
    if started.running:
        started.signal(signal.SIGTERM)
    ended(started, at_once(mode))


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("mode", ["rows", "copy-in", "notifications", "completions", "huge-row", "drip-answer"])
def test_from_a_later_query_on(against, db, mode, number):
    """Login and the first queries are a real server's: what is asked under the lock, and of the ledger, is bounded as well."""
    started = against(hostile.Behind(db, mode, number), "--", "echo", "served", config=MIGRATE)
    code = started.wait(30)
    assert code in (0, 69, 70, 73, 75, 76, 77), started.describe()
    assert process.asan() or started.peak.mib <= MEMORY, f"{started.peak.mib:.0f} MiB\n{started.describe()}"
