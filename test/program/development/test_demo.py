"""test/demo/run, which is what `make demo` does: it passes, and leaves nothing behind however it ends."""

import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from conftest import TOP
from support.process import PATH, marked, read
from support.waiting import eventually

RUN = TOP / "test/demo/run"


@pytest.fixture
def demo(embark):
    def start():
        return embark.program(RUN, env={"PATH": PATH, "EMBARK_BIN": embark.binary})
    return start


def folder_of(process):
    return process.wait_for_line(r"below (/tmp/embark-demo\.\w+)", stream=process.out)[1]


def processes_with(text):
    """Pids that have it in their words, environment or working directory; the servers' environments don't carry the test's mark."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        seen = [read(f"/proc/{name}/cmdline") or b"", read(f"/proc/{name}/environ") or b""]
        try:
            seen.append(os.fsencode(os.readlink(f"/proc/{name}/cwd")))
        except OSError:
            pass
        if any(os.fsencode(text) in part for part in seen):
            found.append(int(name))
    return found


def nothing_is_left(process, folder, mark):
    assert not Path(folder).exists(), process.describe()
    # what was ended by a signal may take a moment to be reaped by whom it fell to
    eventually(lambda: not processes_with(folder) and not marked(mark), 5, what=f"the end of the demo's processes\n{process.describe()}")
    assert not (TOP / "test/demo/app/__pycache__").exists()


def test_demo_passes_and_leaves_nothing(demo, embark):
    process = demo()
    folder = folder_of(process)
    process.expect(0, timeout=120)
    assert process.stdout.splitlines()[-1].startswith("demo: passed: 8 replicas, one migration"), process.describe()
    assert process.stderr == ""
    # the story: everybody waited before there was a server, one has the lock, everybody is ready
    lines = process.stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if "now the server is started" in line)
    for text, when, count in (("refuses connections", lines[:start], 8), ("has the lock", lines[start:], 1), ("embark: ready in ", lines[start:], 8)):
        replicas = {re.search(r" s +(\d) \| ", line)[1] for line in when if text in line}
        assert len(replicas) >= count, (text, process.describe())
    nothing_is_left(process, folder, embark.mark)


@pytest.mark.parametrize("moment", ["replicas, let go", "now the server is started", "alembic: Running upgrade 0001", "all answer requests"])
def test_interrupted_demo_leaves_nothing(demo, embark, moment):
    process = demo()
    folder = folder_of(process)
    process.wait_for_line(moment, timeout=60, stream=process.out)
    process.signal(signal.SIGINT)
    process.expect(130, timeout=30)
    assert "demo: interrupted by SIGINT" in process.stdout, process.describe()
    nothing_is_left(process, folder, embark.mark)


def test_processes_of_a_killed_demo_end(demo, embark):
    """After SIGKILL the folder stays, but no process outlives the demo for long."""
    process = demo()
    folder = folder_of(process)
    process.wait_for_line("all answer requests", timeout=60, stream=process.out)
    process.signal(signal.SIGKILL)
    process.wait()
    eventually(lambda: not processes_with(folder), 20, what="the end of the demo's processes")
    shutil.rmtree(folder)


def test_demo_fails_when_no_replica_starts(demo, embark, folder):
    """A verdict and exit 1, with another program in embark's place."""
    broken = folder / "broken"
    broken.write_text("#!/bin/sh\necho embark: wait: pretended >&2\nexit 9\n")
    broken.chmod(0o755)
    process = embark.program(RUN, env={"PATH": PATH, "EMBARK_BIN": broken})
    where = folder_of(process)
    process.expect(1, timeout=60)
    assert re.search(r"demo: FAILED: replica \d ended with 9", process.stdout), process.describe()
    nothing_is_left(process, where, embark.mark)
