"""What the controllers do with Deployments, Jobs and CronJobs, on one node that kubelet.py plays."""

import copy
import itertools
import os

from kubelet import Pod, documents
from support.waiting import eventually

GROUP = 10001     # fsGroup of the manifests
numbers = itertools.count(1)


class Cluster:
    """A namespace: a secret with the database's URL, a network, and Pods whose images are named `image`:TAG."""

    def __init__(self, podman, folder, prefix, network, image, url, pace=0.1):
        self.podman, self.prefix, self.network, self.image, self.pace = podman, prefix, network, image, pace
        [secret] = documents("secret.yaml")
        assert list(secret["stringData"]) == ["url"]
        folder = folder / prefix
        folder.mkdir(mode=0o755)
        (folder / "url").write_text(url)
        (folder / "url").chmod(0o440)
        os.chown(folder / "url", 0, GROUP)
        self.secrets = {secret["metadata"]["name"]: folder}
        self.pods = []

    def pod(self, template, tag):
        template = copy.deepcopy(template)
        for container in [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]:
            container["image"], container["imagePullPolicy"] = f"{self.image}:{tag}", "Never"
        pod = Pod(self.podman, f"{self.prefix}-{next(numbers)}", template, self.secrets, self.network, self.pace)
        self.pods.append(pod)
        return pod

    def end(self, pod):
        pod.stop()
        self.pods.remove(pod)

    def close(self):
        for pod in list(self.pods):
            self.end(pod)

    def run_job(self, job, tag, timeout=120):
        """Tries up to backoffLimit + 1 times; the exit codes."""
        codes = []
        while len(codes) <= job["spec"].get("backoffLimit", 6) and codes[-1:] != [0]:
            pod = self.pod(job["spec"]["template"], tag)
            eventually(lambda pod=pod: pod.code is not None or pod.init_restarts > 5, timeout, "the Job's Pod to end")
            codes.append(pod.code)
            self.last_log = pod.log()
            self.end(pod)
        return codes


class Deployment:
    def __init__(self, cluster, document):
        self.cluster, self.document = cluster, document
        self.replicas = document["spec"]["replicas"]
        update = document["spec"]["strategy"]["rollingUpdate"]
        self.surge, self.unavailable = update["maxSurge"], update["maxUnavailable"]
        self.pods = []
        self.fewest_ready = None    # during the last change

    def create(self, tag):
        self.pods = [self.cluster.pod(self.document["spec"]["template"], tag) for _ in range(self.replicas)]
        self.until_ready(self.pods)

    def until_ready(self, pods, timeout=120):
        try:
            eventually(lambda: all(pod.ready for pod in pods), timeout, "all replicas to be ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + "\n---\n".join(getattr(pod, "failed", "") + pod.log() for pod in pods)) from None

    def change(self, tag, meanwhile=None):
        """A rolling update: new ones beside the old ones, an old one ends when a new one is ready."""
        assert self.surge >= 1 and self.unavailable == 0
        old, new = list(self.pods), []
        self.fewest_ready = len(old)
        while old:
            batch = [self.cluster.pod(self.document["spec"]["template"], tag) for _ in range(min(self.surge, len(old)))]
            new += batch
            if meanwhile:
                meanwhile(old, new)
                meanwhile = None
            self.until_ready(batch)
            self.fewest_ready = min(self.fewest_ready, sum(pod.ready for pod in old + new))
            for pod in [old.pop(0) for _ in batch]:
                self.cluster.end(pod)
        self.pods = new

    def delete(self):
        for pod in self.pods:
            self.cluster.end(pod)
        self.pods = []
