"""The whole shop by compose, version 1 and 2: from an empty volume with one command, again, forward and back."""

import json
import re
import urllib.request
from pathlib import Path

import pytest
from conftest import TOP
from containers import LABEL, SESSION, Container, docker, get
from shop import FIRST, PUBLIC_URL, free_port, query, run
from support.waiting import eventually

# of doc/compose.md, without `docker compose`
ASK_FIRST = re.search(r"^<!-- in docker: ask first -->\n```sh\ndocker compose (.*)\n```", (TOP / "doc/compose.md").read_text(), re.M)[1].split()
BASE = ["-f", "compose.yaml"]
PRODUCTION = [*BASE, "-f", "compose.production.yaml"]


def command(version, folder):
    """Its words, and what the environment must have for them."""
    if version == "v1":
        return ["docker-compose"], {}
    plugin = run(Path(__file__).parent / "compose-v2").output.strip()
    plugins = folder / "cli-plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    if not (plugins / "docker-compose").exists():
        (plugins / "docker-compose").symlink_to(plugin)
    return ["docker", "compose"], {"DOCKER_CONFIG": str(folder)}


class Project:
    """The shop as a project of compose."""

    def __init__(self, shop, version, files=PRODUCTION):
        self.shop = shop
        self.name = shop.name
        self.port = free_port()
        words, env = command(version, shop.folder.with_name("docker-config"))
        # a third file, with the labels by which a killed session's things are found
        labels = {"labels": {LABEL: SESSION}}
        services = ["db", "migrate", "api", "worker", "web"]
        shop.path("compose.test.yaml").write_text(json.dumps(
            {"services": dict.fromkeys(services, labels), "networks": {"default": labels}, "volumes": {"data": labels}}))
        self.words = [*words, "-p", self.name, *files, "-f", "compose.test.yaml"]
        self.env = {"POSTGRES_IMAGE": "embark-test/postgres", "PORT": str(self.port), "PUBLIC_URL": PUBLIC_URL, **env}

    def run(self, *words):
        return run(*self.words, *words, env=self.env, cwd=self.shop.folder)

    def up(self, code=0, **env):
        """The one command."""
        self.env.update(env)
        return self.run("up", "-d", "--no-build").expect(code)

    def containers(self, service):
        found = docker("ps", "-a", "--filter", f"label=com.docker.compose.project={self.name}",
                       "--filter", f"label=com.docker.compose.service={service}", "--format", "{{.Names}}").stdout.split()
        return [Container(name) for name in sorted(found)]

    def one(self, service):
        found = self.containers(service)
        assert len(found) == 1, f"{service}: {found}"
        return found[0]

    def all_healthy(self):
        for service in ("api", "worker", "web"):
            for container in self.containers(service):
                eventually(lambda: container.health == "healthy", 120, f"{container.name} to be healthy", gap=0.3)

    def get(self, path):
        return eventually(lambda: get(f"http://127.0.0.1:{self.port}{path}"), 60, f"an answer of {path}", gap=0.1)

    def starts(self, *services):
        """Which containers there are, and when each was started."""
        return [container.inspect("{{.Id}} {{.State.StartedAt}}") for service in services for container in self.containers(service)]

    def migration(self):
        """What the last run of the migration said, and its exit code."""
        container = self.one("migrate")
        done = run("docker", "logs", "--since", container.inspect("{{.State.StartedAt}}"), container.name)
        done.code = container.code
        return done


@pytest.fixture(params=["v1", "v2"])
def project(shop, request):
    project = Project(shop, request.param)
    yield project
    project.run("down", "-v", "--remove-orphans", "-t", "2").expect(0)
    assert not docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={project.name}").stdout


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_both_versions_read_the_files(shop, version):
    base = Project(shop, version, BASE).run("config").expect(0).output
    assert sorted(re.findall(r"condition: (service_(?!started)\w+)", base)) == 2 * ["service_completed_successfully"] + ["service_healthy"]
    assert "replicas" not in base
    both = Project(shop, version).run("config").expect(0).output
    assert re.search(r"replicas: 8\b", both)
    assert "/run/secrets/superuser_url" in both


def every_page_and_api_answers(project, items):
    """`items` is how many there are."""
    replicas = project.containers("api")
    assert len({json.loads(replica.serves(path="/health"))["replica"] for replica in replicas}) == 8
    for replica in replicas:
        assert len(json.loads(replica.serves(path="/items"))) == items

    page = project.get("/")
    assert "A shop that is always open" in project.get("/about")
    assert re.search(r"the first: (<!-- -->)?the first item", project.get("/items"))
    assert "<svg" in project.get("/logo.svg")
    scripts = re.findall(r'src="(/_next/[^"]+\.js)"', page)
    # what the browser will call is served
    assert f"{PUBLIC_URL}/api" in "".join(project.get(script) for script in scripts)
    assert len(json.loads(project.get("/api/items"))) == items


def add_item(project, name):
    """By one of the APIs; the worker counts its letters."""
    request = urllib.request.Request(f"http://{project.containers('api')[0].address}:8000/items", json.dumps({"name": name}).encode(),
                                     {"Content-Type": "application/json"})
    assert urllib.request.urlopen(request, timeout=30).status == 201

    def counted():
        return [item for item in json.loads(project.get("/api/items")) if item["name"] == name and item["letters"] == len(name)]
    eventually(counted, 60, "the worker to have counted the letters", gap=0.2)


def test_the_whole_shop(shop, project):
    old, web = shop.build("api"), shop.build("web", NEXT_PUBLIC_API_URL=f"{PUBLIC_URL}/api")

    # from an empty volume, with one command
    project.up(API_IMAGE=old, WEB_IMAGE=web)
    project.all_healthy()
    db = project.one("db")

    def state():
        return [query(db, FIRST), query(db, "SELECT count(*) FROM embark_ledger"), query(db, "SELECT version_num FROM alembic_version")]
    project.migration().expect(0, "embark: bootstrap: created the database shop")
    assert state() == ["1", "1", "0002"]
    every_page_and_api_answers(project, 1)
    add_item(project, "kettle")

    # again: nothing to do, and nothing is done
    services, migrate = project.starts("api", "worker", "web"), project.starts("migrate")
    project.up()
    assert project.starts("migrate") != migrate
    project.migration().expect(0, "everything is applied")
    assert "bootstrap" not in project.migration().output
    assert project.starts("api", "worker", "web") == services
    assert state() == ["1", "1", "0002"]

    # forward: an image with one more migration
    shop.add_migration()
    project.up(API_IMAGE=shop.build("api", version="2"))
    project.all_healthy()
    assert state() == ["1", "2", "0003"]
    every_page_and_api_answers(project, 2)
    assert "price" in project.get("/api/items")

    # and back: somebody asks first, while all go on serving
    services = project.starts("api", "worker", "web")
    project.env.update(API_IMAGE=old)
    project.run(*ASK_FIRST).expect(0, r"would refuse to start \(81\): the image is older than the database", "lacking alembic/versions/0003_price.py")
    assert project.starts("api", "worker", "web") == services
    every_page_and_api_answers(project, 2)

    # not without being told so
    project.up(API_IMAGE=old, code=1)
    project.migration().expect(81, "the image is older than the database: it lacks alembic/versions/0003_price.py")
    project.up(ON_NEWER_DATABASE="continue")
    project.all_healthy()
    project.migration().expect(0, "older")
    every_page_and_api_answers(project, 2)
    assert state() == ["1", "2", "0003"]
    add_item(project, "pan")
