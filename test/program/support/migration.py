#!/usr/bin/python3
"""The migration of these tests: records its begin and end in the table `runs` through a connection of its own, and applies
what is missing once, as a real tool does.

    migration.py WORD…

      touch:FILE    makes FILE (its content: the pid)
      until:FILE    waits until FILE exists
      sleep:N       pg_sleep(N) on the server
      sql:TEXT      runs one statement
      index         CREATE INDEX CONCURRENTLY on the table big
      apply:NAME    inserts NAME into `applied`, unless it is there
      env:NAME=FILE writes $NAME to FILE
      fds:FILE      writes its descriptors to FILE
      child:FILE    starts a child in the same process group that waits for ever; its pid goes to FILE
      daemon:FILE   the same in a session of its own
      print:TEXT    says TEXT on stderr
      fail:N        exits with N
      kill:N        kills itself with signal N
      ignore:TERM   ignores SIGTERM from here on
      ontermwait:FILE  at SIGTERM: makes FILE.got, waits for FILE, records the end, exits with 3
"""

import os
import signal
import subprocess
import sys
import time

import psycopg2


def libpq_url(text):
    scheme, _, rest = text.partition("://")
    return "postgresql://" + rest


def descriptors():
    """A line "N TARGET" for each of this process's descriptors."""
    lines = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            lines.append(f"{fd} {os.readlink('/proc/self/fd/' + fd)}")
        except FileNotFoundError:
            pass  # the one that lists the folder
    return "\n".join(lines)


def main():
    connection = psycopg2.connect(libpq_url(os.environ["DATABASE_URL"]))
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("INSERT INTO runs (replica, pid) VALUES (%s, pg_backend_pid()) RETURNING id",
                   (os.environ.get("REPLICA", ""),))
    run = cursor.fetchone()[0]

    def end():
        cursor.execute("UPDATE runs SET ended = clock_timestamp() WHERE id = %s", (run,))

    def wait_for(path):
        while not os.path.exists(path):
            time.sleep(0.01)

    def touch(path, text=""):
        with open(path + ".new", "w") as f:
            f.write(text)
        os.rename(path + ".new", path)

    for word in sys.argv[1:]:
        what, _, value = word.partition(":")
        if what == "touch":
            touch(value, str(os.getpid()))
        elif what == "until":
            wait_for(value)
        elif what == "sleep":
            cursor.execute("SELECT pg_sleep(%s)", (float(value),))
        elif what == "sql":
            cursor.execute(value)
        elif what == "index":
            cursor.execute("CREATE INDEX CONCURRENTLY big_n ON big (n)")
        elif what == "apply":
            cursor.execute("INSERT INTO applied SELECT %s, %s WHERE NOT EXISTS (SELECT FROM applied WHERE name = %s)",
                           (value, os.environ.get("REPLICA", ""), value))
        elif what == "env":
            name, _, path = value.partition("=")
            touch(path, os.environ.get(name, "(not set)"))
        elif what == "fds":
            touch(value, descriptors())
        elif what in ("child", "daemon"):
            child = subprocess.Popen(["sleep", "100000"], start_new_session=what == "daemon")
            touch(value, str(child.pid))
        elif what == "print":
            print(value, file=sys.stderr, flush=True)
        elif what == "fail":
            end()
            os._exit(int(value))
        elif what == "kill":
            end()
            os.kill(os.getpid(), int(value))
        elif what == "ignore":
            signal.signal(getattr(signal, "SIG" + value), signal.SIG_IGN)
        elif what == "ontermwait":
            def handler(number, frame, path=value):
                touch(path + ".got")
                wait_for(path)
                end()
                os._exit(3)
            signal.signal(signal.SIGTERM, handler)
            signal.signal(signal.SIGINT, handler)
        else:
            sys.exit(f"migration.py: what is {word}?")
    end()


main()
