"""The manual pages, README.md and doc/ say what the program does: names and numbers are compared, examples are run.

An example follows a line that says how it is to be taken: `.\\" test: KIND` in a manual page, `<!-- test: KIND -->` in a document.

    config [check] [run]   a configuration for the demo's service: embark check, and the service for real
    config … bootstrap     the same with a superuser's URL, and neither role nor database
    shell                  a script, in the service's folder, with a database
    roles config, roles sql   two roles: the service's, and the one that migrates
    healthcheck, kubernetes   YAML whose commands are embark's
    part compose | production   pieces of test/docker/story's files, which the tests in Docker bring up
    dockerfile             its RUN ["/embark"…], and ENTRYPOINT with CMD, started for real in the place of the image
    sql                    a file for `embark sql`, with a superuser's URL
    key, holder, syntax, commands, screen   see the tests
"""

import importlib.util
import json
import re
import shutil
import signal
import subprocess
import urllib.request

import pytest

from conftest import TOP
from support.postgres import free_port
from support.process import PATH
from support.waiting import eventually

PAGES = {path.name: path for path in sorted((TOP / "doc").glob("*.[157]"))}
README = TOP / "README.md"
DOCUMENTS = {str(path.relative_to(TOP)): path for path in [README, *sorted((TOP / "doc").glob("*.md"))]}
APP = TOP / "test/demo/app"


def page(name):
    return PAGES[name].read_text()


def page_of(command):
    """The page that tells of a command."""
    return page(f"embark-{command}.1" if f"embark-{command}.1" in PAGES else "embark.1")


def test_parameters_that_are_left_out_are_listed():
    source = (TOP / "src/core/url/driver_names.c").read_text()
    names = " ".join(re.findall(r'"([^"]*)"', source[source.index("drivers[]"):source.index("};")])).split()
    listed = page("embark.ini.5").split(".Sh DATABASE URLS")[1].split(".Sh ")[0]
    listed = set(re.findall(r"[a-z]+", listed))
    assert len(names) > 150 and [name for name in names if name not in listed] == []


def unescape(text):
    """mdoc's literal text as it is shown."""
    text = re.sub(r"\\\[u([0-9A-F]{4})\]", lambda match: chr(int(match[1], 16)), text)
    return text.replace("\\&", "").replace("\\-", "-").replace("\\e", "\\")


def examples():
    """(where, kinds, text) of every marked block."""
    for name in PAGES:
        for match in re.finditer(r'^\.\\" test: ([\w ]+)\n\.Bd .*\n((?:(?!\.Ed).*\n)+)\.Ed', page(name), re.M):
            line = page(name)[:match.start()].count("\n") + 1
            yield f"{name}:{line}", match[1].split(), unescape(match[2])
    for name, path in DOCUMENTS.items():
        text = path.read_text()
        for match in re.finditer(r"^<!-- test: ([\w ]+) -->\n(?:```\w*\n(.*?\n)```|((?:    [^\n]*\n)+))", text, re.M | re.S):
            line = text[:match.start()].count("\n") + 1
            yield f"{name}:{line}", match[1].split(), match[2] or re.sub(r"^    ", "", match[3], flags=re.M)


EXAMPLES = list(examples())


def of_kind(kind, also=None):
    chosen = [(where, text) for where, kinds, text in EXAMPLES if kinds[0] == kind and (also is None or also in kinds)]
    return pytest.mark.parametrize("text", [text for _, text in chosen], ids=[where for where, _ in chosen])


def rendered(tool, path):
    """As a reader sees it, with what a terminal's font makes of quotes and hyphens taken back."""
    words = ["mandoc", "-Tutf8", "-Owidth=200", str(path)] if tool == "mandoc" else ["man", "-E", "UTF-8", "-P", "cat", "-l", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, env={"PATH": PATH, "MANWIDTH": "200", "LC_ALL": "C.UTF-8", "GROFF_NO_SGR": "1"})
    assert done.returncode == 0, done.stderr
    text = re.sub(".\b", "", done.stdout)
    return text.translate(str.maketrans("\u2018\u2019\u2010\u2212\u02c6\u02dc", "''--^~"))


@pytest.mark.parametrize("tool", ["mandoc", "man"])
@pytest.mark.parametrize("name", PAGES)
def test_examples_are_rendered_whole(tool, name):
    """What somebody copies from the page is what the tests run."""
    if not shutil.which(tool):
        pytest.fail(f"{tool} is not installed")
    text = rendered(tool, PAGES[name])
    shown = [line.strip() for line in text.splitlines()]
    for where, kinds, example in EXAMPLES:
        if where.startswith(name) and kinds[0] in ("config", "shell", "sql", "dockerfile", "key", "holder"):
            missing = [line.strip() for line in example.splitlines() if line.strip() and line.strip().replace("`", "'") not in shown]
            assert not missing, where
    if name == "embark.ini.5":
        assert "dir = /data : not-empty, free 500M" in " ".join(text.split())


def test_a_page_has_no_comment_within_a_line():
    r"""\" in an example cuts the line off."""
    for name in PAGES:
        found = [line for line in page(name).splitlines() if '\\"' in line and not line.startswith('.\\"')]
        assert not found, name


def test_the_first_page_is_short():
    assert len(page("embark.1").splitlines()) <= 250


def test_each_page_names_all_others():
    """Their names, sections and titles are those of the files."""
    assert {"embark.1", "embark-doctor.1", "embark-migrate.1", "embark-sql.1", "embark-health.1", "embark-init.7", "embark.ini.5"} <= set(PAGES)
    for name in PAGES:
        title, section = name.rsplit(".", 1)
        assert f".Dt {title.upper()} {section}\n" in page(name) and f".Sh NAME\n.Nm {title}\n" in page(name), name
        seen = re.search(r"^\.Sh SEE ALSO\n(.*?)(?=^\.Sh |\Z)", page(name), re.M | re.S)[1]
        named = {".".join(pair) for pair in re.findall(r"Xr (\S+) (\d)", seen)}
        assert {other for other in named if other.startswith("embark")} == set(PAGES) - {name}, name


def test_pages_that_are_named_exist_and_have_the_heading():
    """embark-migrate(1), "The lock": in the manual, in messages and in comments."""
    for path in [*(TOP / "src").rglob("*.[ch]"), *(TOP / "include").rglob("*.h"), *TOP.glob("*.md"), *(TOP / "doc").glob("*.md")]:
        text = re.sub(r"\n[ *]*", " ", path.read_text())
        for name, section, heading in re.findall(r'\b(embark[-.\w]*)\((\d)\)(?:, "([^"]+)")?', text):
            assert f"{name}.{section}" in PAGES, (path, name)
            assert not heading or re.search(rf"^\.S[sh] {re.escape(heading)}$", page(f"{name}.{section}"), re.M), (path, name, heading)
    for name in PAGES:
        for other in re.findall(r"Xr (embark\S*) (\d)", page(name)):
            assert ".".join(other) in PAGES, (name, other)
        for heading in re.findall(r"\bSx (.+?)(?: [.,;:)]+)*$", page(name), re.M):
            assert re.search(rf"^\.S[sh] {re.escape(heading)}$", page(name), re.M), (name, heading)


def test_all_marked_examples_are_found():
    marks = sum(len(re.findall(r'^(?:\.\\" |<!-- )test: [a-z]', path.read_text(), re.M)) for path in [*PAGES.values(), *DOCUMENTS.values()])
    assert len(EXAMPLES) == marks
    known = {"screen", "config", "shell", "sql", "dockerfile", "key", "holder", "commands", "part", "roles", "healthcheck", "kubernetes"}
    assert {kinds[0] for _, kinds, _ in EXAMPLES} == known


@pytest.mark.parametrize("name, kind", [("compose.yaml", "compose"), ("compose.production.yaml", "production")])
def test_parts_are_those_of_the_story(name, kind):
    """Paragraph by paragraph."""
    parts = [text for _, kinds, text in EXAMPLES if kinds == ["part", kind]]
    whole = (TOP / "test/docker/story" / name).read_text().split("\n\n")
    paragraphs = {paragraph.removeprefix("services:\n").strip("\n") for paragraph in whole}
    assert parts
    for part in parts:
        assert {paragraph.removeprefix("services:\n").strip("\n") for paragraph in part.split("\n\n")} <= paragraphs


# --- form

@pytest.mark.parametrize("name", PAGES)
def test_page_is_well_formed(name):
    done = subprocess.run(["mandoc", "-Tlint", "-Wstyle", PAGES[name]], capture_output=True, text=True)
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if re.search(r"STYLE|WARNING|ERROR|UNSUPP", line)
                  and "referenced manual not found" not in line]
    assert not complaints


# --- keys

def keys_of_the_program(embark):
    """(section, key) by `embark help config`."""
    keys, section = [], None
    for line in embark.run("help", "config").expect(0).stdout.splitlines():
        head = re.match(r"\[(\w+)\]", line)
        entry = re.match(r"  (\w+) +\S", line)
        if head:
            section = head[1]
        elif not line:
            section = None
        elif entry and section:
            keys.append((section, entry[1]))
    return keys


def keys_of_the_table():
    """{(section, key): (type, default)} by the header."""
    table = (TOP / "include/embark/core/config/keys.h").read_text()
    return {(section, key): (kind, default) for section, key, kind, default in
            re.findall(r'^\s+X\((\w+), (\w+), (\w+), "([^"]*)",', table, re.M)}


def keys_of_the_page():
    """{(section, key): what is said about it}."""
    keys = {}
    for section, body in re.findall(r"^\.Sh THE SECTION (\w+)\n(.*?)(?=^\.Sh )", page("embark.ini.5"), re.M | re.S):
        for key, text in re.findall(r"^\.It Ic (\w+)\n(.*?)(?=^\.It Ic |^\.El|\Z)", body, re.M | re.S):
            keys[section, key] = text
    return keys


def test_every_key_is_documented_and_no_other(embark):
    program, documented = keys_of_the_program(embark), keys_of_the_page()
    assert len(program) > 20
    assert sorted(program) == sorted(documented)


def test_every_default_is_documented():
    documented, table = keys_of_the_page(), keys_of_the_table()
    assert table["database", "timeout"] == ("TIME", "60s") and len(table) == len(documented)
    for key, (kind, default) in table.items():
        if default:
            word = default.split("|")[0] if kind == "CHOICE" else default
            assert f"Default: {word}.\n" in documented[key], key


def test_every_repeatable_key_is_said_to_be_one():
    table = keys_of_the_table()
    for key, text in keys_of_the_page().items():
        assert ("ay be repeated" in text) == (table[key][0] in ("LIST", "NAMES")), key


# --- exit codes

def codes(text):
    return {int(code): words for code, words in re.findall(r"^ *(\d+) +(\S.*)$", text, re.M)}


def test_every_exit_code_is_documented(embark):
    program = codes(embark.run("help", "exit-codes").expect(0).stdout)
    assert {0, 64, 69, 78, 80, 127} <= set(program)
    section = re.search(r"^\.Sh EXIT STATUS\n(.*?)^\.Sh", page("embark.1"), re.M | re.S)[1]
    assert {int(code) for code in re.findall(r"^\.It (\d+)$", section, re.M)} == set(program)
    assert ".It 128+n" in section
    section = re.search(r"^## Exit codes\n(.*)", (TOP / "doc/configuration.md").read_text(), re.M | re.S)[1]
    assert set(program) <= {int(number) for number in re.findall(r"\b\d+\b", section)}
    assert "128+n" in section


# --- commands and options

def commands(embark):
    return set(re.findall(r"^embark (\w+)", embark.run("help").expect(0).stdout, re.M))


def test_every_command_is_documented_and_no_other(embark):
    program = commands(embark)
    assert {"run", "check", "wait", "migrate", "help", "version"} <= program
    synopsis = re.search(r"^\.Sh SYNOPSIS\n(.*?)^\.Sh", page("embark.1"), re.M | re.S)[1]
    listed = re.search(r"^\.Ss Commands\n(.*?)^\.Ss", page("embark.1"), re.M | re.S)[1]
    named = " ".join(re.findall(r"\bCm ([\w |]+?)(?= [A-Z]|$)", synopsis, re.M))
    assert set(re.findall(r"\w+", named)) == program
    assert set(re.findall(r"^\.It Cm (\w+)", listed, re.M)) == program
    block, = [text for _, kinds, text in EXAMPLES if kinds == ["commands"]]
    assert set(re.findall(r"^embark (\w+)", block, re.M)) == program


def test_every_option_is_documented(embark):
    options = set(re.findall(r"--?[a-z][\w-]*", embark.run("help").stdout.partition("Options")[2].partition("\n\n")[0]))
    assert options
    for option in options:
        assert re.search(rf"^\.It Fl .*\b{option[1:].lstrip('-')}\b", page("embark.1"), re.M), option


def test_every_step_that_can_be_skipped_is_documented(embark):
    entry = re.search(r"^\.It Ev EMBARK_SKIP\n(.*?)^\.It", page("embark.ini.5"), re.M | re.S)[1]
    for step in ("check", "wait", "migrate", "all"):
        assert re.search(rf"\b{step}\b", entry)
        embark.run("true", env={"EMBARK_SKIP": step}).expect(0)


# --- examples

@pytest.fixture
def service(embark, folder, db, listener):
    """The demo's service as an image would have it, and the environment that a deployment gives it."""
    home = folder / "app"
    shutil.copytree(APP, home, ignore=shutil.ignore_patterns("__pycache__"))
    (home / "migrations").mkdir()
    (home / "migrations" / "000_first.sql").write_text("SELECT 1;\n")  # an empty folder is refused
    (home / "README.md").write_text("a file of the image's\n")
    for path in [home, *home.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    cache = listener()
    return Service(embark, home, db, {
        "DATABASE_URL": db.url_as(scheme="postgresql+psycopg2"), "DIRECT_URL": db.url_as(scheme="postgresql+psycopg2"),
        "CACHE": f"127.0.0.1:{cache.port}", "PORT": str(free_port()), "PYTHONDONTWRITEBYTECODE": "1", "REPLICA": "documented"})


class Service:
    def __init__(self, embark, home, db, environment):
        self.embark, self.home, self.db, self.environment = embark, home, db, environment

    def configure(self, text):
        (self.home / "embark.ini").write_text(text)

    def check(self, *words):
        """As a Dockerfile's RUN: nothing of the deployment is known."""
        return self.embark.run("check", *words, cwd=self.home).expect(0)

    def serves(self, *words, port=None):
        """Starts it, asks it for its notes, and ends it."""
        process = self.embark(*words, cwd=self.home, env=self.environment)
        url = f"http://127.0.0.1:{port or self.environment['PORT']}/notes"

        def answer():
            assert process.running, process.describe()
            try:
                with urllib.request.urlopen(url, timeout=5) as reply:
                    return json.load(reply)
            except OSError:
                return None

        notes = eventually(answer, 30, what=f"an answer of {url}")
        assert notes[0]["id"] == 1
        process.wait_for_line("embark: ready in ")
        process.signal(signal.SIGTERM)
        assert process.wait(10) in (0, -signal.SIGTERM)
        assert self.db.value("SELECT version_num FROM alembic_version") == "0003"


@of_kind("config", "syntax")
def test_example_of_the_syntax(service, text):
    service.configure(text)
    service.embark.run("check", cwd=service.home, env=service.environment).expect(0)
    (service.home / "README.md").unlink()
    service.embark.run("check", cwd=service.home, env=service.environment).expect(72, "README.md")


@of_kind("config", "check")
def test_example_of_a_configuration_is_checked(service, text):
    service.configure(text)
    process = service.check()
    assert [line for line in process.said if "check: all is there" not in line] == [], process.describe()


@of_kind("config", "check")
def test_example_of_a_configuration_checks_something(service, text):
    """That is, what it requires is looked at: without the migrations' folder it fails, if that is required."""
    service.configure(text)
    shutil.rmtree(service.home / "alembic")
    shutil.rmtree(service.home / "migrations")
    code = 72 if "alembic/versions" in text else 78 if "sql = migrations" in text else 0
    service.embark.run("check", cwd=service.home).expect(code)


@of_kind("config", "run")
def test_example_of_a_configuration_serves(service, text):
    service.configure(text)
    service.serves("run")


@of_kind("config", "bootstrap")
def test_example_of_a_configuration_makes_role_and_database(service, text):
    service.configure(text)
    (service.home / "migrations/001_notes.sql").write_text("CREATE TABLE notes (id int);\n")
    server = service.db.server
    environment = {"DATABASE_URL": service.db.url_as(user="newcomer", password="its own", name="newdata"),
                   "SUPERUSER_URL": f"postgresql://postgres@/postgres?host={server.socket_folder}&port={server.port}"}
    try:
        service.embark.run("run", "echo", "served", cwd=service.home, env=environment).expect(0)
        assert server.value("SELECT tableowner FROM pg_tables WHERE tablename = 'notes'", database="newdata") == "newcomer"
    finally:
        server.sql("DROP DATABASE IF EXISTS newdata WITH (FORCE)")
        server.sql("DROP ROLE IF EXISTS newcomer")


@of_kind("shell")
def test_example_for_a_shell(service, binary, text):
    # a healthcheck looks at the processes of "its container": not at those of other tests
    alone = ("unshare", "--mount", "--") if "embark health" in text else ()
    process = service.embark.program("sh", "-eux", "-c", text, cwd=service.home, prefix=alone,
                                     env={**service.environment, "PATH": f"{binary.parent}:{PATH}"})
    process.expect(0, timeout=30)
    if "served" in text:
        assert process.stdout.splitlines()[-1] == "served"


@of_kind("sql")
def test_example_of_a_sql_file(service, text):
    """The lines that are for psql as well stand before the others."""
    server = service.db.server
    block, = [other for _, kinds, other in EXAMPLES if kinds == ["sql"] and "DO $$" in other]
    (service.home / "setup.sql").write_text(text if text == block else text + block)
    words = "sql", "-1", "-v", "app_password=of its own", "setup.sql"
    environment = {"DATABASE_URL": f"postgresql://postgres@/{service.db.name}?host={server.socket_folder}&port={server.port}"}
    try:
        service.embark.run(*words, cwd=service.home, env=environment).expect(0)
        assert server.value("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'app'")
    finally:
        server.sql("DROP ROLE IF EXISTS app")


@of_kind("dockerfile")
def test_example_of_a_dockerfile(service, text):
    lines = dict(re.findall(r'^(RUN|ENTRYPOINT|CMD) (\[".*\])$', text, re.M))
    check, entrypoint, command = (json.loads(lines[name]) for name in ("RUN", "ENTRYPOINT", "CMD"))
    assert check == ["/embark", "check"] and entrypoint == ["/embark"]
    assert re.search(r"^COPY .*\bembark /embark$", text, re.M)
    service.check(*command)
    # on the loopback, and on a port that is free
    service.serves(*[word.replace("0.0.0.0", "127.0.0.1") for word in command], "--port", service.environment["PORT"])


def test_dockerfile_example(service):
    """Dockerfile.example's last stage, in the place of its image."""
    text = (TOP / "Dockerfile.example").read_text()
    stage = text[text.rindex("\nFROM "):]
    assert "COPY test/demo/app ." in stage and 'RUN ["/embark", "check"]' in stage and 'ENTRYPOINT ["/embark"]' in stage
    words = json.loads(re.search(r'^CMD (\[.*\])$', stage, re.M)[1])
    words[words.index("0.0.0.0")] = "127.0.0.1"
    words[words.index("8000")] = service.environment["PORT"]
    service.check(*words)
    service.serves(*words)
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.M):
        for name in source.split():
            assert (TOP / name).exists(), name
    for name in (APP / "requirements.txt").read_text().split():
        assert importlib.util.find_spec({"psycopg2-binary": "psycopg2"}.get(name, name)), name


@of_kind("screen")
def test_example_of_a_screen(text):
    """One of the golden files, or the end of one."""
    screens = [path.read_text() for path in (TOP / "test/program/doctor/golden").glob("doctor-*.txt")]
    assert any(screen.endswith(text.rstrip("\n") + "\n") for screen in screens)


def test_sql_of_the_lock(embark, db, migration, service):
    """The key by the manual's formula, and its query for who has the lock."""
    key, = [text for _, kinds, text in EXAMPLES if kinds == ["key"]]
    holder, = [text for _, kinds, text in EXAMPLES if kinds == ["holder"]]
    db.make_ledger()
    assert db.sql(holder) == []
    running, go_on = migration.folder / "running", migration.folder / "go-on"
    process = embark("migrate", env={"DATABASE_URL": db.url},
                     config=f"[migrate]\ncommand = {migration(f'touch:{running}', f'until:{go_on}')}\n")
    eventually(running.exists, what="the migration")
    (pid, name, address, held), = db.sql(holder)
    assert name.startswith("embark:migrate ") and pid and held
    assert [lock[1] for lock in db.locks()] == [db.value(key)]
    go_on.touch()
    process.expect(0)
    assert db.sql(holder) == []


@pytest.fixture
def two_roles(db):
    """notes_owner, whose the database is, and notes_app, with URLs for both."""
    server = db.server
    server.sql("CREATE ROLE notes_owner LOGIN PASSWORD 'the owner''s'")
    server.sql("CREATE ROLE notes_app LOGIN PASSWORD 'the app''s'")
    server.sql("CREATE DATABASE notes OWNER notes_owner")
    yield {role: db.url_as(user=f"notes_{role}", password=f"the {role}'s", name="notes") for role in ("owner", "app")}
    server.sql("DROP DATABASE notes WITH (FORCE)")
    server.sql("DROP ROLE notes_owner, notes_app")


def test_example_of_two_roles(embark, folder, two_roles):
    """The service can use what the other role has made, and can't change it."""
    config, = [text for _, kinds, text in EXAMPLES if kinds == ["roles", "config"]]
    grants, = [text for _, kinds, text in EXAMPLES if kinds == ["roles", "sql"]]
    (folder / "migrations").mkdir()
    (folder / "migrations/001_grants.sql").write_text(grants)
    (folder / "migrations/002_notes.sql").write_text("CREATE TABLE notes (id serial, text text);\n")
    (folder / "embark.ini").write_text(config)
    environment = {"DATABASE_URL": two_roles["app"], "OWNER_URL": two_roles["owner"]}
    for _ in range(2):
        embark.run("echo", "served", cwd=folder, env=environment).expect(0)
    (folder / "good.sql").write_text("INSERT INTO notes (text) VALUES ('by the service');\n")
    (folder / "bad.sql").write_text("DROP TABLE notes;\n")
    as_service = {"DATABASE_URL": two_roles["app"], "EMBARK_CONFIG": "/dev/null"}
    embark.run("sql", "good.sql", cwd=folder, env=as_service).expect(0)
    embark.run("sql", "bad.sql", cwd=folder, env=as_service).expect(65, "must be owner of table notes")
    # a replica that is not given the owner's login
    (folder / "embark.ini").write_text(config.replace("${OWNER_URL}", "${OWNER_URL:-}"))
    embark.run("echo", "served", cwd=folder, env={"DATABASE_URL": two_roles["app"], "EMBARK_SKIP": "migrate"}).expect(0)


@pytest.mark.parametrize("where, text", [(where, text) for where, kinds, text in EXAMPLES if kinds[0] in ("healthcheck", "kubernetes")])
def test_commands_of_yaml(embark, where, text):
    """Each is a command of embark's, with options that it has."""
    found = [json.loads(words) for words in re.findall(r"(?:command|test): (\[[^\]]*\])", text)]
    assert found or "kind: Deployment" in text, where
    for words in found:
        words = words[1:] if words[0] == "CMD" else words
        assert words[0] == "/embark" and words[1] in commands(embark), words
        help_text = embark.run("help", words[1]).expect(0).stdout
        for option in (word for word in words[2:] if word.startswith("-")):
            assert re.search(rf"^  {option} ", help_text, re.M), option


# --- README's numbers and commands

def test_readme_is_for_five_minutes():
    assert len(README.read_text().splitlines()) <= 120


def test_what_readme_says_of_failures_was_seen():
    """Its table quotes what the tests in Docker have seen."""
    seen = (TOP / "doc/before-after.md").read_text()
    table = README.read_text().split("## What you see")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.*) \| (.*) \|$", table, re.M)[2:]
    assert len(rows) == len(re.findall(r"^## ", seen, re.M)) == 6
    for row in rows:
        for quoted in re.findall(r"`([^`]+)`", " ".join(row)):
            assert quoted in seen, quoted


def test_readme_names_targets_that_there_are():
    makefile = (TOP / "Makefile").read_text()
    for path in (README, TOP / "doc/building.md"):
        for target in re.findall(r"(?:^    |`)make ([a-z]+(?:-[a-z]+)*)\b", path.read_text(), re.M):
            assert re.search(rf"^{target}(?: \S+)*:", makefile, re.M), target


@pytest.mark.parametrize("path", [*DOCUMENTS.values(), *PAGES.values(), TOP / "Dockerfile.example"], ids=lambda path: path.name)
def test_files_that_are_named_exist(path):
    for name in re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)|(?:src|srcset)=\"([^\"]+)\"", path.read_text()):
        assert (path.parent / "".join(name)).exists(), name


def test_dockerfile_of_the_readme_is_short():
    text, = [text for where, kinds, text in EXAMPLES if kinds == ["dockerfile"] and where.startswith("README")]
    assert len(text.splitlines()) <= 10
