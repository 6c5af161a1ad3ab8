"""What `embark check` says of everything at once: its order, its exit code, --json, --write, --stamp, --sql, and without a configuration."""

import json
import os
import re
import shutil
import subprocess

import pytest

from support.image import write
from support.process import PATH

PYTHON = "/usr/bin/python3"


def document(process):
    return json.loads(process.stdout)


def checks(process, **wanted):
    return [c for c in document(process)["checks"] if all(c[k] == v for k, v in wanted.items())]


@pytest.fixture
def broken(folder):
    """A configuration in which every section has something wrong."""
    write(folder / "dist/a.js", 'fetch("http://localhost:3000")')
    write(folder / "setup.sql", "DO $$ BEGIN PERFORM :'x'; END $$;\n")
    return (f"[require]\nmodule = {PYTHON}: json, no_such_module\nfile = /nowhere/file\n  /etc/passwd\ndir = dist : not-empty\n"
            "command = sh, no-such-command\nenv = NO_SUCH_VARIABLE\nmount = /nowhere\n"
            "[bundle]\ndir = dist\nforbid = localhost:3000\n[image]\nbuild = abc\nexpect = def\n"
            "[bootstrap]\nurl = postgresql://root:s3cr3t-word@db/postgres\nsql = setup.sql\n[migrate]\ncommand = no-such-migration\n"
            "[database]\nurl = postgresql://app:s3cr3t-word@db/app\n")


# --- lines

def test_all_failures_grouped_requirements_first(embark, broken):
    process = embark.run("check", "--", "no-such-service", config=broken).expect(72)
    steps = [line.split(": ")[2] for line in process.said if line.startswith("embark: error: ")]
    assert steps == ["require"] * 3 + ["image", "bundle", "bootstrap", "migrate", "service"]
    assert process.stdout == "" and "s3cr3t-word" not in process.stderr
    assert process.stderr.count("  hint: ") == 8


@pytest.mark.parametrize("drop, code", [
    ([], 72),
    (["file", "module", "command"], 73),
    (["file", "module", "command", "build", "forbid"], 65),
    (["file", "module", "command", "build", "forbid", "sql"], 127),
])
def test_the_exit_code(embark, broken, drop, code):
    lines, kept = broken.splitlines(), []
    for line in lines:
        gone = line.split(" =")[0] in drop and "no-such-migration" not in line
        if not gone and not (line.startswith("  ") and not kept[-1].startswith("file")):
            kept.append(line)
    embark.run("check", config="\n".join(kept) + "\n").expect(code)


# --- --json

def test_json(embark, broken, folder):
    process = embark.run("check", "--json", "--", "no-such-service", config=broken).expect(72, "no_such_module")
    found = document(process)
    ini = folder / "embark1.ini"
    assert found["ok"] is False and found["code"] == 72 and found["hosts"] == ["localhost:3000"]
    assert set(found["checks"][0]) == {"section", "key", "value", "place", "ok", "expected", "found", "hint"}
    assert [(c["section"], c["key"], c["value"], c["ok"]) for c in found["checks"]] == [
        ("require", "module", "no_such_module", False), ("require", "command", "sh", True),
        ("require", "command", "no-such-command", False), ("require", "file", "/nowhere/file", False),
        ("require", "file", "/etc/passwd", True), ("require", "dir", "dist : not-empty", True),
        ("bundle", "dir", "dist", True), ("bundle", "forbid", "localhost:3000", False), ("image", "build", "abc", False),
        ("bootstrap", "sql", "setup.sql", False), ("migrate", "command", "no-such-migration", False), ("service", "command", "no-such-service", False)]
    file = checks(process, key="file", ok=False)[0]
    assert file == {"section": "require", "key": "file", "value": "/nowhere/file", "place": f"{ini}:3", "ok": False,
                    "expected": "a regular file that can be read", "found": "does not exist; the nearest existing parent is /",
                    "hint": "COPY or make it in the image; see that .dockerignore doesn't leave it out"}
    assert checks(process, section="bootstrap")[0]["place"] == "setup.sql:1:21"
    assert [c["place"] for c in found["checks"]][-2:] == [f"{ini}:19", None]
    assert checks(process, section="image")[0]["found"].startswith("the image is stale: it was built from abc, and def is expected")
    assert "s3cr3t-word" not in process.stdout


def test_json_when_all_is_well(embark, folder):
    write(folder / "file")
    process = embark.run("check", "--json", config="[require]\nfile = file\nenv = NOT_JUDGED\nmount = /nowhere\n").expect(0)
    assert document(process) == {"ok": True, "code": 0, "warnings": [], "hosts": [], "checks": [
        {"section": "require", "key": "file", "value": "file", "place": f"{folder}/embark1.ini:2", "ok": True,
         "expected": "a regular file that can be read", "found": "", "hint": None}]}


def test_json_of_hostile_names(embark, folder):
    with open(os.path.join(os.fsencode(folder), b"bad\n\xff\x1b.js"), "w") as f:
        f.write('say("http://localhost:3000") // (odd) \x01')
    process = embark.run("check", "--json", config="[bundle]\ndir = .\nforbid = localhost:3000\n[require]\nfile = no (such) file: x\n").expect(72)
    assert checks(process, key="forbid")[0]["found"].startswith(r"stands in ./bad\n\xff\x1b.js")
    assert checks(process, key="file")[0]["value"] == "no (such) file: x"
    assert checks(process, key="file")[0]["found"].startswith("does not exist")


def test_json_of_warnings(embark, folder):
    write(folder / "a.js.gz")
    process = embark.run("check", "--json", config="[bundle]\ndir = .\n").expect(0)
    assert document(process)["warnings"] == [
        {"section": "bundle", "text": "1 compressed file without an original beside it can't be looked into", "hint": None}]


def test_what_a_build_lacks_is_one_line(embark):
    config = "[database]\nurl = ${NO_SUCH_URL}\n[image]\nexpect = ${NO_SUCH_BUILD}\n"
    said = embark.run("check", config=config).expect(0, r"(?m)^embark: configuration: \S+:2: \$NO_SUCH_URL is not set; \S+:4: \$NO_SUCH_BUILD is not "
                                                     r"set: a build need not have it, and what it is for isn't looked at$").said
    assert sum("is not set" in line for line in said) == 1


def test_values_of_one_place_are_told_apart(embark):
    process = embark.run("check", "--json", env={"EMBARK_REQUIRE_FILE": "/etc/passwd\n/nowhere"}, config="").expect(72)
    assert [(c["value"], c["ok"], c["place"]) for c in document(process)["checks"]] == [
        ("/etc/passwd", True, "$EMBARK_REQUIRE_FILE"), ("/nowhere", False, "$EMBARK_REQUIRE_FILE")]


def test_values_that_begin_alike(embark, folder):
    write(folder / "bin/moved", "#!/nowhere/python\n", 0o755)
    process = embark.run("check", "--json", env={"EMBARK_REQUIRE_DIR": "/nowhere\n/nowhere/inner : not-empty\n/", "PATH": f"{folder}/bin:/bin"},
                         config="[require]\ncommand = moved, sh\n").expect(72)
    assert [(c["value"], c["ok"]) for c in document(process)["checks"]] == [
        (f"{folder}/bin/moved", False), ("sh", True), ("/nowhere", False), ("/nowhere/inner", False), ("/", True)]


# --- --sql

def test_sql_files(embark, folder):
    write(folder / "good.sql", "SELECT :'name';\n")
    write(folder / "bad.sql", "SELECT 1;\nDO $$ BEGIN RAISE NOTICE :'x'; END $$;\n")
    write(folder / "open.sql", "SELECT 'x;\n")
    embark.run("check", "--sql", "good.sql", config="").expect(0)
    embark.run("check", "--sql", "good.sql", "--sql=bad.sql", "--sql", "open.sql", config="").expect(
        65, r"sql: bad\.sql:2:\d+: ", r"sql: open\.sql:1:\d+: ")
    embark.run("check", "--sql", "nowhere.sql", config="").expect(65, "nowhere.sql")
    embark.run("check", "--sql", config="").expect(64, "--sql needs a value")


# --- words

@pytest.mark.parametrize("words, code", [(["--jsn"], 64), (["--", "--json"], 127), (["true", "--json"], 0), (["--json", "true"], 0)])
def test_options_end_at_the_command(embark, words, code):
    process = embark.run("check", *words, config="").expect(code)
    assert process.stdout.startswith("{") == (words[0] == "--json")


# --- --stamp

def test_stamp(embark):
    process = embark.run("check", "--stamp").expect(0)
    lines = [line for line in process.stdout.splitlines() if not line.startswith("#")]
    assert lines == ["ARG BUILD", "ENV EMBARK_IMAGE_BUILD=$BUILD", "LABEL org.opencontainers.image.revision=$BUILD"]
    env = {"EMBARK_IMAGE_BUILD": "abc", "EMBARK_IMAGE_EXPECT": "def"}     # what these lines lead to
    embark.run("true", env=env).expect(73, "the image is stale: it was built from abc, and def is expected")
    embark.run("true", env={**env, "EMBARK_IMAGE_EXPECT": "abc"}).expect(0)


# --- without a configuration

@pytest.fixture
def alembic(folder):
    write(folder / "alembic.ini", "[alembic]\nscript_location = %(here)s/migrations\n")
    write(folder / "migrations/env.py")
    write(folder / "requirements.txt", "alembic>=1\nsqlalchemy\n")
    return folder


def test_inferred_and_all_is_there(embark, alembic):
    process = embark.run("check", "--", PYTHON, "-m", "alembic").expect(
        0, "check: no configuration: looking at what alembic.ini, requirements.txt, the command want")
    assert process.stdout == ""
    embark.run("check").expect(0, "looking at what alembic.ini, requirements.txt want")


def test_inferred_and_something_is_missing(embark, alembic):
    shutil.rmtree(alembic / "migrations")
    write(alembic / "requirements.txt", "no-such-distribution\n")
    embark.run("check", "--", "no-such-command").expect(
        72, r"require: dir migrations: does not exist; .*\(inferred:\d\)", "no-such-distribution", "service: no-such-command: not found in PATH")
    process = embark.run("check", "--json").expect(72)
    assert checks(process, key="dir")[0]["ok"] is False


def test_inferred_beside_the_environment_s(embark, alembic):
    embark.run("check", env={"EMBARK_REQUIRE_FILE": "/nowhere"}).expect(72, r"file /nowhere: does not exist.*\(\$EMBARK_REQUIRE_FILE\)")


def test_nothing_to_infer_from(embark):
    embark.run("check").expect(0)
    process = embark.run("check", "--write").expect(0, "nothing here to infer a configuration from", "hint: cd to where the service starts")
    assert process.stdout == ""


def test_only_the_command(embark):
    embark.run("check", "--", "true").expect(0, "looking at what the command wants")
    embark.run("check", "--", "no-such-command").expect(127, "no-such-command: not found in PATH")


@pytest.mark.parametrize("command", [
    [PYTHON, "-m", "http.server", "8000"],
    [PYTHON, "-c", "print('a  \"b\" $HOME ${HOME} $(x)', 1)"],
    [PYTHON, "-c", "pass", "", "it's", "x" * 100, "y" * 140, "#", "a #b", "\\"],
])
def test_write_makes_a_configuration_that_passes(embark, alembic, command):
    written = embark.run("check", "--write", "--", *command).expect(0)
    write(alembic / "embark.ini", written.stdout)
    embark.run("check").expect(0, "all is there")
    process = embark.run("run", env={"EMBARK_SKIP": "all", "EMBARK_SERVICE_COMMAND": ""}).wait()
    # the command comes back word by word
    shown = alembic / "argv"
    script = write(alembic / "show", f"#!/bin/sh\nprintf '%s\\0' \"$@\" > {shown}\n", 0o755)
    write(alembic / "embark.ini", written.stdout.replace(f"command = {PYTHON}", f"command = {script}", 1)
          if f"[service]\ncommand = {PYTHON}" not in written.stdout
          else written.stdout.replace(f"[service]\ncommand = {PYTHON}", f"[service]\ncommand = {script}"))
    embark.run("run", env={"EMBARK_SKIP": "all"}).expect(0)
    assert shown.read_bytes().split(b"\0")[:-1] == [os.fsencode(word) for word in command[1:]]


def test_write_and_a_command_that_no_line_can_hold(embark, alembic):
    written = embark.run("check", "--write", "--", "sh", "-c", "a ; b").expect(0)
    assert "[service]\n; the command stays the image's CMD" in written.stdout
    write(alembic / "embark.ini", written.stdout)
    embark.run("check").expect(0)


def test_write_for_other_tools(embark, folder):
    write(folder / "manage.py", "from django.core.management import execute_from_command_line\n")
    write(folder / "package.json", '{"dependencies": {}}')
    write(folder / "Gemfile", "source 'https://example.com'\ngem \"rake\", '~> 1'\ngem('json')\ngem 'x', platforms: :ruby\n"
          "group :development, :test do\n  gem 'rspec'\n  if true\n    gem 'y'\n  end\nend\ngem 'minitest', group: :test\n# gem 'z'\n")
    ini = embark.run("check", "--write").expect(0).stdout
    for line in ("module = python: django", "manifest = package.json", "module = ruby: rake, json"):
        assert f"\n{line}\n" in ini, ini
    assert "manage.py migrate --noinput\n" in ini and "rspec" not in ini and "minitest" not in ini


def test_write_does_not_execute_anything(embark, alembic):
    write(alembic / "bin/python", f"#!/bin/sh\ntouch {alembic}/ran\n", 0o755)
    write(alembic / "bin/alembic", f"#!/bin/sh\ntouch {alembic}/ran\n", 0o755)
    process = embark.run("check", "--write", "--", "alembic", env={"PATH": f"{alembic}/bin"}).expect(0)
    assert "command = alembic upgrade head" in process.stdout and not (alembic / "ran").exists()


def test_a_closed_stdout(embark, folder):
    done = subprocess.run([embark.binary, "check", "--stamp"], stdout=open("/dev/full", "w"), stderr=subprocess.PIPE, env={}, cwd=folder)
    assert done.returncode == 71


def test_what_is_not_judged_is_not_called_good(embark, folder):
    """A warning is no failure, and the summary doesn't hide it."""
    write(folder / "poetry", "#!/bin/sh\n", 0o755)
    env = {"PATH": f"{folder}:{PATH}"}
    config = "[require]\nmodule = python: json\n"
    process = embark.run("check", "--", "poetry", "run", "x", config=config, env=env).expect(0, "not judged")
    assert re.search(r"^embark: check: all is there, but for 1 warning, in ", process.stderr, re.M)
    process = embark.run("check", "--", "python3", "-m", "x", config=config).expect(0)
    assert re.search(r"^embark: check: all is there, in ", process.stderr, re.M)
