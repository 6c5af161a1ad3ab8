#!/usr/bin/python3
"""A small migration tool, as dbmate is one: the files FOLDER/*.sql in order, each in a transaction, noted in schema_migrations.

    steps.py FOLDER [TABLE]

A file's line `-- no transaction` runs its statement outside of one. Where there is a table `runs`, each run's begin and end is
recorded there over a second connection, so that a test can look for overlaps.
"""

import os
import sys
from pathlib import Path

import psycopg2


def connect():
    scheme, _, rest = os.environ["DATABASE_URL"].partition("://")
    connection = psycopg2.connect("postgresql://" + rest)
    connection.autocommit = True
    return connection


class Record:
    def __init__(self):
        self.connection = connect()
        self.cursor = self.connection.cursor()
        self.cursor.execute("SELECT to_regclass('runs') IS NOT NULL")
        self.there = self.cursor.fetchone()[0]
        if self.there:
            self.cursor.execute("INSERT INTO runs (replica, pid) VALUES (%s, pg_backend_pid()) RETURNING id",
                                (os.environ.get("REPLICA", ""),))
            self.id = self.cursor.fetchone()[0]

    def end(self):
        if self.there:
            self.cursor.execute("UPDATE runs SET ended = clock_timestamp() WHERE id = %s", (self.id,))


def main():
    folder, table = Path(sys.argv[1]), (sys.argv[2] if len(sys.argv) > 2 else "schema_migrations")
    record = Record()
    connection = connect()
    cursor = connection.cursor()
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} (version text PRIMARY KEY)")
    cursor.execute(f"SELECT version FROM {table}")
    applied = {row[0] for row in cursor.fetchall()}
    for path in sorted(folder.glob("*.sql")):
        if path.stem in applied:
            continue
        text = path.read_text()
        print(f"applying {path.name}", flush=True)
        connection.autocommit = "-- no transaction" in text
        try:
            cursor.execute(text)
            cursor.execute(f"INSERT INTO {table} VALUES (%s)", (path.stem,))
        except psycopg2.Error as error:
            record.end()
            sys.exit(f"{path.name}: {error}")
        if not connection.autocommit:
            connection.commit()
    record.end()


main()
