"""Starting embark, and looking at what it says and does from outside.

Every process that a test starts carries the test's mark in its environment, and so does all that it starts: what is left at
the end is found by that and ended, process by process.
"""

import json
import os
import re
import signal
import subprocess
import threading
import time

from . import namespaces, node
from .waiting import eventually

PATH = node.before("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
MARK = "EMBARKTEST_MARK"
# Runs a command as PID 1 of a PID namespace of its own with a /proc to match; it goes when its parent goes.
PID_NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
SANITIZER = re.compile(r"ERROR: (Address|Leak|Memory|Thread)Sanitizer|runtime error:|SUMMARY: \w+Sanitizer")
STOP = {"TERM": signal.SIGTERM, "INT": signal.SIGINT, "HUP": signal.SIGHUP, "QUIT": signal.SIGQUIT}


def take_signals():
    """What a session of tests does at a signal, whoever started it. A worker of pytest -n has inherited what matters from the process that
    started it, and may be no main thread, which alone could say it again."""
    if threading.current_thread() is not threading.main_thread():
        return

    def stop(number, frame):
        raise KeyboardInterrupt

    # as ^C: fixtures end what they started
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    # a shell's background job has these ignored, and so would what the tests start
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def asan():
    return os.environ.get("EMBARK_ASAN", "") not in ("", "0")


def need_root(what):
    """Fails, rather than skips: CI is root, and a test that silently isn't run is none."""
    if os.geteuid() != 0:
        raise AssertionError(f"{what} needs root: run the tests as root, or leave this one out by name (-k)")


class Output:
    """What came out of one pipe so far, read by a thread so that the writer never blocks."""

    def __init__(self, pipe):
        self._pipe = pipe
        self._data = bytearray()
        self.closed = False
        self.changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while True:
            try:
                chunk = os.read(self._pipe.fileno(), 65536)
            except (OSError, ValueError):
                chunk = b""
            with self.changed:
                if chunk:
                    self._data += chunk
                else:
                    self.closed = True
                self.changed.notify_all()
            if not chunk:
                self._pipe.close()
                return

    @property
    def raw(self):
        with self.changed:
            return bytes(self._data)

    @property
    def text(self):
        return self.raw.decode("utf-8", "backslashreplace")

    def finish(self, timeout):
        self._thread.join(timeout)


class Process:
    """A started program, embark as a rule. `pid` is embark's own, in this namespace's numbers."""

    def __init__(self, argv, *, env, cwd, stdin=None, pid1=False, prefix=(), inner=(), user=None, pass_fds=(), stderr=None,
                 stdout=None):
        self.argv = list(argv)
        if pid1:
            need_root("a PID namespace")
        self._pid1 = pid1
        # words before the command: `prefix` outside of the PID namespace, `inner` inside
        full = [*prefix, *(PID_NAMESPACE if pid1 else []), *inner, *argv]
        namespaces.need_for(full)
        extra = {}
        if user is not None:
            need_root("becoming another user")
            extra = {"user": user, "group": "nogroup", "extra_groups": []}
        self.popen = subprocess.Popen(
            full, env=env, cwd=cwd, pass_fds=pass_fds,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE if isinstance(stdin, (bytes, str)) else stdin,
            stdout=subprocess.PIPE if stdout is None else stdout,
            stderr=subprocess.PIPE if stderr is None else stderr, **extra)
        self.out = Output(self.popen.stdout) if stdout is None else None
        self.err = Output(self.popen.stderr) if stderr is None else None
        if isinstance(stdin, bytes):
            self.popen.stdin.write(stdin)
            self.popen.stdin.close()
        self._seen = 0

    # --- who it is

    @property
    def pid(self):
        if not self._pid1:
            return self.popen.pid
        unshare = self.popen.pid

        def child():
            if self.popen.poll() is not None:
                raise AssertionError(f"ended before it had started\n{self.describe()}")
            with open(f"/proc/{unshare}/task/{unshare}/children") as f:
                pids = f.read().split()
            return pids and comm(int(pids[0])) not in ("unshare", None) and int(pids[0])

        return eventually(child, what="embark as PID 1")

    # --- what it says

    @property
    def stdout(self):
        return self.out.text

    @property
    def stderr(self):
        return self.err.text

    @property
    def said(self):
        """embark's own lines."""
        return [line for line in self.stderr.splitlines() if line.startswith(("embark:", "  hint:", '{"'))]

    def wait_for_line(self, pattern, timeout=15.0, stream=None):
        """Waits for a line of stderr (or `stream`) that `pattern` is found in; returns the match."""
        output = stream or self.err
        end = time.monotonic() + timeout
        regex = re.compile(pattern)
        with output.changed:
            while True:
                for line in bytes(output._data).decode("utf-8", "backslashreplace").splitlines():
                    match = regex.search(line)
                    if match:
                        return match
                left = end - time.monotonic()
                if output.closed or left <= 0:
                    break
                output.changed.wait(left)
        raise AssertionError(f"no line with {pattern!r}" + ("" if output.closed else f" within {timeout} s") + "\n"
                             + self.describe())

    def wait_for_file(self, path, timeout=15.0):
        """Waits for something that the process makes."""
        def made():
            if path.exists():
                return True
            assert self.popen.poll() is None, f"ended without {path}\n{self.describe()}"
            return False

        eventually(made, timeout, f"{path}\n{self.describe()}")

    def describe(self):
        code = self.popen.poll()
        parts = [f"$ {' '.join(map(str, self.argv))[:2000]}", f"exit: {'still running' if code is None else code}"]
        for name, output in (("stdout", self.out), ("stderr", self.err)):
            if output is not None:
                parts.append(f"--- {name}\n{output.text[-6000:]}")
        return "\n".join(parts)

    # --- how it ends

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, timeout=20.0):
        """Waits for the end; returns the exit code (negative: the signal, as subprocess does)."""
        try:
            code = self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            stacks = kernel_stack(self.popen.pid)
            raise AssertionError(f"still running after {timeout} s {stacks}\n{self.describe()}") from None
        for output in (self.out, self.err):
            if output is not None:
                output.finish(2.0)
        return code

    @property
    def running(self):
        return self.popen.poll() is None

    def expect(self, code, *patterns, timeout=20.0):
        """Waits for the end and checks the exit code, and that each pattern is found in what embark said."""
        got = self.wait(timeout)
        assert got == code, f"exit {got}, expected {code}\n{self.describe()}"
        for pattern in patterns:
            assert re.search(pattern, self.stderr), f"nothing said matches {pattern!r}\n{self.describe()}"
        return self

    def kill(self):
        if self.popen.poll() is None:
            if self._pid1:
                for pid in children(self.popen.pid):
                    send(pid, signal.SIGKILL)
            self.popen.kill()
            self.popen.wait(10)


# --- processes, by /proc

def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None


def comm(pid):
    text = read(f"/proc/{pid}/comm")
    return None if text is None else text.decode().rstrip("\n")


def cmdline(pid):
    return read(f"/proc/{pid}/cmdline")


def state(pid):
    """"R", "S", "Z"…; None when it is gone."""
    text = read(f"/proc/{pid}/stat")
    return None if text is None else text.decode().rpartition(")")[2].split()[0]


def alive(pid):
    return state(pid) not in (None, "Z", "X")


def children(pid):
    text = read(f"/proc/{pid}/task/{pid}/children")
    return [] if text is None else [int(p) for p in text.split()]


def kernel_stack(pid):
    return f"(wchan {read(f'/proc/{pid}/wchan')!r}, children {children(pid)})"


def marked(mark):
    """Pids of the processes that carry a test's mark."""
    needle = f"{MARK}={mark}".encode()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            environ = read(f"/proc/{name}/environ")
            if environ and needle in environ.split(b"\0"):
                found.append(int(name))
    return found


def end_marked(mark):
    for _ in range(50):
        pids = marked(mark)
        if not pids:
            return
        for pid in pids:
            send(pid, signal.SIGKILL)
        time.sleep(0.02)


# --- the factory that tests use

class Starter:
    """Starts embark in an environment that holds nothing of the caller's.

    embark("--", "true", env={…}, config="[database]\\n…", pid1=True) returns a Process; run(…) waits for its end as well.
    """

    def __init__(self, binary, folder, mark):
        self.binary = str(binary)
        self.folder = folder
        self.mark = mark
        self.started = []
        self.secrets = []      # none of these may be in any output
        self._configs = 0

    def environment(self, env=None):
        base = {"PATH": PATH, "HOME": str(self.folder), MARK: self.mark}
        if asan():
            base["ASAN_OPTIONS"] = "exitcode=99:detect_leaks=1:detect_stack_use_after_return=1"
            base["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1:exitcode=99"
        base.update({k: v for k, v in (env or {}).items() if v is not None})
        return base

    def write_config(self, text):
        self._configs += 1
        path = self.folder / (f"embark{self._configs}.ini")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(0o644)
        return path

    def __call__(self, *words, env=None, config=None, cwd=None, argv=None, **how):
        env = dict(env or {})
        if config is not None:
            env["EMBARK_CONFIG"] = str(self.write_config(config))
        process = Process(argv if argv is not None else [self.binary, *map(str, words)], env=self.environment(env),
                          cwd=cwd or self.folder, **how)
        self.started.append(process)
        return process

    def run(self, *words, timeout=20.0, **how):
        process = self(*words, **how)
        process.wait(timeout)
        return process

    def program(self, *argv, **how):
        """Some other program, kept and ended as embark's processes are."""
        return self(argv=list(map(str, argv)), **how)

    def barrier(self, count, *words, env=None, config=None, **how):
        """`count` embarks, each held back by a shell right before its exec, and a function that lets them all go at once."""
        return Barrier(self, count, words, env, config, how)

    def end(self):
        for process in self.started:
            process.kill()
        end_marked(self.mark)
        for process in self.started:
            for output in (process.out, process.err):
                if output is not None:
                    output.finish(2.0)
        for process in self.started:
            texts = [o.text for o in (process.out, process.err) if o is not None]
            for text in texts:
                assert not SANITIZER.search(text), f"a sanitizer's report\n{process.describe()}"
                for secret in self.secrets:
                    assert secret not in text, f"the secret {secret!r} was shown\n{process.describe()}"


class Barrier:
    def __init__(self, starter, count, words, env, config, how):
        self._read, self._write = os.pipe()
        env = dict(env or {})
        if config is not None:
            env["EMBARK_CONFIG"] = str(starter.write_config(config))
        self.processes = []
        for number in range(count):
            one = {**env, "REPLICA": str(number)}
            self.processes.append(starter(
                argv=["sh", "-c", 'echo held; read _; exec "$@" </dev/null', "sh", starter.binary, *map(str, words)],
                env=one, stdin=self._read, **how))
        os.close(self._read)
        for process in self.processes:
            process.wait_for_line("held", stream=process.out)

    def release(self):
        os.close(self._write)
        return self.processes


def lines_of_json(process):
    """embark's lines with format=json; fails on one that isn't an object."""
    objects = []
    for line in process.stderr.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            raise AssertionError(f"not JSON: {line!r}\n{process.describe()}") from None
        assert isinstance(value, dict), line
        objects.append(value)
    return objects
