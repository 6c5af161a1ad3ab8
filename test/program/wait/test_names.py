"""Names are resolved as the service beside embark resolves them: the name servers of resolv.conf in their order, again over TCP,
search lists, /etc/hosts in any case."""

import socket
import struct
import threading
import time

import pytest

from support import net


class Server(net.NameServer):
    """A name server of a namespace, with a TCP side; every answer is `delay` s late. `code`: the answer to whatever isn't in `names`;
    `many`: answers with so many addresses, the first of which is the name's, over UDP truncated."""

    def __init__(self, inside, address, delay=0.0, code=3, many=1, **how):
        self.delay, self.code, self.many = delay, code, many
        self.tcp = inside.socket(socket.SOCK_STREAM, (address, 53))
        self.tcp.listen(5)
        super().__init__(inside.socket(socket.SOCK_DGRAM, (address, 53)), **how)
        threading.Thread(target=self._accept, daemon=True).start()

    def _answer(self, query, udp):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind = struct.unpack(">H", query[at + 1:at + 3])[0]
        name = ".".join(labels)
        self.asked.append(name)
        time.sleep(self.delay)
        address = self.names.get(name.lower())
        code = 0 if address else self.code
        if kind != 1 or not address:
            return query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, 0, 0, 0) + query[12:at + 5]
        first = struct.unpack(">I", socket.inet_aton(address))[0]
        records = b"".join(b"\xc0\x0c" + struct.pack(">HHIHI", 1, 1, 0, 4, first + i) for i in range(self.many))
        if udp and self.many > 1:
            return query[:2] + struct.pack(">HHHHH", 0x8380, 1, 0, 0, 0) + query[12:at + 5]
        return query[:2] + struct.pack(">HHHHH", 0x8180, 1, self.many, 0, 0) + query[12:at + 5] + records

    def _serve(self):
        for query, peer in net.queries(self.socket):
            if not self.dead:
                threading.Thread(target=self._send, args=(query, peer), daemon=True).start()

    def _send(self, query, peer):
        answer = self._answer(query, True)
        try:
            self.socket.sendto(answer, peer)
        except OSError:  # closed meanwhile
            pass

    def _accept(self):
        while True:
            try:
                peer, _ = self.tcp.accept()
            except OSError:
                return
            with peer:
                size = peer.recv(2)
                query = peer.recv(struct.unpack(">H", size)[0]) if len(size) == 2 else b""
                if query:
                    answer = self._answer(query, False)
                    peer.sendall(struct.pack(">H", len(answer)) + answer)

    def close(self):
        self.tcp.shutdown(socket.SHUT_RDWR)
        self.tcp.close()
        super().close()


@pytest.fixture
def place(namespace, embark):
    """A namespace in which 127.0.0.5:5432 accepts; servers(…) starts name servers, which are those of its resolv.conf."""
    class Place:
        def __init__(self):
            self.inside = namespace()
            self.listener = net.Listener(sock=self.inside.socket(socket.SOCK_STREAM, ("127.0.0.5", 5432)))
            self.servers = []

        def serve(self, *kinds, options=""):
            for i, kind in enumerate(kinds):
                names = kind.pop("names", {})
                self.servers.append(Server(self.inside, f"127.0.0.{i + 1}", **kind))
                self.servers[-1].names.update(names)
            self.inside.resolv.write_text("".join(f"nameserver 127.0.0.{i + 1}\n" for i in range(len(kinds))) + options)

        def wait(self, host, timeout="10s"):
            return embark.run("wait", config=f"[wait]\ntcp = {host}:5432\ntimeout = {timeout}\n", prefix=self.inside.prefix("/"))

    one = Place()
    yield one
    embark.end()
    for server in one.servers:
        server.close()
    one.listener.close()


GOOD = {"db.test": "127.0.0.5"}


def test_the_second_server_is_quicker_and_does_not_know_the_name(place):
    place.serve({"names": GOOD, "delay": 0.2}, {})
    place.wait("db.test").expect(0)


def test_the_second_server_knows_another_address(place):
    place.serve({"names": GOOD, "delay": 0.6}, {"names": {"db.test": "127.0.0.6"}})
    place.wait("db.test").expect(0)


@pytest.mark.parametrize("first", [{"dead": True}, {"code": 2}, {"code": 5}], ids=["silent", "SERVFAIL", "REFUSED"])
def test_the_first_server_fails(place, first):
    place.serve(first, {"names": GOOD})
    place.wait("db.test").expect(0)


def test_the_first_server_says_that_there_is_no_such_name(place):
    """glibc asks no other then."""
    place.serve({}, {"names": GOOD, "delay": 0.2})
    place.wait("db.test", timeout="1s").expect(69, r"db\.test is unknown")


def test_all_servers_are_silent(place):
    place.serve({"dead": True}, {"dead": True}, {"dead": True})
    started = time.monotonic()
    place.wait("db.test", timeout="1s").expect(69, r"db\.test can't be looked up \(the DNS servers don't answer")
    assert time.monotonic() - started < 8


def test_an_answer_that_does_not_fit_is_asked_for_again_over_tcp(place):
    place.serve({"names": GOOD, "many": 40})
    place.wait("db.test").expect(0)


def test_search_and_ndots(place):
    place.serve({"names": {"db.prod.svc.test": "127.0.0.5"}}, options="search none.test prod.svc.test\noptions ndots:5\n")
    place.wait("db").expect(0)
    assert "db.none.test" in place.servers[0].asked


def test_etc_hosts_in_any_case(place):
    place.serve({})
    place.inside.hosts.write_text("127.0.0.1 localhost\n127.0.0.5 Primary.Test DB\n")
    place.wait("db").expect(0)
    place.wait("PRIMARY.test").expect(0)
    assert place.servers[0].asked == []


def test_the_dns_in_any_case(place):
    place.serve({"names": GOOD})
    place.wait("DB.Test").expect(0)
