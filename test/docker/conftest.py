"""Tests in real containers, on images that test/docker/images has made:

    make test-docker        (ARGS='-k health'), or test/docker/engine /usr/bin/python3 -m pytest test/docker

EMBARK_BIN names another binary than build/embark, as for the tests in test/program, whose habits these tests share: what a test makes goes
with it, nothing sleeps for a fixed time, nothing is asserted of how long something takes. What is alike in many tests, images above all, goes
with the session.
"""

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path[:0] = [str(HERE.parent / "program"), str(HERE)]
import containers  # noqa: E402
import one_node_swarm  # noqa: E402
from containers import Boxes, docker  # noqa: E402
from database import Server  # noqa: E402
from shop import Shop  # noqa: E402
from support import node  # noqa: E402
from support.process import take_signals  # noqa: E402

numbers = itertools.count()


def pytest_configure(config):
    take_signals()
    node.first_in_path()


# What takes a minute or more goes first, so that no worker is left alone with it at the end.
LONGEST = ("test_the_whole_shop", "test_ten_replicas", "test_quick_start", "test_a_value_that_was_inlined", "test_the_network_of_")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: not item.name.startswith(LONGEST))


def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):      # and not in a worker
        one_node_swarm.leave_if_over()


def pytest_terminal_summary(terminalreporter):
    """What tests have measured."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == containers.SHOWN and report.when == "call":
                terminalreporter.write_line(text)


@pytest.fixture(scope="session", autouse=True)
def tidy():
    """Nothing of this session, nor of killed ones, stays."""
    containers.remove_leftovers()
    yield
    # layers without a name stand on images that have one, and the other way round
    containers.remove_unlabelled()
    containers.remove_all_of(containers.SESSION)
    containers.remove_unlabelled()


def fresh_prefix():
    return f"embark-test-{os.getpid()}-{next(numbers)}"


@pytest.fixture(scope="session")
def session_boxes(tidy):
    boxes = Boxes(fresh_prefix())
    yield boxes
    boxes.remove()


@pytest.fixture(scope="session")
def network(session_boxes):
    return session_boxes.make_network()


@pytest.fixture
def boxes(network):
    """What a test makes containers and images with; the containers are in the session's network, beside its server, `db`."""
    boxes = Boxes(fresh_prefix(), network)
    yield boxes
    boxes.remove()


@pytest.fixture(scope="session")
def binary(tmp_path_factory):
    """A copy, which stays the same while somebody builds anew."""
    source = Path(os.environ.get("EMBARK_BIN") or TOP / "build/embark")
    if not source.is_file():
        pytest.fail(f"{source} is missing: make it first, or set EMBARK_BIN", pytrace=False)
    return Path(shutil.copy(source, tmp_path_factory.mktemp("bin") / "embark"))


@pytest.fixture(scope="session")
def embark_image(session_boxes, binary, tmp_path_factory):
    """An image with /embark and nothing else, for COPY --from."""
    folder = tmp_path_factory.mktemp("embark-image")
    shutil.copy(binary, folder / "embark")
    return session_boxes.build(folder, dockerfile="FROM scratch\nCOPY embark /embark\n")[0]


@pytest.fixture(scope="session")
def services(tmp_path_factory):
    """service.c by the name of the C library that it needs: none, musl or glibc."""
    folder = tmp_path_factory.mktemp("services")
    for name, compiler in (("none", ["musl-gcc", "-static"]), ("musl", ["musl-gcc"]), ("glibc", ["gcc"])):
        subprocess.run([*compiler, "-Os", "-s", "-o", folder / name, HERE / "service.c"], check=True)
    return folder


def service_image(boxes, embark_image, services, base, libc="none"):
    return boxes.build(services, dockerfile=f"""
FROM {base}
COPY --from={embark_image} /embark /embark
COPY {libc} /service
ENTRYPOINT ["/embark"]
CMD ["/service", "8000"]
""")[0]


@pytest.fixture(scope="session")
def image(session_boxes, embark_image, services):
    """Debian, with embark for its entrypoint and a service that says which signals it gets."""
    return service_image(session_boxes, embark_image, services, "embark-test/base")


@pytest.fixture(scope="session")
def scratch_image(session_boxes, embark_image, services):
    """The same with nothing else in it."""
    return service_image(session_boxes, embark_image, services, "scratch")


# --- the database

@pytest.fixture(scope="session")
def server(session_boxes, network):
    """Shared by all tests that don't stop it; its name in the network is db."""
    return Server(session_boxes, network, memory=True).start()


@pytest.fixture
def db(server):
    """A fresh role and database."""
    database = server.database()
    yield database
    server.drop(database)


@pytest.fixture
def own_server(boxes):
    """A factory of servers that the test may stop and kill; made as containers that aren't started."""
    return lambda **how: Server(boxes, **how)


@pytest.fixture
def shop(embark_image, tmp_path):
    """The story's shop, in a network of its own with servers of its own."""
    boxes = Boxes(fresh_prefix())
    yield Shop(tmp_path / "shop", boxes, embark_image)
    boxes.remove()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What the containers said belongs to a failed test's report."""
    report = (yield).get_result()
    boxes = getattr(item, "funcargs", {}).get("boxes")
    if report.failed and boxes is not None:
        for container in boxes.containers[-10:]:
            report.sections.append((container.name, container.describe()[-4000:]))
