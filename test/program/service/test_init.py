"""[service] init = yes: what embark does for a service as its init. The cases P1 to P22 of inits, in a PID namespace and beside a shell."""

import contextlib
import datetime
import json
import os
import re
import signal
import socket
import subprocess

import pytest

from conftest import PYTHON
from support.process import PID_NAMESPACE, alive, asan, children, comm, state
from support.terminal import Screen
from support.waiting import eventually, steadily
from test_signals import BOTH, SOON, bit, descriptors, signal_sets

INIT = {"EMBARK_SERVICE_INIT": "yes"}
NOT_PASSED_ON = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
PASSED_ON = [number for number in [*range(1, 32), *range(34, 65)] if number not in NOT_PASSED_ON]


@pytest.fixture
def init(embark):
    """embark with init = yes."""
    def start(*words, env=None, **how):
        return embark(*words, env={**INIT, **(env or {})}, **how)
    return start


def script(embark, text):
    """A service in Python; `say` writes a line."""
    path = embark.folder / "service.py"
    path.write_text("import os, signal, sys, time\ndef say(*words): os.write(1, (' '.join(map(str, words)) + chr(10)).encode())\n" + text)
    return [PYTHON, str(path)]


def service_of(process):
    """Its process, once it has been started."""
    return eventually(lambda: [pid for pid in children(process.pid) if comm(pid) not in (None, "embark") and not comm(pid).startswith("embark:")],
                      what="the service")[0]


# --- how it ends

def test_every_exit_code(init, embark):
    """P1, P3"""
    loop = 'code=0; while [ $code -lt 256 ]; do "$@" sh -c "exit $code"; [ $? = $code ] || echo "$code became $?"; code=$((code + 1)); done; echo end'
    process = init(argv=["sh", "-c", loop, "sh", embark.binary], env={"EMBARK_LOG_LEVEL": "error"})
    assert process.expect(0, timeout=120).stdout == "end\n"


@pytest.mark.parametrize("code, passed_on", [(143, 0), (7, 9), (0, 0), (8, 8), (255, 1)])
def test_remap_exit(init, code, passed_on):
    """P1"""
    init("sh", "-c", f"exit {code}", env={"EMBARK_SERVICE_REMAP_EXIT": "143:0, 7:9 255:1"}).expect(passed_on)


def test_remap_of_an_end_by_a_signal(init):
    init("sh", "-c", "kill -TERM $$", env={"EMBARK_SERVICE_REMAP_EXIT": "143:0"}).expect(0)


@BOTH
@pytest.mark.parametrize("name", ["TERM", "HUP", "QUIT", "KILL", "SEGV", "USR1"])
def test_end_by_a_signal(init, pid1, name):
    """P2"""
    init("sh", "-c", f"ulimit -c 0; kill -{name} $$; sleep 1000", pid1=pid1).expect(128 + getattr(signal, f"SIG{name}"))


def test_ends_that_nobody_waits_for(init, embark):
    """P5: it is over before embark has looked."""
    count = 50 if asan() else 1000
    loop = f'n=0; while [ $n -lt {count} ]; do "$@" true || exit; n=$((n + 1)); done; echo end'
    process = init(argv=["sh", "-c", loop, "sh", embark.binary], env={"EMBARK_LOG_LEVEL": "error"})
    assert process.expect(0, timeout=120).stdout == "end\n"


@BOTH
def test_ends_in_the_same_instant(init, embark, pid1):
    """P4: of the service and an orphan."""
    service = script(embark, "r, w = os.pipe()\n"
                             "if os.fork() == 0:\n"
                             "    if os.fork() == 0:\n"
                             "        os.close(w)\n"
                             "        os.read(r, 1)\n"
                             "    os._exit(0)\n"
                             "os.wait()\n"
                             "os._exit(5)\n")
    for _ in range(10):
        init(*service, pid1=pid1).expect(5, timeout=SOON)


@BOTH
@pytest.mark.parametrize("words, code", [(["no-such-program"], 127), (["/etc"], 126), (["/etc/passwd"], 126)])
def test_what_cannot_be_executed(init, pid1, words, code):
    """P15: known before, and known only at the exec."""
    process = init("run", *words, pid1=pid1).expect(code, re.escape(words[0]), "hint: ")
    assert "ready in" not in process.stderr
    process = init("run", *words, pid1=pid1, env={"EMBARK_SKIP": "check"}).expect(code, re.escape(words[0]), "hint: ")


# --- signals

RECORDS = """
numbers = set(map(int, sys.argv[1].split(",")))
signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
say("up")
while True: say("got", signal.sigwaitinfo(numbers).si_signo)
"""


@BOTH
def test_every_signal_is_passed_on(init, embark, pid1):
    """P8, P9: each that has a meaning for a service, real-time ones as well; one after the other."""
    process = init(*script(embark, RECORDS), ",".join(map(str, PASSED_ON)), pid1=pid1)
    process.wait_for_line("^up$", stream=process.out)
    for number in PASSED_ON:
        process.signal(number)
        process.wait_for_line(rf"^got {number}$", stream=process.out)
    assert [int(number) for number in re.findall(r"^got (\d+)$", process.stdout, re.M)] == PASSED_ON
    os.kill(service_of(process), signal.SIGKILL)
    process.expect(137)


@BOTH
def test_signals_that_came_together(init, embark, pid1):
    """P8: none is lost."""
    numbers = [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT, signal.SIGWINCH, 34, 40, 64]
    process = init(*script(embark, RECORDS), ",".join(str(int(number)) for number in numbers), pid1=pid1)
    process.wait_for_line("^up$", stream=process.out)
    for number in numbers:
        process.signal(number)
    for number in numbers:
        process.wait_for_line(rf"^got {int(number)}$", stream=process.out)
    os.kill(service_of(process), signal.SIGKILL)
    process.expect(137)


def test_an_ignored_signal_is_passed_on(init, embark):
    """nohup: the service may think otherwise about it."""
    process = init(*script(embark, RECORDS), str(int(signal.SIGHUP)), inner=["env", "--ignore-signal=HUP"])
    process.wait_for_line("^up$", stream=process.out)
    process.signal(signal.SIGHUP)
    process.wait_for_line(r"^got 1$", stream=process.out)
    process.signal(signal.SIGKILL)
    process.wait()


@BOTH
def test_a_signal_goes_to_the_group(init, pid1):
    """P10: a shell that ignores USR1, and waits for a child that does not."""
    # a shell can't have back what it had ignored; env can
    process = init("sh", "-c", "trap '' USR1; env --default-signal=USR1 sh -c 'echo up; sleep 1000'; echo ended $?", pid1=pid1)
    process.wait_for_line("^up$", stream=process.out)
    process.signal(signal.SIGUSR1)
    process.expect(0)
    assert "ended 138" in process.stdout


@BOTH
def test_a_pipeline_ends_as_a_whole(init, pid1):
    """P11"""
    process = init("sh", "-c", "echo up >&2; sleep 1000 | sleep 1001 | sleep 1002", pid1=pid1)
    process.wait_for_line("^up$")
    family = eventually(lambda: [p for p in (children(s) for s in children(process.pid)) if len(p) == 3])[0]
    process.signal(signal.SIGTERM)
    process.expect(143, timeout=SOON)
    assert not any(alive(pid) for pid in family)


@BOTH
def test_a_signal_before_the_service(init, refused_port, pid1):
    process = init("echo", "served", env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a"}, pid1=pid1)
    process.wait_for_line("refuses")
    process.signal(signal.SIGTERM)
    process.expect(143, "SIGTERM", timeout=SOON)


# --- what is left

@BOTH
def test_orphans_are_reaped(init, embark, pid1):
    """P6, P7: a hundred, while the service runs."""
    process = init(*script(embark, "for _ in range(100):\n"
                                   "    if os.fork() == 0:\n"
                                   "        if os.fork() == 0: os._exit(0)\n"
                                   "        os._exit(0)\n"
                                   "    os.wait()\n"
                                   "say('up')\n"
                                   "signal.pause()\n"), pid1=pid1)
    process.wait_for_line("^up$", stream=process.out)
    eventually(lambda: len(children(process.pid)) == 1, what="only the service is embark's child")
    assert state(children(process.pid)[0]) in "SR"
    process.signal(signal.SIGTERM)
    process.expect(143)


LEAVES = """
import signal
r, w = os.pipe()
if os.fork() == 0:
    {how}
    os.write(w, b"x")
    while True: time.sleep(0.01)
os.read(r, 1)
say("left")
os._exit(6)
"""
SLOW = "signal.signal(15, lambda *_: (time.sleep(0.3), say('finished'), os._exit(0)))"


@BOTH
@pytest.mark.parametrize("session", ["", "os.setsid()\n    "], ids=["group", "session"])
def test_what_is_left_may_finish(init, embark, session, pid1):
    """P12, P13: TERM, and all the time that it needs of the grace."""
    process = init(*script(embark, LEAVES.format(how=session + SLOW)), env={"EMBARK_SERVICE_GRACE": "60s"}, pid1=pid1)
    process.expect(6)
    assert process.stdout == "left\nfinished\n"


@BOTH
@pytest.mark.parametrize("session", ["", "os.setsid()\n    "], ids=["group", "session"])
def test_what_is_left_is_killed_after_the_grace(init, embark, session, pid1):
    """P12, P13"""
    process = init(*script(embark, LEAVES.format(how=session + "signal.signal(15, signal.SIG_IGN); say(os.getpid())")),
                   env={"EMBARK_SERVICE_GRACE": "200ms"}, pid1=pid1)
    process.expect(6, timeout=SOON)
    if not pid1:
        assert not alive(int(process.stdout.split()[0]))


CHAIN = """
def level(n):
    told = []
    signal.signal(15, lambda *_: (told.append(1), say("told", n)))
    if n < 5 and os.fork() == 0: level(n + 1)
    if n == 5: os.write(w, b"x")
    while not told: time.sleep(0.01)
    time.sleep(0.1)
    say("ended", n, len(told))
    os._exit(0)
r, w = os.pipe()
if os.fork() == 0:
    os.setsid()
    level(1)
os.read(r, 1)
os._exit(6)
"""


@BOTH
def test_a_chain_of_what_is_left(init, embark, pid1):
    """P13: each becomes embark's when the one above it has ended, and is told then, and once."""
    process = init(*script(embark, CHAIN), env={"EMBARK_SERVICE_GRACE": "60s"}, pid1=pid1)
    process.expect(6)
    assert process.stdout == "".join(f"told {n}\nended {n} 1\n" for n in range(1, 6))


@BOTH
@pytest.mark.parametrize("how", ["signal.signal(15, lambda *_: say('told'))", "os.setsid(); signal.signal(15, lambda *_: say('told'))"],
                         ids=["group", "session"])
def test_what_is_left_is_told_once(init, embark, how, pid1):
    """Many programs take a second TERM for `at once`."""
    process = init(*script(embark, LEAVES.format(how=how)), env={"EMBARK_SERVICE_GRACE": "400ms"}, pid1=pid1)
    process.expect(6)
    assert process.stdout == "left\ntold\n"


@pytest.mark.parametrize("session", ["", "setsid"])
def test_what_is_left_is_stopped(init, session):
    """It would sleep through TERM."""
    process = init("sh", "-c", f"{session} sh -c 'kill -STOP $$' & while [ \"$(cut -d' ' -f3 /proc/$!/stat)\" != T ]; do :; done; exit 6",
                   env={"EMBARK_SERVICE_GRACE": "60s"})
    process.expect(6, timeout=SOON)


def test_signals_while_what_is_left_may_finish(init, embark):
    """HUP, which was for the service, ends no grace, nor does a first TERM; a second one does."""
    service = script(embark, "signal.pthread_sigmask(signal.SIG_BLOCK, {1})\nsay('up')\nsignal.sigwait({1})\nsay('reloaded')\n" +
                     LEAVES.format(how="signal.signal(1, signal.SIG_IGN); signal.signal(15, lambda *_: say('told'))"))
    process = init(*service, env={"EMBARK_SERVICE_GRACE": "60s"})
    process.wait_for_line("^up$", stream=process.out)
    process.signal(signal.SIGHUP)
    process.wait_for_line("^told$", stream=process.out)
    for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGTERM):
        process.signal(number)
    steadily(lambda: process.running, 0.3, "it has its grace")
    process.signal(signal.SIGTERM)
    process.expect(6, timeout=SOON)
    assert process.stdout == "up\nreloaded\nleft\ntold\n"


@BOTH
def test_a_service_that_has_left_its_group(init, embark, pid1):
    process = init(*script(embark, "os.setpgid(0, os.getpgid(os.getppid()))\nsay('up')\nsignal.pause()\n"), pid1=pid1)
    process.wait_for_line("^up$", stream=process.out)
    process.signal(signal.SIGTERM)
    process.expect(143, timeout=SOON)


def test_a_service_that_takes_its_time_is_not_killed(init, embark):
    """The grace is for what is left of it, and begins when it has ended; whoever sends TERM may send KILL."""
    process = init(*script(embark, "signal.pthread_sigmask(signal.SIG_BLOCK, {15})\nsay('up')\nsignal.sigwait({15})\n"
                           "time.sleep(0.5)\nsay('finished')\n"),
                   env={"EMBARK_SERVICE_GRACE": "50ms"})
    process.wait_for_line("^up$", stream=process.out)
    process.signal(signal.SIGTERM)
    process.expect(0)
    assert process.stdout == "up\nfinished\n"


def test_children_from_before_are_left_alone(embark):
    """A shell's that exec'd embark."""
    process = embark(argv=["sh", "-c", 'sleep 1000 & echo $!; exec "$@"', "sh", embark.binary, "sh", "-c", "exit 4"], env=INIT)
    process.expect(4)
    assert alive(int(process.stdout))


# --- what the service inherits

@BOTH
def test_mask_and_dispositions(init, pid1):
    """P14"""
    sets = signal_sets(init("cat", "/proc/self/status", pid1=pid1).expect(0).stdout)
    assert sets["SigBlk"] == 0 and sets["SigIgn"] == 0 and sets["SigCgt"] == 0, sets
    process = init("cat", "/proc/self/status", inner=["env", "--ignore-signal=USR1,PIPE,CHLD", "--block-signal=USR2,RTMIN,RTMIN+2"], pid1=pid1)
    sets = signal_sets(process.expect(0).stdout)
    assert sets["SigIgn"] == sum(map(bit, (signal.SIGUSR1, signal.SIGPIPE, signal.SIGCHLD)))
    assert sets["SigBlk"] == bit(signal.SIGUSR2) | bit(34) | bit(36)


def open_files(pid):
    """Those that are open at one moment; one that is closed meanwhile is left out."""
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found.append((int(fd), os.readlink(f"/proc/{pid}/fd/{fd}")))
    return found


def test_descriptors(init, db):
    """P21: those that were given, and none of embark's, which keeps none of them: a listener that the service closes is closed."""
    process = init("sh", "-c", "ls -l /proc/self/fd; read go", env={"DATABASE_URL": db.url}, stdin=subprocess.PIPE,
                   config="[migrate]\ncommand = true\n", prefix=["bash", "-c", 'exec 7</etc/passwd; exec "$@"', "bash"])
    process.wait_for_line("7 -> ", stream=process.out)
    eventually(lambda: not [target for fd, target in open_files(process.pid) if fd > 2], what="the rest to be closed")
    process.popen.stdin.close()
    process.expect(1)
    assert set(descriptors(process)) == {0, 1, 2, 7}


def test_socket_activation(init, embark):
    """P21: LISTEN_PID becomes the service's; what is another process's stays."""
    sock = socket.create_server(("127.0.0.1", 0))
    check = ("import os, socket; assert os.environ['LISTEN_PID'] == str(os.getpid()), 'LISTEN_PID'; s = socket.socket(fileno=3);"
             "print('served', s.getsockname()[1])")
    process = init(argv=["bash", "-c", f'exec 3<&{sock.fileno()} {sock.fileno()}<&-; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', "sh", embark.binary,
                         PYTHON, "-c", check], pass_fds=[sock.fileno()]).expect(0)
    assert process.stdout == f"served {sock.getsockname()[1]}\n"
    sock.close()
    assert init("sh", "-c", "echo $LISTEN_PID", env={"LISTEN_PID": "1234567"}).expect(0).stdout == "1234567\n"


def test_words_environment_and_place(init, embark, folder):
    """P16, P20"""
    (folder / "there").mkdir()
    assert init("--", "sh", "-c", 'echo "$0" "$@"; exit 7', "a", "--version", "-x", cwd=folder / "there").expect(7).stdout == "a --version -x\n"
    assert init("pwd", cwd=folder / "there").expect(0).stdout == f"{folder}/there\n"
    got = init("env", "-0").expect(0).out.raw.rstrip(b"\0").decode().split("\0")
    assert got == [f"{name}={value}" for name, value in embark.environment(INIT).items()]


def test_stdin(init):
    """P17"""
    data = os.urandom(200_000).hex().encode()
    process = init("sh", "-c", "cat", stdin=subprocess.PIPE)
    process.popen.stdin.write(data)
    process.popen.stdin.close()
    process.expect(0)
    assert process.out.raw == data


def memory(pid):
    """KiB: of its own, and all that is resident."""
    lines = dict(line.split(":") for line in open(f"/proc/{pid}/smaps_rollup").read().splitlines()[1:])
    return tuple(int(lines[key].split()[0]) for key in ("Anonymous", "Rss"))


NO_PROC = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"]


@pytest.mark.parametrize("how", [{}, {"pid1": True}, {"prefix": NO_PROC}], ids=["beside", "pid1", "no proc"])
def test_memory(init, db, how):
    """What stays beside the service is the init alone, whatever the start has needed."""
    if asan() and how.get("prefix"):
        pytest.skip("LeakSanitizer needs /proc")
    process = init("sh", "-c", "echo up; read go; exit 3", stdin=subprocess.PIPE, env={"DATABASE_URL": db.url, "MUCH": "x" * 2000}, **how)
    process.wait_for_line("^up$", stream=process.out)
    if not asan():
        eventually(lambda: memory(process.pid)[0] <= 100 and memory(process.pid)[1] <= 400, what="it to be small")
    process.popen.stdin.close()
    process.expect(3)


def test_working_directory(init, folder):
    """The service keeps its own; embark keeps no volume busy."""
    (folder / "volume").mkdir()
    process = init("sh", "-c", "pwd; read go", cwd=folder / "volume", stdin=subprocess.PIPE)
    process.wait_for_line(f"^{folder}/volume$", stream=process.out)
    eventually(lambda: os.readlink(f"/proc/{process.pid}/cwd") == "/", what="embark to have left")
    process.popen.stdin.close()
    process.expect(1)


# Another user's, and embark may not kill it.
UNKILLABLE = ("r, w = os.pipe()\n"
              "if os.fork() == 0:\n"
              "    signal.signal(15, signal.SIG_IGN)\n"
              "    os.setuid(65534)\n"
              "    say(os.getpid())\n"
              "    os.write(w, b'x')\n"
              "    while True: time.sleep(0.01)\n"
              "os.read(r, 1)\n"
              "os._exit(6)\n")


def test_what_cannot_be_killed_where_nobody_reads_the_log(init, embark):
    """The line is lost, and the end is not."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(write, True)
    process = init("--", *script(embark, UNKILLABLE), env={"EMBARK_SERVICE_GRACE": "10ms"}, stderr=write, prefix=["setpriv", "--bounding-set", "-kill"])
    os.close(write)
    assert process.wait(30) == 6
    os.kill(int(process.stdout), signal.SIGKILL)
    os.close(read)


@pytest.mark.parametrize("log", ["text", "json"])
def test_what_cannot_be_killed(init, embark, log):
    """P12. The line has the time of then."""
    service = script(embark, UNKILLABLE)
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(milliseconds=1)
    process = init("--", *service, env={"EMBARK_SERVICE_GRACE": "10ms", "EMBARK_LOG_FORMAT": log, "EMBARK_LOG_TIMESTAMPS": "yes"},
                   prefix=["setpriv", "--bounding-set", "-kill"])
    process.expect(6, timeout=30)
    after = datetime.datetime.now(datetime.timezone.utc)
    os.kill(int(process.stdout), signal.SIGKILL)
    line = process.stderr.splitlines()[-1]
    if log == "json":
        line = json.loads(line)
        assert line["level"] == "warn" and line["step"] == "service" and "can't be killed" in line["message"], line
        said = line["time"]
    else:
        said, rest = line.split(" ", 1)
        assert rest.startswith("embark: warning: service: some of what it has left behind can't be killed"), line
    time = datetime.datetime.strptime(said, "%Y-%m-%dT%H:%M:%S.%f%z")
    assert before + datetime.timedelta(seconds=5) <= time <= after, (before, time, after)


@BOTH
def test_remap_signal(init, embark, pid1):
    """As another one, or not at all; the rest as they are. Those of the terminal, too, which else keep what they do."""
    numbers = [1, 2, 3, 10, 12, 34, 50, 64]
    process = init(*script(embark, RECORDS), ",".join(map(str, numbers)), pid1=pid1,
                   env={"EMBARK_SERVICE_REMAP_SIGNAL": "TERM:QUIT, HUP:0 SIGINT:RTMIN TSTP:USR1 22:12 CONT:RTMAX"})
    process.wait_for_line("^up$", stream=process.out)
    eventually(lambda: os.readlink(f"/proc/{process.pid}/cwd") == "/", what="the init")
    for sent, got in ((1, None), (15, 3), (2, 34), (20, 10), (22, 12), (18, 64), (50, 50)):
        process.signal(sent)
        if got:
            process.wait_for_line(rf"^got {got}$", stream=process.out)
    assert [int(number) for number in re.findall(r"^got (\d+)$", process.stdout, re.M)] == [3, 34, 10, 12, 64, 50]
    os.kill(service_of(process), signal.SIGKILL)
    process.expect(137)


def test_remap_signal_holds_for_the_service_only(init, embark):
    """A start is told to end by what is sent, and so is the wait for what the service has left behind."""
    service = script(embark, LEAVES.format(how="signal.signal(15, lambda *_: say('told'))"))
    process = init(*service, env={"EMBARK_SERVICE_GRACE": "60s", "EMBARK_SERVICE_REMAP_SIGNAL": "TERM:0"})
    process.wait_for_line("^told$", stream=process.out)
    eventually(lambda: process.signal(signal.SIGTERM) or not process.running, what="a second TERM to end the grace")
    process.expect(6)


@BOTH
def test_title(init, pid1):
    """What `docker top` and embark's healthcheck see of process 1."""
    process = init("sleep", "1000", pid1=pid1)
    service_of(process)
    eventually(lambda: comm(process.pid) == "embark:init")
    process.signal(signal.SIGTERM)
    process.expect(143)


def test_health(init, embark):
    """An init is no start that goes on."""
    process = init("sh", "-c", f"{embark.binary} health", pid1=True)
    process.expect(0)
    assert "embark: healthy: " in process.stdout + process.stderr


def test_a_service_that_fails_is_no_start_that_failed(init, embark, folder):
    """The report of the last start."""
    init("sh", "-c", "exit 3", env={"EMBARK_STATE": str(folder)}).expect(3)
    assert "\nend: exec sh -c exit 3\n" in (folder / "last-start").read_text()
    init("run", "/etc/passwd", env={"EMBARK_STATE": str(folder), "EMBARK_SKIP": "check"}).expect(126)
    assert "\nend: exit 126\n" in (folder / "last-start").read_text()


# --- whose parent ends (P22)

@pytest.mark.parametrize("init", ["no", "yes"])
def test_pdeathsig(embark, init):
    """The process that started embark ends."""
    process = embark(argv=["sh", "-c", '"$@" & read go; exit 0', "sh", embark.binary, *script(embark, RECORDS), "12"],
                     env={"EMBARK_SERVICE_INIT": init, "EMBARK_SERVICE_PDEATHSIG": "USR2"}, stdin=subprocess.PIPE)
    process.wait_for_line("^up$", stream=process.out)
    process.popen.stdin.close()
    process.wait_for_line("^got 12$", stream=process.out)


def test_pdeathsig_when_embark_ends(init, embark):
    process = init(*script(embark, RECORDS), "12", env={"EMBARK_SERVICE_PDEATHSIG": "SIGUSR2"})
    process.wait_for_line("^up$", stream=process.out)
    process.signal(signal.SIGKILL)
    process.wait_for_line("^got 12$", stream=process.out)


def test_without_pdeathsig_it_lives_on(init, embark):
    process = init(*script(embark, "say(os.getpid())\nsignal.pause()\n"))
    pid = int(process.wait_for_line(r"^\d+$", stream=process.out)[0])
    process.popen.kill()
    process.popen.wait()
    assert alive(pid)


# --- the configuration

def test_mistakes(embark):
    for bad in ("143", "143:", ":0", "256:0", "1:256", "143=0", "a:b", "1:2:3", "0001:0", "5:6 5:7"):
        embark.run("true", env={**INIT, "EMBARK_SERVICE_REMAP_EXIT": bad}).expect(78, "remap_exit", "hint: 143:0")
    for bad in ("TERM", "TERM:", ":QUIT", "TERM:NOPE", "0:TERM", "KILL:TERM", "CHLD:TERM", "TERM:INT TERM:QUIT"):
        embark.run("true", env={**INIT, "EMBARK_SERVICE_REMAP_SIGNAL": bad}).expect(78, "remap_signal", "hint: TERM:QUIT")
    for bad in ("NOPE", "0", "65", "RTMIN+99", "33", "term"):
        embark.run("true", env={"EMBARK_SERVICE_PDEATHSIG": bad}).expect(78, "pdeathsig", "hint: ")
    embark.run("true", env={"EMBARK_SERVICE_REMAP_EXIT": "143:0"}).expect(0, "no effect without init = yes")
    embark.run("true", env={"EMBARK_SERVICE_REMAP_SIGNAL": "TERM:QUIT"}).expect(0, "remap_signal has no effect without init = yes")
    embark.run("check", env={"EMBARK_SERVICE_REMAP_SIGNAL": "TERM:QUIT"}).expect(0, "remap_signal has no effect without init = yes")
    embark.run("true", config="[service]\ninit = maybe\n").expect(78, "init")


# --- the terminal (P18, P19)

class Terminal(Screen):
    """Somebody who types, in a session of which this is the controlling terminal."""

    def __init__(self, embark, argv, env):
        super().__init__()
        self.process = embark(argv=argv, env={"TERM": "dumb", "PS1": "$ ", **env}, stdin=self.child, stdout=self.child, stderr=self.child,
                              prefix=["setsid", "--ctty", "--wait"])
        self.started()

    @property
    def foreground(self):
        return comm(os.tcgetpgrp(self.parent))

    def has_foreground(self, name):
        """Until then what is typed is somebody else's."""
        eventually(lambda: self.foreground == name, what=f"{name} in the foreground")

    def ends(self, code):
        try:
            assert self.process.popen.wait(20) == code, self.seen
        finally:
            self.close()


@pytest.fixture
def terminal(embark):
    return lambda *argv: Terminal(embark, argv, INIT)


@pytest.fixture
def shell(terminal, embark):
    """An interactive bash, which was told to start embark with a service in Python that says `up`."""
    def start(text, after=""):
        screen = terminal("bash", "--norc", "-i")
        screen.shows(r"\$ ")
        screen.type(f"{embark.binary} {' '.join(script(embark, text))}{after}\r")
        screen.shows("up\r\n")
        return screen
    return start


@BOTH
def test_no_terminal(init, pid1):
    """P18"""
    process = init("sh", "-c", "tty; exit 4", prefix=["setsid", "--wait"], pid1=pid1).expect(4)
    assert "not a tty" in process.stdout and len(process.said) == 1


ALONE = pytest.mark.parametrize("namespace", [[], PID_NAMESPACE], ids=["leader", "pid1"])
READS = """
say("u" + "p")
for line in sys.stdin: say(len(line))
"""
PAUSES = """
signal.signal(2, signal.SIG_DFL)
say("u" + "p")
signal.pause()
"""


def test_foreground(terminal, embark):
    """P19: it is the service's group that is in the terminal's foreground, and embark's again at the end."""
    shell = terminal("sh", "-c", f"{embark.binary} sh -c 'ps -o pgid=,tpgid= -p $$'; ps -o pgid=,tpgid= -p $$; exit 5")
    service, foreground = shell.shows(r"(?s)ready in .*?(\d+) +(\d+)\r\n").groups()
    assert service == foreground
    outside, foreground = shell.shows(r"(\d+) +(\d+)\r\n").groups()
    assert outside == foreground != service
    shell.ends(5)


def test_foreground_after_an_exec_that_fails(terminal, embark):
    shell = terminal("sh", "-c", f"EMBARK_SKIP=check {embark.binary} run /etc/passwd; ps -o pgid=,tpgid= -p $$; exit 5")
    outside, foreground = shell.shows(r"(?s)hint: .*?(\d+) +(\d+)\r\n").groups()
    assert outside == foreground
    shell.ends(5)


def test_interrupt(terminal, embark):
    """P19"""
    service = terminal(embark.binary, *script(embark, PAUSES))
    service.shows("up\r\n")
    service.type("\x03")
    service.ends(130)


def test_stop_and_go_on(shell):
    """P19: ^Z stops the job; fg, and bg and fg, resume it."""
    shell = shell(READS)
    for resume in (["fg"], ["bg", "fg"], ["bg", "wait", "fg"]):
        shell.type("\x1a")
        shell.shows(r"Stopped.*service\.py")
        for command in resume:
            shell.has_foreground("bash")
            shell.type(f"{command}\r")
            # bg lets it read, and so stops it again
            shell.shows(r"Stopped.*service\.py" if command == "wait" else r"service\.py")
        shell.has_foreground("python3")
        shell.type("x" * 37 + "\r")
        shell.shows("\r\n38\r\n")
    shell.type("\x04")
    shell.has_foreground("bash")
    shell.type("exit 5\r")
    shell.ends(5)


def test_stop_of_one_that_does_not_read(shell):
    """P19: fg says nothing to a job that runs in the background already: then it is embark's group that is in the foreground."""
    shell = shell(PAUSES)
    shell.type("\x1a")
    shell.shows(r"Stopped.*service\.py")
    shell.has_foreground("bash")
    shell.type("bg\r")
    shell.shows(r"service\.py")
    eventually(lambda: state(children(children(shell.process.pid)[0])[0]) == "S", what="it runs again")
    shell.type("fg\r")
    shell.shows(r"service\.py")
    eventually(lambda: shell.foreground in ("embark:init", "python3"), what="it in the foreground")
    shell.type("\x1a")
    shell.shows(r"Stopped.*service\.py")
    shell.has_foreground("bash")
    shell.type("fg\r")
    shell.shows(r"service\.py")
    shell.has_foreground("python3")
    shell.type("\x03")
    shell.has_foreground("bash")
    shell.type("echo code $?; exit\r")
    shell.shows(r"code 130\r\n")
    shell.ends(0)


@ALONE
def test_stop_where_nobody_could_resume(terminal, embark, namespace):
    """P19: the leader of the terminal's session, as in `docker run -it`: a ^Z changes nothing."""
    service = terminal(*namespace, embark.binary, *script(embark, READS))
    service.shows("up\r\n")
    service.type("\x1a")
    service.type("x" * 37 + "\r")
    service.shows("\r\n38\r\n")
    service.type("\x04")
    service.ends(0)


@ALONE
def test_every_signal_after_a_stop(terminal, embark, namespace):
    """P9: 34, which musl would forget."""
    service = terminal(*namespace, embark.binary, *script(embark, RECORDS), "34")
    service.shows("up\r\n")
    service.type("\x1a")
    service.shows(r"\^Z")   # by then the terminal has thrown away what was written before, as it does at ^Z (NOFLSH of termios(3))
    leader = service.process.pid
    process = eventually(lambda: leader if not namespace else children(leader) and children(leader)[0])
    eventually(lambda: [state(pid) for pid in children(process)] == ["S"], what="the service, which goes on")
    os.kill(process, 34)
    service.shows("got 34\r\n")
    os.kill(children(process)[0], signal.SIGKILL)
    service.ends(137)


def test_fg_of_a_start_in_the_background(shell):
    """It gets the terminal when it wants it."""
    shell = shell(READS, " &")
    shell.type("fg\r")
    shell.has_foreground("python3")
    shell.type("x" * 37 + "\r")
    shell.shows("\r\n38\r\n")
    shell.type("\x04")
    shell.has_foreground("bash")
    shell.type("exit 5\r")
    shell.ends(5)


def test_pipeline_on_a_terminal(shell, embark):
    """Whoever reads from the terminal behind it can; ^C is for all."""
    reader = embark.folder / "reader.py"
    reader.write_text("import sys\nprint(sys.stdin.readline().strip(), flush=True)\nprint(len(open('/dev/tty').readline()), flush=True)\n"
                      "sys.stdin.read()\n")
    shell = shell(PAUSES, f" | {PYTHON} {reader}")
    shell.type("x" * 37 + "\r")
    shell.shows("\r\n38\r\n")
    shell.type("\x03")
    shell.has_foreground("bash")
    shell.type("echo codes ${PIPESTATUS[0]}; exit 5\r")
    shell.shows(r"codes 130\r\n")
    shell.ends(5)


TAKES_FRONT = """\
    os.setpgid(0, 0)
    signal.signal(22, signal.SIG_IGN)
    os.tcsetpgrp(0, os.getpid())
"""


def test_terminal_that_somebody_has_left(terminal, embark):
    """Its foreground group is gone: that of a shell below the service which was killed. The service may read on, and nothing spins."""
    service = terminal(embark.binary, *script(embark, "p = os.fork()\n"
                                              "if p == 0:\n"
                                              + TAKES_FRONT +
                                              "    os._exit(0)\n"
                                              "os.waitpid(p, 0)\n" + READS))
    service.shows("up\r\n")
    service.type("x" * 37 + "\r")
    service.shows("\r\n38\r\n")
    service.type("\x04")
    service.ends(0)


def test_terminal_that_somebody_has(terminal, embark):
    """Its foreground group lives, and there is no shell to stop for: the service stays stopped until it is continued."""
    service = terminal(embark.binary, *script(embark, "r, w = os.pipe()\n"
                                              "if os.fork() == 0:\n"
                                              + TAKES_FRONT +
                                              "    os.write(w, b'x')\n"
                                              "    while True: signal.pause()\n"
                                              "os.read(r, 1)\n"
                                              "say('reads')\n"
                                              "sys.stdin.readline()\n"))
    service.shows("reads\r\n")
    child = eventually(lambda: children(service.process.pid))[0]
    eventually(lambda: state(child) == "T", what="the service to be stopped")
    steadily(lambda: state(child) == "T", 0.3, "nobody continues it")
    os.kill(child, signal.SIGKILL)
    service.ends(137)


@ALONE
def test_a_shell_with_job_control(terminal, embark, namespace):
    """P19"""
    shell = terminal(*namespace, embark.binary, "run", "--", "bash", "--norc", "-i")
    before = shell.shows(r"(?s)ready in (.*?)\$ ")[1]
    assert "job control" not in before
    shell.type("sh -c 'echo u\"\"p; exec sleep 1000'\r")
    shell.shows("\nup\r\n")
    shell.has_foreground("sleep")
    shell.type("\x1a")
    shell.shows("Stopped")
    shell.has_foreground("bash")
    shell.type("echo a''live; exit 3; exit 3\r")
    shell.shows("alive\r\n")
    shell.ends(3)


def test_no_signal_of_the_start_reaches_it(terminal, embark):
    """P19: no SIGHUP, no SIGCONT."""
    service = terminal(embark.binary, *script(embark, "for number in (1, 18): signal.signal(number, lambda n, _: say('got', n))\nsay('u' + 'p')\n"
                                                      "say(sys.stdin.readline().strip(), 'read')\n"))
    service.shows("up\r\n")
    service.type("line\r")
    said = service.shows("(?s)(.*)line read")[1]
    assert "got" not in said
    service.ends(0)
