"""A server that speaks PostgreSQL's protocol badly, on purpose: each way to do so is a function of MODES.

A mode of LOGIN misbehaves before a login is complete, one of QUERY answers the first query badly. Behind(server, mode, number) is a
real server's door that lets everything pass up to the number'th query of a connection, and answers that one by a mode of QUERY.
"""

import base64
import re
import socket
import struct
import threading

SECRET = "Pw-never-shown"


def message(kind, body=b""):
    return kind + struct.pack(">i", len(body) + 4) + body


def authentication(number, more=b""):
    return message(b"R", struct.pack(">i", number) + more)


def parameter(name, value):
    return message(b"S", name + b"\0" + value + b"\0")


def fields(kind, severity, code, text):
    return message(kind, b"S" + severity + b"\0V" + severity + b"\0C" + code + b"\0M" + text + b"\0\0")


OK = authentication(0)
PARAMETERS = b"".join(parameter(k, v) for k, v in (
    (b"server_version", b"16.1"), (b"client_encoding", b"UTF8"), (b"server_encoding", b"UTF8"), (b"standard_conforming_strings", b"on")))
KEY = message(b"K", struct.pack(">ii", 1, 2))
READY = message(b"Z", b"I")
COLUMN = message(b"T", struct.pack(">h", 1) + b"x\0" + struct.pack(">ihihih", 0, 0, 25, -1, -1, 0))
DONE = message(b"C", b"SELECT 1\0")


class Peer:
    """One connection of embark's."""

    def __init__(self, sock, hostile):
        self.sock, self.hostile = sock, hostile

    def read(self, count):
        data = self.sock.recv(count, socket.MSG_WAITALL) if count else b""
        if len(data) < count:
            raise ConnectionError
        return data

    def message(self):
        kind, length = struct.unpack(">ci", self.read(5))
        return kind, self.read(length - 4)

    def startup(self):
        while True:
            body = self.read(struct.unpack(">i", self.read(4))[0] - 4)
            if struct.unpack(">i", body[:4])[0] not in (80877103, 80877104):  # TLS, GSS
                return body
            self.send(b"N")

    def send(self, data):
        self.sock.sendall(data)

    def engage(self):
        """From here on embark is up against it."""
        self.hostile.engaged.set()

    def flood(self, data):
        self.engage()
        while True:
            self.send(data)

    def silence(self):
        self.engage()
        while self.sock.recv(4096):
            pass

    def drip(self, data):
        self.engage()
        for byte in data:
            self.send(bytes([byte]))
            if self.hostile.over.wait(0.2):
                return
        self.silence()

    def scram(self, rounds, salt=b"saltsaltsalt1234", nonce=None):
        self.send(authentication(10, b"SCRAM-SHA-256\0\0"))
        first = self.message()[1]
        nonce = first.split(b"r=")[-1] + b"xyz" if nonce is None else nonce
        self.engage()
        self.send(authentication(11, b"r=" + nonce + b",s=" + base64.b64encode(salt) + b",i=" + rounds))
        self.silence()


def says(data):
    def mode(peer):
        peer.send(data)
        peer.silence()
    return mode


def floods(data):
    return lambda peer: peer.flood(data)


def closes(data):
    def mode(peer):
        peer.engage()
        peer.send(data)
    return mode


def without_startup(mode):
    mode.before = True
    return mode


def parameters_without_end(peer):
    peer.send(OK)
    peer.engage()
    number = 0
    while True:
        number += 1
        peer.send(b"".join(parameter(b"p%d.%d" % (number, i), b"v" * 1000) for i in range(60)))


def announces(kind, length, more):
    def mode(peer):
        peer.send(kind + struct.pack(">i", length))
        peer.flood(more)
    return mode


LOGIN = {
    "silent": without_startup(lambda peer: peer.silence()),
    "garbage": without_startup(says(bytes(range(256)) * 256)),
    "http": without_startup(says(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    "flood-at-tls": without_startup(floods(b"N" * 65536)),
    "tls-then-garbage": without_startup(floods(b"S" + b"\x16\x03\x01\xff\xff" * 13000)),
    "error-at-tls": without_startup(floods(b"E" + b"x" * 65535)),
    "huge-error": announces(b"E", 0x7FFFFFFF, b"A" * 65536),
    "huge-authentication": announces(b"R", 0x7FFFFFFF, b"A" * 65536),
    "huge-parameter": lambda peer: (peer.send(OK), announces(b"S", 0x3FFFFFFF, b"A" * 65536)(peer)),
    "negative-length": says(b"R" + struct.pack(">i", -5) + b"x" * 100),
    "no-length": says(b"R" + struct.pack(">i", 0) + b"x" * 100),
    "notices": floods(fields(b"N", b"NOTICE", b"00000", b"N" * 20000)),
    "notices-later": lambda peer: (peer.send(OK), peer.flood(fields(b"N", b"NOTICE", b"00000", b"N" * 20000))),
    "md5-again-and-again": floods(authentication(5, b"salt")),
    "password-again-and-again": floods(authentication(3)),
    "ok-again-and-again": floods(OK),
    "unknown-authentication": says(authentication(99)),
    "scram-rounds": lambda peer: peer.scram(b"2147483647"),
    "scram-rounds-allowed": lambda peer: peer.scram(b"9999999"),
    "scram-rounds-negative": lambda peer: peer.scram(b"-1"),
    "scram-rounds-none": lambda peer: peer.scram(b"0"),
    "scram-rounds-long": lambda peer: peer.scram(b"1" * 1000),
    "scram-nonce": lambda peer: peer.scram(b"4096", nonce=b"other"),
    "scram-no-salt": lambda peer: peer.scram(b"4096", salt=b""),
    "parameters": parameters_without_end,
    "drip": lambda peer: (peer.send(OK), peer.drip(PARAMETERS + KEY + READY)),
    "never-ready": says(OK + PARAMETERS),
    "long-error": closes(fields(b"E", b"FATAL", b"57P03", b"\x1b[31m\x07evil\n" + b"e" * 25000)),
    "control-characters": closes(fields(b"E", b"FATAL", b"28P01", b"\x1b]0;owned\x07\x9b31m \xff\xfe\n  hint: do evil")),
    "protocol": says(message(b"v", struct.pack(">ii", 196608, 100000) + b"_pq_.x\0" * 1000)),
}


def row(value):
    return message(b"D", struct.pack(">hi", 1, len(value)) + value)


def always_ready(peer):
    peer.engage()
    peer.send(READY)
    while peer.message():
        peer.send(READY)


QUERY = {
    "rows": lambda peer: (peer.send(COLUMN), peer.flood(row(b"A" * 60000))),
    "empty-rows": lambda peer: (peer.send(COLUMN), peer.flood(row(b"") * 4000)),
    "huge-row": lambda peer: (peer.send(COLUMN), announces(b"D", 0x3FFFFFFF, b"A" * 65536)(peer)),
    "huge-unknown": announces(b"~", 0x3FFFFFFF, b"A" * 65536),
    "copy-in": says(message(b"G", b"\0\0\0")),
    "copy-out": lambda peer: (peer.send(message(b"H", b"\0\0\0")), peer.flood(message(b"d", b"x" * 60000))),
    "copy-both": lambda peer: (peer.send(message(b"W", b"\0\0\0")), peer.flood(message(b"d", b"x" * 60000))),
    "notifications": floods(message(b"A", struct.pack(">i", 1) + b"channel\0" + b"p" * 5000 + b"\0")),
    "query-notices": floods(fields(b"N", b"NOTICE", b"00000", b"N" * 20000)),
    "query-parameters": floods(b"".join(parameter(b"p%d" % i, b"v" * 1000) for i in range(60))),
    "completions": floods(DONE * 1000),
    "errors": floods(fields(b"E", b"ERROR", b"XX000", b"e" * 1000) * 50),
    "columns": says(COLUMN + message(b"D", struct.pack(">hi", 9, 1) + b"a")),
    "no-answer": lambda peer: peer.silence(),
    "drip-answer": lambda peer: peer.drip(COLUMN + row(b"1" * 100) + DONE + READY),
}

# It ends in its own way: what is given is no answer to what is asked, but a complete one.
WRONG = {"null": says(COLUMN + message(b"D", struct.pack(">hi", 1, -1)) + DONE + READY), "always-ready": always_ready}


def at_query(mode):
    def whole(peer):
        peer.send(OK + PARAMETERS + KEY + READY)
        peer.message()
        mode(peer)
    return whole


MODES = {**LOGIN, **{name: at_query(mode) for name, mode in {**QUERY, **WRONG}.items()}}


class Server:
    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"postgresql://u:{SECRET}@127.0.0.1:{self.port}/d"
        self.engaged, self.over = threading.Event(), threading.Event()
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            self._open.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            self.serve(sock)
        except (OSError, struct.error):
            pass
        finally:
            self.end(sock)

    @staticmethod
    def end(sock):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        sock.close()

    def close(self):
        self.over.set()
        self.end(self.socket)
        for sock in self._open:
            self.end(sock)


class Hostile(Server):
    def __init__(self, mode):
        self.mode = MODES[mode]
        super().__init__()

    def serve(self, sock):
        peer = Peer(sock, self)
        if not getattr(self.mode, "before", False):
            peer.startup()
        self.mode(peer)


class Behind(Server):
    """Only on connections whose application_name matches."""

    def __init__(self, database, mode, number, application=b""):
        self.mode, self.number, self.application = QUERY[mode], number, application
        self.target = ("127.0.0.1", database.server.port)
        super().__init__()
        self.url = re.sub(r":\d+/", f":{self.port}/", database.url)

    def serve(self, sock):
        peer = Peer(sock, self)
        body = peer.startup()
        server = socket.create_connection(self.target)
        self._open.append(server)
        server.sendall(struct.pack(">i", len(body) + 4) + body)
        counts = re.search(rb"application_name\0" + self.application, body)
        left = self.number if counts else -1
        answers = threading.Thread(target=self._answers, args=(server, sock), daemon=True)
        answers.start()
        try:
            while True:
                kind, data = peer.message()
                if kind in (b"Q", b"P"):
                    left -= 1
                    if left == 0:
                        break
                server.sendall(message(kind, data))
            self.mode(peer)
        finally:
            self.end(server)

    @staticmethod
    def _answers(server, sock):
        try:
            while data := server.recv(65536):
                sock.sendall(data)
        except OSError:
            pass
