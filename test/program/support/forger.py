"""Servers and poolers that say what isn't so."""

import socket
import struct
import threading


def message(kind, body=b""):
    return kind + struct.pack(">I", len(body) + 4) + body


def row(*values):
    """The whole answer to one statement, in a transaction."""
    columns = b"".join(b"c\0" + struct.pack(">IhIhih", 0, 0, 25, -1, -1, 0) for _ in values)
    fields = b"".join(struct.pack(">I", len(value)) + value for value in values)
    return (message(b"T", struct.pack(">h", len(values)) + columns) + message(b"D", struct.pack(">h", len(values)) + fields)
            + message(b"C", b"SELECT 1\0") + message(b"Z", b"T"))


def error(sqlstate, text):
    fields = b"SERROR\0VERROR\0C" + sqlstate.encode() + b"\0M" + text.encode() + b"\0\0"
    return message(b"E", fields) + message(b"Z", b"E")


class Forger:
    """Stands in front of a server, which it reaches by its socket (the superuser is trusted there). `answer(text)` is asked for each simple
    query: bytes go to the client instead of the server's answer; None: the server's own. With `backends` above 1 each query goes to the next
    one of so many sessions, as behind a pooler in statement mode."""

    def __init__(self, server, answer=lambda text: None, backends=1):
        self.server, self.answer, self.backends = server, answer, backends
        self.sessions = []  # of each client, its simple queries
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, database):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database.name}"

    def _accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self._open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _log_in(self, startup):
        """(the session's stream, what it said until it was ready)"""
        session = socket.socket(socket.AF_UNIX)
        session.connect(f"{self.server.socket_folder}/.s.PGSQL.{self.server.port}")
        self._open.append(session)
        stream = session.makefile("rwb", buffering=0)
        stream.write(struct.pack(">I", len(startup) + 4) + startup)
        return stream, self._until_ready(stream)

    @staticmethod
    def _read(stream):
        kind = stream.read(1)
        size = stream.read(4)
        if len(size) < 4:
            raise EOFError
        length, body = struct.unpack(">I", size)[0] - 4, b""
        while len(body) < length:
            more = stream.read(length - len(body))
            if not more:
                raise EOFError
            body += more
        return kind, body

    def _until_ready(self, stream):
        said = b""
        while True:
            kind, body = self._read(stream)
            said += message(kind, body)
            if kind == b"Z":
                return said

    def _serve(self, client):
        try:
            stream = client.makefile("rwb", buffering=0)
            while True:
                startup = stream.read(struct.unpack(">I", stream.read(4))[0] - 4)
                if struct.unpack(">I", startup[:4])[0] >> 16 == 3:
                    break
                stream.write(b"N")  # no TLS
            sessions = [self._log_in(startup) for _ in range(self.backends)]
            stream.write(sessions[0][1])
            turn, asked = 0, []
            self.sessions.append(asked)
            while True:
                kind, body = self._read(stream)
                if kind == b"X":
                    break
                text = body[:-1].decode(errors="replace") if kind == b"Q" else ""
                if text:
                    asked.append(text)
                forged = self.answer(text) if text else None
                if forged:
                    stream.write(forged)
                    continue
                session = sessions[turn % self.backends][0]
                session.write(message(kind, body))
                if kind in (b"Q", b"S"):
                    stream.write(self._until_ready(session))
                    turn += 1
            for session, _ in sessions:
                session.write(message(b"X"))
        except (OSError, EOFError, struct.error):
            pass
        client.close()

    def close(self):
        for one in [self.socket, *self._open]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
