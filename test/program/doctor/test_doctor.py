"""`embark doctor`: its screens against golden files, its document against its schema, and that it changes nothing."""

import hashlib
import json
import os
import pty
import re
import socket
import stat
import subprocess

import jsonschema
import pytest

from conftest import TOP
from support import apps, postgres, screen
from support.image import write
from support.net import Backlog, NameServer
from support.waiting import eventually

SCHEMA = json.loads((TOP / "doc/doctor.schema.json").read_text())
PYTHON = "/usr/bin/python3"
INI = f"""[require]
module = python: alembic.config, psycopg2
file = alembic.ini
dir = alembic/versions
[image]
build = ${{file:BUILD}}
expect = ${{EXPECTED_BUILD:-}}
[migrate]
command = {PYTHON} -m alembic upgrade head
lock = notes
[service]
command = {PYTHON} -m http.server 8000
"""
API = "https://api.example.com"


class App(apps.Alembic):
    """A service with two migrations, as an image has it, in the folder app."""

    def __init__(self, folder, embark):
        super().__init__(folder, embark, None, "app")
        (self.folder / "migrations").rename(self.folder / "alembic")
        self.versions = self.folder / "alembic" / "versions"
        ini = self.folder / "alembic.ini"
        ini.write_text(ini.read_text().replace("migrations", "alembic"))
        self.add("0001_notes", "CREATE TABLE notes (id int PRIMARY KEY)")
        self.add("0002_title", "ALTER TABLE notes ADD title text")
        write(self.folder / "BUILD", "2f6c1ab\n")
        self.configure(INI)

    def configure(self, text):
        write(self.folder / "embark.ini", text)

    def run(self, *words, url=None, env=None, timeout=60, patience="30s", **how):
        """`patience`: on a crowded machine a look may take a while."""
        env = {"DATABASE_URL": url, "PYTHONDONTWRITEBYTECODE": "1", "EMBARK_DATABASE_CONNECT_TIMEOUT": patience, **(env or {})}
        return self.embark.run(*words, cwd=self.folder, env=env, timeout=timeout, **how)

    def migrate(self, url):
        self.run("migrate", url=url).expect(0)
        return self

    def doctor(self, code, *words, **how):
        """Its screen. Nothing is on stderr."""
        process = self.run("doctor", *words, **how).expect(code)
        assert process.stderr == "", process.describe()
        return process.stdout

    def document(self, code, *words, **how):
        """Its document, which has the schema's form."""
        document = json.loads(self.doctor(code, "--json", *words, **how))
        jsonschema.validate(document, SCHEMA)
        assert document["code"] == code
        return document

    def screen(self, name, code, *words, url=None, port=None, more=(), **how):
        """The screen by its golden file; the document tells the same."""
        text = self.doctor(code, *words, url=url, **how)
        more = [*more, *([(rf"\b{port}\b", "5432")] if port else [])]
        shown = screen.compare(name, text, more)
        document = self.document(code, *words, url=url, **how)
        bad = [row for row in shown.rows if row.mark == "✗"]
        assert len([look for look in document["looks"] if look["mark"] == "bad"]) == len(bad)
        assert shown.mark == ("✗" if code else "!" if any(row.mark == "!" for row in shown.rows) else "✓")
        assert not code or f"exit code {code}:" in shown.verdict
        # the screen's end says what to do about it
        cause = document["cause"]
        assert (cause is None) == (code == 0) and (not cause or cause in document["looks"] and cause["code"] == code)
        assert len(shown.cause) == (2 if code else 0) and (not code or shown.cause[0].startswith(f"{cause['section']}, {cause['key']}: "))
        return shown


@pytest.fixture
def app(folder, embark):
    return App(folder, embark)


@pytest.fixture
def notes(server, embark):
    """A database with names that are the same in every run."""
    database = postgres.Database(server, "notes", "notes_app", "Pw-of-notes")
    database.drop()
    database.create()
    embark.secrets.append(database.password)
    yield database
    embark.end()
    database.drop()


# --- the screens

def test_all_is_well(app, notes):
    app.migrate(notes.url)
    shown = app.screen("well", 0, url=notes.url, port=notes.server.port, env={"EXPECTED_BUILD": "2f6c1ab"})
    assert shown.mark == "✓"


def test_alembic_is_missing(app, notes, folder):
    """As in a stale image: the interpreter is there without it, and the folder of migrations has its name."""
    venv = folder / "venv"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", venv], check=True)
    app.configure(INI.replace(PYTHON, f"{venv}/bin/python3"))
    app.screen("alembic-missing", 72, url=notes.url, port=notes.server.port)


def test_role_is_missing(app, server):
    url = f"postgresql://notes_app:never-made@127.0.0.1:{server.port}/notes"
    app.embark.secrets.append("never-made")
    app.screen("role-missing", 77, url=url, port=server.port)


def test_image_is_stale(app, notes):
    """It was built from another commit than is expected, and the database knows migrations that it lacks."""
    app.add("0003_colour", "ALTER TABLE notes ADD colour text")
    app.migrate(notes.url)
    app.drop("0003_colour")
    app.screen("image-stale", 73, url=notes.url, port=notes.server.port, env={"EXPECTED_BUILD": "9e0f3d2"})


def test_migration_runs_elsewhere(app, notes):
    app.add("0003_slow", "DO $$ BEGIN PERFORM pg_advisory_lock(4711); END $$")
    holder = notes.connect()
    holder.cursor().execute("SELECT pg_advisory_lock(4711)")
    other = app.embark("migrate", cwd=app.folder, env={"DATABASE_URL": notes.url, "PYTHONDONTWRITEBYTECODE": "1"})
    eventually(lambda: notes.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == 1,
               what="the migration", timeout=30)
    app.screen("migration-elsewhere", 0, url=notes.url, port=notes.server.port)
    holder.close()
    other.expect(0)


def test_bundle_is_wrong(app, notes):
    app.migrate(notes.url)
    write(app.folder / "dist" / "index.js", 'const api="http://localhost:3000";fetch(`${api}/items`);fetch("https://cdn.example.com/x");\n')
    app.configure(INI + "[bundle]\ndir = dist\ninlined = VITE_API_URL\nforbid = localhost:3000\n")
    app.screen("bundle-wrong", 73, url=notes.url, port=notes.server.port, env={"VITE_API_URL": API})


# --- the database can't be reached: for these reasons

URL = "postgresql://notes_app:Pw-of-notes@{}/notes"


def test_database_refuses(app, refused_port):
    app.screen("database-refused", 69, url=URL.format(f"127.0.0.1:{refused_port}"), port=refused_port)


def test_database_has_an_unknown_name(app, namespace):
    inside = namespace()
    server = NameServer(inside.socket(socket.SOCK_DGRAM, ("127.0.0.1", 53)))
    try:
        app.screen("database-unknown-name", 69, url=URL.format("db:5432"), prefix=inside.prefix(app.folder))
    finally:
        server.close()


def test_database_swallows_everything(app, listener):
    """A port that accepts and says nothing, and one that doesn't even accept; the look has an end."""
    silent, full = listener(), Backlog()
    app.configure(INI + "[database]\nconnect_timeout = 1s\n")
    try:
        url = URL.format(f"127.0.0.1:{silent.port}")
        app.screen("database-silent", 69, url=url, port=silent.port, patience=None)
        app.screen("database-black-hole", 69, url=URL.format(f"127.0.0.1:{full.port}"), port=full.port, patience=None)
    finally:
        full.close()


def test_database_refuses_the_password(app, notes):
    app.screen("database-password", 77, url=notes.url_as(password="not-the-one"), port=notes.server.port)


def test_database_has_a_certificate_for_another_host(app, tls_server, certificates, embark):
    server = tls_server("wrong_host")
    database = postgres.Database(server, "notes", "notes_app", "Pw-of-notes")
    database.drop()
    database.create()
    try:
        url = database.url_as(host="localhost", query=f"hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert={certificates.ca}")
        app.screen("database-certificate", 77, url=url, port=server.port)
    finally:
        embark.end()
        database.drop()


def test_database_starts_up(app, own_server):
    primary = own_server().start()
    standby = postgres.standby_of(primary)
    standby.launch(hot_standby="off")
    eventually(lambda: "consistent recovery state reached" in standby.log_text(), what="a server that goes on starting up")
    app.screen("database-starting", 69, url=URL.format(f"127.0.0.1:{standby.port}"), port=standby.port)


def test_database_is_a_standby(app, pair, embark):
    primary, standby = pair
    database = postgres.Database(primary, "notes", "notes_app", "Pw-of-notes")
    database.create()
    eventually(lambda: standby.sql("SELECT 1 FROM pg_database WHERE datname = 'notes'"), what="replication")
    try:
        app.screen("database-standby", 69, url=database.url_as(port=standby.port), port=standby.port)
    finally:
        embark.end()
        database.drop()


# --- what a start would not get to

def test_no_configuration_and_no_database(app):
    """What is inferred is looked at, and doesn't count."""
    (app.folder / "embark.ini").unlink()
    shown = app.screen("nothing", 0, "--", PYTHON, "-m", "http.server")
    assert shown.find("requirements", "inferred")
    (app.folder / "alembic.ini").write_text("[alembic]\nscript_location = elsewhere\n")
    document = app.document(0, "--", PYTHON, "-m", "no_such_module")
    assert {"alembic.ini", "the command"} <= set(document["configuration"]["inferred_from"])
    assert [look for look in document["looks"] if look["section"] == "requirements" and look["mark"] == "warning"]
    assert document["configuration"]["file"] is None


def test_mistakes_of_the_configuration(app, notes):
    """They are listed, and all that could be read is looked at all the same."""
    app.configure("[migrate]\nlock_timout = 1m\n[database]\ntimeout = soon\n[require]\nfile = alembic.ini\n")
    shown = app.screen("mistakes", 78, url=notes.url, port=notes.server.port)
    assert len(shown.find("configuration", mark="✗")) == 2
    assert shown.find("requirements", "file", "✓") and shown.find("database", mark="✓")


@pytest.mark.parametrize("mode", [0o000, None])
def test_configuration_that_can_not_be_read(app, mode):
    if mode is None:
        (app.folder / "embark.ini").unlink()
        (app.folder / "embark.ini").mkdir()
    else:
        (app.folder / "embark.ini").chmod(mode)
    document = app.document(78, user="nobody")
    assert [look for look in document["looks"] if look["code"] == 78 and "embark.ini: " in look["text"]]


def test_configuration_that_is_named_and_missing(app):
    document = app.document(78, env={"EMBARK_CONFIG": "/nowhere/embark.ini"})
    assert "/nowhere/embark.ini: No such file" in str(document["looks"])


def test_what_only_shows_when_values_are_put_together(app):
    app.configure("[migrate]\ncommand = true\nsql = migrations\n")
    document = app.document(78)
    texts = [look["text"] for look in document["looks"] if look["section"] == "configuration" and look["mark"] == "bad"]
    assert any("exclude each other" in text for text in texts) and any("no database is configured" in text for text in texts)


def test_steps_that_are_left_out_do_not_count(app, refused_port):
    url = URL.format(f"127.0.0.1:{refused_port}")
    app.configure("[require]\nfile = no-such-file\n[wait]\nunix = /nowhere.sock\n")
    app.document(72, url=url)
    document = app.document(69, url=url, env={"EMBARK_SKIP": "check"})
    assert not [look for look in document["looks"] if look["section"] == "requirements"]
    document = app.document(0, url=url, env={"EMBARK_SKIP": "check,wait"})
    assert [look["mark"] for look in document["looks"] if look["section"] == "wait"] == ["warning"]
    assert set(document["configuration"]["skip"]) == {"wait", "check"}


def test_code_is_that_of_the_first_step_that_fails(app, refused_port):
    """The same as a start's, whatever else fails later on."""
    broken = {"requirement": ("[require]\nfile = no-such-file\n[image]\nbuild = 1\nexpect = 2\n", 72),
              "image": ("[image]\nbuild = 1\nexpect = 2\n", 73),
              "service": ("[service]\ncommand = no-such-command\n", 127),
              "wait": ("[wait]\ntimeout = 0s\nfile = /nowhere\n[database]\ntimeout = 0s\n", 69)}
    for text, code in broken.values():
        app.configure(text)
        words = [] if "[service]" in text else ["true"]
        url = URL.format(f"127.0.0.1:{refused_port}")
        app.run("run", *words, url=url).expect(code)
        app.document(code, *words, url=url)


def test_others_are_tried_once(app, listener, refused_port):
    one = listener()
    write(app.folder / "ready")
    app.configure(f"[wait]\ntcp = 127.0.0.1:{one.port}\ntcp = 127.0.0.1:{refused_port}\nfile = ready\nhttp = http://127.0.0.1:{one.port}/x?token=abcdef\n"
                  "[database]\nconnect_timeout = 1s\n")
    text = app.doctor(69, patience=None)
    rows = screen.Screen(text).find("wait")
    assert [(row.key, row.mark) for row in rows] == [("tcp", "✓"), ("", "✗"), ("http", "✗"), ("file", "✓")], text
    assert "refuses connections (embark.ini:3)" in rows[1].text and rows[2].hint    # of both
    assert "abcdef" not in text.partition("\nwait\n")[2]


# --- values of the configuration

def test_values_and_where_they_come_from(app, notes):
    secret = "Other-secret"
    write(app.folder / "password", secret)
    app.embark.secrets.append(secret)
    app.configure(f"[database]\ntimeout = 7s\ndirect_url = {notes.url_as(query='application_name=x')}\n[bootstrap]\npassword = ${{file:password}}\n"
                  "[wait]\nfile = embark.ini\nfile = /\n")
    env = {"EMBARK_MIGRATE_LOCK": "other"}
    document = app.document(0, url=notes.url, env=env)
    values = {(value["section"], value["key"]): (value["value"], value["origin"]) for value in document["configuration"]["values"]}
    port = notes.server.port
    assert values["database", "url"] == (f"postgresql://notes_app@127.0.0.1:{port}/notes", "$DATABASE_URL")
    assert values["database", "direct_url"][0].startswith(f"postgresql://notes_app@127.0.0.1:{port}/notes?")
    assert values["database", "timeout"] == ("7 s", "embark.ini:2")
    assert values["bootstrap", "password"] == ("****", "embark.ini:5")
    assert values["migrate", "lock"] == ("other", "$EMBARK_MIGRATE_LOCK")
    assert values["migrate", "lock_timeout"] == ("10 min", None)
    assert values["wait", "file"] == ("embark.ini, /", "embark.ini:7")
    keys = set(re.findall(r'^\s+X\((\w+), (\w+), \w+, "', (TOP / "include/embark/core/config/keys.h").read_text(), re.M))
    assert set(values) == keys
    # on the screen: what isn't the default, or all
    rows = {row.key: row.text for row in screen.Screen(app.doctor(0, url=notes.url, env=env)).find("configuration")}
    assert rows["database.timeout"] == "7 s (embark.ini:2)" and "migrate.lock_timeout" not in rows
    assert re.match(r"\d+ keys have their defaults", rows["others"])
    rows = {row.key: row.text for row in screen.Screen(app.doctor(0, "--all", url=notes.url, env=env)).find("configuration")}
    assert rows["migrate.lock_timeout"] == "10 min (default)" and rows["image.build"] == "not set (default)"
    assert {f"{section}.{key}" for section, key in keys} <= set(rows)


# --- it changes nothing, and needs nothing

def tree(folder):
    """Everything about the files below, but when they were read."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        s = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(s.st_mode) else None
        found[path] = (s.st_mode, s.st_uid, s.st_gid, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino, content)
    return found


def settled(server):
    """The WAL's place, once nothing moves it: background processes have done what they do after the last change."""
    before = []

    def still():
        before.append(server.value("SELECT pg_current_wal_insert_lsn()::text"))
        return len(before) > 20 and len(set(before[-20:])) == 1

    eventually(still, 30, "an idle server", gap=0.02)
    return before[-1]


def test_changes_nothing(app, own_server):
    """Neither in the database's log of changes nor in the files: with everything applied, with something pending, and where
    there is no ledger yet."""
    # without what writes to the WAL by itself from time to time
    server = own_server(conf={"wal_level": "minimal", "max_wal_senders": "0", "checkpoint_timeout": "1h", "bgwriter_lru_maxpages": "0"})
    db = server.start().database("notes", "notes_app", "Pw-of-notes")
    app.configure(INI.replace("psycopg2\n", "psycopg2\nimport = python: alembic.config, env\n") + "[bundle]\ndir = alembic\n")
    write(app.folder / "env.py", "x = 1\n")
    server.sql("CHECKPOINT")

    def nothing_changes(code=0):
        app.document(code, url=db.url, env={"PYTHONDONTWRITEBYTECODE": None})   # hint bits of the catalogs are set by the first reader
        files, place = tree(app.folder), settled(server)
        app.doctor(code, url=db.url, env={"PYTHONDONTWRITEBYTECODE": None})
        assert settled(server) == place
        assert tree(app.folder) == files

    nothing_changes()
    app.migrate(db.url)
    nothing_changes()
    app.add("0003_colour", "ALTER TABLE notes ADD colour text")
    nothing_changes()
    assert server.value("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'embark%%'") == 0


def test_any_user_in_a_read_only_container(app, notes, folder):
    """A bind mount of the folder that can't be written, /tmp too, as a user without a name."""
    app.migrate(notes.url)
    script = ('mount --make-rprivate / && mount -o bind,ro "$1" "$1" && mount -t tmpfs -o ro tmpfs /dev/shm && cd "$1"'
              ' && shift && exec setpriv --reuid=4242 --regid=4242 --clear-groups -- "$@"')
    process = app.embark.run(argv=["unshare", "--mount", "sh", "-c", script, "sh", str(app.folder), app.embark.binary, "doctor", "--json"],
                             env={"DATABASE_URL": notes.url}, cwd=app.folder).expect(0)
    document = json.loads(process.stdout)
    jsonschema.validate(document, SCHEMA)
    assert [look["text"] for look in document["looks"] if look["key"] == "user"] == [f"4242:4242 in {app.folder}"]


def test_title_is_no_start_s(app, listener):
    """The healthcheck takes a title embark:PHASE for a start."""
    silent = listener()
    app.configure("[database]\nconnect_timeout = 30s\n")
    process = app.embark("doctor", cwd=app.folder, env={"DATABASE_URL": URL.format(f"127.0.0.1:{silent.port}")})
    eventually(lambda: silent.accepted, what="the try")
    with open(f"/proc/{process.pid}/comm") as f:
        assert f.read() == "embark\n"
    process.signal(15)
    process.expect(143)
    assert process.stdout == ""


# --- the output

def on_terminal(app, **env):
    """What a terminal gets."""
    master, slave = pty.openpty()
    try:
        process = app.embark("doctor", cwd=app.folder, env=env, stdout=slave)
        os.close(slave)
        text = b""
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError:     # EIO: nobody has the other end
                break
            if not chunk:
                break
            text += chunk
        process.wait()
        return text.decode()
    finally:
        os.close(master)


def test_colours_on_a_terminal_only(app):
    (app.folder / "alembic.ini").unlink()
    coloured = on_terminal(app)
    assert "\033[31m✗\033[0m" in coloured and "\033[1mrequirements\033[0m" in coloured
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\033" not in on_terminal(app, **env)
    assert "\033[31m" in on_terminal(app, NO_COLOR="")
    plain = app.doctor(78, patience=None)
    assert re.sub(r"\033\[\d+m", "", coloured).replace("\r\n", "\n") == plain


def test_output_that_nobody_takes(app):
    with open("/dev/full", "wb") as full:
        app.embark("doctor", cwd=app.folder, stdout=full).expect(71)
        app.embark("doctor", "--json", cwd=app.folder, stdout=full).expect(71)


def test_hostile_names(app):
    """Bytes that are no text are escaped, in the screen and in the document."""
    name = b"a\xff\x1b[31m\nb"
    (app.folder / os.fsdecode(name)).write_text("")
    app.configure("[require]\nfile = ${NAME}\n")
    document = app.document(0, env={"NAME": os.fsdecode(name)})
    assert [look["text"] for look in document["looks"] if look["key"] == "file" and look["section"] == "requirements"] == [r"a\xff\x1b[31m\nb"]
    assert "\033" not in app.doctor(0, env={"NAME": os.fsdecode(name)})


def test_usage(app):
    app.run("doctor", "--no-such").expect(64, "unknown option --no-such")
    assert "doctor" in app.run("help", "doctor").expect(0).stdout


def test_debug_is_logged(app):
    process = app.run("doctor", env={"EMBARK_LOG_LEVEL": "debug"}).expect(78)
    assert "embark: require: module" in process.stderr


# --- the checked-in screens

SCREENS = """well alembic-missing role-missing image-stale migration-elsewhere bundle-wrong nothing mistakes database-refused
    database-unknown-name database-silent database-black-hole database-password database-certificate database-starting
    database-standby""".split()


@pytest.mark.parametrize("name", SCREENS)
def test_golden_screen_is_one_screen(name):
    """80 columns, and every failure with a hint (that of several rows stands below the last of them)."""
    text = (screen.GOLDEN / f"doctor-{name}.txt").read_text()
    rows = screen.Screen(text).rows
    lines = text.splitlines()
    for line in lines:
        assert len(line) <= 80 or max(map(len, line.split())) > 60, line
    end = next(i for i, line in enumerate(lines) if line[0] in "✓!✗")
    assert end <= 58 and len(lines) - end <= 8      # the end says again what matters, as the screen's top may be gone
    for row, after in zip(rows, [*rows[1:], None]):
        assert row.mark != "✗" or row.hint or (after and after.mark == "✗" and after.section == row.section)


def test_golden_screens_are_all_made_by_a_test():
    assert {path.name for path in screen.GOLDEN.iterdir()} == {f"doctor-{name}.txt" for name in SCREENS}
