"""One secret at a time, at each place where one can be, through every command and every way to fail: in no output, file, table or title."""

import os
import shlex
from urllib.parse import quote

import pytest

PLAIN, ODD = "Zq7-s3cReT-0815x", "Qz'o\"d $d&%4a;ü=\\9@/:?#x"


class Place:
    """env, config, words (of the service's command) and files, all with the secret at one place."""

    def __init__(self, env=None, config="", words=("true",), migrate=None):
        self.env, self.config, self.words, self.migrate = env or {}, config, list(words), migrate


def kept(folder, text, name="secret"):
    path = folder / name
    path.write_text(text)
    path.chmod(0o600)
    return path


def pgpass(text):
    return text.replace("\\", "\\\\").replace(":", "\\:")


def conninfo(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def word(text):
    """A word of a command in the configuration."""
    return shlex.quote(text)


def url(db, s, **how):
    return db.url_as(password=s, **how)


def parts(db):
    return {"PGHOST": db.server.host, "PGPORT": str(db.server.port), "PGUSER": db.role, "PGDATABASE": db.name}


# name: (db, folder, secret) → Place. The server's own password is the database's: these are wrong ones.
PLACES = {
    "url": lambda db, f, s: Place({"DATABASE_URL": url(db, s)}),
    "url of another driver": lambda db, f, s: Place({"DATABASE_URL": url(db, s, scheme="postgresql+asyncpg")}),
    "url, not encoded": lambda db, f, s: Place({"DATABASE_URL": f"postgresql://{db.role}:{s}@{db.server.host}:{db.server.port}/{db.name}"}),
    "url's parameter": lambda db, f, s: Place({"DATABASE_URL": f"postgresql://{db.role}@{db.server.host}:{db.server.port}/{db.name}?password={quote(s, safe='')}"}),
    "url's sslpassword": lambda db, f, s: Place({"DATABASE_URL": db.url + f"?sslpassword={quote(s, safe='')}&sslmode=prefer"}),
    "url's unknown parameter": lambda db, f, s: Place({"DATABASE_URL": db.url + f"?api_key={quote(s, safe='')}&sslcert=/nowhere"}),
    "keywords": lambda db, f, s: Place({"DATABASE_URL": f"host={db.server.host} port={db.server.port} user={db.role} dbname={db.name} password={conninfo(s)}"}),
    "keywords, broken": lambda db, f, s: Place({"DATABASE_URL": f"host={db.server.host} password={conninfo(s)} nonsense user"}),
    "jdbc": lambda db, f, s: Place({"DATABASE_URL": f"jdbc:postgresql://{db.server.host}:{db.server.port}/{db.name}?user={db.role}&password={quote(s, safe='')}"}),
    "npgsql": lambda db, f, s: Place({"DATABASE_URL": f"Host={db.server.host};Port={db.server.port};Username={db.role};Password={s};Database={db.name}"}),
    "PGPASSWORD": lambda db, f, s: Place({**parts(db), "PGPASSWORD": s}),
    "PGPASSWORD_FILE": lambda db, f, s: Place({**parts(db), "PGPASSWORD_FILE": str(kept(f, s + "\n"))}),
    "PGPASSFILE": lambda db, f, s: Place({**parts(db), "PGPASSFILE": str(kept(f, f"*:*:*:*:{pgpass(s)}\n"))}),
    ".pgpass": lambda db, f, s: Place({**parts(db), "HOME": str(kept(f, f"*:*:*:*:{pgpass(s)}\n", ".pgpass").parent)}),
    "url's passfile": lambda db, f, s: Place({"DATABASE_URL": f"postgresql://{db.role}@{db.server.host}:{db.server.port}/{db.name}?passfile={kept(f, f'*:*:*:*:{pgpass(s)}')}"}),
    "service file": lambda db, f, s: Place({"PGSERVICE": "mine", "PGSERVICEFILE": str(kept(f, "[mine]\n" + "".join(
        f"{k}={v}\n" for k, v in (("host", db.server.host), ("port", db.server.port), ("user", db.role), ("dbname", db.name), ("password", s)))))}),
    "broken service file": lambda db, f, s: Place({"PGSERVICE": "mine", "PGSERVICEFILE": str(kept(f, f"[mine]\npassword {s}\n"))}),
    "DATABASE_URL_FILE": lambda db, f, s: Place({"DATABASE_URL_FILE": str(kept(f, url(db, s) + "\n"))}),
    "a file that is no url": lambda db, f, s: Place({"DATABASE_URL_FILE": str(kept(f, s + "\n"))}),
    "a variable that is no url": lambda db, f, s: Place({"DATABASE_URL": s}),
    "${file:}": lambda db, f, s: Place(config=f"[database]\nurl = postgresql://{db.role}:${{file:{kept(f, s)}:url}}@{db.server.host}:{db.server.port}/{db.name}\n"),
    "${file:} as it is": lambda db, f, s: Place(config=f"[database]\nurl = postgresql://{db.role}:${{file:{kept(f, s)}}}@{db.server.host}:{db.server.port}/{db.name}\n"),
    "[database] password": lambda db, f, s: Place({"DATABASE_URL": url(db, "")}, f"[database]\npassword = ${{file:{kept(f, s)}}}\n"),
    "[database] password in the file": lambda db, f, s: Place({"DATABASE_URL": url(db, "")}, f"[database]\npassword = {s}\n"),
    "EMBARK_DATABASE_PASSWORD": lambda db, f, s: Place({"DATABASE_URL": url(db, ""), "EMBARK_DATABASE_PASSWORD": s}),
    "direct_url": lambda db, f, s: Place({"DATABASE_URL": db.url, "EMBARK_DATABASE_DIRECT_URL": url(db, s)}),
    "[bootstrap] url": lambda db, f, s: Place({"DATABASE_URL": url(db, "Never-7", user="nobody9")}, f"[bootstrap]\nurl = {url(db, s)}\n"),
    "[bootstrap] var": lambda db, f, s: Place({"DATABASE_URL": db.url, "SUPER": f"postgresql://postgres@{db.server.host}:{db.server.port}/postgres"},
                                              f"[bootstrap]\nurl = ${{SUPER}}\nwhen = always\nsql = {kept(f, 'SELECT :' + chr(39) + 'api_token' + chr(39) + '::int;', 'a.sql')}\nvar = api_token=${{file:{kept(f, s)}}}\n"),
    "[wait] http's user": lambda db, f, s: Place(config=f"[wait]\nhttp = http://u:{quote(s, safe='')}@127.0.0.1:1/x\n"),
    "[wait] http's parameter": lambda db, f, s: Place(config=f"[wait]\nhttp = http://127.0.0.1:1/x?token={quote(s, safe='')}\n"),
    "[health] http's user": lambda db, f, s: Place(config=f"[health]\nhttp = http://u:{quote(s, safe='')}@127.0.0.1:1/x\n"),
    "[health] http's parameter": lambda db, f, s: Place(config=f"[health]\nhttp = http://127.0.0.1:1/x?access_token={quote(s, safe='')}\n"),
    "[image] expect": lambda db, f, s: Place({"BUILD_TOKEN": s}, "[image]\nbuild = 1\nexpect = ${BUILD_TOKEN}\n"),
    "a key's wrong value": lambda db, f, s: Place({"SOME_SECRET": s}, "[database]\ntimeout = ${SOME_SECRET}\n[log]\nlevel = ${SOME_SECRET}\n[service]\ninit = ${SOME_SECRET}\n"),
    "an unknown key": lambda db, f, s: Place(config=f"[database]\npasswrd = {s}\n[databse]\npassword = {s}\n"),
    "a line that is none": lambda db, f, s: Place(config=f"[database]\npassword {s}\n"),
    "a variable of an unknown key": lambda db, f, s: Place({"EMBARK_DATABASE_PASWORD": s, "EMBARK_MIGRATE_SECRET": s}),
    "migration's output": lambda db, f, s: Place({"DATABASE_URL": db.url, "MY_TOKEN": s}, migrate="sh -c 'echo with $MY_TOKEN >&2; echo token=$MY_TOKEN; exit 1'"),
    "migration's words": lambda db, f, s: Place({"DATABASE_URL": db.url}, migrate=f"sh -c 'exit 1' tool --password {word(s)} --x"),
    "migration's PGPASSWORD=": lambda db, f, s: Place({"DATABASE_URL": db.url}, migrate=f"env {word('PGPASSWORD=' + s)} false"),
    "migration's sql that fails": lambda db, f, s: Place({"DATABASE_URL": db.url, "SQL_SECRET": s}, migrate=kept(f, "SELECT :'v'::int;\n", "1.sql")),
    "a secret in a migration's file": lambda db, f, s: Place({"DATABASE_URL": db.url}, migrate=kept(f, f"ALTER ROLE nobody9 PASSWORD '{s.replace(chr(39), chr(39) * 2)}';\n", "1.sql")),
    "a missing tool": lambda db, f, s: Place(words=["no-such-tool", "--token", s]),
}
for name, words in {
        "--password V": lambda s: ["--password", s], "--password=V": lambda s: [f"--password={s}"], "-pV": lambda s: ["-p" + s], "-p V": lambda s: ["-p", s],
        "-WV": lambda s: ["-W" + s], "PGPASSWORD=V": lambda s: ["PGPASSWORD=" + s], "--api-key V": lambda s: ["--api-key", s],
        "--dsn V": lambda s: ["--dsn", s], "-u a:V": lambda s: ["-u", "a:" + s], "--user a:V": lambda s: ["--user", "a:" + s],
        "header": lambda s: ["-H", "Authorization: Bearer " + s], "header, key": lambda s: ["-H", "X-Api-Key: " + s], "-D": lambda s: ["-Ddb.password=" + s],
        "--set": lambda s: ["--set", "db.password=" + s], "url": lambda s: [f"postgres://u:{quote(s, safe='')}@h/d"],
        "--env": lambda s: ["--env", "API_SECRET=" + s], "-e": lambda s: ["-e", "AWS_SECRET_ACCESS_KEY=" + s], "json": lambda s: ['{"password": "' + s.replace("\\", "\\\\").replace('"', '\\"') + '"}'],
        "script": lambda s: ["-c", f"PGPASSWORD={shlex.quote(s)} psql -h x"], "script, -p": lambda s: ["-c", f"mysql -uroot -p{shlex.quote(s)} x"],
        "script, curl": lambda s: ["-c", f"curl -u admin:{shlex.quote(s)} http://x"], "script, export": lambda s: ["-c", f"export API_TOKEN={shlex.quote(s)}; run"],
        "script, header": lambda s: ["-c", f"curl -H {shlex.quote('Authorization: Bearer ' + s)} http://x"],
        "sqlcmd": lambda s: ["-Pword", "--connection-string", f"Server=x;Password={s}"],
}.items():
    PLACES["service's " + name] = lambda db, f, s, w=words: Place(words=["true", *w(s)])
    PLACES["migration's " + name] = lambda db, f, s, w=words: Place({"DATABASE_URL": db.url}, migrate=" ".join(["sh -c 'exit 1'", *map(word, w(s))]))
for name in ("API_KEY", "APP_TOKEN", "DB_PASS", "AWS_SECRET_ACCESS_KEY", "SENTRY_DSN", "PASSWORD_SALT", "MY_CREDENTIAL", "stripeSecretKey", "ROOT_PWD", "DJANGO_SECRET_KEY"):
    PLACES["$" + name] = lambda db, f, s, n=name: Place({"DATABASE_URL": db.url, n: s}, config=f"[require]\ndir = /x/${{{n}}}\nfile = /x/${{{n}}}\n[bundle]\ndir = /x\nforbid = ${{{n}}}\n[image]\nbuild = ${{{n}}}\nexpect = 2\n",
                                                       words=["true", s, f"x{s}y"])
    PLACES["output of $" + name] = lambda db, f, s, n=name: Place({"DATABASE_URL": db.url, n: s}, migrate=f"sh -c 'printf %s \"${n}\"; exit 1'")


def forms(secret):
    """What must be nowhere: as it is, encoded, quoted, and its halves where these tell something."""
    yield from {secret, quote(secret, safe=""), quote(secret), secret.replace("'", "''"), secret.replace("\\", "\\\\").replace("'", "\\'"), secret.replace("\\", "\\\\").replace('"', '\\"')}
    yield secret[:len(secret) // 2]
    yield secret[len(secret) // 2:]


# The user's own SQL, which the server is to see as it is.
SQL = ("a secret in a migration's file", "migration's sql that fails", "[bootstrap] var")


@pytest.fixture(scope="module")
def server(cluster):
    """It writes down all that it is told."""
    server = cluster.server().start(log_statement="all", log_connections="on", log_duration="on", log_min_error_statement="debug5")
    yield server
    server.destroy()


COMMANDS = [["run"], ["check", "--json"], ["doctor", "--all"], ["doctor", "--json"], ["health"], ["migrate", "--status"], ["sql", "--print-bootstrap"]]


def kept_texts(state, db):
    """The last start's report and the ledger."""
    texts = [(["state"], path.read_text(errors="replace")) for path in state.iterdir()]
    if db.value("SELECT to_regclass('embark_ledger')"):
        texts += [(["ledger"], str(value)) for row in db.sql("SELECT * FROM embark_ledger") for value in row]
    return texts


@pytest.mark.parametrize("kind", [PLAIN, ODD], ids=["plain", "odd"])
@pytest.mark.parametrize("name", PLACES)
def test_place(embark, db, server, folder, name, kind):
    state = folder / "state"
    state.mkdir()
    before = len(server.log_text())
    place = PLACES[name](db, folder, kind)
    config = place.config
    if isinstance(place.migrate, str):
        config += "[migrate]\ncommand = " + place.migrate + "\n"
    elif place.migrate:
        (folder / "m").mkdir()
        os.rename(place.migrate, folder / "m" / "1.sql")
        config += f"[migrate]\nsql = {folder}/m\nset = work_mem=1\n"
    env = {"EMBARK_STATE": str(state), "EMBARK_LOG": "debug", "EMBARK_DATABASE_TIMEOUT": "200ms", "EMBARK_WAIT_TIMEOUT": "100ms", **place.env}
    texts = []
    for words in COMMANDS:
        more = ["--", *place.words] if words[0] in ("run", "doctor", "check") else []
        process = embark(*words, *more, env=env, config=config)
        process.wait(60)
        texts.append((words, process.stdout + process.stderr))
    process = embark("check", "--write", "--", *place.words, env=env)
    process.wait(20)
    texts.append((["check", "--write"], process.stdout + process.stderr))
    texts += kept_texts(state, db)
    if name not in SQL:
        texts.append((["the server's log"], server.log_text()[before:]))
    expect_none(texts, kind)


def expect_none(texts, secret):
    for words, text in texts:
        for form in forms(secret):
            assert form not in text, f"{form} {words}: {text[max(0, text.index(form) - 300):][:600]}"


# exit code: (words, configuration, variables); FOLDER and URL are put in.
ENDS = {
    0: (["true"], "[migrate]\ncommand = echo TOKEN\n", {}),
    64: (["--no-such", "TOKEN"], "", {}),
    65: (["true"], "[migrate]\nsql = FOLDER/sql\n", {"EMBARK_SKIP": "check"}),
    69: (["true"], "", {"EMBARK_WAIT_TCP": "127.0.0.1:1", "EMBARK_WAIT_TIMEOUT": "300ms"}),
    72: (["true"], "[require]\nfile = /TOKEN\nmodule = python: nothing_like_it\n", {}),
    73: (["true"], "[image]\nbuild = TOKEN\nexpect = other\n", {}),
    75: (["true"], "[migrate]\ncommand = true TOKEN\nlock = held\nlock_timeout = 300ms\n", {}),
    77: (["true"], "[database]\npassword = TOKEN\n", {"DATABASE_URL": "BARE"}),
    78: (["true"], "[database]\ntimeout = TOKEN\nTOKEN\n", {}),
    80: (["true"], "[migrate]\ncommand = sh -c 'echo TOKEN; psql \"URL\" -c \"SELECT nothing\"; exit 3' x --token TOKEN\n", {}),
    126: (["/etc/passwd", "--token", "TOKEN"], "", {}),
    127: (["/nowhere/TOKEN"], "", {}),
    143: (["true"], "[wait]\nfile = /nowhere/TOKEN\n", {}),
}


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("code", ENDS)
def test_every_end(embark, db, server, folder, code, form):
    """The password is right, and the token is anywhere: whatever the end is, neither is shown."""
    words, config, more = ENDS[code]
    (folder / "state").mkdir()
    (folder / "sql").mkdir()
    (folder / "sql" / "1.sql").write_text("SELECT nothing;\n")

    def put_in(text):
        return text.replace("TOKEN", PLAIN).replace("FOLDER", str(folder)).replace("URL", db.url).replace("BARE", url(db, ""))

    env = {"DATABASE_URL_FILE": str(kept(folder, db.url)), "MY_TOKEN": PLAIN, "EMBARK_STATE": str(folder / "state"), "EMBARK_LOG": f"{form},debug",
           **{k: put_in(v) for k, v in more.items()}}
    if "DATABASE_URL" in more:
        del env["DATABASE_URL_FILE"]
    before = len(server.log_text())
    if code == 75:
        first = embark("migrate", env=env, config="[migrate]\ncommand = sh -c 'echo > began; sleep 60'\nlock = held\n")
        first.wait_for_file(folder / "began")
    process = embark(*map(put_in, words), env=env, config=put_in(config))
    if code == 143:
        process.wait_for_line("waits for|nowhere|does not exist")
        process.signal(15)
    process.expect(code)
    texts = [(words, process.stdout + process.stderr), (["the server's log"], server.log_text()[before:]), *kept_texts(folder / "state", db)]
    expect_none(texts, PLAIN)
    expect_none(texts, db.password)


PROBE = """#!/bin/sh
{ tr '\\0' '\\n' < /proc/$$/environ; tr '\\0' '\\n' < /proc/$$/cmdline; cat /proc/$$/comm; } >> %s/seen
exit 1
"""


def test_what_is_asked_is_told_nothing(embark, db, folder):
    """Interpreters that are asked about modules, and the service: the secrets that embark has read from files are in neither's environment."""
    (folder / "bin").mkdir()
    for name in ("python", "python3", "node", "ruby", "php", "service"):
        path = folder / "bin" / name
        path.write_text(PROBE % folder)
        path.chmod(0o755)
    config = (f"[database]\npassword = ${{file:{kept(folder, db.password)}}}\n[require]\nmodule = python: a\nmodule = node: b\nmodule = ruby: c\n"
              "import = php: D\nimport = python: e\n")
    env = {"DATABASE_URL": url(db, ""), "PATH": f"{folder}/bin:/usr/bin:/bin"}
    embark.run("check", env=env, config=config).expect(72)
    embark.run("service", env={**env, "EMBARK_SKIP": "check"}, config=config).expect(1)
    seen = (folder / "seen").read_text(errors="replace")
    assert seen.count("PATH=") >= 3, seen
    assert db.password not in seen and quote(db.password, safe="") not in seen
