"""Single system calls that fail (strace injects the error into embark itself): no hang, no crash, no wrong success. test/faults/run walks all of them."""

import signal
import time

import pytest

from conftest import PYTHON
from support.image import write
from support.process import children, comm, send
from support.waiting import eventually


@pytest.fixture
def faulty(embark):
    """faulty("wait4:error=ECHILD:when=1", WORD…): embark with that fault."""

    def run(fault, *words, **how):
        strace = ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={fault.partition(':')[0]}", "-e", f"inject={fault}"]
        return embark(argv=[*strace, embark.binary, *words], **how)

    return run


MODULE = f"[require]\nmodule = {PYTHON}: json\n"


@pytest.mark.parametrize("error", ["ECHILD", "EINTR", "EINVAL"])
def test_a_status_is_not_lost(faulty, error):
    faulty(f"wait4:error={error}:when=1", "check", config=MODULE).expect(0, "all is there")


# EINTR isn't for ever: wait(2) names it for a call without WNOHANG only.
@pytest.mark.parametrize("error", ["ECHILD", "EINVAL"])
def test_a_status_that_nobody_gives_is_no_good_one(faulty, error):
    started = faulty(f"wait4:error={error}:when=1+", "--", "true", config=f"[service]\ninit = yes\n[require]\nmodule = {PYTHON}: json\n")
    if error == "ECHILD":
        assert started.wait(10) not in (0, -6, -11), started.describe()
    else:  # whether it has ended can't be known: it answers
        # To embark itself: strace may sleep over a signal that comes while it attaches.
        traced = eventually(lambda: [pid for pid in children(started.pid) if (comm(pid) or "").startswith("embark")], what="embark to be started")
        send(traced[0], signal.SIGTERM)
        assert started.wait(30) != 0, started.describe()


@pytest.mark.parametrize("nth", range(1, 7))
def test_a_mask_that_fork_could_not_set(faulty, nth):
    started = faulty(f"rt_sigprocmask:error=EPERM:when={nth}", "check", config=MODULE)
    assert started.wait(10) in (0, 71), started.describe()


@pytest.mark.parametrize("error", ["ENOMEM", "EACCES"])
def test_memory_that_stays_writable(faulty, error):
    faulty(f"mprotect:error={error}:when=1", "version").expect(0)


@pytest.mark.parametrize("error", ["EINTR", "EINPROGRESS"])
def test_a_connection_that_was_never_begun(faulty, error, refused_port):
    faulty(f"connect:error={error}:when=1+", "wait", config=f"[wait]\ntcp = 127.0.0.1:{refused_port}\ntimeout = 300ms\n").expect(69)


@pytest.mark.parametrize("error", ["EIO", "EAGAIN"])
def test_a_bundle_that_was_not_read(faulty, folder, error):
    """Neither in part, nor one file of two."""
    write(folder / "dist/a.js", "x")
    write(folder / "dist/b.js", "localhost:3000")
    config = "[bundle]\ndir = dist\nforbid = localhost:3000\n"
    for nth in range(1, 12):
        started = faulty(f"read:error={error}:when={nth}", "check", config=config)
        assert started.wait(10) in (71, 73, 78), started.describe()


def limited(number):
    return ["prlimit", f"--nofile={number}"]


@pytest.mark.parametrize("number", range(3, 16))
def test_no_descriptors(embark, folder, number):
    """Whichever is the one too many: the image isn't blamed for it."""
    write(folder / "here.txt")
    write(folder / "dist/a.js")
    config = f"[require]\nmodule = {PYTHON}: json\nfile = here.txt\ncommand = sh\n[bundle]\ndir = dist\nforbid = none\n"
    started = embark("check", config=config, prefix=limited(number))
    assert started.wait(20) in (0, 71), started.describe()
    if started.popen.returncode:
        assert "open files" in started.stderr or "descriptor" in started.stderr, started.describe()


def test_no_processes(faulty):
    faulty("fork,clone,vfork:error=EAGAIN:when=1", "check", config=MODULE).expect(71, "can't fork")


def test_a_send_that_fails_ends_the_wait_for_its_answer(faulty, db, migration):
    """libpq would wait for what the server says to it, and the server says nothing."""
    for nth in range(3, 12):
        begun = time.monotonic()
        started = faulty(f"sendto:error=EPIPE:when={nth}", "migrate", env={"DATABASE_URL": db.url, "EMBARK_DATABASE_TIMEOUT": "5s"},
                         config="[migrate]\ncommand = true\nlock_timeout = 5s\n")
        started.wait(15)
        assert time.monotonic() - begun < 12, started.describe()
