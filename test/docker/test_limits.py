"""Containers that may do little: whole starts, with a migration that is a process of its own."""

import pytest
from containers import docker
from support.waiting import eventually

LIMITS = {
    "init": ["--init"],
    "read-only": ["--read-only"],
    "user": ["--user", "65534"],
    "user-without-a-name": ["--user", "54321:54321"],
    "cap-drop": ["--cap-drop", "ALL"],
    "no-new-privileges": ["--security-opt", "no-new-privileges"],
    "memory": ["-m", "16m", "--memory-swap", "16m"],
    "pids": ["--pids-limit", "6"],
    "descriptors": ["--ulimit", "nofile=24"],
}
LIMITS["all"] = [word for name, words in LIMITS.items() if name not in ("init", "user-without-a-name") for word in words]
LIMITS["all-with-init"] = ["--init", *LIMITS["all"]]
MIGRATE = {"EMBARK_MIGRATE_COMMAND": "/embark sql /migrations/one.sql", "EMBARK_MIGRATE_FILES": "/migrations/*.sql"}


@pytest.fixture
def migrations(tmp_path):
    """docker run's options for a folder with one migration."""
    tmp_path.chmod(0o755)
    (tmp_path / "one.sql").write_text("CREATE TABLE one (n int);\nINSERT INTO one VALUES (1);\n")
    return ["-v", f"{tmp_path}:/migrations:ro"]


def is_healthy(service):
    """The engine starts a program of its own in there first, which may find the limits too narrow, and says so by 126."""
    def asked():
        done = service.exec("/embark", "health", "http://127.0.0.1:8000/", code=None)
        return done.code != 126 and done
    eventually(asked, 60, "docker exec", gap=0.1).expect(0, "answers 200")


@pytest.mark.parametrize("kind", ["debian", "scratch"])
@pytest.mark.parametrize("limits", LIMITS)
def test_a_whole_start(request, boxes, db, server, migrations, limits, kind):
    image = request.getfixturevalue("image" if kind == "debian" else "scratch_image")
    service = boxes.run(image, options=[*LIMITS[limits], *migrations], env={"DATABASE_URL": db.url, **MIGRATE})
    assert service.serves() == "served\n"
    assert server.sql("SELECT count(*) FROM one", db.name) == "1"
    is_healthy(service)
    docker("stop", service.name)
    # tini gives the service's exit code as its own
    service.ends(0, "service: SIGTERM")


def test_embark_stays_as_process_1(boxes, image, db, migrations):
    service = boxes.run(image, options=[*LIMITS["all"], *migrations], env={"DATABASE_URL": db.url, "EMBARK_SERVICE_INIT": "yes", **MIGRATE})
    assert service.serves() == "served\n"
    is_healthy(service)
    docker("stop", service.name)
    service.ends(0, "service: SIGTERM")


@pytest.mark.parametrize("limits", LIMITS)
def test_a_start_that_gives_up(boxes, image, limits):
    done = boxes.run_to_end(image, options=LIMITS[limits],
                            env={"DATABASE_URL": "postgresql://app:S3cret-pw@nobody/app", "EMBARK_DATABASE_TIMEOUT": "300ms"})
    done.expect(69, "nobody", "hint: ")
    assert "S3cret-pw" not in done.output


def test_no_process_left_for_the_migration(boxes, image, db, server, migrations):
    url = db.url.replace("@db/", f"@{server.container.address}/")
    done = boxes.run_to_end(image, options=["--pids-limit", "1", *migrations], env={"DATABASE_URL": url, **MIGRATE})
    done.expect(71, "embark: error: migrate: ", "hint: ", "pids limit")


def test_no_process_left_for_a_look_up(boxes, image):
    done = boxes.run_to_end(image, options=["--pids-limit", "1"],
                            env={"DATABASE_URL": "postgresql://app:pw@nobody/app", "EMBARK_DATABASE_TIMEOUT": "300ms"})
    done.expect(69, "can't fork to look up nobody", "hint: ", "pids limit")


# --- --network none

def test_without_a_network(boxes, image):
    """A service without a database needs none."""
    service = boxes.run(image, network="none").says("service: pid 1")
    service.exec("/embark", "health", "http://127.0.0.1:8000/").expect(0, "answers 200")


def test_a_database_without_a_network(boxes, image):
    done = boxes.run_to_end(image, network="none", env={"DATABASE_URL": "postgresql://app:pw@db/app", "EMBARK_DATABASE_TIMEOUT": "300ms"})
    done.expect(69, "db", "hint: ")


def test_an_address_without_a_network(boxes, image):
    done = boxes.run_to_end(image, network="none", env={"DATABASE_URL": "postgresql://app:pw@192.0.2.1/app", "EMBARK_DATABASE_TIMEOUT": "300ms"})
    done.expect(69, "192.0.2.1", "hint: ")
