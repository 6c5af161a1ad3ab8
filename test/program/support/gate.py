"""A proxy in front of a server that holds all its connections at the N-th message which comes by, in either direction: it is not passed on
until the gate is opened again, nor is anything behind it. What comes in one piece counts as one message."""

import selectors
import socket
import threading


class Gate:
    def __init__(self, server, at=None):
        self.server, self.at = server, at
        self.count = 0
        self.held = threading.Event()       # the N-th message has come
        self.opened = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.end = threading.Event()
        self.peers, self.failures = {}, []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _accept(self, selector):
        client, _ = self.listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self.server.port))
        except OSError:
            client.close()
            return
        self.peers[client], self.peers[server] = server, client
        selector.register(client, selectors.EVENT_READ)
        selector.register(server, selectors.EVENT_READ)

    def _close(self, selector, one):
        for each in (one, self.peers.pop(one, None)):
            if each is not None:
                self.peers.pop(each, None)
                try:
                    selector.unregister(each)
                except KeyError:
                    pass
                each.close()

    def _pass(self, selector, one):
        try:
            data = one.recv(65536)
        except OSError:
            data = b""
        if data:
            self.count += 1
        if self.at is not None and self.count >= self.at and not self.opened.is_set():
            self.held.set()
            while not self.opened.wait(0.05):
                if self.end.is_set():
                    return
        try:
            if data and one in self.peers:
                self.peers[one].sendall(data)
        except OSError:
            data = b""
        if not data:
            self._close(selector, one)

    def _serve(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self.listener, selectors.EVENT_READ)
            while not self.end.is_set():
                for key, _ in selector.select(0.1):
                    if key.fileobj is self.listener:
                        self._accept(selector)
                    elif key.fileobj in self.peers:
                        self._pass(selector, key.fileobj)
            for one in list(self.peers):
                self._close(selector, one)
        self.listener.close()

    def open(self):
        self.opened.set()

    def close(self):
        self.opened.set()
        self.end.set()
        self.thread.join(10)
