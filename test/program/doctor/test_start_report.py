"""The report of the last start: where it is kept, what it says, who may not disturb it, and what embark doctor makes of it."""

import json
import os
import re
import signal
import stat
import subprocess
import time

import pytest

from support import process as processes
from support.process import eventually
from test_health import inside

FILE = "last-start"
PUBLIC = "/run/embark"


@pytest.fixture
def state(folder):
    path = folder / "state"
    path.mkdir()
    return path


def report(state):
    """{"version": …, "log": [lines]}"""
    head, _, log = (state / FILE).read_text().partition("\n\n")
    lines = head.splitlines()
    assert lines[0] == "embark: last start"
    fields = dict(line.split(": ", 1) for line in lines[1:])
    assert int(fields["log"]) == len(log.encode())
    return {**fields, "log": log.splitlines()}


def start(embark, state, *words, env=None, **how):
    return embark(*words, env={"EMBARK_STATE": str(state), **(env or {})}, **how)


def doctor(embark, state=None, *words, prefix=()):
    """What it says in the section container: {key: [texts]}."""
    env = {"EMBARK_STATE": str(state)} if state else {}
    process = embark.run("doctor", "--json", *words, env=env, prefix=prefix)
    found = {}
    for row in json.loads(process.stdout)["looks"]:
        if row["section"] == "container":
            found.setdefault(row["key"], []).append(row["text"])
    return found


# --- what it says

def test_a_start_that_went_well(embark, db, state):
    before = time.time()
    main = start(embark, state, "sleep", "1000", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = true\n")
    main.wait_for_line("ready in")
    main.wait_for_file(state / FILE)
    said = report(state)
    assert said["end"] == "exec sleep 1000" and said["version"] == embark.run("version").stdout.split()[1]
    assert re.fullmatch(r"check .*, wait .*, migrate .*|wait .*, migrate .*", said["steps"])
    assert before - 1 < int(said["began"].split()[1]) / 1e6 < time.time()
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ", said["began"])
    assert said["process"].split()[0] == str(main.pid)
    assert [line.split(" ", 1)[1] for line in said["log"]] == main.said
    seen = doctor(embark, state)
    assert re.match(rf"process {main.pid} \(sleep\) was started by embark .* ago$", seen["start"][0])
    assert seen["became"] == ["sleep 1000"] and "migrate" in seen["took"][0] and any("ready in" in line for line in seen["said"])
    main.signal(signal.SIGKILL)
    main.wait()
    assert f"its process {main.pid} is gone" in doctor(embark, state)["start"][0]


@pytest.mark.parametrize("words, config, code", [
    (["no-such-program"], "", 127), (["true"], "[require]\nfile = /nowhere\n", 72), (["true"], "[nonsense]\n", 78), (["--nonsense"], "", 64),
    (["run"], "", 64), (["/etc/passwd"], "", 126),
])
def test_a_start_that_failed(embark, state, words, config, code):
    process = start(embark, state, *words, config=config).expect(code)
    said = report(state)
    assert said["end"] == f"exit {code}"
    assert [line.split(" ", 1)[1] for line in said["log"]] == process.said
    assert f"ended with exit code {code}" in doctor(embark, state)["start"][0]


@pytest.mark.parametrize("shown, said", [(300, lambda main, state: main.said[-1]), (1000, lambda main, state: report(state)["end"])], ids=["log", "report"])
def test_a_password_where_the_command_is_cut(embark, state, shown, said):
    """No part of it is shown either."""
    password = "notevenapartofit"
    url = f"postgresql://app:{password}@127.0.0.1/app"
    for length in range(shown - 40, shown):
        main = start(embark, state, "true", "x" * length, url, env={"DATABASE_URL": url, "EMBARK_SKIP": "wait"}).expect(0)
        assert re.search(r"true x+[^n]*$", said(main, state)), said(main, state)


def test_a_start_that_was_stopped(embark, state, refused_port):
    main = start(embark, state, "true", env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a"})
    main.wait_for_line("refuses connections")
    main.signal(signal.SIGTERM)
    main.expect(143)
    assert report(state)["end"] == "exit 143" and "stopped by SIGTERM" in report(state)["log"][-1]


@pytest.mark.parametrize("log", ["json", "error", "json,error", "text,timestamps"])
def test_what_is_written_elsewhere_is_another_matter(embark, state, log):
    """The same text in the report, whatever the log's format and level."""
    start(embark, state, "true", env={"EMBARK_LOG": log}).expect(0)
    line, = report(state)["log"]
    assert re.match(r"\S+Z embark: ready in .*: true$", line)


def test_debug_lines_are_there_if_they_were_said(embark, state):
    config = "[require]\nmodule = python: json\n"
    start(embark, state, "true", config=config, env={"EMBARK_LOG": "debug"}).expect(0)
    said = report(state)["log"]
    start(embark, state, "true", config=config).expect(0)
    assert len(said) > len(report(state)["log"]) == 1


def test_no_secrets(embark, state, db):
    """As in the log: of URLs, and where a service's words hold one that embark knows."""
    embark.secrets.append(db.password)
    start(embark, state, "echo", f"--password={db.password}", db.url, env={"DATABASE_URL": db.url}, stdout=subprocess.DEVNULL).expect(0)
    text = (state / FILE).read_text()
    assert db.password not in text and "****" in text
    start(embark, state, "true", env={"DATABASE_URL": db.url.replace(db.password, "Wr0ng-pass")}).expect(77)
    assert "Wr0ng" not in (state / FILE).read_text()


def test_hostile_words(embark, state):
    main = embark(argv=[embark.binary, "--", b"/nowhere/\x1b[2J\nend: exit 0\xff"], env={"EMBARK_STATE": str(state)}).expect(127)
    raw = (state / FILE).read_bytes()
    raw.decode()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", raw) and report(state)["end"] == "exit 127"
    main = embark("sh", "-c", "sleep 1000 # \x1b[2J\nend: exit 0", env={"EMBARK_STATE": str(state)})
    main.wait_for_file(state / FILE)
    eventually(lambda: "end: exec" in (state / FILE).read_text(), what="the second report")
    assert report(state)["end"] == "exec sh -c sleep 1000 # \\x1b[2J\\nend: exit 0"


def test_a_long_start_keeps_its_last_lines(embark, state):
    """At most 64 KiB."""
    many = "".join(f"file = /nowhere/{number:04}/{'x' * 120}\n" for number in range(900))
    start(embark, state, "true", config="[require]\n" + many).expect(72)
    assert (state / FILE).stat().st_size < 72 * 1024
    said = report(state)["log"]
    assert "/nowhere/0899/" in said[-2] + said[-1] and all(re.match(r"\S+Z (embark: |  hint: )", line) for line in said)


def test_only_a_start_has_one(embark, state, db):
    for words in (["wait"], ["check"], ["health"], ["help"], ["version"], ["doctor"], ["migrate"], ["sh"]):
        embark.run(*words, env={"EMBARK_STATE": str(state), "DATABASE_URL": db.url})
        assert not list(state.iterdir()), words


# --- where it is kept

def test_mode(embark, state):
    for umask, mode in ((0o022, 0o644), (0o077, 0o600), (0, 0o644)):
        embark(argv=["sh", "-c", f"umask {umask:o}; exec {embark.binary} true"], env={"EMBARK_STATE": str(state)}).expect(0)
        assert stat.S_IMODE((state / FILE).stat().st_mode) == mode
        assert [path.name for path in state.iterdir()] == [FILE]


def in_namespace(script, *words):
    """A mount namespace of its own, with /run empty."""
    processes.need_root("a mount namespace")
    return ("unshare", "--mount", "sh", "-c", f'mount -t tmpfs none /run && {script} && exec "$@"', "sh", *words)


def test_run_embark_is_used_if_it_is_there(embark, folder):
    script = f"mkdir {PUBLIC}"
    config = f"[service]\ncommand = cp {PUBLIC}/{FILE} {folder}/copy\n"
    embark("run", config=config, prefix=in_namespace(script)).expect(0)
    assert "end: exec cp" in (folder / "copy").read_text()


@pytest.mark.parametrize("script", ["true", f"touch {PUBLIC}", f"mkdir /run/other && ln -s other {PUBLIC}", f"mkfifo {PUBLIC}",
                                    f"mkdir {PUBLIC} && mount -t tmpfs -o ro none {PUBLIC}"],
                         ids=["nothing", "a file", "a link", "a fifo", "read-only"])
def test_run_embark_is_not_made_and_not_asked_for(embark, script):
    """Nothing is written, and nothing is said of it."""
    process = embark("sh", "-c", f"find /run ! -type d ! -path {PUBLIC}; ls -d /run/embark* /run/other/* 2>&1; true",
                     prefix=in_namespace(script)).expect(0)
    assert FILE not in process.stdout and len(process.said) == 1


@pytest.mark.parametrize("kind", ["missing", "a file", "not ours", "read-only"])
def test_a_folder_that_can_not_be_used_fails_nothing(embark, folder, kind):
    path, how = folder / "place", {}
    if kind == "a file":
        path.touch()
    elif kind == "not ours":
        path.mkdir(mode=0o755)
        how = {"user": "nobody"}
    elif kind == "read-only":
        path.mkdir()
        how = {"prefix": in_namespace(f"mount -t tmpfs -o ro none {path}")}
    process = start(embark, path, "echo", "served", **how).expect(0)
    assert process.stdout == "served\n" and len(process.said) == 1
    process = start(embark, path, "true", env={"EMBARK_LOG": "debug"}, **how).expect(0)
    assert f"no report is kept: {path}" in process.stderr
    # and somebody who asks is told
    seen = json.loads(start(embark, path, "doctor", "--json", **how).expect(0).stdout)["looks"]
    row, = [row for row in seen if row["section"] == "container"]
    assert row["key"] == "report" and row["mark"] == "warning" and str(path) in row["text"] and row["hint"]


def test_full_disk(embark, folder):
    """An older report stays, and nothing half is left."""
    (folder / "full").mkdir()
    old = "an older one"
    script = (f"mount -t tmpfs -o size=8k none {folder}/full && printf '{old}' > {folder}/full/{FILE}"
              f" && {{ head -c 100000 /dev/zero > {folder}/full/filler 2>/dev/null; true; }}")
    show = f"cat {folder}/full/{FILE}; ls -A {folder}/full"
    process = start(embark, folder / "full", "sh", "-c", show, prefix=in_namespace(script)).expect(0)
    assert process.stdout.split("\n")[0].startswith(old) and sorted(process.stdout[len(old):].split()) == ["filler", FILE]


@pytest.mark.skipif(processes.asan(), reason="the sanitizer build has a loader, which needs these calls itself")
@pytest.mark.parametrize("inject", ["openat:error=EPERM", "write:error=ENOSPC:when=2", "close:error=EIO", "renameat,renameat2:error=EXDEV"])
def test_every_call_may_fail(embark, state, inject):
    """As seccomp, a quota or a broken network disk make it. The service is one that needs none of these."""
    trace = embark.folder / "trace"
    process = embark(argv=["strace", "-o", str(trace), "-e", f"inject={inject}", embark.binary, "--", embark.binary, "version"],
                     env={"EMBARK_STATE": str(state)}).expect(0)
    assert process.stdout.startswith("embark ") and "(INJECTED)" in trace.read_text()
    assert not list(state.iterdir())


def test_killed_in_the_middle(embark, state):
    """Between writing and renaming: the old report stays, and the next start cleans up and replaces it."""
    start(embark, state, "true").expect(0)
    before = (state / FILE).read_text()
    process = embark(argv=["strace", "-f", "-o", str(embark.folder / "trace"), "-e", "inject=renameat,renameat2:signal=KILL",
                           embark.binary, "echo", "served"], env={"EMBARK_STATE": str(state)})
    process.wait()
    assert process.stdout == "" and (state / FILE).read_text() == before
    left, = [path for path in state.iterdir() if path.name != FILE]
    # of the same process number and host: another one's leaves it alone
    pid1 = start(embark, state, "true", pid1=True).expect(0)
    stale = state / re.sub(r"\.\d+\.", ".1.", left.name)
    stale.write_text("half")
    start(embark, state, "true", pid1=True).expect(0)
    assert not stale.exists() and report(state)["process"].split()[0] == "1" and pid1.popen.returncode == 0


def test_many_at_once(embark, state):
    """Replicas with one folder: the report is one of theirs, and whole."""
    held = embark.barrier(12, "true", env={"EMBARK_STATE": str(state)})
    for process in held.release():
        process.expect(0)
    assert report(state)["process"].split()[0] in {str(process.pid) for process in held.processes}
    assert [path.name for path in state.iterdir()] == [FILE]


# --- what others put in its place

@pytest.fixture
def victim(folder):
    path = folder / "victim"
    path.write_text("a secret of root's\n")
    return path


def test_a_link_in_its_place_is_replaced_and_not_followed(embark, state, victim):
    state.chmod(0o1777)
    (state / FILE).symlink_to(victim)
    seen = doctor(embark, state)
    assert "is a symbolic link" in seen["report"][0] and "secret" not in str(seen)
    start(embark, state, "true").expect(0)
    assert victim.read_text() == "a secret of root's\n" and not (state / FILE).is_symlink() and report(state)["end"] == "exec true"


def test_a_link_in_the_temporary_files_place(embark, state, victim):
    start(embark, state, "true", pid1=True).expect(0)
    host = os.uname().nodename
    (state / f".{FILE}.1.{host}").symlink_to(victim)
    start(embark, state, "true", pid1=True).expect(0)
    assert victim.read_text() == "a secret of root's\n" and [path.name for path in state.iterdir()] == [FILE]


@pytest.mark.parametrize("kind", ["fifo", "socket", "device", "folder", "full folder"])
def test_something_else_in_its_place(embark, state, kind):
    path = state / FILE
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        os.mknod(path, stat.S_IFSOCK | 0o600)
    elif kind == "device":
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero: endless
    else:
        path.mkdir()
        if kind == "full folder":
            (path / "x").touch()
    seen = doctor(embark, state)
    assert re.search(r"last-start: (is a|No such device)", seen["report"][0]), seen
    start(embark, state, "true").expect(0)
    assert path.is_file() or "folder" in kind
    assert len(list(state.iterdir())) == 1


@pytest.mark.parametrize("content", [b"", b"root:x:0:0:secret\n", b"embark: last start\n", b"x" * 1_000_000, b"\x00\xff\x1b[2J" * 100])
def test_something_that_is_no_report(embark, state, content):
    (state / FILE).write_bytes(content)
    seen = doctor(embark, state)
    assert list(seen) == ["report"] and ("no report" in seen["report"][0] or "too large" in seen["report"][0])
    assert "secret" not in str(seen)
    start(embark, state, "true").expect(0)
    assert report(state)["end"] == "exec true"


def test_a_forged_report_is_escaped(embark, state):
    start(embark, state, "true").expect(0)
    text = (state / FILE).read_bytes().replace(b"exec true", b"exec \x1b]0;x\x07true")
    (state / FILE).write_bytes(text)
    process = start(embark, state, "doctor").expect(0)
    assert b"\x1b" not in process.out.raw and b"\\x1b]0;x" in process.out.raw


def test_unreadable(embark, state):
    """A doctor that runs as another user than the start did."""
    embark(argv=["sh", "-c", f"umask 077; exec {embark.binary} true"], env={"EMBARK_STATE": str(state)}).expect(0)
    process = start(embark, state, "doctor", "--json", user="nobody").expect(0)
    assert "Permission denied" in process.stdout


# --- whose it is

def test_docker_exec_sees_process_1(embark, state):
    """In the container's namespaces, with the container's environment."""
    main = start(embark, state, "sleep", "1000", pid1=True)
    main.wait_for_line("ready in")
    eventually(lambda: processes.comm(main.pid) == "sleep", what="exec")
    seen = doctor(embark, state, prefix=inside(main))
    assert re.match(r"process 1 \(sleep\) was started by embark", seen["start"][0]) and seen["became"] == ["sleep 1000"]
    # another start in there is not the container's: an operator's, or a job of the service's
    before = (state / FILE).read_text()
    start(embark, state, "true", prefix=inside(main)).expect(0)
    assert (state / FILE).read_text() == before


def test_a_job_below_the_service(embark, state):
    """The service starts embark anew, for something else."""
    job = f"{embark.binary} -- echo job; exec sleep 1000"
    main = start(embark, state, "sh", "-c", job, pid1=True)
    main.wait_for_line("^job$", stream=main.out)
    assert report(state)["end"] == f"exec sh -c {job}" and report(state)["process"].split()[0] == "1"


def test_docker_exec_while_it_starts(embark, state, refused_port):
    main = start(embark, state, "true", env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a"}, pid1=True)
    main.wait_for_line("refuses connections")
    seen = doctor(embark, state, prefix=inside(main))
    assert "process 1 is embark, and not through: it waits for the database" in seen["start"][0]


def test_docker_exec_without_a_report(embark):
    main = embark("sleep", "1000", pid1=True)
    main.wait_for_line("ready in")
    eventually(lambda: processes.comm(main.pid) == "sleep", what="exec")
    seen = doctor(embark, prefix=inside(main))
    assert seen == {"start": [f"of process 1 (sleep) nothing is known: there is no report of it in {PUBLIC}"]}


def test_the_report_of_an_earlier_life(embark, state):
    """docker restart: the same number, another process."""
    start(embark, state, "true", pid1=True).expect(0)
    main = embark("sleep", "1000", pid1=True)
    main.wait_for_line("ready in")
    seen = doctor(embark, state, prefix=inside(main))
    assert "its process 1 is gone" in seen["start"][0]


def test_below_an_init(embark, state):
    main = start(embark, state, "sleep", "1000", pid1=True, inner=("sh", "-c", '"$@"; exit', "sh"))
    main.wait_for_line("ready in")
    eventually(lambda: (state / FILE).exists(), what="a report")
    number = report(state)["process"].split()[0]
    assert number != "1"
    eventually(lambda: f"process {number} (sleep) was started by embark" in str(doctor(embark, state, prefix=inside(main))), what="its doctor")


def test_without_anything_the_screen_is_as_it_was(embark):
    """As in a build, or in a fresh container."""
    assert doctor(embark) == {}
