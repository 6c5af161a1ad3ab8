"""Folders of SQL migrations as people have them: the same five steps in each tool's layout, with a function whose body has semicolons, an
index that is made concurrently, and a way back that drops data."""

import hashlib
import base64
import os
import re
import subprocess
import zlib

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


def dbmate(folder, db, *words, check=True, env=None):
    """dbmate --migrations-dir migrations WORDS…"""
    done = subprocess.run([dbmate_program(), "--migrations-dir", "migrations", "--no-dump-schema", *words], cwd=folder, capture_output=True, text=True,
                          env={"PATH": PATH, "DATABASE_URL": db.url + "?sslmode=disable", **(env or {})})
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def node_pg_migrate(folder, db, *words):
    tool = folder.parent / (folder.name + "-node")
    if not tool.exists():
        project(tool, **{"node-pg-migrate": "9.0.0", "pg": "8.23.1"})
    done = subprocess.run(["node", tool / "node_modules/node-pg-migrate/bin/node-pg-migrate.js", "-m", folder / "migrations", *(words or ("up",))], cwd=tool,
                          capture_output=True, text=True, env={"PATH": os.environ["PATH"], "DATABASE_URL": db.url})
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def steps_in(db, form, names, folder):
    """The tool's own table, filled as the tool would after these files."""
    connection = db.connect_as_role()
    connection.autocommit = True
    cursor = connection.cursor()
    rows = [folder / name for name in names]
    if form == "dbmate":
        cursor.execute("CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)")
        for path in rows:
            cursor.execute("INSERT INTO schema_migrations VALUES (%s)", (path.name.split("_")[0],))
    elif form == "goose":
        cursor.execute("CREATE TABLE goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL, is_applied boolean NOT NULL,"
                       " tstamp timestamp DEFAULT now()); INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true)")
        for path in rows:
            cursor.execute("INSERT INTO goose_db_version (version_id, is_applied) VALUES (%s, true)", (int(path.name.split("_")[0]),))
    elif form == "golang-migrate":
        cursor.execute("CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)")
        if rows:
            cursor.execute("INSERT INTO schema_migrations VALUES (%s, false)", (int(rows[-1].name.split("_")[0]),))
    elif form == "sqlx":
        cursor.execute("CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL, installed_on timestamptz NOT NULL DEFAULT"
                       " now(), success boolean NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL)")
        for path in rows:
            cursor.execute("INSERT INTO _sqlx_migrations VALUES (%s, 'x', now(), true, %s, 1)",
                           (int(path.name.split("_")[0]), hashlib.sha384(path.read_bytes()).digest()))
    elif form == "flyway":
        cursor.execute("CREATE TABLE flyway_schema_history (installed_rank int NOT NULL PRIMARY KEY, version varchar(50), description varchar(200) NOT"
                       " NULL, type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int, installed_by varchar(100) NOT NULL, installed_on"
                       " timestamp NOT NULL DEFAULT now(), execution_time int NOT NULL, success boolean NOT NULL)")
        for rank, path in enumerate(rows, 1):
            number, title = path.stem.split("__")
            cursor.execute("INSERT INTO flyway_schema_history VALUES (%s, %s, %s, 'SQL', %s, %s, 'x', now(), 1, true)",
                           (rank, number[1:] or None, title, path.name, flyway_checksum(path.read_text())))
    elif form == "node-pg-migrate":
        cursor.execute("CREATE TABLE pgmigrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL)")
        for path in rows:
            cursor.execute("INSERT INTO pgmigrations (name, run_on) VALUES (%s, now())", (path.stem,))
    elif form == "sql-migrate":
        cursor.execute("CREATE TABLE gorp_migrations (id text NOT NULL PRIMARY KEY, applied_at timestamptz)")
        for path in rows:
            cursor.execute("INSERT INTO gorp_migrations VALUES (%s, now())", (path.name,))
    elif form == "prisma":
        cursor.execute("CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY NOT NULL, checksum varchar(64) NOT NULL, finished_at timestamptz,"
                       " migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),"
                       " applied_steps_count integer NOT NULL DEFAULT 0)")
        for number, path in enumerate(rows):
            cursor.execute("INSERT INTO _prisma_migrations VALUES (%s, %s, now(), %s, NULL, NULL, now(), 1)",
                           (str(number), hashlib.sha256(path.read_bytes()).hexdigest(), path.parent.name))
    else:
        sums = dict(line.split(" h1:") for line in (folder / "atlas.sum").read_text().splitlines()[1:])
        cursor.execute("CREATE SCHEMA atlas_schema_revisions; CREATE TABLE atlas_schema_revisions.atlas_schema_revisions (version varchar NOT NULL PRIMARY"
                       " KEY, description varchar NOT NULL, type bigint NOT NULL DEFAULT 2, applied bigint NOT NULL DEFAULT 0, total bigint NOT NULL"
                       " DEFAULT 0, executed_at timestamptz NOT NULL, execution_time bigint NOT NULL, error text, error_stmt text, hash varchar NOT NULL,"
                       " partial_hashes jsonb, operator_version varchar NOT NULL)")
        for path in rows:
            cursor.execute("INSERT INTO atlas_schema_revisions.atlas_schema_revisions VALUES (%s, 'x', 2, 1, 1, now(), 1, '', '', %s, NULL, 'x')",
                           (path.name.split("_")[0], sums[path.name]))
    connection.close()


def flyway_checksum(text):
    """CRC-32 of the lines, as a signed number."""
    crc = 0
    for line in text.removeprefix("\ufeff").splitlines():
        crc = zlib.crc32(line.encode(), crc)
    return crc - (1 << 32) if crc >= 1 << 31 else crc


def sql_migrate(folder, db, *words):
    (folder / "dbconfig.yml").write_text(f"development:\n  dialect: postgres\n  datasource: {db.url}?sslmode=disable\n  dir: migrations\n  table: gorp_migrations\n")
    done = subprocess.run(["sql-migrate", *(words or ("up",))], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done
