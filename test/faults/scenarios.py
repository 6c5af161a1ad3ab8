"""The starts in which system calls fail. Each is made so that one sentence says what must be true if it ends with 0."""

import http.server
import shutil
import socket
import sys
import threading
from pathlib import Path

import psycopg2

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "test" / "program"))
from support.process import PATH, PID_NAMESPACE  # noqa: E402

PYTHON = "/usr/bin/python3"


class Scenario:
    """`code`: how it ends when nothing fails; if that isn't 0, it must never be. `done(place)` says what is missing after an end with 0."""

    def __init__(self, name, words, config="", *, code=0, env=None, database=False, files=None, done=None, before=None, prefix=()):
        self.name, self.words, self.config, self.code = name, words, config, code
        self.env, self.database, self.files, self.done, self.before = env or {}, database, files or {}, done, before
        self.prefix = prefix


class Place:
    """A worker's own folder and, if it is asked for, database."""

    def __init__(self, folder, server, web):
        self.folder, self.server, self.web = folder, server, web
        self._db = None
        folder.mkdir()
        self.closed_port = closed_port()

    @property
    def db(self):
        if self._db is None:
            self._db = self.server().database()
            self.owner = self.server().connect(self._db.name)
        return self._db

    @property
    def mark(self):
        return self.folder / "mark"

    def marks(self):
        return self.mark.read_text().split() if self.mark.exists() else []

    def fill(self, text):
        if "@URL@" in text or "@ROOT@" in text or "@PGPORT@" in text:
            text = text.replace("@PGPORT@", str(self.db.server.port)).replace("@N@", self.folder.name).replace("@URL@", self.db.url).replace("@ROOT@", f"postgresql:///postgres?host={self.db.server.folder}&user=postgres"
                                                                     f"&port={self.db.server.port}")
        return (text.replace("@N@", self.folder.name).replace("@DIR@", str(self.folder)).replace("@WEB@", self.web.url).replace("@PORT@", str(self.closed_port))
                .replace("@WEBPORT@", str(self.web.server_port)))

    def prepare(self, scenario):
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        for name, text in scenario.files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.fill(text))
        if scenario.database:
            cursor = self.db and self.owner.cursor()
            cursor.execute(f'DROP OWNED BY "{self.db.role}" CASCADE; DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public AUTHORIZATION "{self.db.role}"')
        (self.folder / "embark.ini").write_text(self.fill(scenario.config))
        if scenario.before:
            scenario.before(self)

    def environment(self, scenario):
        return {"PATH": PATH, "HOME": str(self.folder), "EMBARK_CONFIG": str(self.folder / "embark.ini"),
                **{key: self.fill(value) for key, value in scenario.env.items()}}

    def has_table(self, name):
        cursor = self.owner.cursor()
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (f"public.{name}",))
        return cursor.fetchone()[0]


def closed_port():
    """One that stays closed: it is bound, and nobody listens."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    closed_port.kept.append(held)
    return held.getsockname()[1]


closed_port.kept = []


class Web(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/good" else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words):
        pass


# --- what must be true of an end with 0

def nothing(place):
    return None


def served_once(place):
    marks = place.marks()
    return None if marks == ["migrated", "served"] else f"the marks are {marks}"


def migrated_once(place):
    marks = place.marks()
    return None if marks == ["migrated"] else f"the marks are {marks}"


def served(place):
    return None if place.marks() == ["served"] else f"the marks are {place.marks()}"


def tables_made(place):
    missing = [name for name in ("one", "two") if not place.has_table(name)]
    return f"no table {missing}" if missing else None


NEW = "postgresql://faults_new@N@:secret@127.0.0.1:@PGPORT@/faults_new@N@"


def can_log_in(place):
    try:
        psycopg2.connect(place.fill(NEW)).close()
    except psycopg2.OperationalError as error:
        return str(error)
    return None


def nobody_there(place):
    place.server().sql("DROP DATABASE IF EXISTS " + place.fill("faults_new@N@"))
    place.server().sql("DROP ROLE IF EXISTS " + place.fill("faults_new@N@"))


# --- the starts

ALL_GOOD = f"""[require]
module = {PYTHON}: json, psycopg2
command = sh
file = @DIR@/here.txt
dir = @DIR@
writable = @DIR@
env = HOME
[image]
build = 5
expect = 5
[bundle]
dir = @DIR@/bundle
inlined = NEXT_PUBLIC_URL
forbid = never
"""
BUNDLE = {"here.txt": "x", "bundle/app.js": 'x = {url: "https://here.example"};'}
MIGRATE = "[database]\nurl = @URL@\ntimeout = 6s\n[migrate]\ncommand = sh @DIR@/migrate.sh\nlock_timeout = 6s\n"
MARKS = {"migrate.sh": "echo migrated >> @DIR@/mark\n", "serve.sh": "echo served >> @DIR@/mark\n"}
SQL = {"sql/001_one.sql": "CREATE TABLE one (n int);\n", "sql/002_two.sql": "CREATE TABLE two (n int);\n"}
# A healthcheck looks at the other processes that it sees.
ALONE = PID_NAMESPACE
SERVE = ["--", "sh", "@DIR@/serve.sh"]


def bad_check(name, config, files=None, env=None, code=72):
    return Scenario(f"bad-{name}", ["check"], config, code=code, files=files, env=env)


SCENARIOS = [
    Scenario("check", ["check"], ALL_GOOD, files=BUNDLE, env={"NEXT_PUBLIC_URL": "https://here.example"}),
    bad_check("file", "[require]\nfile = @DIR@/none\n"),
    bad_check("dir", "[require]\ndir = @DIR@/none\n"),
    bad_check("writable", "[require]\nwritable = @DIR@/none\n"),
    bad_check("command", "[require]\ncommand = none-such\n"),
    Scenario("bad-env", ["--", "true"], "[require]\nenv = NONE_SUCH\n", code=72),
    bad_check("module", f"[require]\nmodule = {PYTHON}: none_such\n"),
    bad_check("import", f"[require]\nimport = {PYTHON}: none_such\n"),
    bad_check("node", "[require]\nmodule = node: none-such\n"),
    bad_check("manifest", "[require]\nmanifest = @DIR@/requirements.txt\n", {"requirements.txt": "none-such>=1\n"}),
    bad_check("forbid", "[bundle]\ndir = @DIR@/bundle\nforbid = here.example\n", BUNDLE, code=73),
    bad_check("image", "[image]\nbuild = 5\nexpect = 6\n", code=73),
    bad_check("sql", "[migrate]\nsql = @DIR@/sql\n", {"sql/001.sql": "DO $$ BEGIN RAISE NOTICE :'x'; END $$;\n"}, code=65),
    Scenario("wait", ["wait"], "[wait]\ntcp = 127.0.0.1:@WEBPORT@\nhttp = @WEB@/good\nfile = @DIR@/here.txt\ntimeout = 2s\n", files=BUNDLE),
    Scenario("bad-tcp", ["wait"], "[wait]\ntcp = localhost:@PORT@\ntimeout = 300ms\n", code=69),
    Scenario("bad-http", ["wait"], "[wait]\nhttp = @WEB@/bad\ntimeout = 300ms\n", code=69),
    Scenario("bad-unix", ["wait"], "[wait]\nunix = @DIR@/none\ntimeout = 300ms\n", code=69),
    Scenario("bad-wait-file", ["wait"], "[wait]\nfile = @DIR@/none\ntimeout = 300ms\n", code=69),
    Scenario("wait-database", ["wait"], "[database]\nurl = @URL@\ntimeout = 6s\n", database=True),
    Scenario("bad-database", ["wait"], "[database]\nurl = postgresql://a:b@127.0.0.1:@PORT@/c\ntimeout = 300ms\n", code=69),
    Scenario("health", ["health"], "[health]\nhttp = @WEB@/good\ntcp = 127.0.0.1:@WEBPORT@\ntimeout = 2s\n", prefix=ALONE),
    Scenario("bad-health-http", ["health"], "[health]\nhttp = @WEB@/bad\ntimeout = 1s\n", code=1, prefix=ALONE),
    Scenario("bad-health-tcp", ["health"], "[health]\ntcp = 127.0.0.1:@PORT@\ntimeout = 1s\n", code=1, prefix=ALONE),
    Scenario("health-database", ["health"], "[database]\nurl = @URL@\n[health]\ndatabase = yes\ntimeout = 2s\n", database=True, prefix=ALONE),
    Scenario("bad-health-database", ["health"], "[database]\nurl = postgresql://a:b@127.0.0.1:@PORT@/c\n[health]\ndatabase = yes\ntimeout = 1s\n", code=1, prefix=ALONE),
    Scenario("exec", SERVE, "", files=MARKS, done=served),
    Scenario("init", SERVE, "[service]\ninit = yes\n", files=MARKS, done=served),
    Scenario("bad-init", ["--", "sh", "-c", "exit 7"], "[service]\ninit = yes\n", code=7),
    Scenario("migrate", ["migrate"], MIGRATE, files=MARKS, database=True, done=migrated_once),
    Scenario("bad-migrate", ["migrate"], MIGRATE, files={"migrate.sh": "exit 3\n"}, database=True, code=80),
    Scenario("sql-migrations", ["migrate"], "[database]\nurl = @URL@\ntimeout = 6s\n[migrate]\nsql = @DIR@/sql\n", files=SQL, database=True, done=tables_made),
    Scenario("run", SERVE, MIGRATE, files=MARKS, database=True, done=served_once),
    Scenario("run-init", SERVE, MIGRATE + "[service]\ninit = yes\n", files=MARKS, database=True, done=served_once),
    Scenario("bootstrap", ["migrate"], f"[database]\nurl = {NEW}\ntimeout = 6s\n[bootstrap]\nurl = @ROOT@\n[migrate]\nsql = @DIR@/sql\n", files=SQL,
             before=nobody_there, done=can_log_in),
    Scenario("sql", ["sql", "@DIR@/a.sql"], "[database]\nurl = @URL@\n", files={"a.sql": "CREATE TABLE one ();\nCREATE TABLE two ();\n"}, database=True,
             done=tables_made),
    Scenario("doctor", ["doctor"], MIGRATE, files=MARKS, database=True),
    Scenario("bad-doctor", ["doctor"], MIGRATE + "[require]\nfile = @DIR@/none\n", files=MARKS, database=True, code=72),
]
