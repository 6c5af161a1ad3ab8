"""This engine as a swarm of one node, for one run of the tests.

An engine that leaves a swarm forgets the names that containers had on the networks that there were before. So it is left when all tests
have ended: by the process that the run's workers, if there are any, were started by. The node has a label with that process's identity.
"""

import json
import os

from containers import LABEL, SESSION, docker, lives
from support.waiting import eventually

STACK = "embarkstory"
RUN = os.environ.setdefault("EMBARK_TEST_RUN", SESSION)     # workers inherit it


def state():
    return docker("info", "-f", "{{.Swarm.LocalNodeState}}", code=None).stdout.strip()


def owner():
    """The run that made the swarm; None if it wasn't a run of these tests."""
    done = docker("node", "inspect", "-f", "{{json .Spec.Labels}}", "self", code=None)
    return (json.loads(done.stdout) or {}).get(LABEL) if done.code == 0 else None


def join():
    """Makes a swarm, on the loopback address, unless this run has done so."""
    leave_if_over(killed_only=True)
    if state() == "active" and owner() == RUN:
        return
    assert state() == "inactive", f"the engine is in a swarm already ({state()}): these tests make one of their own and leave it"
    docker("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1")
    docker("node", "update", "--label-add", f"{LABEL}={RUN}", docker("node", "inspect", "-f", "{{.ID}}", "self").stdout.strip())


def remove_stack():
    docker("stack", "rm", STACK, code=None)
    eventually(lambda: not docker("ps", "-aq", "--filter", f"label=com.docker.stack.namespace={STACK}").stdout,
               90, "the stack to go", gap=0.3)
    docker("volume", "rm", f"{STACK}_data", code=None)


def leave_if_over(killed_only=False):
    """Leaves this run's swarm, or that of a run that was killed."""
    of = owner() if state() == "active" else None
    if of is None or (of == RUN and killed_only) or (of != RUN and lives(of)):
        return
    remove_stack()
    docker("swarm", "leave", "--force")
    # Docker's own for swarms; in use if it was there before for something else
    docker("network", "rm", "docker_gwbridge", code=None)
