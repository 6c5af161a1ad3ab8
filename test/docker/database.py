"""PostgreSQL in a container."""

import itertools
import secrets

from containers import docker
from support.waiting import eventually

SUPERUSER_PASSWORD = "Super-Pw-1"
numbers = itertools.count(1)


class Database:
    def __init__(self, host, name, password):
        self.host, self.name, self.role, self.password = host, name, name, password

    @property
    def url(self):
        return f"postgresql://{self.role}:{self.password}@{self.host}/{self.name}"


class Server:
    """embark-test/postgres, known as `alias` in the network. start() makes it, and waits for it.
    Its files are in memory, and gone when it is stopped, or in a volume."""

    def __init__(self, boxes, network=None, alias="db", memory=False):
        self.boxes, self.network, self.alias, self.memory = boxes, network, alias, memory
        self.container = None

    def start(self, wait=True):
        if self.container is None:
            words = ["--network-alias", self.alias, *(["--tmpfs", "/var/lib/postgresql/data:mode=700"] if self.memory else [])]
            self.container = self.boxes.run("embark-test/postgres", "postgres", "-c", "max_connections=60", options=words,
                                            env={"POSTGRES_PASSWORD": SUPERUSER_PASSWORD}, network=self.network)
        else:
            docker("start", self.container.name)
        if wait:
            eventually(self.answers, 120, f"{self.container.name} to be up", gap=0.1)
        return self

    @property
    def superuser_url(self):
        return f"postgresql://postgres:{SUPERUSER_PASSWORD}@{self.alias}/postgres"

    def answers(self):
        """Over TCP: the server that the entrypoint starts for a new cluster listens on its socket only."""
        return self.container.exec("pg_isready", "-q", "-h", "127.0.0.1", code=None).code == 0

    def sql(self, text, database="postgres"):
        return self.container.exec("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-c", text).stdout.strip()

    def database(self):
        database = Database(self.alias, f"test{next(numbers)}", secrets.token_hex(8))
        self.sql(f"CREATE ROLE {database.role} LOGIN PASSWORD '{database.password}'")
        self.sql(f"CREATE DATABASE {database.name} OWNER {database.role}")
        return database

    def drop(self, database):
        self.sql(f"DROP DATABASE IF EXISTS {database.name} WITH (FORCE)")
        self.sql(f"DROP ROLE IF EXISTS {database.role}")
