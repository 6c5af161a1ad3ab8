"""The manifests of doc/kubernetes.md, played by podman:

    make test-kubernetes        (ARGS='-k job'), as root

A PostgreSQL server of the session's listens on a bridge that podman makes for the session; images hold embark, a service and SQL files, and
nothing else. EMBARK_BIN names another binary than build/embark. What a session makes is named after it, and removed with it.
"""

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path[:0] = [str(HERE.parent / "program"), str(HERE)]
from cluster import Cluster  # noqa: E402
from kubelet import Podman  # noqa: E402
from support import postgres  # noqa: E402
from support.process import take_signals  # noqa: E402

numbers = itertools.count(1)
INI = """[migrate]
sql = /app/migrations
on_newer_database = continue
[service]
command = /service 8000
user = 10001:10001
grace = 10s
[health]
http = http://127.0.0.1:8000/
database = yes
"""


def pytest_configure(config):
    take_signals()


@pytest.fixture(scope="session")
def folder():
    path = Path(tempfile.mkdtemp(prefix="embark-kubernetes.", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def podman(folder):
    return Podman(folder)


@pytest.fixture(scope="session")
def network(podman):
    """(its name, the bridge's address)"""
    name = f"embark-test-{os.getpid()}"
    podman.run("network", "create", "--disable-dns", name)
    yield name, podman.inspect(name, "network")["subnets"][0]["gateway"]
    podman.run("network", "rm", "-f", name, code=None)


@pytest.fixture(scope="session")
def server(folder, network, podman, images):
    """The bridge has its address from the first container's start on."""
    podman.run("run", "--rm", "--network", network[0], "--entrypoint", "/embark", images(tag="0"), "version")
    holder = podman.run("run", "-d", "--network", network[0], "--entrypoint", "/service", images(tag="0"), "1").stdout.strip()
    cluster = postgres.Cluster(folder / "pg", folder)
    (folder / "pg").mkdir()
    yield cluster.server(listen=network[1]).start()
    cluster.end()
    podman.run("rm", "-f", "-t", 0, holder, code=None)


@pytest.fixture(scope="session")
def images(podman, folder):
    """Makes example images: those with the tag T have the SQL files of `migrations`; the same image's name with another tag is another release."""
    made = []
    build = folder / "image"
    build.mkdir()
    shutil.copy(os.environ.get("EMBARK_BIN") or TOP / "build/embark", build / "embark")
    subprocess.run(["gcc", "-Os", "-s", "-static", "-o", build / "service", HERE.parent / "docker/service.c"], check=True)
    (build / "Dockerfile").write_text("FROM scratch\nCOPY embark service /\nCOPY embark.ini /etc/embark.ini\nCOPY app /app\nENTRYPOINT [\"/embark\"]\n")
    (build / "embark.ini").write_text(INI)

    def image(name="localhost/embark-test-shop", tag="1", migrations=None, cleanup="SELECT 1;"):
        shutil.rmtree(build / "app", ignore_errors=True)
        (build / "app/migrations").mkdir(parents=True)
        (build / "app/cleanup.sql").write_text(cleanup)
        for file, text in (migrations or {"001_nothing.sql": "SELECT 1;"}).items():
            (build / "app/migrations" / file).write_text(text)
        podman.run("build", "-q", "--no-cache", "-t", f"{name}:{tag}", build)
        made.append(f"{name}:{tag}")
        return made[-1]

    yield image
    podman.run("rmi", "-f", *made, code=None)


@pytest.fixture
def shop(server, network, podman, images, folder):
    """A namespace with an empty database, and its images: shop.release(TAG, FILE=SQL…)."""
    database = server.database()
    prefix = f"embark-test-{os.getpid()}-{next(numbers)}"
    cluster = Cluster(podman, folder, prefix, network[0], f"localhost/{prefix}", database.url)
    cluster.database = database
    cluster.release = lambda tag, migrations, **more: images(cluster.image, tag, migrations, **more)
    yield cluster
    cluster.close()
    database.drop()
