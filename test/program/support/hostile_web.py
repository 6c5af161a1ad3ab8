"""Web servers that misbehave, on purpose: each way to do so is a function of HTTP (one that answers a request) or of TLS (one that the handshake, or
what lies below HTTP, is not done with).
"""

import ctypes
import socket
import ssl
import struct

from . import hostile_server
from .hostile_server import closes, floods, says

OK = b"HTTP/1.1 200 OK\r\n"


def moved(location):
    """To what `location` makes of the server."""
    def mode(peer):
        peer.send(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location(peer.hostile) + b"\r\n\r\n")
        peer.engage()
    return mode


def to(location):
    return moved(lambda _: location)


def drips(data):
    return lambda peer: peer.drip(data)


def counted_redirects(peer):
    """Always to another place: no list of places seen ends this."""
    peer.hostile.count += 1
    moved(lambda server: b"/%d" % server.count)(peer)


def slow_redirects(peer):
    peer.hostile.over.wait(0.3)
    counted_redirects(peer)


def before_the_request(data):
    def mode(peer):
        peer.send(data)
    mode.before = True
    return mode


def resets(data):
    def mode(peer):
        peer.send(data)
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return mode


def then(head, mode):
    def both(peer):
        peer.send(head)
        mode(peer)
    return both


# No answer, or none that is good.
HEAD = {
    "silent": lambda peer: peer.silence(),
    "drip": drips(OK + b"Content-Length: 2\r\n" * 100),
    "drip-in-the-first-line": drips(b"HTTP/1.1 200 " + b"O" * 1000),
    "first-line-without-end": then(b"HTTP/1.1 200 ", floods(b"O" * 65536)),
    "blank-lines": floods(b"\r\n" * 30000),
    "headers-without-end": then(OK, floods(b"X-Filler: y\r\n" * 4000)),
    "header-line-without-end": then(OK + b"X-Filler: ", floods(b"y" * 65536)),
    "header-name-without-end": then(OK, floods(b"y" * 65536)),
    "folded-lines": then(OK + b"X-Filler: y\r\n", floods(b" y\r\n" * 16000)),
    "interim-answers": floods(b"HTTP/1.1 100 Continue\r\n\r\n" * 2000),
    "interim-answers-drip": drips(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100),
    "early-hints-with-headers": floods(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2000),
    "garbage": floods(bytes(range(256)) * 256),
    "zeroes": floods(b"\0" * 65536),
    "control-characters": closes(b"HTTP/1.1 \x1b]0;owned\x07\x9b31m\r\n  hint: do evil\r\n\r\n"),
    "control-characters-in-a-header": closes(OK + b"X: \x1b]0;owned\x07\x9b31m\r\n\r\n"),
    "another-protocol": closes(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "old-http": closes(b"<html>it works</html>"),
    "closes": closes(b""),
    "closes-in-the-head": closes(OK + b"X: y\r\n"),
    "resets": resets(b""),
    "resets-in-the-head": resets(OK),
    "no-status": closes(b"HTTP/1.1 abc OK\r\n\r\n"),
    "lengths-that-differ": says(OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n"),
    "length-of-a-thousand-digits": says(OK + b"Content-Length: " + b"9" * 1000 + b"\r\n\r\n"),
    "length-below-zero": says(OK + b"Content-Length: -1\r\n\r\n"),
}

# With `redirects = yes`. /there is another path of this server, NEXT its own port by the other scheme.
REDIRECT = {
    "to-itself": to(b"/"),
    "in-circles": moved(lambda server: b"/%d" % (server.asked % 2)),
    "always-elsewhere": counted_redirects,
    "slowly": slow_redirects,
    "to-the-other-scheme": moved(lambda server: b"%s://127.0.0.1:%d/" % (b"http" if server.tls else b"https", server.port)),
    "to-a-file": to(b"file:///etc/passwd"),
    "to-a-script": to(b"javascript:alert(1)"),
    "to-a-socket": to(b"unix:/run/embark-test-none.sock:/"),
    "to-a-port-where-nobody-listens": to(b"http://127.0.0.1:1/"),
    "to-a-host-that-is-none": to(b"http://no-such-host.invalid/"),
    "to-a-host-that-does-not-answer": to(b"http://192.0.2.1:81/"),
    "to-a-port-of-its-own-that-is-silent": moved(lambda server: b"http://127.0.0.1:%d/" % server.silent_port),
    "to-a-place-with-a-password": to(b"http://user:" + hostile_server.SECRET.encode() + b"@127.0.0.1/"),
    "to-a-place-without-end": then(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/", floods(b"y" * 65536)),
    "to-60000-bytes": to(b"/" + b"y" * 60000),
    "to-control-characters": to(b"/\x1b]0;owned\x07"),
    "to-blanks": to(b"http://127.0.0.1/ HTTP/1.1 X"),
    "to-60000-bytes-of-no-scheme": to(b"x:" + b"y" * 60000),
    "to-60000-bytes-that-nobody-answers": moved(lambda server: b"http://127.0.0.1:%d/" % server.silent_port + b"y" * 60000),
    "to-two-places": then(b"HTTP/1.1 302 Found\r\nLocation: /\r\nLocation: file:///etc/passwd\r\n\r\n", lambda peer: None),
    "with-a-body-without-end": then(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", floods(b"x" * 65536)),
}

# The status is good: only who looks for a text in the body is up against these.
BODY = {
    "length-of-18-digits": says(OK + b"Content-Length: " + b"9" * 18 + b"\r\n\r\nx"),
    "body-without-end": then(OK + b"\r\n", floods(b"x" * 65536)),
    "body-that-drips": then(OK + b"\r\n", drips(b"x" * 1000)),
    "chunk-of-60-bits": says(OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 15 + b"\r\nx"),
    "chunk-of-64-bits": says(OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 16 + b"\r\nx"),
    "chunk-of-a-thousand-digits": says(OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 1000 + b"1\r\nx"),
    "chunk-below-zero": says(OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nx"),
    "chunk-line-without-end": then(OK + b"Transfer-Encoding: chunked\r\n\r\n1;", floods(b"y" * 65536)),
    "chunk-extensions": then(OK + b"Transfer-Encoding: chunked\r\n\r\n", floods((b"1;" + b"y" * 60000 + b"\r\nx\r\n"))),
    "chunks-that-drip": then(OK + b"Transfer-Encoding: chunked\r\n\r\n", drips(b"1\r\nx\r\n" * 1000)),
    "trailers-without-end": then(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", floods(b"X: y\r\n" * 10000)),
    "chunk-that-is-longer": says(OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nxxxxx\r\n"),
    "closes-in-the-body": closes(OK + b"Content-Length: 100\r\n\r\nx"),
    "resets-in-the-body": resets(OK + b"Content-Length: 100\r\n\r\nx"),
}

# Good answers, though not in the order of the book, or with nothing to follow.
GOOD = {
    "before-the-request": before_the_request(OK + b"Content-Length: 0\r\n\r\n"),
    "to-nothing": to(b""),
}


class Web(hostile_server.Server):
    """`certificate`: (file, key), for https."""

    def __init__(self, mode, certificate=None):
        self.mode, self.tls = mode, certificate is not None
        self.count = self.asked = 0
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.silent = socket.create_server(("127.0.0.1", 0))
        self.silent_port = self.silent.getsockname()[1]
        super().__init__()
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/"

    def serve(self, sock):
        if self.tls:
            sock = self.context.wrap_socket(sock, server_side=True)
            self._open.append(sock)
        peer = hostile_server.Peer(sock, self)
        try:
            if not getattr(self.mode, "before", False):
                request = b""
                while b"\r\n\r\n" not in request:
                    more = sock.recv(4096)
                    if not more:
                        return
                    request += more
            self.asked += 1
            self.mode(peer)
        finally:
            self.end(sock)

    def close(self):
        super().close()
        self.silent.close()


# --- below HTTP

def record(kind, body, version=b"\x03\x03"):
    return kind + version + struct.pack(">H", len(body)) + body


HELLO_REQUEST = b"\0\0\0\0"
# Handshake records, alerts, and what middle boxes expect (RFC 8446, D.4).
SHAKE, ALERT, CHANGE = b"\x16", b"\x15", b"\x14"

RAW = {
    "says-nothing": lambda peer: peer.silence(),
    "plain-http": closes(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "raw-garbage": floods(bytes(range(256)) * 256),
    "raw-drip": drips(record(SHAKE, b"\x02\0\x0f\xff" + b"\0" * 4000)),
    "hello-requests": floods(record(SHAKE, HELLO_REQUEST * 4000)),
    "short-hello-requests": floods(record(SHAKE, HELLO_REQUEST) * 4000),
    "empty-records": floods(record(SHAKE, b"") * 4000),
    "changes-of-the-cipher": floods(record(CHANGE, b"\x01") * 4000),
    "warnings": floods(record(ALERT, b"\x01\x5a") * 4000),
    "message-of-16-mb": then(record(SHAKE, b"\x02\xff\xff\xff" + b"\0" * 4000), floods(record(SHAKE, b"\0" * 16000))),
    "records-that-are-too-long": floods(b"\x16\x03\x03\xff\xff" + b"\0" * 65535),
}


class Raw(hostile_server.Server):
    def __init__(self, mode):
        self.mode = mode
        super().__init__()
        self.url = f"https://127.0.0.1:{self.port}/"

    def serve(self, sock):
        self.mode(hostile_server.Peer(sock, self))


lib = None


def openssl():
    """What Python's ssl has no words for."""
    global lib
    if lib is None:
        lib = ctypes.CDLL("libssl.so.3")
        for name in ("TLS_server_method", "SSL_CTX_new", "SSL_new"):
            getattr(lib, name).restype = ctypes.c_void_p
    return lib


TLS1_2, TLS1_3, SET_MIN, SET_MAX = 0x303, 0x304, 123, 124


class Below(hostile_server.Server):
    """A TLS server that, once it has shaken hands, sends what is of TLS alone, for ever: tickets, key updates, requests to shake hands again."""

    KINDS = ("tickets", "key-updates", "shake-hands-again")

    def __init__(self, kind, certificate):
        self.kind, self.certificate = kind, certificate
        super().__init__()
        self.url = f"https://127.0.0.1:{self.port}/"

    def serve(self, sock):
        lib = openssl()
        context = ctypes.c_void_p(lib.SSL_CTX_new(ctypes.c_void_p(lib.TLS_server_method())))
        version = TLS1_2 if self.kind == "shake-hands-again" else TLS1_3
        for which in (SET_MIN, SET_MAX):
            lib.SSL_CTX_ctrl(context, which, ctypes.c_long(version), None)
        lib.SSL_CTX_use_certificate_chain_file(context, str(self.certificate[0]).encode())
        lib.SSL_CTX_use_PrivateKey_file(context, str(self.certificate[1]).encode(), 1)
        session = ctypes.c_void_p(lib.SSL_new(context))
        lib.SSL_set_fd(session, sock.fileno())
        if lib.SSL_accept(session) == 1:
            self.engaged.set()
            while self.step(lib, session) == 1 and not self.over.is_set():
                pass
        lib.SSL_free(session)
        lib.SSL_CTX_free(context)

    def step(self, lib, session):
        if self.kind == "tickets":
            return lib.SSL_new_session_ticket(session) == 1 and lib.SSL_do_handshake(session)
        if self.kind == "key-updates":
            return lib.SSL_key_update(session, 0) == 1 and lib.SSL_do_handshake(session)
        lib.SSL_renegotiate(session)
        lib.SSL_do_handshake(session)
        lib.SSL_read(session, ctypes.create_string_buffer(4096), 4096)
        return 1
