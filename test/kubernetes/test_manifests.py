"""The manifests are what the API accepts, doc/kubernetes.md shows them as they are, and what the page says of them holds."""

import copy
import json
import re
import subprocess
from pathlib import Path

import pytest
from kubelet import HERE, documents
from support import npm

MODELS = "5.1.0"    # of npm's kubernetes-models, which carries the API's schemas
MANIFESTS = sorted(path.name for path in HERE.glob("*.yaml"))
PAGE = (HERE.parents[1] / "doc/kubernetes.md").read_text()


@pytest.fixture(scope="session")
def validate(tmp_path_factory):
    project = npm.project(tmp_path_factory.mktemp("models"), **{"kubernetes-models": MODELS})

    def answers(manifests):
        done = subprocess.run(["node", HERE / "validate.js", project], input=json.dumps(manifests), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return answers


@pytest.mark.parametrize("name", MANIFESTS)
def test_the_api_takes_it(validate, name):
    assert all(line.startswith("valid ") for line in validate(documents(name))), validate(documents(name))


def test_what_the_api_does_not_take_is_found(validate):
    [deployment, _] = documents("in-place.yaml")
    wrong = []
    for change in ({"replicas": "three"}, {"strategy": "RollingUpdate"}, {"template": None}):
        wrong.append(copy.deepcopy(deployment))
        wrong[-1]["spec"].update(change)
    assert [line.split(":")[0] for line in validate(wrong)] == ["wrong Deployment"] * 3


def test_the_page_shows_them_all():
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
    missing = [name for name in MANIFESTS if (HERE / name).read_text() not in blocks]
    assert not missing and len(MANIFESTS) == 5


def containers_of(document):
    if document["kind"] == "CronJob":
        document = document["spec"]["jobTemplate"]
    spec = document.get("spec", {}).get("template", {}).get("spec", {})
    return spec, spec.get("initContainers", []) + spec.get("containers", [])


@pytest.mark.parametrize("name", MANIFESTS)
def test_nothing_has_more_rights_than_it_needs(name):
    for document in documents(name):
        spec, containers = containers_of(document)
        for container in containers:
            assert container["securityContext"] == {"readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
            assert not any("postgresql://" in str(variable.get("value")) for variable in container["env"])
        if containers:
            assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


def test_the_time_to_end_is_enough():
    for name in MANIFESTS:
        for document in documents(name):
            if document["kind"] == "Deployment":
                spec, containers = containers_of(document)
                before = containers[-1]["lifecycle"]["preStop"]["sleep"]["seconds"]
                assert spec["terminationGracePeriodSeconds"] > before + 10     # [service] grace of the page's embark.ini
                probe = containers[-1]["startupProbe"]
                assert document["spec"]["progressDeadlineSeconds"] > probe["periodSeconds"] * probe["failureThreshold"]
                assert Path(containers[-1]["startupProbe"]["exec"]["command"][0]).is_absolute()
