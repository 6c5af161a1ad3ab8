"""What the image lacks: [require], by `embark check` and at the start."""

import os
import re
import subprocess
import textwrap
import time

import pytest

from conftest import PYTHON
from support.process import need_root


def write(path, text="", mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.fixture
def check(embark):
    """check("dir = public", …): `embark check` with that [require]; what it said, without the hints' lines."""

    def run(require, code, *patterns, words=(), **how):
        config = "[require]\n" + textwrap.dedent(require)
        return embark.run("check", *words, config=config, **how).expect(code, *patterns)

    return run


def lines(process):
    return [line for line in process.said if line.startswith("embark: require: ")]


# --- paths

def test_all_there(check, folder):
    write(folder / "file")
    (folder / "dir").mkdir()
    check(f"""
        file = file
               {folder}/file
        dir = dir
              {folder}
        writable = dir
                   file
        command = sh, /bin/sh
        env = HOME
        """, 0)


def test_missing_directory_names_the_parent_and_what_looks_like_it(check, folder):
    """The frontend's public/ folder."""
    (folder / "app").mkdir()
    check(f"dir = {folder}/app/public\n", 72, rf"require: dir {folder}/app/public: does not exist; the nearest existing parent is "
          rf"{folder}/app, which is empty \(.*embark1.ini:2\)", r"\n  hint: .*COPY")
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
    process = check(require, 72, r"file secret: can't be read: Permission denied: it belongs to 0:0 with mode 0600, and we are \d+:\d+",
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
    check("writable = mounted\n", 72, r"writable mounted: is on a file system that is mounted read-only", r"hint: .*tmpfs",
          prefix=["unshare", "--mount", "sh", "-c", script, "sh"])


# --- commands and variables

def test_commands(check, folder):
    write(folder / "bin" / "uvicorn", "#!/bin/sh\n", 0o755)
    write(folder / "mode", "#!/bin/sh\n", 0o644)
    write(folder / "moved", "#!/build/venv/bin/python\n", 0o755)
    path = {"PATH": f"{folder}/bin:/usr/bin:/bin"}
    check("command = uvicorn, sh\n", 0, env=path)
    process = check("command = uvcorn ./mode, ./moved\n", 72, rf"command uvcorn: not found in PATH \({folder}/bin:/usr/bin:/bin\)",
                    rf"hint: did you mean {folder}/bin/uvicorn\?", r"command \./mode: has no x bit \(mode 0644\)",
                    r"command \./moved: its interpreter /build/venv/bin/python", env=path)
    assert len(lines(process)) == 3


def test_variables(check):
    process = check("env = SET, EMPTY, UNSET, TOKEN, DATABSE\n", 72, "env EMPTY: is empty", "env UNSET: is not set",
                    "hint: TOKEN_FILE is set", "hint: DATABASE is set",
                    env={"SET": "1", "EMPTY": "", "TOKEN_FILE": "/x", "DATABASE": "secret-value"})
    assert len(lines(process)) == 4
    assert "secret-value" not in process.stderr


# --- everything at once

def test_all_failures_are_listed_with_their_places(check):
    process = check("""\
        file = /nowhere/file
        dir = /nowhere/dir
        writable = /nowhere/writable
        command = no-such-command
        env = NO_SUCH_VARIABLE
        module = python: no_such_module, os
        """, 72)
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
    ("python: alembic>=1.14", "versions are not supported"),
    ("node: express", "node is not supported by this version of embark, only python is"),
    ("sh: x", "sh is not supported"),
])
def test_malformed_module(check, value, said):
    check(f"module = {value}\n", 78, rf"embark1\.ini:2: .*module.*{said}")


def test_malformed_module_does_not_hide_what_is_missing(check):
    check("module = python: a..b\nmodule = python: no_such_module\nfile = /nowhere\n", 78, r"a\.\.b", "module no_such_module: not found",
          "file /nowhere")


# --- modules: real interpreters

SYSTEM = {"PATH": "/usr/bin:/bin"}


@pytest.fixture(scope="session")
def venv(session_folder):
    """Without pip and without the system's packages. Not to be written to."""
    path = session_folder / "venv"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", path], check=True)
    return path


@pytest.fixture
def own_venv(folder):
    """One that the test may change: (folder, site-packages)."""
    path = folder / "own"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", path], check=True)
    return path, next(path.glob("lib/python3*/site-packages"))


def package(folder, name, **files):
    """A package with __init__.py, and submodules by keyword."""
    write(folder / name.replace(".", "/") / "__init__.py", files.pop("init", ""))
    for key, text in files.items():
        write(folder / name.replace(".", "/") / f"{key}.py", text)


def test_modules_of_debian(check):
    check("module = python: alembic, alembic.config, psycopg2, os, os.path, sys, json.decoder, _thread, encodings\n", 0, env=SYSTEM)


def test_found_where(check, folder):
    write(folder / "app" / "main.py")
    check("module = python: alembic, app.main, sys\n", 0, "module alembic: /usr/lib/python3/dist-packages/alembic/__init__.py",
          f"module app.main: {folder}/app/main.py", "module sys: built-in", env={**SYSTEM, "EMBARK_LOG_LEVEL": "debug"})


def test_the_folder_that_hides_a_missing_library(check, folder, venv):
    """The first of the six failures: alembic is not in the image, but a folder of migrations is called so, and `import alembic` works."""
    write(folder / "alembic" / "env.py", "raise SystemExit('executed')\n")
    write(folder / "alembic" / "versions" / "0001.py")
    env = {"PATH": f"{venv}/bin:/usr/bin:/bin"}
    assert subprocess.run([venv / "bin/python", "-c", "import alembic"], cwd=folder).returncode == 0
    process = check("module = python: alembic.config\n", 72,
                    rf"module alembic\.config: not found by {venv}/bin/python3 \(Python 3\.\d+\.\d+\): the folder {folder}/alembic has that "
                    r"name but no __init__\.py, so Python takes it for a namespace package: \"import alembic\" works, "
                    r"\"import alembic\.config\" does not",
                    r"installed for another interpreter: /usr/lib/python3/dist-packages \(Python 3, /usr/bin/python3\)",
                    rf"looked in {folder}, {venv}/lib/python3\.\d+/site-packages and the standard library",
                    r"\n  hint: let the service run in /usr/bin/python3", env=env)
    assert "executed" not in process.stdout + process.stderr
    # the leaf alone, too: a folder without code is no module
    check("module = python: alembic\n", 72, rf"the folder {folder}/alembic has that name but no __init__.py", "but brings nothing", env=env)
    # and with alembic there, the folder hides nothing
    check("module = python: alembic, alembic.config\n", 0, env=SYSTEM)


def test_where_it_is_missing_is_exact(check, folder, own_venv):
    path, site = own_venv
    package(site, "lib", good="")
    package(site, "lib.inner", leaf="")
    env = {"PATH": f"{path}/bin:/usr/bin:/bin"}
    check("module = python: lib, lib.good, lib.inner.leaf\n", 0, env=env)
    check("module = python: lib.bad\n", 72, rf"module lib\.bad: not found by \S+ \(Python [\d.]+\): the package {site}/lib/__init__\.py has no lib\.bad",
          env=env)
    check("module = python: lib.goood\n", 72, r"hint: did you mean good\?", env=env)
    check("module = python: lib.good.x\n", 72, rf"lib\.good is the file {site}/lib/good\.py, not a package", env=env)
    check("module = python: lib.bad.worse\n", 72, r"has no lib\.bad", env=env)
    check("module = python: nothing.at.all\n", 72, r"module nothing\.at\.all: not found by \S+ \(Python [\d.]+\): there is no nothing", env=env)


def test_nothing_is_executed(check, folder, own_venv):
    path, site = own_venv
    package(site, "lib", init="open('executed', 'w')\n", leaf="open('executed', 'w')\n")
    check("module = python: lib, lib.leaf\n", 0, env={"PATH": f"{path}/bin"})
    assert not (folder / "executed").exists()


def test_a_script_named_like_a_library_hides_it(check, folder):
    write(folder / "alembic.py", "import alembic\n")
    check("module = python: alembic.config\n", 72, rf"alembic is the file {folder}/alembic\.py, not a package; it hides "
          r"/usr/lib/python3/dist-packages/alembic/config\.py", "hint: rename what hides it", env=SYSTEM)


def test_a_local_package_hides_a_library(check, folder):
    package(folder, "alembic")
    check("module = python: alembic.config\n", 72, rf"the package {folder}/alembic/__init__\.py has no alembic\.config; it hides "
          r"/usr/lib/python3/dist-packages/alembic/config\.py", env=SYSTEM)


def test_genuine_namespace_packages(check, folder, own_venv):
    """google.cloud.storage and google.protobuf come from different distributions, and from different folders."""
    path, site = own_venv
    package(site, "google.cloud.storage", blob="")
    other = folder / "other"
    package(other, "google.protobuf", message="")
    env = {"PATH": f"{path}/bin", "PYTHONPATH": str(other)}
    check("module = python: google.cloud.storage, google.cloud.storage.blob, google.protobuf.message\n", 0, env=env)
    check("module = python: google.cloud.bigquery\n", 72, rf"google\.cloud is a namespace package \({site}/google/cloud\), which has no "
          r"google\.cloud\.bigquery", env=env)
    check("module = python: google\n", 72, rf"google is a namespace package \({site}/google, {other}/google\), folders without code", env=env)


@pytest.mark.parametrize("init", ["from pkgutil import extend_path\n__path__ = extend_path(__path__, __name__)\n",
                                  "__import__('pkg_resources').declare_namespace(__name__)\n"])
def test_old_namespace_packages(check, folder, init):
    """Those whose __init__ looks for their other parts."""
    package(folder / "one", "ns", init=init)
    package(folder / "two", "ns", init=init)
    package(folder / "one", "ns.a")
    package(folder / "two", "ns.b")
    check("module = python: ns.a, ns.b, ns\n", 0, env={**SYSTEM, "PYTHONPATH": f"{folder}/one:{folder}/two"})
    check("module = python: ns.c\n", 72, r"has no ns\.c", env={**SYSTEM, "PYTHONPATH": f"{folder}/one:{folder}/two"})


def test_installed_for_another_version(check, folder, own_venv):
    """A multi-stage build whose stages have different Pythons: the folder is there, and nobody looks into it."""
    path, site = own_venv
    stale = path / "lib" / "python3.5" / "site-packages"
    package(stale, "lib", inner="")
    check("module = python: lib.inner\n", 72, rf"installed for another interpreter: {stale} \(Python 3\.5, {path}/bin/python3\)",
          env={"PATH": f"{path}/bin"})


def test_installed_where_nobody_looks(check, folder, own_venv):
    """COPY --from=build /install /install."""
    path, site = own_venv
    version = site.parent.name
    package(folder / ".venv" / "lib" / version / "site-packages", "lib")
    check("module = python: lib\n", 72, rf"installed for another interpreter: {folder}/\.venv/lib/{version}/site-packages",
          r"hint: the folder is not in this interpreter's path", env={"PATH": f"{path}/bin"})


def test_metadata_without_files(check, folder, own_venv):
    path, site = own_venv
    write(site / "My_Lib-1.2.dist-info" / "METADATA")
    check("module = python: my_lib\n", 72, rf"its metadata is there \({site}/My_Lib-1\.2\.dist-info\), its files are not", env={"PATH": f"{path}/bin"})


def test_extension_module_of_another_python(check, folder, own_venv):
    path, site = own_venv
    package(site, "lib")
    write(site / "lib" / "_speed.cpython-35m-x86_64-linux-gnu.so")
    check("module = python: lib._speed\n", 72, rf"{site}/lib/_speed\.cpython-35m-x86_64-linux-gnu\.so is there, built for another Python",
          env={"PATH": f"{path}/bin"})


def test_zip_pth_and_editable(check, folder, own_venv):
    path, site = own_venv
    package(folder / "zipped", "inzip", leaf="")
    subprocess.run([PYTHON, "-m", "zipfile", "-c", folder / "lib.zip", folder / "zipped/inzip/"], check=True)
    package(folder / "elsewhere", "bypth", leaf="")
    package(folder / "project", "editable", leaf="")
    write(site / "here.pth", f"{folder}/elsewhere\n{folder}/lib.zip\nimport finder\n")
    # as setuptools writes it for an editable install with a layout of its own
    write(site / "finder.py", textwrap.dedent(f"""
        import sys
        from importlib.util import spec_from_file_location
        MAPPING = {{"editable": "{folder}/project/editable"}}
        class Finder:
            @classmethod
            def find_spec(cls, fullname, path=None, target=None):
                if fullname in MAPPING:
                    return spec_from_file_location(fullname, MAPPING[fullname] + "/__init__.py",
                                                   submodule_search_locations=[MAPPING[fullname]])
        sys.meta_path.append(Finder)
        """))
    check("module = python: inzip.leaf, bypth.leaf, editable, editable.leaf\n", 0, env={"PATH": f"{path}/bin"})
    check("module = python: inzip.no, bypth.no, editable.no\n", 72, r"module inzip\.no", r"module bypth\.no", r"module editable\.no",
          env={"PATH": f"{path}/bin"})


def test_pythonpath_that_does_not_exist(check, folder):
    check("module = python: nothing\n", 72, r"not in /nowhere/lib, which does not exist", env={**SYSTEM, "PYTHONPATH": "/nowhere/lib"})


def test_names_with_newlines_stay_in_their_line(check, folder):
    odd = folder / "a\nb\x1b[1m"
    package(odd, "lib")
    process = check("module = python: lib.no\n", 72, r"a\\nb\\x1b\[1m/lib/__init__\.py has no lib\.no", env={**SYSTEM, "PYTHONPATH": str(odd)})
    assert b"\x1b" not in process.err.raw


# --- modules: which interpreter, and with which path

def test_interpreter_of_the_services_script(check, folder, own_venv):
    """`uvicorn` of a virtual environment, which python3 in PATH knows nothing of."""
    path, site = own_venv
    package(site, "only_here")
    script = write(path / "bin" / "serve", f"#!{path}/bin/python\n", 0o755)
    (folder / "local").mkdir()
    (folder / "local" / "serve").symlink_to(script)
    require = "module = python: only_here\n"
    check(require, 72, "not found by /usr/bin/python3", env=SYSTEM)
    for words in ([script], ["sh", "-c", f"exec {script} --port 80"], ["env", "A=1", script], [path / "bin" / "python", "-m", "x"],
                  [folder / "local" / "serve"]):
        check(require, 0, words=words, env=SYSTEM)
    check(require, 0, words=["serve"], env={"PATH": f"{path}/bin:/usr/bin:/bin"})
    check(require, 0, words=["sh", "-c", "A=1 serve && true"], env={"PATH": f"/usr/bin:/bin:{path}/bin"})
    check(require, 72, "not found by /usr/bin/python3", words=["sh", "-c", "true; serve"], env={"PATH": f"/usr/bin:/bin:{path}/bin"})


def test_interpreter_behind_env_and_behind_sh(check, folder, own_venv):
    path, site = own_venv
    package(site, "only_here")
    env = write(folder / "by_env", "#!/usr/bin/env python\n", 0o755)
    long = write(folder / "by_sh", f"#!/bin/sh\n'''exec' \"{path}/bin/python\" \"$0\" \"$@\"\n' '''\n", 0o755)
    movable = write(path / "bin" / "movable",
                    "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python' \"$0\" \"$@\"\n' '''\n", 0o755)
    check("module = python: only_here\n", 0, words=[env], env={"PATH": f"{path}/bin:/usr/bin:/bin"})
    check("module = python: only_here\n", 0, words=[long], env=SYSTEM)
    check("module = python: only_here\n", 0, words=[movable], env=SYSTEM)


def test_interpreter_of_the_migration(embark, folder, own_venv):
    """The service is a shell script, which tells nothing."""
    path, site = own_venv
    package(site, "only_here")
    write(folder / "start", "#!/bin/sh\n", 0o755)
    embark.run("check", "./start", env=SYSTEM, config=f"[require]\nmodule = python: only_here\n[migrate]\ncommand = {path}/bin/python -m x\n").expect(0)


@pytest.mark.parametrize("language", ["python", "python3", "{venv}/bin/python"])
def test_named_interpreter(check, folder, own_venv, language):
    path, site = own_venv
    package(site, "only_here")
    named = language.format(venv=path)
    check(f"module = {named}: only_here\n", 0 if "/" in named else 72, env=SYSTEM)


def test_each_interpreter_is_started_once(check, folder):
    write(folder / "python3", f"#!/bin/sh\necho >>{folder}/starts\nexec {PYTHON} \"$@\"\n", 0o755)
    check("module = python: os, sys\nmodule = python: json\n", 0, env={"PATH": f"{folder}:/usr/bin:/bin"})
    assert (folder / "starts").read_text().count("\n") == 1


@pytest.mark.parametrize("words, found", [
    ((PYTHON, "-m", "x"), "cwd"),
    ((PYTHON, "scripts/run.py"), "script"),
    ((PYTHON, "-u", "scripts/run.py", "-m"), "script"),
    ((PYTHON, "bin/serve"), "cwd script"),
    (("bin/serve",), "cwd script"),
    (("scripts/run.py",), "script"),
    ((PYTHON, "-P", "-m", "x"), ""),
    ((PYTHON, "-I", "scripts/run.py"), ""),
    ((), "cwd"),
])
def test_first_entry_of_the_path_is_the_services(check, folder, words, found):
    """The working directory for -m, the script's folder for a script; a console script's server puts the working directory first."""
    for place in ("scripts", "bin"):
        write(folder / place / "beside.py")
    write(folder / "here.py")
    write(folder / "scripts" / "run.py", f"#!{PYTHON}\n", 0o755)
    write(folder / "bin" / "serve", f"#!{PYTHON}\n", 0o755)
    check("module = python: here\n", 0 if "cwd" in found else 72, words=words, env=SYSTEM)
    check("module = python: beside\n", 0 if "script" in found else 72, words=words, env=SYSTEM)


def test_zip_application(check, folder):
    package(folder / "src", "inside")
    write(folder / "src" / "__main__.py")
    subprocess.run([PYTHON, "-m", "zipapp", folder / "src", "-o", folder / "app.pyz", "-p", PYTHON], check=True)
    check("module = python: inside\n", 0, words=["./app.pyz"], env=SYSTEM)
    check("module = python: inside\n", 0, words=[PYTHON, "app.pyz"], env=SYSTEM)
    check("module = python: inside\n", 0, words=[PYTHON, "src"], env=SYSTEM)


def test_nothing_is_written(check, folder, own_venv):
    """No __pycache__ in the image."""
    path, site = own_venv
    write(site / "sitecustomize.py", "import helper\n")
    write(site / "helper.py")
    check("module = python: os\n", 0, env={"PATH": f"{path}/bin"})
    assert not (site / "__pycache__").exists()


# --- modules: interpreters that don't answer

def test_chatty_interpreter(check, folder, own_venv):
    """sitecustomize prints, replaces stdout and leaves an unfinished line."""
    path, site = own_venv
    write(site / "sitecustomize.py", "import atexit, sys, time\nprint('hello')\nsys.stdout.write('@embark missing os')\nsys.stdout.flush()\n"
          "sys.stdout = None\natexit.register(time.sleep, 1000)\n")
    check("module = python: os, json\n", 0, env={"PATH": f"{path}/bin"})


def test_no_interpreter(check, folder):
    (folder / "empty").mkdir()
    check("module = python: os\n", 72, rf"module: python3: not found in PATH \({folder}/empty\) \(.*embark1\.ini:2\)", env={"PATH": f"{folder}/empty"})
    check("module = /nowhere/bin/python: os\n", 72, r"module: /nowhere/bin/python: does not exist; the nearest existing parent is /")
    check("module = python9.9: os\n", 72, r"module: python9\.9: not found in PATH")


@pytest.mark.parametrize("text, said", [
    ("#!/bin/sh\nexit 3\n", r"can't say what it finds: it exited with status 3"),
    ("#!/bin/sh\nkill -SEGV $$\n", r"can't say what it finds: it was killed by SIGSEGV"),
    ("#!/bin/sh\necho something else\n", r"can't say what it finds: it exited with status 0"),
    ("#!/bin/sh\necho 'Fatal Python error: no encodings' >&2\necho >&2\necho more >&2\nexit 1\n",
     r"it exited with status 1: Fatal Python error: no encodings"),
    ("#!/bin/sh\necho 'Traceback:' >&2\necho 'ImportError: libx.so' >&2\nexit 1\n", r"it exited with status 1: ImportError: libx\.so"),
    ("#!/bin/sh\necho '@embark version 2.7.18'\necho '@embark end '\n", r"is Python 2\.7\.18, at least 3\.4 is needed"),
    ("#!/nowhere/sh\n", "its interpreter /nowhere/sh"),
])
def test_interpreter_that_fails(check, folder, text, said):
    write(folder / "python3", text, 0o755)
    check("module = python: os, sys\n", 72, said, rf"{folder}/python3", r"\(.*embark1\.ini:2\)", env={"PATH": f"{folder}:/usr/bin:/bin"})


def test_broken_home_of_the_interpreter(check):
    """Real: the standard library is not found."""
    check("module = python: os\n", 72, r"can't say what it finds: it exited with status 1: Fatal Python error", env={**SYSTEM, "PYTHONHOME": "/nowhere"})


def test_virtual_environment_without_its_interpreter(check, folder, own_venv):
    """COPY --from=build /venv /venv, but the link's target is in the build stage only."""
    path, site = own_venv
    for name in ("python", "python3"):
        (path / "bin" / name).unlink()
    (path / "bin" / "python").symlink_to("/opt/python/bin/python3.11")
    (path / "bin" / "python3").symlink_to("python")
    check(f"module = {path}/bin/python3: os\n", 72, rf"module: {path}/bin/python3: {path}/bin/python3 is a symbolic link to python")


def test_other_interpreters_speak_the_same_protocol(check, folder):
    """Every version that is on this machine, from 3.6 on."""
    write(folder / "alembic" / "env.py")
    versions = [p for p in sorted(os.listdir("/root/.pyenv/versions")) if not p.startswith("2.")] if os.path.isdir("/root/.pyenv/versions") else []
    for python in [PYTHON] + [f"/root/.pyenv/versions/{v}/bin/python" for v in versions]:
        check(f"module = {python}: os, os.path, json.decoder, sys\n", 0)
        check(f"module = {python}: no_such_thing.x, json.no\n", 72, r"there is no no_such_thing", r"json/__init__\.py has no json\.no|json\.no")


def test_cost(check, own_venv):
    """One start: the interpreter's own and a little."""
    path, site = own_venv
    modules = "module = python: json, os, email.message, http.client, xml.dom.minidom, urllib.request\n"

    def cost(run):
        def once():
            start = time.monotonic()
            run()
            return time.monotonic() - start
        return min(once() for _ in range(5))

    plain = cost(lambda: subprocess.run([path / "bin/python", "-c", "pass"], check=True))
    asked = cost(lambda: check(modules, 0, env={"PATH": f"{path}/bin"}))
    assert asked < 2 * plain + 0.1
