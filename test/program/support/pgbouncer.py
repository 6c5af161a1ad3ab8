"""PgBouncer before a server, in transaction, session or statement mode."""

import os
import shutil
import subprocess

import psycopg2

from .postgres import as_user, free_port
from .waiting import eventually


class PgBouncer:
    def __init__(self, database, mode, **settings):
        program = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
        if program is None:
            raise AssertionError("PgBouncer is missing: apt-get install --no-install-recommends pgbouncer")
        self.database = database
        server = database.server
        self.folder = server.cluster.new_folder("b")
        self.host, self.port = "127.0.0.1", free_port()
        users = self.folder / "users"
        users.write_text(f'"{database.role}" "{database.password}"\n')
        settings = {
            "listen_addr": self.host, "listen_port": self.port, "unix_socket_dir": "", "pool_mode": mode,
            "auth_type": "scram-sha-256", "auth_file": users, "max_client_conn": 200, "default_pool_size": 5,
            "ignore_startup_parameters": "extra_float_digits", "admin_users": database.role, **settings}
        config = self.folder / "pgbouncer.ini"
        config.write_text(
            f"[databases]\n{database.name} = host={server.host} port={server.port} dbname={database.name}\n[pgbouncer]\n"
            + "".join(f"{k} = {v}\n" for k, v in settings.items()))
        for path in (users, config):
            database.server.cluster.give(path)
        self.log = self.folder / "log"
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(as_user([program, config]), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                          cwd="/", env={"PATH": os.environ["PATH"]})
        eventually(self._ready, what=f"PgBouncer\n{self.log.read_text()}")

    def _ready(self):
        assert self.popen.poll() is None, f"PgBouncer ended\n{self.log.read_text()}"
        try:
            self.connect("pgbouncer").close()
            return True
        except psycopg2.OperationalError:
            return False

    def connect(self, name=None):
        connection = psycopg2.connect(host=self.host, port=self.port, user=self.database.role,
                                      password=self.database.password, dbname=name or self.database.name)
        connection.autocommit = True
        return connection

    @property
    def url(self):
        return self.database.url_as(host=self.host, port=self.port)

    def stop(self):
        if self.popen is not None:
            self.popen.kill()
            self.popen.wait(10)
            self.popen = None
