"""Interpreters and migrations that flood, hang, ignore TERM, or leave processes behind that hold or fill embark's pipes."""

import re
import signal
import time

import pytest

from support.image import write
from support.process import PATH, alive, marked, send
from support.waiting import eventually

AT_ONCE = 0.5  # after SIGTERM; 0.1 s on a machine with nothing else to do
LANGUAGES = {"python": "python3", "node": "node", "ruby": "ruby", "php": "php"}
FOREVER = {
    "silent": "touch {up}; exec sleep 1000",
    "floods": "touch {up}; exec yes",
    "floods-stderr": "touch {up}; exec yes >&2",
    "ignores-term": "trap '' TERM INT HUP; touch {up}; yes & while :; do sleep 1000; done",
    "drips": "touch {up}; while :; do echo drip; sleep 0.01; done",
    "closes-all": "touch {up}; exec sleep 1000 >&- 2>&-",
}
BEHIND = {
    "holds": "sleep 1000 & exit 3",
    "floods": "yes & exit 3",
    "floods-stderr": "yes >&2 & exit 3",
    "own-session-holds": "setsid sleep 1000 & exit 3",
    "own-session-floods": "setsid yes & exit 3",
    "ignores-term": "(trap '' TERM HUP; yes) & exit 3",
}


@pytest.fixture
def fake(folder, embark):
    """embark check with an interpreter that is this script."""

    def start(language, script):
        path = folder / "bin" / LANGUAGES[language]
        write(path, "#!/bin/sh\n" + script.format(up=folder / "up") + "\n")
        path.chmod(0o755)
        if language == "node":  # which embark looks up itself, and asks for an import alone
            write(folder / "node_modules" / "thing" / "index.js")
        key = "module" if language == "python" else "import"
        return embark("check", config=f"[require]\n{key} = {language}: thing\n", env={"PATH": f"{folder}/bin:{PATH}"})

    return start


@pytest.mark.parametrize("how", FOREVER)
@pytest.mark.parametrize("language", LANGUAGES)
def test_sigterm(fake, folder, language, how):
    started = fake(language, FOREVER[how])
    started.wait_for_file(folder / "up")
    begun = time.monotonic()
    started.signal(signal.SIGTERM)
    started.expect(143)
    assert time.monotonic() - begun < AT_ONCE, started.describe()


@pytest.mark.parametrize("how", BEHIND)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_left_behind(fake, embark, language, how):
    """The answer is the interpreter's own; nobody else is waited for, and nobody stays."""
    begun = time.monotonic()
    fake(language, BEHIND[how]).expect(72, "exited with status 3|said nothing|no answer")
    assert time.monotonic() - begun < 5
    assert marked(embark.mark) == []


MEGABYTE = 1_000_000
# In its TERM handler: more than a pipe holds, and a last word.
LONG_GOODBYE = f"""
import os, signal, sys, time
def bye(*_):
    line = b'x' * 99 + b'\\n'
    for _ in range({MEGABYTE} // 100):
        os.write(1, line)
    os.write(1, b'the last word\\n')
    os._exit(5)
signal.signal(signal.SIGTERM, bye)
open(sys.argv[1], 'w').close()
while True:
    time.sleep(1000)
"""


@pytest.mark.parametrize("why", ["signal", "timeout", "left-behind"])
def test_a_long_goodbye(embark, db, folder, why):
    """A migration that is ended may say what it has to say: its pipe is read until it is gone."""
    write(folder / "goodbye.py", LONG_GOODBYE)
    command = f"/usr/bin/python3 {folder}/goodbye.py {folder}/up"
    if why == "left-behind":
        write(folder / "leave.sh", f"{command} &\nwhile ! test -e {folder}/up; do sleep 0.01; done\n")
        command = f"sh {folder}/leave.sh"
    started = embark("migrate", env={"DATABASE_URL": db.url},
                     config=f"[migrate]\ncommand = {command}\n" + ("timeout = 1500ms\n" if why == "timeout" else ""))
    started.wait_for_file(folder / "up")
    if why == "signal":
        started.signal(signal.SIGTERM)
    started.expect({"signal": 143, "timeout": 80, "left-behind": 0}[why])
    assert started.stderr.count("x" * 99 + "\n") == MEGABYTE // 100, started.describe()
    assert re.search(r"^the last word$", started.stderr, re.M), started.describe()


def test_a_flood_of_what_ignores_term(embark, db, folder):
    """It is read while it may, and killed after its grace."""
    write(folder / "flood.sh", "trap '' TERM\necho $$ > pid.new\nmv pid.new pid\nwhile :; do echo flood; done\n")
    started = embark("migrate", env={"DATABASE_URL": db.url, "EMBARK_SERVICE_GRACE": "500ms"},
                     config=f"[migrate]\ncommand = sh {folder}/flood.sh\ntimeout = 1s\n")
    started.wait_for_file(folder / "pid")
    started.expect(80, "did not end within 1 s", timeout=6)
    pid = int((folder / "pid").read_text())
    eventually(lambda: not alive(pid), what="the migration is gone")
    send(pid, signal.SIGKILL)
