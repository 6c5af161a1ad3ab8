"""Standard output and error that nobody reads, or reads slowly: pipes, terminals, sockets. Nothing waits for ever, SIGTERM is answered, the service gets
its descriptors as they were, and what was lost of the log is said where it would stand."""

import fcntl
import os
import pty
import re
import select
import signal
import socket
import subprocess
import termios
import threading
import time

import pytest

from support import process
from support.process import asan
from support.waiting import eventually

F_SETPIPE_SZ = 1031
SOON = 5  # of processes that were asked to end; what hangs, hangs for ever
KINDS = ["pipe", "terminal", "socket"]
LOST = re.compile(r"embark: warning: (\d+) lines? (?:is|are) missing here, as nobody read the log")


class Channel:
    """`write` is embark's, `read` the reader's, who reads nothing by itself. It holds a few KiB."""

    def __init__(self, kind):
        self.kind = kind
        if kind == "pipe":
            self.read, self.write = os.pipe()
            fcntl.fcntl(self.write, F_SETPIPE_SZ, 4096)
        elif kind == "terminal":
            self.read, self.write = pty.openpty()
            mode = termios.tcgetattr(self.write)
            mode[1] &= ~termios.OPOST
            termios.tcsetattr(self.write, termios.TCSANOW, mode)
        else:
            one, two = socket.socketpair()
            two.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
            self.read, self.write = one.detach(), two.detach()
        self.thread, self.got = None, b""

    def fill(self, room=0):
        """Until nothing fits, but for about so many bytes."""
        second = os.dup(self.write)
        was = fcntl.fcntl(second, fcntl.F_GETFL)
        fcntl.fcntl(second, fcntl.F_SETFL, was | os.O_NONBLOCK)
        size = 0
        for piece in (b"." * 512, b"."):
            try:
                while True:
                    size += os.write(second, piece)
            except BlockingIOError:
                pass
        fcntl.fcntl(second, fcntl.F_SETFL, was)
        os.close(second)
        if room:
            os.read(self.read, room)
        return size

    def take(self):
        """From now on all is read, until embark's end is closed."""
        def run():
            while True:
                try:
                    chunk = os.read(self.read, 65536)
                except OSError:  # a terminal's end
                    chunk = b""
                if not chunk:
                    return
                self.got += chunk

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def close_write(self):
        if self.write >= 0:
            os.close(self.write)
            self.write = -1

    def text(self):
        self.close_write()
        self.thread.join(10)
        assert not self.thread.is_alive()
        return self.got.decode("utf-8", "backslashreplace")

    def close(self):
        self.close_write()
        if self.thread:
            self.thread.join(10)
        os.close(self.read)


@pytest.fixture
def channel(embark):
    made = []

    def make(kind):
        made.append(Channel(kind))
        return made[-1]

    yield make
    embark.end()
    for one in made:
        one.close()


def waits(started):
    eventually(lambda: (process.comm(started.pid) or "").startswith("embark:wait"), what="it waits")


WAITING = "[wait]\nfile = /none/such\ntimeout = 60s\n"


# --- the log

@pytest.mark.parametrize("room", [0, 40])
@pytest.mark.parametrize("kind", KINDS)
def test_sigterm_while_it_waits(embark, channel, kind, room):
    """With room for a part of a line as well: a terminal is ready then, and a write(2) of the rest waits."""
    one = channel(kind)
    one.fill(room)
    started = embark("wait", config=WAITING + "[log]\nlevel = debug\n", stderr=one.write)
    waits(started)
    started.signal(signal.SIGTERM)
    assert started.wait(SOON) == 143


@pytest.mark.parametrize("kind", KINDS)
def test_a_start_goes_on(embark, channel, kind):
    one = channel(kind)
    one.fill(40)
    started = embark("echo", "served", config="[log]\nlevel = debug\n[require]\nmodule = python: json\n", stderr=one.write)
    assert started.wait() == 0 and started.stdout == "served\n"


@pytest.mark.parametrize("kind", KINDS)
def test_a_migration_that_says_much(embark, db, channel, kind):
    """It isn't held up by a log that nobody reads, nor are the heartbeat and the end."""
    one = channel(kind)
    started = embark("echo", "served", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = seq 1000000 1200000\n", stderr=one.write)
    assert started.wait(60) == 0 and started.stdout == "served\n"


@pytest.mark.parametrize("kind", KINDS)
def test_sigterm_while_a_migration_says_much(embark, db, channel, kind):
    one = channel(kind)
    started = embark("true", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = yes\n", stderr=one.write)
    child = eventually(lambda: [pid for pid in process.children(started.pid) if process.comm(pid) == "yes"], what="the migration")
    assert child
    started.signal(signal.SIGTERM)
    assert started.wait(SOON) == 143


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_lost_is_counted(embark, db, channel, folder, kind, form):
    """Each of the migration's lines is there, or is counted at its place."""
    one = channel(kind)
    go = folder / "go"
    script = f"seq 1000000 1020000; while ! [ -e {go} ]; do sleep 0.05; done; echo behind"
    started = embark("true", env={"DATABASE_URL": db.url, "EMBARK_LOG": form}, config=f'[migrate]\ncommand = sh -c "{script}"\n', stderr=one.write)
    # All of its lines are behind it once it is busy with nothing but sleeping.
    eventually(lambda: any(process.comm(pid) == "sleep" for child in process.children(started.pid) for pid in process.children(child)), 60, "seq's end")
    one.take()
    eventually(lambda: one.got, what="something to read")
    go.write_text("")
    assert started.wait() == 0
    text = one.text().replace("\r", "")
    notice = LOST if form == "text" else re.compile(r'"message":"(\d+) lines? (?:is|are) missing here, as nobody read the log"')
    counts = [int(match[1]) for match in notice.finditer(text)]
    lines = [int(line) for line in re.findall(r"^1\d{6}$" if form == "text" else r'"line":"(1\d{6})"', text, re.M)]
    assert lines == sorted(set(lines))
    # A line that was cut off is seen in part and counted as well; "runs for" may be among the lost ones.
    assert counts and 20001 <= len(lines) + sum(counts) <= 20001 + 5 * len(counts), (len(lines), counts, text[:3000])
    assert text.index("missing here") < text.index("behind") < text.index("ready in")


def test_a_reader_that_is_slow_misses_nothing(embark, db, channel):
    one = channel("pipe")
    started = embark("true", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = seq 1000000 1020000\n", stderr=one.write)
    one.close_write()
    got = b""
    while chunk := os.read(one.read, 4096):
        got += chunk
        select.select([], [], [], 0.002)
    assert started.wait() == 0
    assert len(re.findall(rb"^1\d{6}$", got, re.M)) == 20001 and b"missing" not in got


def test_another_writer_fills_the_same_pipe(embark, channel):
    """Between embark's look at the pipe and its write: with a write(2) that waits, it waited until somebody reads."""
    one = channel("pipe")
    other = subprocess.Popen(["yes"], stdout=one.write)
    try:
        for _ in range(3 if asan() else 10):
            started = embark("wait", config=WAITING + "[log]\nlevel = debug\n", stderr=one.write)
            for _ in range(20):  # room for a moment, again and again
                select.select([one.read], [], [], 0.05)
                os.read(one.read, 4096)
            waits(started)
            started.signal(signal.SIGTERM)
            assert started.wait(SOON) == 143
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("kind", KINDS)
def test_the_service_has_what_embark_was_given(embark, channel, kind):
    """No flags of embark's on it, and nothing else that is open."""
    one = channel(kind)
    script = "import fcntl, os; print(fcntl.fcntl(2, fcntl.F_GETFL) & os.O_NONBLOCK, sorted(os.listdir('/proc/self/fd'), key=int)[:3], len(os.listdir('/proc/self/fd')))"
    started = embark("/usr/bin/python3", "-c", script, stderr=one.write)
    assert started.wait() == 0 and started.stdout == "0 ['0', '1', '2'] 4\n"


@pytest.mark.parametrize("kind", KINDS)
def test_an_init_beside_a_service_that_fills_the_log(embark, channel, kind):
    """The service is held by the log that nobody reads, as it would be without embark; embark passes the signal on and ends."""
    one = channel(kind)
    started = embark("yes", config="[service]\ninit = yes\n", stdout=one.write, stderr=one.write)
    eventually(lambda: [pid for pid in process.children(started.pid) if process.comm(pid) == "yes"], what="the service")
    started.signal(signal.SIGTERM)
    assert started.wait(SOON) == 143


def test_without_a_second_way_to_it(embark, channel):
    """No /proc: what poll(2) promises is written, and no more."""
    process.need_root("a mount namespace")
    one = channel("pipe")
    one.fill()
    started = embark("wait", config=WAITING + "[log]\nlevel = debug\n", stderr=one.write,
                     prefix=["unshare", "--mount", "--", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"])
    eventually(lambda: (process.comm(started.pid) or "").startswith("embark:wait"), what="it waits")
    started.signal(signal.SIGTERM)
    assert started.wait(SOON) == 143


# --- results

RESULTS = {
    "help": (["help", "config"], ""),
    "check": (["check", "--json"], "[require]\n" + "".join(f"file = /none/{'x' * 200}{i}\n" for i in range(100))),
    "doctor": (["doctor"], "[require]\n" + "".join(f"file = /none/{'x' * 200}{i}\n" for i in range(100))),
    "doctor-json": (["doctor", "--json"], "[require]\n" + "".join(f"file = /none/{'x' * 200}{i}\n" for i in range(100))),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", RESULTS)
def test_sigterm_while_a_result_is_not_read(embark, channel, name, kind):
    one = channel(kind)
    one.fill(40)
    words, config = RESULTS[name]
    started = embark(*words, config=config, stdout=one.write)
    time_out = time.monotonic() + 2
    while started.running and time.monotonic() < time_out and process.state(started.pid) != "S":
        time.sleep(0.01)
    started.signal(signal.SIGTERM)
    assert started.wait(SOON) in (143, -signal.SIGTERM)  # `help` has not taken the signal


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_waited_for(embark, channel, name):
    """However long that takes: a pager shows it."""
    words, config = RESULTS[name]
    whole = embark(*words, config=config)
    code = whole.wait()
    one = channel("pipe")
    one.fill()
    started = embark(*words, config=config, stdout=one.write)
    one.close_write()
    got = b""
    while chunk := os.read(one.read, 1024):
        got += chunk
    assert started.wait() == code and len(got.lstrip(b".").splitlines()) == len(whole.out.raw.splitlines())


@pytest.mark.parametrize("kind", KINDS)
def test_sigterm_while_rows_are_not_read(embark, db, channel, kind):
    one = channel(kind)
    started = embark("sql", "-", env={"DATABASE_URL": db.url}, stdin=b"SELECT repeat('x', 1000) FROM generate_series(1, 10000);\n", stdout=one.write)
    eventually(lambda: db.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT repeat%'") > 0, what="the statement")
    started.signal(signal.SIGTERM)
    assert started.wait(SOON) == 143
