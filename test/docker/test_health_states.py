"""HEALTHCHECK CMD ["/embark", "health", …]: what `docker ps` shows while a container starts, runs and is sick, and why."""

import pytest
from support.waiting import eventually


@pytest.fixture(scope="module")
def checked_image(session_boxes, scratch_image, services):
    """In exec form, as there is no shell."""
    return session_boxes.build(services, dockerfile=f"""
FROM {scratch_image}
HEALTHCHECK --interval=500ms --timeout=10s --start-period=1h --retries=2 CMD ["/embark", "health", "http://127.0.0.1:8000/"]
""")[0]


def becomes(container, state, reason):
    eventually(lambda: container.health == state, 90, f"{container.name} to be {state}", gap=0.1)
    eventually(lambda: reason in "\n".join(container.health_log), 30, f"{reason!r} in {container.health_log}", gap=0.2)


@pytest.mark.parametrize("options", [[], ["--init"]], ids=["process-1", "init"])
def test_starting_healthy_unhealthy(boxes, checked_image, own_server, options):
    network = boxes.make_network()
    service = boxes.run(checked_image, options=options, network=network,
                        env={"DATABASE_URL": "postgresql://postgres:Super-Pw-1@late/postgres"})
    # seen several times, each with its reason, without becoming unhealthy: the start-period is not over
    eventually(lambda: len(service.health_log) >= 3, 60, "three looks", gap=0.1)
    assert service.health == "starting"
    assert all(line.startswith("embark: not healthy: ") and "wait" in line for line in service.health_log), service.health_log
    own_server(network=network, alias="late").start()
    becomes(service, "healthy", "answers 200")
    service.kill("USR2")
    becomes(service, "unhealthy", "answers 503")
    assert all(len(line.splitlines()) == 1 for line in service.health_log)


def test_unhealthy_before_the_service_is_started(boxes, checked_image):
    waiting = boxes.run(checked_image, options=["--health-start-period", "1ms"], env={"DATABASE_URL": "postgresql://app:pw@nobody/app"})
    becomes(waiting, "unhealthy", "not healthy: ")
    assert waiting.says("embark: wait: ").running


def test_starting_while_it_migrates(boxes, image, db):
    """A long migration is no reason to be restarted."""
    migrating = boxes.run(image, options=["--health-cmd", "/embark health", "--health-interval", "500ms", "--health-start-period", "1h"],
                          env={"DATABASE_URL": db.url, "EMBARK_MIGRATE_COMMAND": "sleep 1000"})
    becomes(migrating, "starting", "migrat")
