"""docker stop, in each phase of a start: at once, by the documented exit code, as quickly as what tini stops.

Ten seconds after SIGTERM Docker sends SIGKILL, so that an exit code other than 137 tells that it did not come to that. How long it took beside
`sleep` under tini is printed, as the machine decides about such numbers.
"""

import statistics
import time

import pytest
from containers import SHOWN, docker

ROUNDS = 3
# No name that is unknown: the engine, which looks it up, would be 3 s late itself.
NOBODY = {"DATABASE_URL": "postgresql://app:pw@127.0.0.1:1/app"}
PHASES = {"wait": 143, "lock": 143, "migrate": 143, "service": 0, "init": 0}


def stop(container):
    start = time.monotonic()
    docker("stop", container.name)
    return time.monotonic() - start


def start(boxes, image, phase, db):
    """A container that is in this phase; the lock's other holder is one of the migrate phase."""
    migrate = {"DATABASE_URL": db.url, "EMBARK_MIGRATE_COMMAND": "sleep 1000"}
    if phase in ("service", "init"):
        service = boxes.run(image, env={"DATABASE_URL": db.url, "EMBARK_SERVICE_INIT": "yes" if phase == "init" else "no"})
        service.serves()
        return service
    title = f"embark:{phase}"
    return boxes.run(image, env=NOBODY if phase == "wait" else migrate).has_title(title)


@pytest.mark.parametrize("phase", PHASES)
def test_stop(boxes, image, db, phase):
    if phase == "lock":
        start(boxes, image, "migrate", db)
    container = start(boxes, image, phase, db)
    docker("stop", container.name)
    container.ends(PHASES[phase])


def test_stop_under_docker_init(boxes, image, db):
    """tini passes SIGTERM on, and gives the exit code."""
    container = boxes.run(image, options=["--init"], env=NOBODY)
    container.says("embark: wait: ")
    docker("stop", container.name)
    container.ends(143)


def test_restart_in_mid_migration(boxes, image, db):
    """The lock is given back by the one that is stopped, and had again."""
    container = start(boxes, image, "migrate", db)
    docker("restart", container.name)
    container.has_title("embark:migrate")


def test_stop_takes_no_longer_than_under_tini(boxes, image, db, record_property):
    took = {"sleep under tini": []} | {phase: [] for phase in PHASES}
    for _ in range(ROUNDS):
        holder = start(boxes, image, "migrate", db)
        containers = {"sleep under tini": boxes.run("embark-test/base", "sleep", "1000", options=["--init"]),
                      "wait": start(boxes, image, "wait", db), "service": start(boxes, image, "service", db),
                      "init": start(boxes, image, "init", db),
                      "lock": start(boxes, image, "lock", db), "migrate": holder}
        for name, container in containers.items():
            took[name].append(stop(container))
            if name in PHASES:
                container.ends(PHASES[name])
    least = {name: min(values) for name, values in took.items()}
    lines = [f"docker stop, the least and the median of {ROUNDS}:"]
    for name, values in took.items():
        more = least[name] - least["sleep under tini"]
        lines.append(f"  {name:17} {min(values) * 1000:5.0f} {statistics.median(values) * 1000:5.0f} ms   {more * 1000:+5.0f} ms")
    record_property(SHOWN, "\n".join(lines))
    # none was killed, and that takes 10 s
    assert all(value < least["sleep under tini"] + 9 for value in least.values())
