"""Folders of SQL migrations as people have them: the same five steps in each tool's layout, with a function whose body has semicolons, an
index that is made concurrently, and a way back that drops data."""

import hashlib
import base64
import os
import re
import subprocess

from .npm import dbmate_program, project
from .process import PATH

STEPS = [
    ("users", "CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL);\nINSERT INTO users VALUES (1, 'it''s; me');", "DROP TABLE users;"),
    ("shout", "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    NEW.name := upper(NEW.name); -- a; b\n"
              "    RETURN NEW;\nEND;\n$$;\nCREATE TRIGGER shout BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION shout();",
     "DROP TRIGGER shout ON users;\nDROP FUNCTION shout();"),
    ("index", "CREATE INDEX CONCURRENTLY users_name ON users (name);", "DROP INDEX CONCURRENTLY users_name;"),
    ("second", "INSERT INTO users VALUES (2, 'two');\nALTER TABLE users ADD COLUMN age integer;", "DELETE FROM users;\nALTER TABLE users DROP COLUMN age;"),
    ("grown", "CREATE VIEW grown AS SELECT name FROM users WHERE age > 17;", "DROP VIEW grown;\nDELETE FROM users;"),
]
TABLES = {"dbmate": "schema_migrations", "goose": "goose_db_version", "golang-migrate": "schema_migrations", "sqlx": "_sqlx_migrations",
          "flyway": "flyway_schema_history", "node-pg-migrate": "pgmigrations", "sql-migrate": "gorp_migrations", "prisma": "_prisma_migrations",
          "atlas": "atlas_schema_revisions"}
FORMATS = sorted(TABLES)
# What embark says without [migrate] format.
TOLD = {"dbmate": "dbmate", "goose": "goose", "golang-migrate": "golang-migrate or sqlx", "sqlx": "golang-migrate or sqlx", "flyway": "Flyway",
        "node-pg-migrate": "node-pg-migrate", "sql-migrate": "sql-migrate", "prisma": "Prisma", "atlas": "Atlas"}


def version(number):
    return f"2024010112000{number}"


def marked(up, down, no_transaction):
    def render(number, name, sql, back, alone):
        return {f"{version(number)}_{name}.sql": f"{no_transaction[0] if alone else ''}{up}{no_transaction[1] if alone else ''}\n{sql}\n\n{down}\n{back}\n"}
    return render


def goose(number, name, sql, back, alone):
    body = f"-- +goose StatementBegin\n{sql}\n-- +goose StatementEnd\n" if "$$" in sql else sql + "\n"
    mark = "-- +goose NO TRANSACTION\n" if alone else ""
    return {f"{version(number)}_{name}.sql": f"{mark}-- +goose Up\n{body}\n-- +goose Down\n{back}\n"}


def sql_migrate(number, name, sql, back, alone):
    body = f"-- +migrate StatementBegin\n{sql}\n-- +migrate StatementEnd\n" if "$$" in sql else sql + "\n"
    return {f"{version(number)}_{name}.sql": f"-- +migrate Up{' notransaction' if alone else ''}\n{body}\n-- +migrate Down\n{back}\n"}


def pairs(first):
    def render(number, name, sql, back, alone):
        return {f"{version(number)}_{name}.up.sql": (first if alone else "") + sql + "\n", f"{version(number)}_{name}.down.sql": back + "\n"}
    return render


RENDER = {
    "dbmate": marked("-- migrate:up", "-- migrate:down", ("", " transaction:false")),
    "goose": goose,
    "golang-migrate": pairs(""),
    "sqlx": pairs("-- no-transaction\n"),
    "flyway": lambda number, name, sql, back, alone: {f"V{number}__{name}.sql": sql + "\n", f"U{number}__{name}.sql": back + "\n"},
    "node-pg-migrate": marked("-- Up Migration", "-- Down Migration", ("-- embark: no transaction\n", "")),
    "sql-migrate": sql_migrate,
    "prisma": lambda number, name, sql, back, alone: {f"{version(number)}_{name}/migration.sql": sql + "\n"},
    "atlas": lambda number, name, sql, back, alone: {f"{version(number)}_{name}.sql": ("-- atlas:txmode none\n\n" if alone else "") + sql + "\n"},
}


def b64(digest):
    return base64.b64encode(digest).decode()


def hash_atlas(folder):
    """atlas migrate hash"""
    files, lines, total = hashlib.sha256(), "", hashlib.sha256()
    for path in sorted(folder.glob("*.sql")):
        files.update(path.name.encode() + path.read_bytes())
        total.update(path.name.encode() + b64(files.digest()).encode())
        lines += f"{path.name} h1:{b64(files.copy().digest())}\n"
    (folder / "atlas.sum").write_text(f"h1:{b64(total.digest())}\n{lines}")


def plant(folder, form, steps=STEPS, first=1):
    """Writes the steps into the folder; the names of the files that go up, in order."""
    names = []
    for number, (name, sql, back) in enumerate(steps, first):
        files = RENDER[form](number, name, sql, back, "CONCURRENTLY" in sql)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        names.append(next(iter(files)))
    if form == "prisma":
        (folder / "migration_lock.toml").write_text('provider = "postgresql"\n')
    if form == "atlas":
        hash_atlas(folder)
    return names


def dump(db, *without):
    """The database's own contents, without embark's tables and the tools'."""
    tables = ["embark_ledger*", *TABLES.values(), *without]
    done = subprocess.run([db.server.programs.program("pg_dump"), "--no-owner", "--no-privileges", *(word for table in tables for word in ("-T", f"*.{table}")),
                           *(word for table in ("goose_db_version_id_seq", "pgmigrations_id_seq") for word in ("-T", f"*.{table}")),
                           "-N", "atlas_schema_revisions", "-d", db.url],
                          capture_output=True, text=True, check=True)
    return re.sub(r"(?m)^(\\(un)?restrict .*|--.*)\n", "", done.stdout)


def dbmate(folder, db, *words, check=True):
    """dbmate --migrations-dir migrations WORDS…"""
    done = subprocess.run([dbmate_program(), "--migrations-dir", "migrations", "--no-dump-schema", *words], cwd=folder, capture_output=True, text=True,
                          env={"PATH": PATH, "DATABASE_URL": db.url + "?sslmode=disable"})
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def node_pg_migrate(folder, db, *words):
    tool = project(folder.parent / (folder.name + "-node"), **{"node-pg-migrate": "9.0.0", "pg": "8.23.1"})
    done = subprocess.run(["node", tool / "node_modules/node-pg-migrate/bin/node-pg-migrate.js", "-m", folder / "migrations", *(words or ("up",))], cwd=tool,
                          capture_output=True, text=True, env={"PATH": os.environ["PATH"], "DATABASE_URL": db.url})
    assert done.returncode == 0, done.stdout + done.stderr
    return done
