"""Each way of doc/kubernetes.md: from an empty volume to served requests, twice, with a rolling change, an old replica's restart, a rollback."""

import urllib.request

import pytest
from cluster import Deployment
from kubelet import documents
from support.waiting import eventually

FIRST = {"001_orders.sql": "CREATE TABLE orders (id int); CREATE TABLE runs (file text); INSERT INTO runs VALUES ('001');"}
SECOND = {**FIRST, "002_total.sql": "ALTER TABLE orders ADD total int; INSERT INTO runs VALUES ('002');"}
SLOW = {**FIRST, "002_slow.sql": "SELECT pg_sleep(8); INSERT INTO runs VALUES ('002');"}


def one(manifest, kind):
    [found] = [document for document in documents(manifest) if document["kind"] == kind]
    return found


def serves(pod):
    with urllib.request.urlopen(f"http://{pod.address()}:8000/", timeout=10) as answer:
        return answer.read() == b"served\n"


def applied(shop):
    return [row[0] for row in shop.database.sql("SELECT file FROM runs ORDER BY file")]


def migrate(shop, manifest, tag):
    """The Job that stands before the Deployment, where there is one."""
    if manifest == "job.yaml":
        assert shop.run_job(one(manifest, "Job"), tag) == [0], shop.last_log


@pytest.mark.parametrize("manifest", ["in-place.yaml", "job.yaml", "init-container.yaml"])
def test_from_nothing_to_a_rollback(shop, manifest):
    shop.release("1", FIRST)
    shop.release("2", SECOND)
    deployment = Deployment(shop, one(manifest, "Deployment"))
    migrate(shop, manifest, "1")
    deployment.create("1")
    assert all(serves(pod) for pod in deployment.pods) and applied(shop) == ["001"]
    # once more, on what is there
    deployment.delete()
    migrate(shop, manifest, "1")
    deployment.create("1")
    assert all(serves(pod) for pod in deployment.pods) and applied(shop) == ["001"]
    # a newer release; while the old one still serves, one of its containers ends and comes back on the newer schema

    def restart_an_old_one(old, new):
        eventually(lambda: applied(shop) == ["001", "002"], 60, "the migration of the newer release")
        shop.podman.run("kill", "-s", "KILL", old[-1].box)
        eventually(lambda: old[-1].restarts == 1 and old[-1].ready, 60, "the old replica to serve again")

    migrate(shop, manifest, "2")
    deployment.change("2", restart_an_old_one)
    assert all(serves(pod) for pod in deployment.pods) and applied(shop) == ["001", "002"]
    assert deployment.fewest_ready >= deployment.replicas
    # back to the older one, on the newer schema
    deployment.change("1")
    assert all(serves(pod) for pod in deployment.pods) and applied(shop) == ["001", "002"]
    assert not any(pod.killed_by for pod in deployment.pods)


def test_no_probe_ends_a_long_migration(shop):
    """The probes are asked every second and sooner here: an hour's migration in seconds."""
    shop.release("1", SLOW)
    deployment = Deployment(shop, one("in-place.yaml", "Deployment"))
    deployment.create("1")
    assert [pod.restarts for pod in deployment.pods] == [0] * 3 and applied(shop) == ["001", "002"]
    assert shop.database.value("SELECT count(*) FROM embark_ledger") == 1


def test_without_a_startup_probe_it_would_be_ended(shop):
    """That the test above can fail."""
    shop.release("1", SLOW)
    document = one("in-place.yaml", "Deployment")
    document["spec"]["replicas"] = 1
    del document["spec"]["template"]["spec"]["containers"][0]["startupProbe"]
    pod = shop.pod(document["spec"]["template"], "1")
    eventually(lambda: pod.killed_by == ["livenessProbe"], 60, "the liveness probe to end the migration")


def test_replicas_wait_for_the_job(shop):
    """The Deployment is there before the Job is: nobody serves, nobody migrates, until it has run."""
    shop.release("1", FIRST)
    pod = shop.pod(one("job.yaml", "Deployment")["spec"]["template"], "1")
    waits = f"{pod.name}-wait-for-migration"
    eventually(lambda: "not applied yet" in shop.podman.run("logs", waits, code=None).stderr, 60, "the replica to wait")
    assert shop.database.value("SELECT to_regclass('orders') IS NULL") and not pod.ready
    migrate(shop, "job.yaml", "1")
    eventually(lambda: pod.ready, 60, "the replica to serve")
    assert applied(shop) == ["001"]


def test_a_job_that_fails_says_why(shop):
    shop.release("1", {"001_wrong.sql": "SELECT 1/0;"})
    codes = shop.run_job({"spec": {**one("job.yaml", "Job")["spec"], "backoffLimit": 1}}, "1")
    assert codes == [65, 65] or codes == [80, 80] or set(codes) <= {65, 80}
    assert "001_wrong.sql" in shop.last_log


def test_what_runs_by_the_clock(shop):
    shop.release("1", FIRST, cleanup="INSERT INTO runs VALUES ('cleaned');")
    assert shop.run_job(one("job.yaml", "Job"), "1") == [0]
    assert shop.run_job(one("cronjob.yaml", "CronJob")["spec"]["jobTemplate"], "1") == [0], shop.last_log
    assert applied(shop) == ["001", "cleaned"]
