"""A swarm of one node: ten replicas start beside their server, a rolling update migrates, and is rolled back."""

import one_node_swarm
import pytest
from containers import Container, docker
from one_node_swarm import STACK
from shop import FIRST, query, run
from support.waiting import eventually


@pytest.fixture
def swarm():
    """Left by conftest.py, at the run's end."""
    one_node_swarm.join()
    yield
    one_node_swarm.remove_stack()


class Stack:
    """The shop as a stack: its server and ten replicas of the API."""

    def __init__(self, shop):
        self.shop = shop

    def deploy(self, image):
        run("docker", "stack", "deploy", "--resolve-image", "never", "-c", "stack.yaml", STACK, cwd=self.shop.folder,
            env={"API_IMAGE": image, "POSTGRES_IMAGE": "embark-test/postgres"}).expect(0)

    def containers(self, service, *options):
        words = ["ps", "--format", "{{.Names}}", "--filter", f"label=com.docker.swarm.service.name={STACK}_{service}"]
        return [Container(name) for name in docker(*words, *options).stdout.split()]

    @property
    def update(self):
        """Of the last change: updating, completed, paused, rollback_completed…"""
        return docker("service", "inspect", "-f", "{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}", f"{STACK}_api").stdout.strip()

    def ten_healthy_ones(self, image):
        """Exactly those run, and no other."""
        healthy = self.containers("api", "--filter", f"ancestor={image}", "--filter", "health=healthy")
        return len(healthy) == 10 and len(self.containers("api")) == 10

    def answers(self):
        """Whether one of the replicas does."""
        ask = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8000/items').status)"
        return any(replica.exec("python3", "-c", ask, code=None).stdout.strip() == "200" for replica in self.containers("api"))

    def becomes(self, image, update):
        """Waits for the end of an update, while all the time somebody answers."""
        def done():
            assert self.answers(), "no replica answers"
            return self.update == update and self.ten_healthy_ones(image)
        eventually(done, 300, f"{update}: ten replicas of {image}\n{docker('service', 'ps', '--no-trunc', STACK + '_api').output}", gap=0.3)

    def says(self, text):
        """How many containers there are, ended ones as well, that say so."""
        return sum(text in container.logs for container in self.containers("api", "-a"))


def test_ten_replicas_an_update_and_back(shop, swarm):
    old = shop.build("api")
    shop.add_migration()
    new = shop.build("api", version="2")
    shop.path("api/alembic/versions/0004_broken.py").write_text(
        'from alembic import op\n\nrevision = "0004"\ndown_revision = "0003"\n\n\ndef upgrade():\n    op.execute("SELECT nonsense")\n')
    broken = shop.build("api", version="3")
    stack = Stack(shop)

    # all at once, beside a server whose volume is empty
    stack.deploy(old)
    eventually(lambda: stack.ten_healthy_ones(old), 240, "ten replicas", gap=0.5)
    db = stack.containers("db")[0]

    def state():
        return [query(db, FIRST), query(db, "SELECT count(*) FROM embark_ledger"), query(db, "SELECT version_num FROM alembic_version")]
    assert state() == ["1", "1", "0002"]
    assert stack.says("bootstrap: created the database shop") == 1

    # two at a time, new ones first
    stack.deploy(new)
    stack.becomes(new, "completed")
    assert state() == ["1", "2", "0003"]

    # back: the old image serves on the newer database, as it is told to
    docker("service", "rollback", "-d", f"{STACK}_api")
    stack.becomes(old, "rollback_completed")
    assert state() == ["1", "2", "0003"]
    assert stack.says("older than the database") == 10

    # an image whose migration fails: the swarm takes it back by itself, and no replica has been lost
    stack.deploy(broken)
    stack.becomes(old, "rollback_completed")
    assert query(db, "SELECT version_num FROM alembic_version") == "0003"
