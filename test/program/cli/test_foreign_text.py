"""Text of others at every border: whatever it holds, no terminal obeys it, and it makes no line that looks like embark's."""

import json
import os
import re

import pytest

from support.terminal import Screen

# Colours, a title, a bell, a line of its own, a return, what reorders text (an override, marks, isolates), C1, line separators, no UTF-8 (a lone
# byte, a surrogate, too long a form, one cut short).
FORGED = b"\nembark: ready in 1 ms: forged"
REORDER = "".join(map(chr, [0x202E, 0x200E, 0x200F, 0x061C, 0x2066, 0x2028, 0x2029, 0x85, 0x9B])).encode()
NO_UTF8 = b"\xff\xed\xa0\x80\xc0\x8a\xe2\x80"
HOSTILE = b"\x1b[31mred\x1b]0;title\x07" + FORGED + b"\rback\x08\x7f" + REORDER + NO_UTF8
# What a server takes as text.
TEXT = (b"\x1b[31mred\x1b]0;title\x07" + FORGED + b"\rback\x08\x7f" + REORDER).decode()


def assert_clean(*outputs):
    """But for colours, which only a migration's output may have, and which end with the line."""
    for raw in outputs:
        text = raw.decode("utf-8")  # all of it is UTF-8
        for line in text.splitlines():
            assert "\x1b" not in line or line.rindex("\x1b") == line.rindex("\x1b[0m"), repr(line)
        text = re.sub(r"\x1b\[[0-9;]*m", "", text)
        for c in text:
            code = ord(c)
            assert c in "\n\t" or not (code < 0x20 or 0x7F <= code <= 0x9F or code in (0x61C, 0x200E, 0x200F) or 0x2028 <= code <= 0x202E
                                       or 0x2066 <= code <= 0x2069), repr(text)[:3000]
        assert not any(line.startswith("embark: ready in 1 ms") for line in text.splitlines()), text


def said(process, colours=False):
    process.wait(60)
    assert_clean(process.out.raw, process.err.raw)
    assert colours or b"\x1b" not in process.out.raw + process.err.raw
    return process


def place(folder, *names):
    path = os.path.join(os.fsencode(folder), *names)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


# A name of a file: without "/", and not too long.
NAME = HOSTILE.replace(b"/", b"")


# --- the command line, the configuration, the environment

@pytest.mark.parametrize("words", [
    [HOSTILE], [b"--" + HOSTILE], [b"--" + HOSTILE, b"true"], [b"--config", HOSTILE, b"true"], [b"--", HOSTILE], [b"help", HOSTILE],
    [b"check", b"--" + HOSTILE], [b"check", b"--sql", HOSTILE], [b"check", b"--write", b"--", HOSTILE], [b"check", b"--json", b"--", HOSTILE],
    [b"check", b"--", HOSTILE], [b"doctor", b"--", HOSTILE], [b"doctor", b"--json", b"--", HOSTILE], [b"sql", HOSTILE],
    [b"sql", b"-v", HOSTILE], [b"sql", b"-v", b"a=" + HOSTILE, b"/nowhere"], [b"sql", b"--" + HOSTILE], [b"migrate", HOSTILE],
    [b"health", HOSTILE], [b"run", b"--" + HOSTILE], [b"wait", HOSTILE], [b"version", HOSTILE], [b"sh\x1b", b"-c", HOSTILE],
    [b"/bin/sh", b"-c", b":", HOSTILE]])
def test_words(embark, words):
    said(embark(argv=[embark.binary, *words]))


def keys():
    """Every key of the configuration, by embark help config."""
    return ["database url", "database direct_url", "database timeout", "database user", "database password", "wait tcp", "wait http", "wait unix", "wait file",
            "require module", "require import", "require manifest", "require command", "require file", "require dir", "require writable",
            "require env", "image build", "image expect", "bundle dir", "bundle inlined", "bundle forbid", "bootstrap url",
            "bootstrap database", "bootstrap sql", "bootstrap var", "bootstrap when", "migrate command", "migrate sql", "migrate files",
            "migrate lock", "migrate lock_timeout", "migrate ledger", "migrate env", "migrate set", "migrate on_newer_database",
            "service command", "service init", "service user", "service remap_exit", "service remap_signal", "health http", "health tcp",
            "log format", "log level"]


@pytest.mark.parametrize("key", keys())
@pytest.mark.parametrize("way", ["file", "environment", "expanded"])
def test_values(embark, db, folder, key, way):
    """Also where a value is good enough to be worked with: a name behind what a key wants."""
    section, name = key.split()
    value = {"module": b"python: ", "import": b"python: ", "tcp": b"127.0.0.1:1", "http": b"http://127.0.0.1:1/", "url": os.fsencode(db.url) + b"?x=",
             "direct_url": b"postgresql://u:p@127.0.0.1:1/"}.get(name, b"") + HOSTILE
    env = {"DATABASE_URL": db.url, "EMBARK_WAIT_TIMEOUT": "100ms", "EMBARK_DATABASE_TIMEOUT": "300ms"}
    config = b""
    if way == "file":
        config = b"[%s]\n%s = %s\n" % (section.encode(), name.encode(), value.replace(b"\n", b"").replace(b"\x1b]0;", b""))
    elif way == "environment":
        env[f"EMBARK_{section.upper()}_{name.upper()}"] = value
    else:
        (folder / "value").write_bytes(value)
        (folder / "value").chmod(0o600)
        config = b"[%s]\n%s = ${file:%s/value}\n" % (section.encode(), name.encode(), os.fsencode(folder))
    if name == "timeout":
        env.pop("EMBARK_DATABASE_TIMEOUT")
    for words in (["migrate"], ["check", "--json"], ["doctor"], ["doctor", "--json"]) if way != "environment" else (["migrate"], ["doctor", "--all"]):
        said(embark(*words, env=env, config=config))


@pytest.mark.parametrize("name", ["DATABASE_URL", "PGHOST", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGOPTIONS", "PGSSLMODE", "PGSERVICE", "PGPASSFILE",
                                  "EMBARK_SKIP", "EMBARK_LOG", "EMBARK_STATE", "EMBARK_CONFIG", "EMBARK_NO_SUCH", "DATABASE_URL_FILE", "PATH",
                                  "HOSTNAME", "TERM", "NO_PROXY"])
def test_variables(embark, db, name):
    env = {} if name == "DATABASE_URL" else {"PGHOST": db.server.host, "PGPORT": str(db.server.port), "PGUSER": db.role, "PGDATABASE": db.name}
    env.update({"EMBARK_DATABASE_TIMEOUT": "300ms", name: HOSTILE})
    for words in (["true"], ["doctor", "--all"], ["health"]):
        said(embark(*words, env=env))


# --- files

def test_names_of_files(embark, db, folder):
    """In a bundle, beside what is missing, of migrations, of included files."""
    with open(place(folder, b"dist", NAME + b".js"), "w") as file:
        file.write("localhost:3000")
    with open(place(folder, b"sql", b"1_" + NAME + b".sql"), "w") as file:
        file.write("SELECT :unset;\nSELEC 1;\n")
    config = (f"[bundle]\ndir = {folder}/dist\nforbid = localhost:3000\n[require]\nfile = {folder}/sql/1_x.sql\n"
              f"[migrate]\nsql = {folder}/sql\n")
    for words in (["check"], ["check", "--json"], ["doctor"], ["doctor", "--json"], ["migrate"], ["migrate", "--dry-run"], ["migrate", "--status"]):
        said(embark(*words, env={"DATABASE_URL": db.url}, config=config))
        said(embark(*words, env={"DATABASE_URL": db.url, "EMBARK_SKIP": "check"}, config=config))


def test_contents_of_programs(embark, folder):
    """A script's interpreter, a library that is missing, a loader."""
    for content in (b"#!/nowhere/" + HOSTILE.replace(b"\n", b"") + b"\n", b"#!" + HOSTILE, HOSTILE, b"\x7fELF" + HOSTILE):
        path = folder / "program"
        path.write_bytes(content)
        path.chmod(0o755)
        for words in (["--", str(path)], ["doctor", "--", str(path)]):
            said(embark(*words))


@pytest.mark.parametrize("name, content", [
    ("requirements.txt", HOSTILE), ("requirements.txt", b"name" + HOSTILE.replace(b"\n", b"") + b"\n"), ("requirements.txt", b"-r " + HOSTILE),
    ("package.json", json.dumps({"dependencies": {TEXT: TEXT, "../" + TEXT: "1"}, "name": TEXT, "engines": {"node": TEXT}}).encode()),
    ("package.json", HOSTILE), ("pyproject.toml", b"[project]\ndependencies = [\"" + HOSTILE + b"\"]\n")])
def test_manifests(embark, folder, name, content):
    (folder / name).write_bytes(content)
    for words in (["check"], ["check", "--json"], ["check", "--write"], ["doctor"]):
        said(embark(*words, config=None if "--write" in words else f"[require]\nmanifest = {name}\n"))


def test_what_is_inferred_is_a_configuration(embark, folder):
    """A file's text makes no key of its own in what is written."""
    (folder / "Gemfile").write_bytes(b"gem 'good'\ngem '" + HOSTILE + b"'\ngem 'a${file:/etc/shadow}'\ngem 'b, c'\ngem 'x\x1b'\n")
    (folder / "alembic.ini").write_bytes(b"script_location = x\x1b[31m\n")
    process = said(embark("check", "--write", "--", "tool", "--password", "Zq-Written-1"))
    assert "module = ruby: good\n" in process.stdout and "Zq-Written-1" not in process.stdout and "file:" not in process.stdout
    assert "it holds a secret" in process.stdout


def test_modules_with_names_of_others(embark, folder):
    """A module's place, a package's version, what an import says."""
    site = folder / os.fsdecode(b"site\x1b[31m\r")
    (site / "broken").mkdir(parents=True)
    (site / "broken" / "__init__.py").write_bytes(b"raise ImportError('" + TEXT.encode().replace(b"\n", b"\\n").replace(b"\r", b"\\r") + b"')\n")
    (folder / "node_modules" / "pkg").mkdir(parents=True)
    (folder / "node_modules" / "pkg" / "package.json").write_text(json.dumps({"version": TEXT, "main": TEXT, "name": TEXT}))
    config = "[require]\nimport = python: broken\nmodule = python: broken.sub\nmodule = node: pkg\n[service]\ncommand = python3 x.py\n"
    for words in (["check"], ["check", "--json"], ["doctor"]):
        said(embark(*words, env={"PYTHONPATH": str(site)}, config=config))


def test_the_last_start(embark, folder):
    """Its report's folder may be one that others write to."""
    state = folder / "state"
    state.mkdir()
    said(embark("true", env={"EMBARK_STATE": str(state)}))
    report = (state / os.listdir(state)[0]).read_bytes()
    head, _, log = report.partition(b"\n\n")
    forged = b"\n".join(line + b"\x1b[31m\xff" if line.startswith((b"version", b"steps", b"end")) else line for line in head.split(b"\n"))
    forged = forged.replace(b"log: %d" % len(log), b"log: %d" % len(HOSTILE)) + b"\n\n" + HOSTILE
    (state / os.listdir(state)[0]).write_bytes(forged)
    for words in (["doctor", "--all"], ["doctor", "--json"], ["health"]):
        process = said(embark(*words, env={"EMBARK_STATE": str(state)}))
    assert b"red" not in process.out.raw or b"\\x1b[31m" in process.out.raw


# --- the server

@pytest.fixture
def hostile_names(server, embark):
    """A database and a role whose names are hostile."""
    database = server.database(name=TEXT.replace("\n", "")[:30], role="r" + TEXT[:12])
    embark.secrets.append(database.password)
    yield database
    embark.end()
    database.drop()


def test_names_in_the_server(embark, hostile_names, folder):
    db = hostile_names
    db.sql(f'CREATE SCHEMA "{TEXT[:20]}"')
    (folder / "m").mkdir()
    (folder / "m" / "1.sql").write_text("SELECT 1;\n")
    for how in ({}, {"EMBARK_DATABASE_URL": db.url_as(password="wrong")}, {"EMBARK_DATABASE_URL": db.url_as(name="n" + db.name)}):
        for words in (["migrate"], ["doctor"], ["doctor", "--json"], ["migrate", "--status"], ["health"]):
            said(embark(*words, env={"DATABASE_URL": db.url, "EMBARK_HEALTH_DATABASE": "yes", **how}, config=f"[migrate]\nsql = {folder}/m\n"))


NOTICE = "DO $$BEGIN RAISE NOTICE USING MESSAGE = {0}, DETAIL = {0}, HINT = {0}; RAISE WARNING USING MESSAGE = {0}; END$$;\n"
ERROR = "DO $$BEGIN RAISE EXCEPTION USING MESSAGE = {0}, DETAIL = {0}, HINT = {0}, TABLE = {0}, CONSTRAINT = {0}; END$$;\n"


def escaped(text):
    return "U&'" + "".join(c if c.isalnum() else f"\\{ord(c):04x}" for c in text) + "'"


@pytest.mark.parametrize("words", [["sql", "FILE"], ["migrate"], ["migrate", "--status"], ["doctor"], ["doctor", "--json"]])
@pytest.mark.parametrize("form", ["text", "json"])
def test_messages_of_the_server(embark, db, folder, words, form):
    """Of SQL that embark runs: notices, an error with all its fields."""
    (folder / "m").mkdir()
    file = folder / "m" / "1.sql"
    file.write_text((NOTICE + ERROR).format(escaped(TEXT)))
    config = f"[migrate]\nsql = {folder}/m\n"
    env = {"DATABASE_URL": db.url, "EMBARK_LOG_FORMAT": form}
    if words[0] != "sql":
        said(embark("migrate", env=env, config=config))
    said(embark(*[str(file) if word == "FILE" else word for word in words], env=env, config=config))


def test_rows_at_a_terminal(embark, db, folder):
    """They are data, and go into a pipe as they are; a terminal would obey them."""
    file = folder / "a.sql"
    file.write_text(f"SELECT {escaped(TEXT)} AS \"a\x1b[32m\";\n\\echo 'said\x1b[33m'\n\\echo end\n")
    process = embark.run("sql", file, env={"DATABASE_URL": db.url}).expect(0)
    assert TEXT.encode() in process.out.raw
    screen = Screen()
    process = embark("sql", file, env={"DATABASE_URL": db.url}, stdout=screen.child)
    screen.started()
    shown = screen.shows(r"(?s).*\nend").group()
    assert_clean(shown.replace("\r\n", "\n").replace("\nembark: ready", "\n").encode())
    assert "\\x1b[31mred" in shown and "said\\x1b[33m" in shown
    process.expect(0)
    screen.close()


# --- a migration's output

@pytest.mark.parametrize("way", ["whole", "bytes"])
def test_output_of_a_migration(embark, db, folder, way):
    """As it comes, and when the start after it tells of it. Lines, tabs and characters of several bytes stay, however they are cut into pieces."""
    writer = folder / "writer.py"
    writer.write_text("import sys\ndata = bytes.fromhex('%s')\nfor piece in ([data] if %r == 'whole' else [data[i:i+1] for i in range(len(data))]):\n"
                      "    sys.stdout.buffer.write(piece); sys.stdout.flush()\nsys.exit(1)\n"
                      % ((HOSTILE.replace(FORGED, b"") + "\nü€😀\ta line\r\nthe next\r\r\nend ü".encode() + b"\xe2\x82").hex(), way))
    env = {"DATABASE_URL": db.url}
    config = f"[migrate]\ncommand = python3 {writer}\nretry_after = 1h\n"
    process = said(embark("migrate", env=env, config=config), colours=True)
    assert "ü€😀\ta line\nthe next\\x0d\nend ü\\xe2\\x82\n" in process.stderr, repr(process.stderr)
    assert "\x1b[31mred\\x1b]0;title\\x07" in process.stderr and "\\xe2\\x80\x1b[0m\nü" in process.stderr
    for words in (["migrate"], ["migrate", "--status"], ["doctor"], ["doctor", "--json"]):
        said(embark(*words, env=env, config=config))


# --- HTTP

def test_answers_of_http(embark, listener):
    answer = b"HTTP/1.1 500 " + HOSTILE.replace(b"\n", b"") + b"\r\nLocation: http://x/" + HOSTILE.replace(b"\n", b"") + b"\r\nX: " + HOSTILE + b"\r\n\r\n" + HOSTILE
    for start in (answer, answer.replace(b" 500 ", b" 302 "), HOSTILE, answer.replace(b"\r", b"")):
        one = listener(start)
        env = {"EMBARK_WAIT_TIMEOUT": "500ms"}
        said(embark("wait", env=env, config=f"[wait]\nhttp = http://127.0.0.1:{one.port}/\n"))
        said(embark("health", env=env, config=f"[health]\nhttp = http://127.0.0.1:{one.port}/\n"))
