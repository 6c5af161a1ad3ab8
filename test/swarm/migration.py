#!/usr/bin/python3
"""The migration of the swarm's rounds: STEPS steps, each in a transaction with its note. It records its begin, its last sign of life and
its end in the table `runs` through a connection of its own, which is marked as every connection of a run is.

    migration.py STEPS
"""

import os
import sys

import psycopg2


def connect():
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    connection.autocommit = True
    return connection


def main():
    record, work = connect(), connect()
    note, do = record.cursor(), work.cursor()
    note.execute("INSERT INTO runs (replica, pid) VALUES (%s, pg_backend_pid()) RETURNING id", (os.environ.get("REPLICA", ""),))
    run = note.fetchone()[0]

    def alive():
        note.execute("UPDATE runs SET beat = clock_timestamp() WHERE id = %s", (run,))

    do.execute("SELECT version FROM schema_migrations")
    applied = {row[0] for row in do.fetchall()}
    for step in range(int(sys.argv[1])):
        alive()
        if str(step) in applied:
            continue
        # what it does itself says when: also after its client is gone
        do.execute("BEGIN")
        do.execute("INSERT INTO work VALUES (%s, %s)", (step, run))
        do.execute("SELECT pg_sleep(0.15)")
        do.execute("INSERT INTO schema_migrations VALUES (%s)", (str(step),))
        do.execute("COMMIT")
        alive()
    note.execute("UPDATE runs SET ended = clock_timestamp() WHERE id = %s", (run,))


main()
