"""Peers that misbehave, and networks that lose packets: in namespaces that go when the test goes."""

import ctypes
import socket
import struct
import subprocess
import threading

from . import namespaces
from .process import need_root

CLONE_NEWNET = 0x40000000


class Namespace:
    """A network and mount namespace with nothing but a loopback in it, kept by a process; `resolv` and `hosts` are its own
    /etc/resolv.conf and /etc/hosts, files that the test may write to at any moment."""

    def __init__(self, folder, nameserver="127.0.0.1"):
        need_root("a network namespace")
        namespaces.need()
        folder.mkdir(exist_ok=True)
        self.resolv, self.hosts = folder / "resolv.conf", folder / "hosts"
        self.resolv.write_text(f"nameserver {nameserver}\noptions timeout:30 attempts:5\n")
        self.hosts.write_text("127.0.0.1 localhost\n")
        # nsswitch: only matters for programs of the C library's other kind (the sanitizer build)
        nsswitch = folder / "nsswitch.conf"
        nsswitch.write_text("hosts: files dns\n")
        script = ('mount --make-rprivate / && mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/hosts'
                  ' && { [ ! -e /etc/nsswitch.conf ] || mount --bind "$3" /etc/nsswitch.conf; }'
                  ' && ip link set lo up && echo up && exec sleep infinity')
        self.keeper = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", "--", "unshare", "--net", "--mount", "sh", "-c", script, "sh", self.resolv,
             self.hosts, nsswitch], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        said = self.keeper.stdout.readline()
        if said != "up\n":
            self.keeper.wait(10)
            raise AssertionError(f"namespaces can't be had here: {said}{self.keeper.stdout.read()}")

    @property
    def pid(self):
        return self.keeper.pid

    def prefix(self, cwd):
        """Words to put before a command that is to run in there, with the same pid; joining a mount namespace forgets the
        working directory."""
        return ["nsenter", f"--target={self.pid}", "--net", "--mount", "--", "sh", "-c", 'cd "$1" && shift && exec "$@"', "sh",
                str(cwd)]

    def run(self, *command):
        done = subprocess.run([*self.prefix("/"), *command], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def socket(self, kind, address):
        """A bound socket of this process that lives in there (a thread goes in and comes back with it)."""
        result = []

        def inside():
            libc = ctypes.CDLL(None, use_errno=True)
            with open(f"/proc/{self.pid}/ns/net") as f:
                if libc.setns(f.fileno(), CLONE_NEWNET) != 0:
                    result.append(OSError(ctypes.get_errno(), "setns"))
                    return
            s = socket.socket(socket.AF_INET, kind)
            try:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(address)
                result.append(s)
            except OSError as error:
                s.close()
                result.append(error)

        thread = threading.Thread(target=inside)  # setns is for the calling thread alone, which ends here
        thread.start()
        thread.join()
        if isinstance(result[0], OSError):
            raise result[0]
        return result[0]

    def join(self, other, number, name="peer"):
        """A cable between two namespaces: 10.99.N.1 here, 10.99.N.2 there."""
        here, there = f"{name}{number}a", f"{name}{number}b"
        self.run("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", str(other.pid))
        self.run("ip", "addr", "add", f"10.99.{number}.1/24", "dev", here)
        other.run("ip", "addr", "add", f"10.99.{number}.2/24", "dev", there)
        self.run("ip", "link", "set", here, "up")
        other.run("ip", "link", "set", there, "up")
        return f"10.99.{number}.1", f"10.99.{number}.2"

    def black_hole(self, address):
        """From now on whatever goes from here to `address` is lost, and nobody is told."""
        self.run("ip", "route", "add", "blackhole", f"{address}/32")

    def end(self):
        self.keeper.kill()
        self.keeper.wait(10)
        self.keeper.stdout.close()


class Listener:
    """A TCP port whose peer does what `behaviour` says: "silent" (accepts, never speaks), "close", "reset", or bytes that it sends."""

    def __init__(self, behaviour="silent", host="127.0.0.1", port=0, sock=None):
        self.behaviour = behaviour
        self.socket = sock or socket.create_server((host, port))
        if sock is not None:
            sock.listen(50)
        self.host, self.port = self.socket.getsockname()[:2]
        self.accepted = 0
        self.received = b""
        self._kept = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            if self.behaviour == "silent":
                self._kept.append(peer)
            elif self.behaviour == "reset":
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.close()
            elif self.behaviour == "close":
                peer.close()
            else:
                try:
                    peer.settimeout(1)
                    self.received += peer.recv(4096)
                    peer.sendall(self.behaviour)
                    peer.shutdown(socket.SHUT_WR)
                    while peer.recv(4096):
                        pass
                except OSError:
                    pass
                peer.close()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        for peer in self._kept:
            peer.close()


class Backlog:
    """A port whose backlog is full: connecting to it neither succeeds nor fails."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.port = self.socket.getsockname()[1]
        self._fill = []
        for _ in range(8):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", self.port))
            self._fill.append(s)

    def close(self):
        for s in [self.socket, *self._fill]:
            s.close()


class StatementProxy:
    """Stands in front of a PostgreSQL server and shows each statement to `on_statement(text)` before it goes on to the server; true: it
    doesn't, and the connection ends. (Queries, and parses of the extended protocol; without TLS.)"""

    def __init__(self, server, on_statement):
        self.server, self.on_statement = server, on_statement
        self.statements = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self._open = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            server = socket.create_connection((self.server.host, self.server.port))
            self._open += [client, server]
            threading.Thread(target=self._answers, args=(server, client), daemon=True).start()
            threading.Thread(target=self._questions, args=(client, server), daemon=True).start()

    def _answers(self, server, client):
        try:
            while data := server.recv(65536):
                client.sendall(data)
        except OSError:
            pass
        self._end(client, server)

    def _questions(self, client, server):
        """Messages have a type and a length, but for those before the login, which are a length."""
        try:
            stream = client.makefile("rb")
            started = False
            while True:
                kind = stream.read(1) if started else b""
                size = stream.read(4)
                if len(size) < 4:
                    break
                body = stream.read(struct.unpack(">I", size)[0] - 4)
                if not started:
                    started = struct.unpack(">I", body[:4])[0] >> 16 == 3
                if kind in (b"Q", b"P"):
                    text = body.split(b"\0")[1 if kind == b"P" else 0].decode()
                    self.statements.append(text)
                    if self.on_statement(text):
                        break
                server.sendall(kind + size + body)
        except OSError:
            pass
        self._end(client, server)

    @staticmethod
    def _end(*sockets):
        for one in sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self._end(self.socket)
        self.socket.close()
        for one in self._open:
            self._end(one)
            one.close()


def queries(sock):
    """(query, peer) of each that comes to a UDP socket, until that is closed."""
    while True:
        try:
            query, peer = sock.recvfrom(4096)
        except OSError:
            return
        if not query:
            return
        yield query, peer


class NameServer:
    """A DNS server on a UDP socket: `names` maps names to IPv4 addresses; others do not exist; `dead` answers nothing."""

    def __init__(self, sock, dead=False):
        self.socket, self.dead = sock, dead
        self.names = {}
        self.asked = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        for query, peer in queries(self.socket):
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode())
                at += 1 + query[at]
            question = query[12:at + 5]
            kind = struct.unpack(">H", query[at + 1:at + 3])[0]
            name = ".".join(labels)
            self.asked.append(name)
            if self.dead:
                continue
            address = self.names.get(name)
            answers = address is not None and kind == 1
            head = query[:2] + struct.pack(">HHHHH", 0x8180 if address else 0x8183, 1, 1 if answers else 0, 0, 0)
            record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(address) if answers else b""
            self.socket.sendto(head + question + record, peer)

    def close(self):
        # closing alone doesn't wake a thread that is in recvfrom
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
