"""Name servers that misbehave, on purpose: each way to do so is a function of MODES, which is given an exchange.

TRAP is an address that no good answer holds: whoever connects to it has believed something.
"""

import socket
import struct
import threading

from .net import queries

NAME, ADDRESS, TRAP = "db.test", "127.0.0.5", "127.0.0.66"
A, CNAME, AAAA = 1, 5, 28
POINTER = b"\xc0\x0c"  # to the question's name


def name_of(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def record(kind, data, name=POINTER, length=None):
    return name + struct.pack(">HHIH", kind, 1, 1, len(data) if length is None else length) + data


def a(address):
    return record(A, socket.inet_aton(address))


class Exchange:
    """One query, over UDP or TCP."""

    def __init__(self, server, query, peer, tcp=None):
        self.server, self.query, self.peer, self.tcp = server, query, peer, tcp
        end = 12
        while query[end]:
            end += 1 + query[end]
        self.question = query[12:end + 5]
        self.kind = struct.unpack(">H", query[end + 1:end + 3])[0]

    def raw(self, data, sock=None):
        self.server.engaged.set()
        if self.tcp:
            self.tcp.sendall(data)
        else:
            (sock or self.server.socket).sendto(data, self.peer)

    def answer(self, records=b"", count=None, code=0, flags=0x8180, question=None, number=0):
        """As bytes."""
        question = self.question if question is None else question
        number = struct.pack(">H", (struct.unpack(">H", self.query[:2])[0] + number) % 65536)
        return number + struct.pack(">HHHHH", flags | code, 1 if question else 0, count if count is not None else 1 if records else 0, 0, 0) + question + records

    def send(self, *words, **how):
        data = self.answer(*words, **how)
        self.raw(struct.pack(">H", len(data)) + data if self.tcp else data)

    def only_a(self, records, **how):
        """The same for A; an empty answer for AAAA."""
        self.send(records if self.kind == A else b"", **how)

    def silence(self):
        self.server.engaged.set()

    def flood(self, make):
        self.server.engaged.set()
        number = 0
        while not self.server.over.is_set():
            number += 1
            self.raw(make(number))


def sends(*words, **how):
    return lambda x: x.send(*words, **how)


def answers(records, **how):
    return lambda x: x.only_a(records, **how)


def raws(data):
    return lambda x: x.raw(x.query[:2] + data)


def late(x):
    if not x.server.over.wait(6):
        x.only_a(a(TRAP))


def from_elsewhere(address):
    def mode(x):
        with x.server.inside.socket(socket.SOCK_DGRAM, (address, 0 if address == x.server.address else 53)) as other:
            x.raw(x.answer(a(TRAP)), other)
    return mode


def over_tcp(mode):
    """UDP's answer is cut, so that it is asked for again."""
    def both(x):
        if x.tcp:
            mode(x)
        else:
            x.send(flags=0x8380)
    return both


def drips(x):
    data = x.answer(a(TRAP))
    for byte in struct.pack(">H", len(data)) + data:
        x.raw(bytes([byte]))
        if x.server.over.wait(0.3):
            return


def chain(x):
    """One CNAME after the other, and never an address."""
    names = [POINTER] + [name_of(f"n{i}.test") for i in range(20)]
    x.send(b"".join(record(CNAME, names[i + 1], names[i]) for i in range(20)), count=20)


def flood_of_numbers(x):
    x.flood(lambda number: x.answer(a(TRAP), number=1 + number % 65000))


def flood_of_failures(x):
    x.flood(lambda number: x.answer(code=2))


OTHER = name_of("other.test") + struct.pack(">HH", A, 1)
# What isn't an answer: it is waited for a better one, of this server or of the next.
NONE = {
    "silent": lambda x: x.silence(),
    "late": late,
    "wrong-number": lambda x: x.send(a(TRAP), number=1),
    "wrong-numbers-without-end": flood_of_numbers,
    "wrong-question": sends(a(TRAP), question=OTHER),
    "wrong-kind": lambda x: x.send(a(TRAP), question=name_of(NAME) + struct.pack(">HH", 16, 1)),
    "no-question": sends(a(TRAP), question=b""),
    "two-questions": lambda x: x.raw(x.answer(a(TRAP), question=x.question + OTHER).replace(b"\0\x01\0\x01\0\0\0\0", b"\0\x02\0\x01\0\0\0\0", 1)),
    "the-query-itself": lambda x: x.raw(x.query),
    "from-another-port": from_elsewhere("127.0.0.1"),
    "from-another-address": from_elsewhere("127.0.0.9"),
    "one-byte": lambda x: x.raw(b"x"),
    "two-bytes": raws(b""),
    "four-bytes": raws(b"\x81\x80"),
    "header-alone": raws(b"\x81\x80\0\x01\xff\xff\0\0\0\0"),
    "garbage": raws(bytes(range(256)) * 2),
    "zeroes": raws(b"\0" * 500),
    "REFUSED": sends(code=5),
    "SERVFAIL": sends(code=2),
    "SERVFAIL-without-end": flood_of_failures,
    "FORMERR": sends(code=1),
    "FORMERR-without-the-question": sends(code=1, question=b""),
    "NOTIMP": sends(code=4),
    "code-15": sends(code=15),
    "tcp-that-is-silent": over_tcp(lambda x: x.silence()),
    "tcp-that-drips": over_tcp(drips),
    "tcp-that-closes": over_tcp(lambda x: x.tcp.close()),
    "tcp-that-closes-after-the-length": over_tcp(lambda x: (x.raw(b"\x10\0"), x.tcp.close())),
    "tcp-length-0": over_tcp(lambda x: x.raw(b"\0\0" * 100)),
    "tcp-length-12": over_tcp(lambda x: x.raw(b"\0\x0c" + x.answer()[:12])),
    "tcp-length-too-long": over_tcp(lambda x: x.raw(b"\xff\xff" + x.answer(a(TRAP)))),
    "tcp-wrong-question": over_tcp(sends(a(TRAP), question=OTHER)),
    "tcp-garbage": over_tcp(lambda x: x.raw(bytes(range(1, 256)) * 300)),
    "tcp-SERVFAIL": over_tcp(sends(code=2)),
}
# What is an answer, and holds no address: there is no such name, as far as this server knows.
EMPTY = {
    "no-such-name": sends(code=3),
    "nothing": sends(),
    "CNAME-of-itself": sends(record(CNAME, POINTER)),
    "CNAMEs-in-a-circle": lambda x: x.send(record(CNAME, name_of("b.test")) + record(CNAME, POINTER, name_of("b.test")), count=2),
    "CNAMEs-without-an-address": chain,
    "pointer-to-itself": lambda x: x.send(record(CNAME, b"\xc0" + bytes([12 + len(x.question) + 12]))),
    "name-that-points-to-itself": lambda x: x.send(record(CNAME, name_of("b.test"), b"\xc0" + bytes([12 + len(x.question)]))),
    "pointer-behind-the-end": sends(record(CNAME, b"\xff\xff")),
    "address-of-3-bytes": sends(record(A, b"\x7f\0\0")),
    "address-of-65535-bytes": sends(record(A, b"\x7f\0\0\x42", length=65535)),
    "address-of-16-bytes-as-A": sends(record(A, b"\x7f\0\0\x42" * 4)),
    "count-of-65535": sends(record(16, b"\x03abc"), count=65535),
    "records-of-another-kind": sends(record(16, b"\x03abc") * 20, count=20),
    "labels-without-end": sends(b"\x3f" + b"y" * 63 + b"\x3f" + b"y" * 63 + b"\x3f" + b"y" * 63),
    "no-such-name-with-an-address": sends(a(TRAP), code=3),
    "tcp-64-KiB": over_tcp(lambda x: x.send(record(16, b"\xff" + b"y" * 255) * 240, count=240)),
}
# What serves.
GOOD = {
    "address": answers(a(ADDRESS)),
    "CNAME-first": answers(record(CNAME, name_of("b.test")) + record(A, socket.inet_aton(ADDRESS), name_of("b.test")), count=2),
    "others-case": lambda x: x.raw(x.answer(a(ADDRESS) if x.kind == A else b"", question=x.question.upper())),
    "tcp-many-addresses": over_tcp(lambda x: x.only_a(b"".join(a(ADDRESS) for _ in range(3000)), count=3000 if x.kind == A else 0)),
    "wrong-ones-before": lambda x: (x.send(a(TRAP), number=1), x.only_a(a(ADDRESS))),
}
MODES = {**NONE, **EMPTY, **GOOD}


class NameServer:
    """On port 53 of `address` in a namespace (support/net.py)."""

    def __init__(self, inside, address, mode):
        self.inside, self.address, self.mode = inside, address, MODES[mode]
        self.engaged, self.over = threading.Event(), threading.Event()
        self.asked = 0
        self.socket = inside.socket(socket.SOCK_DGRAM, (address, 53))
        self.tcp = inside.socket(socket.SOCK_STREAM, (address, 53))
        self.tcp.listen(50)
        self._open = []
        for serve in (self._udp, self._accept):
            threading.Thread(target=serve, daemon=True).start()

    def _udp(self):
        for query, peer in queries(self.socket):
            self.asked += 1
            threading.Thread(target=self._answer, args=(query, peer), daemon=True).start()

    def _answer(self, query, peer, tcp=None):
        try:
            self.mode(Exchange(self, query, peer, tcp))
        except OSError:
            pass

    def _accept(self):
        while True:
            try:
                peer, _ = self.tcp.accept()
            except OSError:
                return
            self._open.append(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        try:
            size = peer.recv(2, socket.MSG_WAITALL)
            query = peer.recv(struct.unpack(">H", size)[0], socket.MSG_WAITALL) if len(size) == 2 else b""
        except OSError:
            return
        if query:
            self._answer(query, None, peer)

    def close(self):
        self.over.set()
        for one in (self.socket, self.tcp, *self._open):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
