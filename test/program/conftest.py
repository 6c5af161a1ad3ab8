"""Whole-program tests: the binary named by $EMBARK_BIN (build/embark) against real servers.

    EMBARK_BIN=build/embark /usr/bin/python3 -m pytest test/program

EMBARK_ASAN=1 says that the binary is the sanitizer build: a sanitizer's report then fails the test, and sizes aren't measured.
EMBARK_TEST_POSTGRES=16 makes another version the one that most tests use (15).

Whatever a test starts ends with it, also when it fails or is interrupted. Nothing sleeps for a fixed time: tests wait for a condition
with a deadline (support/waiting.py), and a test's deadline only says how long a broken program is waited for.
"""

import os
import shutil
import sys
import tempfile
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from support import namespaces, net, node, pgbouncer, postgres, process  # noqa: E402
from support.certs import Certificates  # noqa: E402

TOP = Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3"
MIGRATION = Path(__file__).with_name("support") / "migration.py"


def pytest_configure(config):
    process.take_signals()
    node.first_in_path()


def pytest_terminal_summary(terminalreporter):
    """What was not run for want of namespaces: .ci/run looks for this line."""
    line = namespaces.summary(terminalreporter.stats.get("skipped", []))
    if line:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def session_folder():
    """Below /tmp, whatever TMPDIR says: sockets have short names. Everybody may enter, since servers run as another user."""
    path = Path(tempfile.mkdtemp(prefix="embark-test.", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def binary(session_folder):
    """A copy, which every user can reach and which stays the same while somebody builds anew."""
    source = Path(os.environ.get("EMBARK_BIN") or TOP / "build" / "embark")
    if not source.is_file():
        pytest.fail(f"{source} is missing: make it first, or set EMBARK_BIN", pytrace=False)
    folder = session_folder / "bin"
    folder.mkdir()
    shutil.copy(source, folder / "embark")
    (folder / "embark").chmod(0o755)
    return folder / "embark"


@pytest.fixture(scope="session")
def cluster(session_folder):
    """The servers' files are in memory where there is room for them."""
    folder = session_folder / "pg"
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 4 << 30:
        folder = Path(tempfile.mkdtemp(prefix="embark-test.", dir=memory))
        folder.chmod(0o755)
    else:
        folder.mkdir()
    cluster = postgres.Cluster(folder, session_folder)
    yield cluster
    cluster.end()


@pytest.fixture
def folder(tmp_path_factory, session_folder):
    """A test's own folder, open to every user."""
    path = Path(tempfile.mkdtemp(prefix="t", dir=session_folder))
    path.chmod(0o777)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def embark(binary, folder):
    starter = process.Starter(binary, folder, uuid.uuid4().hex)
    yield starter
    starter.end()


# --- servers

@pytest.fixture(scope="session")
def server(cluster):
    """Shared by all tests that don't stop it, change it or use up its connections."""
    return cluster.server().start()


def fresh_database(server, embark):
    database = server.database()
    embark.secrets.append(database.password)
    return database


@pytest.fixture
def db(server, embark):
    """A fresh database and role on the shared server."""
    database = fresh_database(server, embark)
    yield database
    embark.end()
    database.drop()


@pytest.fixture(scope="session", params=postgres.VERSIONS, ids=lambda version: f"pg{version}")
def versioned_server(request, cluster):
    """One of each version."""
    if request.param == postgres.DEFAULT:
        yield request.getfixturevalue("server")
        return
    server = cluster.server(request.param).start()
    yield server
    server.destroy()


@pytest.fixture
def any_db(versioned_server, embark):
    """A fresh database on a server of each version."""
    database = fresh_database(versioned_server, embark)
    yield database
    embark.end()
    database.drop()


@pytest.fixture
def own_server(cluster, embark):
    """A factory of servers that the test may stop, restart and kill; made stopped."""
    servers = []

    def make(**options):
        server = cluster.server(**options)
        servers.append(server)
        return server

    yield make
    embark.end()
    for server in servers:
        server.destroy()


@pytest.fixture(scope="session")
def certificates(session_folder):
    folder = session_folder / "certs"
    folder.mkdir(mode=0o755)
    return Certificates(folder)


HBA_TLS = """
local all all trust
hostssl all all 127.0.0.1/32 scram-sha-256
hostssl all all ::1/128 scram-sha-256
hostnossl all all all reject
"""


@pytest.fixture(scope="session")
def tls_server(cluster, certificates):
    """A factory of servers with the certificate `kind` (good, wrong_host, expired), which refuse connections without TLS; kept for the session."""
    servers = {}

    def make(kind):
        if kind not in servers:
            cert, key = getattr(certificates, kind)
            server = cluster.server(hba=HBA_TLS)
            for source, name in ((cert, "server.crt"), (key, "server.key")):
                target = server.data / name
                shutil.copy(source, target)
                cluster.give(target)
                target.chmod(0o600)
            servers[kind] = server.start(ssl="on")
        return servers[kind]

    return make


@pytest.fixture(scope="session")
def pair(cluster):
    """(primary, streaming standby), to be left as they are."""
    primary = cluster.server().start()
    standby = postgres.standby_of(primary).start()
    return primary, standby


@pytest.fixture
def bouncer(embark):
    """A factory: bouncer(db, "transaction")."""
    made = []

    def make(database, mode, **settings):
        made.append(pgbouncer.PgBouncer(database, mode, **settings))
        return made[-1]

    yield make
    embark.end()
    for one in made:
        one.stop()


# --- the network

@pytest.fixture
def listener():
    made = []

    def make(*words, **how):
        made.append(net.Listener(*words, **how))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def namespace(folder, embark):
    """A factory of network namespaces."""
    made = []

    def make(**how):
        made.append(net.Namespace(folder / f"namespace{len(made)}", **how))
        return made[-1]

    yield make
    embark.end()
    for one in made:
        one.end()


@pytest.fixture
def refused_port():
    """A port of the loopback where nobody listens."""
    return postgres.free_port()


# --- migrations

class Migration:
    """Command lines of support/migration.py, for the configuration, a word a line."""

    def __init__(self, folder):
        self.folder = folder
        self._scripts = 0

    def __call__(self, *words):
        return "\n    ".join([PYTHON, str(MIGRATION), *(f"'{word}'" for word in words)])

    def script(self, text):
        """The command line of a shell script."""
        self._scripts += 1
        path = self.folder / f"script{self._scripts}.sh"
        path.write_text(text)
        return f"sh {path}"


@pytest.fixture
def migration(folder):
    return Migration(folder)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What embark said belongs to a failed test's report."""
    report = (yield).get_result()
    starter = getattr(item, "funcargs", {}).get("embark")
    if report.failed and starter is not None:
        for number, one in enumerate(starter.started[-6:]):
            report.sections.append((f"embark {number}", one.describe()[-4000:]))
