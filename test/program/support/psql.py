"""psql beside embark sql: the statements that reach the server from each, by the server's own log."""

import json
import os
import subprocess
import uuid

from .postgres import as_user
from .waiting import eventually

CONF = {"log_statement": "all", "logging_collector": "on", "log_destination": "jsonlog", "log_directory": "'log'",
        "log_filename": "'log'", "log_rotation_size": "0", "log_rotation_age": "0", "log_min_messages": "error",
        "max_prepared_transactions": "4", "shared_buffers": "64MB", "log_connections": "off"}


class Client:
    """A server of its own that logs every statement."""

    def __init__(self, cluster):
        self.server = cluster.server(conf=CONF).start()
        self.read = 0
        self.log = self.server.data / "log" / "log.json"

    def url(self, database):
        return f"postgresql://postgres@/{database}?host={self.server.socket_folder}&port={self.server.port}"

    def psql(self, database, path, *words, env=None):
        environment = {**(env or {}), "PATH": os.environ["PATH"], "PGHOST": str(self.server.socket_folder), "PGPORT": str(self.server.port),
                       "PGUSER": "postgres", "PGDATABASE": database, "LC_ALL": "C.UTF-8", "PGCLIENTENCODING": "UTF8",
                       "PGAPPNAME": "psql"}
        return subprocess.run([self.server.programs.program("psql"), "-XAtq", *words, "-f", str(path)], env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, cwd="/")

    def statements(self, database):
        """What has reached `database` by the simple protocol since the last call, in order.

        A statement that isn't SQL is never logged as a statement, but with the error that it causes."""
        mark = f"mark {uuid.uuid4().hex}"
        self.server.sql(f"SELECT '{mark}'")
        found = []
        with open(self.log, "rb") as log:
            log.seek(self.read)
            lines = iter(lambda: next_line(log), None)
            for line in lines:
                entry = json.loads(line)
                message = entry.get("message", "")
                if mark in message:
                    break
                if entry.get("dbname") != database or entry.get("application_name") == "test":
                    continue
                if message.startswith("statement: "):
                    found.append(message.removeprefix("statement: "))
                elif entry["error_severity"] == "ERROR" and entry.get("state_code") == "42601" and "statement" in entry \
                        and (not found or found[-1] != entry["statement"]):
                    found.append(entry["statement"])
            self.read = log.tell()
        return found


def next_line(log):
    """A whole line, as soon as the logger has written it."""
    def whole():
        start = log.tell()
        line = log.readline()
        if line.endswith(b"\n"):
            return line
        log.seek(start)
        return None
    return eventually(whole, what="the next line of the server's log")
