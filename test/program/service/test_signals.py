"""Signals in every phase, and what a service inherits: signal mask, dispositions, descriptors, words, environment."""

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import time

import pytest

from conftest import PYTHON
from support import net
from support.process import alive, asan, children
from support.waiting import eventually, steadily
from test_migrate import foreign_lock

# Far less than any timeout of embark's in these tests, and far more than it takes.
SOON = 5
BOTH = pytest.mark.parametrize("pid1", [False, True], ids=["child", "pid1"])
STOPS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT], ids=lambda n: n.name)


def stopped(process, number, *patterns):
    process.expect(128 + number, number.name, *patterns, timeout=SOON)
    assert "served" not in process.stdout
    return process


# --- SIGTERM and its like in every phase (P23)

@BOTH
@STOPS
def test_while_waiting(embark, refused_port, pid1, number):
    """P23"""
    process = embark("echo", "served", env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a"}, pid1=pid1)
    process.wait_for_line("refuses")
    process.signal(number)
    stopped(process, number)


@BOTH
@pytest.mark.parametrize("behaviour", ["silent", "full"])
def test_while_a_server_does_not_answer(embark, listener, pid1, behaviour):
    """P23: in the middle of a login."""
    full = net.Backlog() if behaviour == "full" else None
    port = full.port if full else listener("silent").port
    process = embark("echo", "served", env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{port}/a"}, pid1=pid1)
    eventually(lambda: is_connecting(process.pid, port), what="it tries to connect")
    process.signal(signal.SIGTERM)
    stopped(process, signal.SIGTERM)
    if full:
        full.close()


def is_connecting(pid, port):
    """Whether the process has a TCP socket to that port."""
    inodes = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            match = re.match(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            continue
        if match:
            inodes.add(match[1])
    with open(f"/proc/{pid}/net/tcp") as f:
        return any(line.split()[2] == f"0100007F:{port:04X}" and line.split()[9] in inodes for line in list(f)[1:])


@BOTH
def test_while_a_name_is_resolved(embark, namespace, pid1):
    """L41: a dead name server."""
    inside = namespace()
    names = net.NameServer(inside.socket(socket.SOCK_DGRAM, ("127.0.0.1", 53)), dead=True)
    process = embark("echo", "served", env={"DATABASE_URL": "postgresql://a@db.test/a"}, pid1=pid1, prefix=inside.prefix(embark.folder))
    eventually(lambda: names.asked, what="the name is asked for")
    resolvers = children(process.pid)
    process.signal(signal.SIGTERM)
    stopped(process, signal.SIGTERM)
    assert not any(alive(pid) for pid in resolvers)
    names.close()


@BOTH
def test_while_requirements_are_looked_at(embark, folder, pid1):
    """P23: an interpreter that hangs."""
    (folder / "python3").write_text(f"#!/bin/sh\necho $$ >{folder}/asked\nexec sleep 1000\n")
    (folder / "python3").chmod(0o755)
    process = embark("echo", "served", env={"PATH": f"{folder}:/usr/bin:/bin"}, pid1=pid1, config="[require]\nmodule = python: os\n")
    eventually(lambda: (folder / "asked").exists() and (folder / "asked").read_text(), what="the interpreter is asked")
    interpreter = children(process.pid)
    process.signal(signal.SIGTERM)
    stopped(process, signal.SIGTERM)
    assert not any(alive(pid) for pid in interpreter)


@BOTH
@STOPS
def test_while_the_lock_is_waited_for(embark, db, pid1, number):
    """L7"""
    foreign = foreign_lock(db)
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, pid1=pid1, config="[migrate]\ncommand = true\n")
    process.wait_for_line("held by")
    process.signal(number)
    stopped(process, number)
    foreign.close()


@BOTH
def test_while_something_else_is_waited_for(embark, refused_port, folder, pid1):
    process = embark("echo", "served", pid1=pid1, config=f"[wait]\nfile = {folder}/never\n")
    process.wait_for_line("never")
    process.signal(signal.SIGTERM)
    stopped(process, signal.SIGTERM)


@BOTH
@STOPS
def test_while_a_migration_runs(embark, db, migration, folder, pid1, number):
    """L8: passed to the whole process group."""
    db.make_ledger()
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, pid1=pid1, config="[migrate]\ncommand = " + migration(
        f"child:{folder}/child", f"touch:{folder}/begun", f"until:{folder}/never"))
    process.wait_for_file(folder / "begun")
    family = [p for p in eventually(lambda: children(process.pid))]
    family += [c for p in family for c in children(p)]
    assert len(family) == 3     # the migration, its child, and embark's keeper
    process.signal(number)
    stopped(process, number)
    eventually(lambda: db.locks() == [] and not any(alive(p) for p in family))


@BOTH
def test_lock_is_held_until_the_migration_is_gone(embark, db, migration, folder, pid1):
    """L8: a migration that cleans up after SIGTERM has its time, and the lock meanwhile."""
    db.make_ledger()
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, pid1=pid1, config="[migrate]\ncommand = " + migration(
        f"ontermwait:{folder}/cleaned", f"touch:{folder}/begun", f"until:{folder}/never"))
    process.wait_for_file(folder / "begun")
    process.signal(signal.SIGTERM)
    eventually((folder / "cleaned.got").exists, what="the migration has the signal")
    held = db.locks()
    assert len(held) == 1
    steadily(lambda: process.running and db.locks() == held, 0.5, "the lock is held", gap=0.05)
    (folder / "cleaned").touch()
    stopped(process, signal.SIGTERM)
    assert db.value("SELECT count(*) FROM runs WHERE ended IS NULL") == 0
    eventually(lambda: db.locks() == [])


@BOTH
def test_migration_that_ignores_the_signal_is_killed_after_the_grace(embark, db, migration, folder, pid1):
    db.make_ledger()
    process = embark("echo", "served", pid1=pid1, env={"DATABASE_URL": db.url, "EMBARK_SERVICE_GRACE": "700ms"},
                     config="[migrate]\ncommand = " + migration("ignore:TERM", f"touch:{folder}/begun", f"until:{folder}/never"))
    process.wait_for_file(folder / "begun")
    family = eventually(lambda: children(process.pid))
    process.signal(signal.SIGTERM)
    stopped(process, signal.SIGTERM)
    assert not any(alive(p) for p in family)
    eventually(lambda: db.locks() == [])


def test_migration_that_succeeds_all_the_same_does_not_start_the_service(embark, db, migration, folder):
    """It was asked to end: 143, though the migration exits with 0."""
    db.make_ledger()
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = " + migration(
        "ignore:TERM", f"touch:{folder}/begun", f"until:{folder}/go", "apply:one"))
    process.wait_for_file(folder / "begun")
    process.signal(signal.SIGTERM)
    process.wait_for_line("SIGTERM")
    (folder / "go").touch()
    stopped(process, signal.SIGTERM)
    assert db.value("SELECT count(*) FROM applied") == 1


def test_signal_for_the_migration_alone(embark, db, migration, folder):
    """SIGUSR1 is passed on, and ends nothing of embark's."""
    db.make_ledger()
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = " + migration.script(
        f"trap 'touch {folder}/got' USR1; touch {folder}/begun; while [ ! -e {folder}/got ]; do sleep 0.05; done; exit 0"))
    process.wait_for_file(folder / "begun")
    process.signal(signal.SIGUSR1)
    process.expect(0)
    assert process.stdout == "served\n"


@BOTH
def test_two_signals_at_once(embark, refused_port, pid1):
    process = embark("echo", "served", env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a"}, pid1=pid1)
    process.wait_for_line("refuses")
    pid = process.pid
    for number in (signal.SIGUSR1, signal.SIGCHLD, signal.SIGWINCH, signal.SIGCONT, signal.SIGURG):
        os.kill(pid, number)
    steadily(lambda: process.running, 0.3, "none of these ends it")
    os.kill(pid, signal.SIGINT)
    # the first one may have ended it already
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    assert process.wait(SOON) in (130, 143)


def test_signal_at_any_moment_is_not_lost(embark, db):
    """Sent at a random moment between the start and the service's first instruction: either embark ends with 143, or the service has it. The
    seed is shown with a failure."""
    seed = int(os.environ.get("EMBARK_SEED") or time.time_ns())
    chance = random.Random(seed)
    for _ in range(60):
        process = embark("sleep", "1000", env={"DATABASE_URL": db.url}, config="[require]\nfile = /etc/passwd\n")
        end = time.monotonic() + chance.uniform(0, 0.03)
        while time.monotonic() < end:
            pass
        process.signal(signal.SIGTERM)
        assert process.wait(SOON) in (143, -signal.SIGTERM), f"seed {seed}\n{process.describe()}"


def test_signal_before_embark_runs_at_all_is_not_lost(embark, refused_port):
    """Pending already when it starts: the shell has it blocked."""
    process = embark(argv=[PYTHON, "-c", "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, {15}); os.kill(os.getpid(), 15);"
                           "os.execv(sys.argv[1], sys.argv[1:])", embark.binary, "echo", "served"],
                     env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a", "EMBARK_DATABASE_TIMEOUT": "3s"})
    # it was blocked by the caller, for a reason of its own; both are defensible: to end at once, or to leave it to the service
    assert process.wait(SOON) in (143, 69)


# --- what the service inherits (P14)

def signal_sets(text):
    """Without 32 and 33, which are the C library's own: what started the tests may have left them ignored, and no program can change it."""
    return {name: int(value, 16) & ~(3 << 31) for name, value in re.findall(r"^(Sig(?:Blk|Ign|Cgt|Pnd)|ShdPnd):\s+([0-9a-f]+)$", text, re.M)}


def bit(number):
    return 1 << (number - 1)


@BOTH
def test_mask_and_dispositions_are_plain_when_they_were(embark, db, pid1):
    """P14: SIGPIPE, SIGCHLD and what embark blocks are put back."""
    sets = signal_sets(embark.run("cat", "/proc/self/status", env={"DATABASE_URL": db.url}, pid1=pid1,
                                  config="[migrate]\ncommand = true\n").expect(0).stdout)
    assert sets["SigBlk"] == 0 and sets["SigIgn"] == 0 and sets["SigCgt"] == 0, sets


@BOTH
@pytest.mark.parametrize("names", ["HUP", "TERM,INT", "PIPE", "CHLD", "USR1,USR2,QUIT", "TTIN,TTOU,TSTP"])
def test_ignored_signals_stay_ignored(embark, db, names, pid1):
    """P14: nohup, a shell's background job, a parent with SIGCHLD ignored."""
    numbers = [getattr(signal, "SIG" + name) for name in names.split(",")]
    process = embark.run("cat", "/proc/self/status", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = true\n",
                         inner=["env", f"--ignore-signal={names}"], pid1=pid1).expect(0)
    assert signal_sets(process.stdout)["SigIgn"] == sum(map(bit, numbers))


@BOTH
@pytest.mark.parametrize("names", ["USR1", "TERM,INT,HUP", "CHLD", "PIPE,RTMIN+2", "RTMIN"])
def test_blocked_signals_stay_blocked(embark, db, names, pid1):
    """P14: the mask as inherited; embark itself works with SIGCHLD blocked."""
    numbers = [{"RTMIN": 34, "RTMIN+2": 36}.get(name) or getattr(signal, "SIG" + name) for name in names.split(",")]
    process = embark.run("cat", "/proc/self/status", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = true\n",
                         inner=["env", f"--block-signal={names}"], pid1=pid1).expect(0)
    assert signal_sets(process.stdout)["SigBlk"] == sum(map(bit, numbers))


def test_the_migration_inherits_the_same(embark, db, folder):
    process = embark("true", env={"DATABASE_URL": db.url}, inner=["env", "--ignore-signal=USR1", "--block-signal=USR2"],
                     config=f"[migrate]\ncommand = sh -c 'exec cat /proc/self/status >{folder}/status'\n")
    process.expect(0)
    sets = signal_sets((folder / "status").read_text())
    assert sets["SigIgn"] == bit(signal.SIGUSR1) and sets["SigBlk"] == bit(signal.SIGUSR2), sets


def test_ignored_term_does_not_end_the_wait(embark, refused_port):
    """Whoever ignores SIGTERM means it."""
    process = embark("true", env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a"}, inner=["env", "--ignore-signal=TERM"])
    process.wait_for_line("refuses")
    process.signal(signal.SIGTERM)
    steadily(lambda: process.running, 0.5)
    process.signal(signal.SIGINT)
    stopped(process, signal.SIGINT)


# --- descriptors

def descriptors(process):
    """N -> target of an `ls -l /proc/self/fd`."""
    found = dict(re.findall(r"(\d+) -> (.*)$", process.stdout, re.M))
    return {int(fd): target for fd, target in found.items() if not target.startswith("/proc/")}


def test_no_descriptor_of_embarks_reaches_the_service(embark, db, folder):
    """With everything that opens one: configuration, resolver, sockets, lock, migration, requirements."""
    config = (f"[database]\nurl = {db.url_as(host='localhost')}\n[migrate]\ncommand = true\n[wait]\ntcp = 127.0.0.1:{db.server.port}\n"
              f"file = /etc/passwd\nunix = {db.server.socket_folder}/.s.PGSQL.{db.server.port}\n"
              "[require]\nmodule = python: json\nfile = /etc/passwd\nwritable = /tmp\ncommand = sh\n")
    process = embark.run("ls", "-l", "/proc/self/fd", config=config).expect(0)
    assert set(descriptors(process)) == {0, 1, 2}


def test_given_descriptors_reach_the_service(embark, db, folder):
    """P21: whatever was open, at whatever number."""
    fds = {3, 4, 5, 9, 10, 30, 200}
    opens = " ".join(f"{fd}</etc/passwd" for fd in fds)
    process = embark.run("ls", "-l", "/proc/self/fd", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = true\n",
                         prefix=["bash", "-c", f'exec {opens}; exec "$@"', "bash"])
    process.expect(0)
    assert {fd for fd, target in descriptors(process).items() if target == "/etc/passwd"} == fds
    assert set(descriptors(process)) == {0, 1, 2, *fds}


def test_socket_activation(embark, db):
    """P21: systemd's LISTEN_FDS. The process stays the same, so LISTEN_PID stays right."""
    sock = socket.create_server(("127.0.0.1", 0))
    check = ("import os, socket; assert os.environ['LISTEN_PID'] == str(os.getpid()), 'LISTEN_PID'; s = socket.socket(fileno=3);"
             "print('served', s.getsockname()[1])")
    process = embark(argv=["bash", "-c", f'exec 3<&{sock.fileno()} {sock.fileno()}<&-; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', "sh", embark.binary,
                           PYTHON, "-c", check], env={"DATABASE_URL": db.url}, pass_fds=[sock.fileno()])
    process.expect(0)
    assert process.stdout == f"served {sock.getsockname()[1]}\n"
    sock.close()


def test_given_descriptors_do_not_confuse_embark(embark, db):
    """Many are open, and few are left under the limit."""
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = true\n",
                     prefix=["sh", "-c", 'ulimit -n 16; exec 3</dev/null 4</dev/null 5</dev/null; exec "$@"', "sh"])
    process.expect(0)
    if asan():
        return  # the leak checker needs descriptors itself
    process = embark("echo", "served", env={"DATABASE_URL": db.url, "EMBARK_DATABASE_TIMEOUT": "1s"},
                     prefix=["sh", "-c", 'ulimit -n 4; exec "$@"', "sh"])
    process.wait(SOON)
    assert process.popen.returncode in (0, 69, 71, 77) and process.stderr, process.describe()


@pytest.mark.parametrize("closed", ["0", "1", "2", "01", "02", "12", "012"])
def test_closed_standard_descriptors(embark, db, closed):
    """P27: a database connection must not become the service's stdin, nor a message go into a socket."""
    close = " ".join(f"{fd}{'<' if fd == '0' else '>'}&-" for fd in closed)
    report = embark.folder / "report"
    service = f"ls -l /proc/self/fd >{report} 2>/dev/null </dev/null; echo out; echo err >&2; exit 5"
    process = embark(argv=["sh", "-c", f'exec "$@" {close}', "sh", embark.binary, "sh", "-c", service], env={"DATABASE_URL": db.url},
                     config="[migrate]\ncommand = true\n", stdin=-1)
    process.expect(5)
    assert "socket:" not in report.read_text(), report.read_text()
    if "2" not in closed:
        assert "embark: ready in" in process.stderr
    if "1" not in closed:
        assert process.stdout == "out\n"
    process.popen.stdin.close()


def test_full_and_closed_stderr_do_not_stop_a_start(embark, db):
    """P27: a log driver that is gone (EPIPE) or a full disk (ENOSPC)."""
    with open("/dev/full", "w") as full:
        process = embark("echo", "served", env={"DATABASE_URL": db.url}, stderr=full)
        assert process.wait() == 0 and process.stdout == "served\n"
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = true\n", stderr=write_end)
    os.close(write_end)
    assert process.wait() == 0 and process.stdout == "served\n"


def test_stderr_that_nobody_reads_does_not_hold_up_sigterm(embark, refused_port):
    """A full pipe: the message is lost, the signal isn't."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    try:
        while True:
            os.write(write_end, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(write_end, True)
    process = embark("true", env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a"}, stderr=write_end)
    os.close(write_end)
    eventually(lambda: (b"embark:wait" in open(f"/proc/{process.pid}/comm", "rb").read()), what="it waits")
    process.signal(signal.SIGTERM)
    assert process.wait(SOON) == 143
    os.close(read_end)


def test_pipe_on_stdin_reaches_the_service(embark, db):
    """P17: not one byte is eaten."""
    data = os.urandom(200_000).hex().encode()
    process = embark("sh", "-c", "cat", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = cat\n[require]\nmodule = python: json\n",
                     stdin=subprocess.PIPE)
    process.popen.stdin.write(data)
    process.popen.stdin.close()
    process.expect(0)
    assert process.out.raw == data


@BOTH
def test_no_terminal(embark, db, pid1):
    """P18"""
    process = embark("sh", "-c", "tty; exit 4", env={"DATABASE_URL": db.url}, prefix=["setsid", "--wait"], pid1=pid1)
    process.expect(4)
    assert "not a tty" in process.stdout and len(process.said) == 1


@BOTH
def test_terminal_reaches_the_service(embark, db, pid1):
    """P18: stdin and stdout are a terminal, and its foreground group is what it was."""
    process = embark.program("script", "-qec", f"{embark.binary} sh -c 'tty; ps -o pgid=,tpgid= -p $$; exit 6'", "/dev/null",
                             env={"DATABASE_URL": db.url, "TERM": "dumb"}, pid1=pid1)
    process.expect(6)
    assert "/dev/pts/" in process.stdout
    group, foreground = re.search(r"(\d+)\s+(\d+)\s*$", process.stdout).groups()
    assert group == foreground, process.stdout


# --- place, words, environment

def test_working_directory(embark, db, folder):
    """P20"""
    (folder / "there").mkdir()
    process = embark.run("pwd", cwd=folder / "there", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = sh -c 'cd /'\n").expect(0)
    assert process.stdout == f"{folder}/there\n"


def test_working_directory_that_is_gone(embark, folder):
    process = embark(argv=["sh", "-c", 'mkdir gone; cd gone; rmdir ../gone; exec "$@"', "sh", embark.binary, "echo", "served"])
    process.expect(0)
    assert process.stdout == "served\n"


def test_other_attributes_are_kept(embark, db):
    """umask, limits, niceness, process group, session: exec keeps them, and so must embark."""
    process = embark("sh", "-c", "umask; ulimit -n; ulimit -s; nice; ps -o pgid=,sid= -p $$; grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status",
                     env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = true\n",
                     prefix=["sh", "-c", 'umask 027; ulimit -n 77; ulimit -s 4096; exec nice -n 5 setsid --wait "$@"', "sh"])
    lines = process.expect(0).stdout.splitlines()
    assert lines[:4] == ["0027", "77", "4096", str(os.nice(0) + 5)]
    assert lines[4].split()[0] == lines[4].split()[1], "it leads the session that setsid made"
    with open("/proc/self/status") as status:  # a container may have a seccomp filter
        ours = [line.rstrip("\n") for line in status if line.startswith(("NoNewPrivs:", "Seccomp:"))]
    assert lines[5:] == ours


def test_one_megabyte_of_words(embark, db):
    """P28"""
    words = [f"{n:07d}" + "x" * 93 for n in range(10_000)]
    process = embark.run("sh", "-c", 'echo $#; shift 9999; echo "$1"', "sh", *words, env={"DATABASE_URL": db.url}).expect(0)
    assert process.stdout == f"10000\n{words[-1]}\n"
    assert max(map(len, process.said)) < 10_000, "the ready line needn't hold all of it"


def test_one_gigantic_word(embark, db):
    """P28: the longest that the kernel takes."""
    word = "y" * 131_000
    process = embark.run("sh", "-c", 'printf %s "$1" | wc -c', "sh", word, env={"DATABASE_URL": db.url}).expect(0)
    assert process.stdout == "131000\n"


def test_ten_thousand_variables(embark, db):
    """P28"""
    mine = {f"VARIABLE_{n}": str(n) for n in range(10_000)}
    process = embark.run("sh", "-c", "env | grep -c ^VARIABLE_", env={"DATABASE_URL": db.url, **mine}, config="[migrate]\ncommand = true\n")
    assert process.expect(0).stdout == "10000\n"


def test_empty_first_word(embark):
    """P28: argv[0] is empty, or there is none at all (an empty one since Linux 5.18)."""
    process = embark(argv=["bash", "-c", 'exec -a "" "$0" echo served', embark.binary])
    assert process.expect(0).stdout == "served\n"
    none = ("import ctypes, os, sys; libc = ctypes.CDLL(None); a = (ctypes.c_char_p * 1)(None);"
            "libc.execve(sys.argv[1].encode(), a, a)")
    process = embark(argv=[PYTHON, "-c", none, embark.binary])
    process.expect(64)


def test_empty_command(embark):
    """P28: an empty word as the service."""
    process = embark.run("--", "").expect(127)
    assert process.stderr.startswith("embark: ")


def test_odd_environment(embark, db):
    """Entries without =, twice the same name, empty names: reach the service as they are."""
    code = ("import ctypes, sys; libc = ctypes.CDLL(None); words = [w.encode() for w in sys.argv[1:]];"
            "a = (ctypes.c_char_p * (len(words) + 1))(*words, None);"
            "e = (ctypes.c_char_p * 7)(b'PATH=/usr/bin:/bin', b'NOEQUALS', b'TWICE=1', b'TWICE=2', b'=x', b'', None);"
            "libc.execve(words[0], a, e)")
    process = embark(argv=[PYTHON, "-c", code, embark.binary, "cat", "/proc/self/environ"])
    process.expect(0)
    assert process.out.raw == b"PATH=/usr/bin:/bin\0NOEQUALS\0TWICE=1\0TWICE=2\0=x\0\0"


def test_no_environment_at_all(embark):
    process = embark(argv=["env", "-i", embark.binary, "/bin/echo", "served"])
    assert process.expect(0).stdout == "served\n"


def test_low_limits(embark, db):
    """A small stack and little address space."""
    process = embark("echo", "served", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = true\n",
                     prefix=["sh", "-c", 'ulimit -s 256; ulimit -c 0; exec "$@"', "sh"])
    assert process.expect(0).stdout == "served\n"
