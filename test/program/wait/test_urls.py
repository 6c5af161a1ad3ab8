"""Database URLs as people have them, against a real server, and that a password is never shown (L34)."""

import re
from urllib.parse import quote

import pytest

from support import process as processes
from support.postgres import Database

MARKER = "Mk-7r"


def forms(db):
    """(name, text) of every form of the same login."""
    p, host, port = db.password, db.server.host, db.server.port
    login = f"{db.role}:{p}"
    at = f"{host}:{port}/{db.name}"
    return [
        ("postgresql", f"postgresql://{login}@{at}"),
        ("postgres", f"postgres://{login}@{at}"),
        ("capitals", f"POSTGRES://{login}@{at}"),
        ("mixed", f"PostgreSQL://{login}@{at}"),
        ("psycopg2", f"postgresql+psycopg2://{login}@{at}"),
        ("asyncpg", f"postgresql+asyncpg://{login}@{at}"),
        ("psycopg", f"postgres+psycopg://{login}@{at}"),
        ("newline", f"postgresql://{login}@{at}\n"),
        ("crlf", f"postgresql://{login}@{at}\r\n"),
        ("blanks", f"  postgresql://{login}@{at}\t "),
        ("prisma", f"postgresql://{login}@{at}?schema=public&connection_limit=5&pgbouncer=true&pool_timeout=10"),
        ("sqlalchemy", f"postgresql+psycopg2://{login}@{at}?pool_size=5&max_overflow=10"),
        ("django", f"postgres://{login}@{at}?conn_max_age=600"),
        ("mixture", f"postgres://{login}@{at}?schema=app&sslmode=prefer&statement_cache_size=0&application_name=svc"),
        ("ssl false", f"postgres://{login}@{at}?ssl=false"),
        ("slash", f"postgresql://{login}@{at}?"),
        ("in the query", f"postgresql:///{db.name}?host={host}&port={port}&user={db.role}&password={p}"),
        ("keywords", f"host={host} port={port} user={db.role} password={p} dbname={db.name}"),
        ("keywords, spaced", f" host = {host}  port = '{port}' user='{db.role}' password = {p}\n dbname = {db.name} "),
        ("jdbc", f"jdbc:postgresql://{at}?user={db.role}&password={p}"),
        ("npgsql", f"Host={host};Port={port};Username={db.role};Password={p};Database={db.name}"),
        ("npgsql, longer", f"Server={host};Port={port};User Id={db.role};Password={p};Database={db.name};Pooling=true;"),
        ("encoded", f"postgresql://{db.role}:{''.join(f'%{ord(c):02x}' for c in p)}@{at}"),
        ("options", f"postgresql://{login}@{at}?options=-c%20search_path%3Dx"),
    ]


@pytest.mark.parametrize("name", [name for name, _ in forms(type("D", (), {
    "password": "", "role": "", "name": "", "server": type("S", (), {"host": "", "port": 0})}))])
def test_form(db, embark, name):
    url = dict(forms(db))[name]
    process = embark.run("echo", "served", env={"DATABASE_URL": url, "EMBARK_DATABASE_TIMEOUT": "5s"}).expect(0)
    assert process.stdout == "served\n"


@pytest.mark.parametrize("name", ["prisma", "psycopg2", "keywords", "npgsql", "jdbc"])
def test_form_in_the_file(db, embark, name):
    config = f"[database]\ntimeout = 5s\nurl = {dict(forms(db))[name]}\n"
    embark.run("true", config=config).expect(0)


def test_the_form_is_the_services_own_affair(db, embark):
    """The service gets the variable as it was."""
    url = dict(forms(db))["prisma"] + "\n"
    process = embark.run("sh", "-c", 'printf %s "$DATABASE_URL"', env={"DATABASE_URL": url}).expect(0)
    assert process.stdout == url
    embark.secrets.clear()  # it was the service that showed it


def test_names_with_spaces_and_slashes(server, embark):
    for name in ("a b", "a/b", "a%b", "ä", "a?b", "a#b", "a@b", "a'b\"c"):
        db = server_database(server, name)
        embark.secrets.append(db.password)
        for url in (db.url, db.url_as(scheme="postgres+asyncpg")):
            embark.run("true", env={"DATABASE_URL": url, "EMBARK_DATABASE_TIMEOUT": "5s"}).expect(0)
        embark.end()
        drop_quoted(db)


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def server_database(server, name):
    db = Database(server, "db " + name, "role " + name, f"{MARKER}{name}@/:")
    server.sql(f"CREATE ROLE {quoted(db.role)} LOGIN PASSWORD ".replace("%", "%%") + "%s", (db.password,))
    server.sql(f"CREATE DATABASE {quoted(db.name)} OWNER {quoted(db.role)}")
    return db


def drop_quoted(db):
    db.server.sql(f"DROP DATABASE {quoted(db.name)} WITH (FORCE)")
    db.server.sql(f"DROP ROLE {quoted(db.role)}")


# --- no password anywhere

def urls_that_fail(port):
    secret = f"{MARKER}@ö/%&' \"x"
    encoded = quote(secret, safe="")
    return secret, [
        (69, f"postgresql://app:{encoded}@127.0.0.1:{port}/app"),
        (69, f"postgresql+psycopg2://app:{encoded}@127.0.0.1:{port}/app?pool_size=3"),
        (69, f"host=127.0.0.1 port={port} user=app password='{MARKER} x'"),
        (69, f"jdbc:postgresql://127.0.0.1:{port}/app?user=app&password={encoded}"),
        (69, f"Host=127.0.0.1;Port={port};Username=app;Password={MARKER}-n;Database=app"),
        (69, f"postgresql://app@127.0.0.1:{port}/app?password={encoded}"),
        (69, f"postgresql://{MARKER}:{MARKER}@127.0.0.1:{port}/{MARKER}"),
    ]


@pytest.mark.parametrize("level", ["info", "debug"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_password_is_shown_while_waiting_and_failing(embark, refused_port, level, form):
    _, urls = urls_that_fail(refused_port)
    for code, url in urls[:-1]:
        process = embark.run("true", env={"DATABASE_URL": url, "EMBARK_DATABASE_TIMEOUT": "300ms", "EMBARK_LOG_LEVEL": level,
                                          "EMBARK_LOG_FORMAT": form}).expect(code)
        assert MARKER not in process.stderr + process.stdout, process.describe()


def test_no_password_is_shown_when_it_is_wrong(db, embark):
    embark.secrets.append(MARKER)
    for password in (MARKER, MARKER + "@/: ", f"{MARKER}'\"\\"):
        embark.run("true", env={"DATABASE_URL": db.url_as(password=password), "EMBARK_LOG_LEVEL": "debug"}).expect(77)


def test_no_password_is_shown_by_proc(embark, refused_port):
    """Neither in the title nor in the command line while it waits. The environment is the kernel's copy, for the same user only."""
    process = embark("sh", "-c", "true", env={"DATABASE_URL": f"postgresql://app:{MARKER}@127.0.0.1:{refused_port}/app"})
    process.wait_for_line("refuses")
    for name in ("cmdline", "comm", "status", "stat"):
        assert MARKER.encode() not in processes.read(f"/proc/{process.pid}/{name}")
    assert processes.comm(process.pid) == "embark:wait"


def test_no_password_is_shown_by_the_server(db, embark):
    """application_name and the server's log hold none either."""
    process = embark("sh", "-c", "sleep 1000", env={"DATABASE_URL": db.url},
                     config="[migrate]\ncommand = sh -c 'sleep 1000'\n")
    process.wait_for_line("has the lock")
    rows = db.sql("SELECT application_name || ' ' || query FROM pg_stat_activity WHERE datname = current_database()")
    assert rows and all(db.password not in row[0] for row in rows)
    assert db.password not in db.server.log_text()


def test_unencoded_password_is_explained(embark):
    """L34: libpq would silently take another host, or echo the whole string."""
    process = embark.run("true", env={"DATABASE_URL": f"postgresql://app:{MARKER}@ss@db:5432/app"}).expect(78)
    assert MARKER not in process.stderr and "%40" in process.stderr
    assert "@ss" not in process.stderr, "that is part of the password"


def test_parameters_that_libpq_does_not_know_are_never_shown(embark, refused_port):
    url = f"postgresql://app:pw@127.0.0.1:{refused_port}/app?api_key={MARKER}&pool_size={MARKER}2"
    process = embark.run("true", env={"DATABASE_URL": url, "EMBARK_DATABASE_TIMEOUT": "200ms", "EMBARK_LOG_LEVEL": "debug"}).expect(69)
    assert MARKER not in process.stderr


def test_direct_urls_password_is_not_shown(db, embark, refused_port):
    embark.secrets.append(MARKER)
    config = f"[database]\ndirect_url = postgresql://app:{MARKER}@127.0.0.1:{refused_port}/app\n[migrate]\ncommand = true\nlock_timeout = 300ms\n"
    embark.run("true", env={"DATABASE_URL": db.url}, config=config).expect(69)


def test_service_environment_is_untouched(db, embark):
    """Not one variable more or less, in the same order."""
    mine = {"DATABASE_URL": db.url, "A": "", "B": "x y", "C": "line\nline", "PGAPPNAME": "mine", "ü": "ö"}
    process = embark.run("env", "-0", env=mine).expect(0)
    got = process.out.raw.rstrip(b"\0").split(b"\0")
    want = [f"{k}={v}".encode() for k, v in embark.environment(mine).items()]
    assert got == want
    embark.secrets.clear()  # it was the service that showed it


def test_error_of_the_service_is_not_touched(db, embark):
    """What the service says is its own: embark doesn't stand in between."""
    process = embark.run("sh", "-c", f"echo 'password={MARKER}' >&2", env={"DATABASE_URL": db.url}).expect(0)
    assert f"password={MARKER}\n" in process.stderr


def test_words_of_the_service_with_a_secret_are_redacted_in_the_ready_line(db, embark):
    """`embark app --dsn $DATABASE_URL`: the last line before exec shows the command."""
    process = embark.run("true", "--dsn", db.url, env={"DATABASE_URL": db.url}).expect(0)
    line = [line for line in process.said if "ready in" in line]
    assert len(line) == 1 and db.password not in line[0] and "****" in line[0], process.stderr


def test_url_in_words_of_the_service_that_embark_does_not_know(embark):
    process = embark.run("true", f"postgresql://other:{MARKER}@db/x").expect(0)
    assert MARKER not in process.stderr
    assert re.search(r"postgresql://other:\*+@db/x", process.stderr)

