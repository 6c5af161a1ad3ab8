"""What the image lacks: [require], by `embark check` and at the start."""

import os
import re

import pytest

from support.image import check, lines, write  # noqa: F401 - check is a fixture
from support.process import need_root


# --- paths

def test_all_there(check, folder):
    write(folder / "file")
    (folder / "dir").mkdir()
    check(f"file = file\n {folder}/file\ndir = dir\n {folder}\nwritable = dir\n file\ncommand = sh, /bin/sh\nenv = HOME\n", 0)


def test_missing_directory_names_the_parent_and_what_looks_like_it(check, folder):
    """The frontend's public/ folder."""
    (folder / "app").mkdir()
    check(f"dir = {folder}/app/public\n", 72, rf"require: dir {folder}/app/public: does not exist; the nearest existing "
          rf"parent is {folder}/app, which is empty \(.*embark1.ini:2\)", r"\n  hint: .*COPY")
    (folder / "app" / "Public").mkdir()
    check("dir = app/public/\n", 72, rf"the nearest existing parent is {folder}/app, which holds Public/ \(")
    (folder / "app" / "Public").rename(folder / "app" / "public ")
    check("dir = app/public\n", 72, r'which holds "public /" \(')


def test_file_and_directory_are_not_the_same(check, folder):
    write(folder / "file")
    os.mkfifo(folder / "fifo")
    check("file = .\n", 72, r"file \.: is a directory, not a file")
    check("file = fifo\n", 72, "file fifo: is a FIFO, not a file")
    check("dir = file\n", 72, "dir file: is a file, not a directory")
    check("dir = file/inner\n", 72, f"dir file/inner: does not exist; {folder}/file is a file, not a directory")


def test_symbolic_links(check, folder):
    (folder / "real").mkdir()
    (folder / "good").symlink_to("real")
    (folder / "broken").symlink_to("/build/public")
    (folder / "circle").symlink_to("circle")
    check("dir = good\n", 0)
    check("dir = broken\n", 72, f"{folder}/broken is a symbolic link to /build/public, which does not exist")
    check("dir = circle\n", 72, "leads back to itself")


def test_what_another_user_may_not(check, folder):
    need_root("becoming another user")
    write(folder / "secret", "x", 0o600)
    (folder / "private").mkdir(mode=0o700)
    write(folder / "private" / "file", "x")
    (folder / "data").mkdir(mode=0o755)
    require = "file = secret\n private/file\ndir = private\nwritable = data\n"
    check(require, 0)
    process = check(require, 72,
                    r"file secret: can't be read: Permission denied: it belongs to 0:0 with mode 0600, and we are \d+:",
                    rf"file private/file: Permission denied; {folder}/private can't be entered by uid \d+",
                    "dir private: can't be entered: Permission denied: it belongs to 0:0 with mode 0700",
                    "writable data: can't be written: Permission denied", r"hint: .*--chown=\d+", user="nobody")
    assert len(lines(process)) == 4


def test_writable_leaves_nothing_behind(check, folder):
    (folder / "data").mkdir()
    before = os.stat(folder / "data")
    check("writable = data\n", 0)
    assert os.listdir(folder / "data") == []
    assert os.stat(folder / "data").st_mtime_ns == before.st_mtime_ns


def test_writable_on_a_read_only_mount(check, folder):
    need_root("a mount")
    (folder / "mounted").mkdir()
    script = f"mount -t tmpfs -o ro none {folder}/mounted && exec \"$@\""
    check("writable = mounted\n", 72, r"mounted: is on a file system that is mounted read-only", r"hint: .*tmpfs",
          prefix=["unshare", "--mount", "sh", "-c", script, "sh"])


# --- commands and variables

def test_commands(check, folder):
    write(folder / "bin" / "uvicorn", "#!/bin/sh\n", 0o755)
    write(folder / "mode", "#!/bin/sh\n", 0o644)
    write(folder / "moved", "#!/build/venv/bin/python\n", 0o755)
    path = {"PATH": f"{folder}/bin:/usr/bin:/bin"}
    check("command = uvicorn, sh\n", 0, env=path)
    process = check("command = uvcorn ./mode, ./moved\n", 72,
                    rf"command uvcorn: not found in PATH \({folder}/bin:/usr/bin:/bin\)",
                    rf"hint: did you mean {folder}/bin/uvicorn\?", r"command \./mode: has no x bit \(mode 0644\)",
                    r"command \./moved: its interpreter /build/venv/bin/python", env=path)
    assert len(lines(process)) == 3


def test_variables(embark, check):
    require = "env = SET, EMPTY, UNSET, TOKEN, DATABSE\n"
    process = embark.run("true", config=f"[require]\n{require}",
                         env={"SET": "1", "EMPTY": "", "TOKEN_FILE": "/x", "DATABASE": "secret-value"})
    process.expect(72, "env EMPTY: is empty", "env UNSET: is not set", "hint: TOKEN_FILE is set", "hint: DATABASE is set")
    assert len(lines(process)) == 4
    assert "secret-value" not in process.stderr
    check(require, 0)  # an image that is being built has none of the deployment's variables


# --- everything at once

def test_all_failures_are_listed_with_their_places(embark):
    config = ("[require]\nfile = /nowhere/file\ndir = /nowhere/dir\nwritable = /nowhere/writable\n"
              "command = no-such-command\nenv = NO_SUCH_VARIABLE\nmodule = python: no_such_module, os\n")
    process = embark.run("true", config=config).expect(72)
    places = [re.search(r"embark\d+\.ini:(\d+)\)$", line).group(1) for line in lines(process)]
    assert places == ["2", "3", "4", "5", "6", "7"]


def test_the_start_fails_before_anything_is_waited_for(embark, refused_port):
    process = embark.run("echo", "served", config="[require]\nfile = /nowhere\n",
                         env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a"}).expect(72, "file /nowhere")
    assert process.stdout == "" and "refuses" not in process.stderr


# --- mistakes in `module`

@pytest.mark.parametrize("value, said", [
    ("alembic", '"alembic" has no language before a colon'),
    ("python:", "names no module"),
    ("python: a,,b", "an empty name"),
    ("python: a..b", r'"a\.\.b" can\'t be a module\'s name'),
    ("python: a b", r'"a b" can\'t be a module\'s name'),
    ("python: psycopg2-binary", "can't be a module's name"),
    ("python: alembic^1.14", r'alembic: "\^1\.14" says no version'),
    ("node: express@latest", 'express: "latest" says no version'),
    ("java: a.B>=1", "a class has no version"),
    ("sh: x", "sh is not supported"),
])
def test_malformed_module(check, value, said):
    check(f"module = {value}\n", 78, rf"embark1\.ini:2: .*module.*{said}")


def test_malformed_module_stops_everything(check):
    """As any mistake in the configuration does: all are listed, nothing is looked at."""
    process = check("module = python: a..b\nmodule = cobol: x\nfile = /nowhere\n", 78, r"a\.\.b", "cobol is not supported")
    assert "/nowhere" not in process.stderr
