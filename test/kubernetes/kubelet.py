"""What a node does with a Pod, done with podman's `play kube`: init containers, probes, restarts, preStop, the grace of a termination.

podman reads Pods and starts their containers; it knows no Deployment that changes, no Job, and its probes are systemd's timers. So the
probes, and what follows from them, are carried out here as the kubelet does it: a container whose startup or liveness probe failed
failureThreshold times in a row is told to end and started anew; until the startup probe has succeeded no other probe is asked; a Pod is ready
while its readiness probe succeeds. `pace` shortens the seconds of the manifests: 0.1 makes of periodSeconds: 10 one second.
"""

import copy
import json
import os
import subprocess
import threading
import time
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
# Debian's crun wants other cgroups than many containers have, and podman's own limits may be above those that we have.
CONFIGURATION = """[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


class Podman:
    def __init__(self, folder):
        (folder / "containers.conf").write_text(CONFIGURATION)
        self.environment = {**os.environ, "CONTAINERS_CONF": str(folder / "containers.conf")}

    def run(self, *words, code=0, timeout=300, text=None):
        done = subprocess.run(["podman", *map(str, words)], input=text, capture_output=True, text=True, errors="replace", timeout=timeout,
                              env=self.environment, **({} if text is not None else {"stdin": subprocess.DEVNULL}))
        assert code is None or done.returncode == code, f"podman {words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def inspect(self, name, kind="container"):
        done = self.run(kind, "inspect", name, code=None)
        found = json.loads(done.stdout or "[]") if done.returncode == 0 else []
        return found[0] if isinstance(found, list) and found else found or None


def documents(name):
    return [document for document in yaml.safe_load_all((HERE / name).read_text()) if document]


class Probe:
    """One probe of one container: when it is due, and how often it has failed in a row."""

    def __init__(self, text, pace):
        self.command = text["exec"]["command"]
        self.period = text.get("periodSeconds", 10) * pace
        self.timeout = text.get("timeoutSeconds", 1)
        self.failures_allowed = text.get("failureThreshold", 3)
        self.due, self.failures, self.good = time.monotonic() + text.get("initialDelaySeconds", 0) * pace, 0, None

    def ask(self, podman, container):
        done = podman.run("exec", container, *self.command, code=None, timeout=60)
        self.due = time.monotonic() + self.period
        self.good = done.returncode == 0
        self.failures = 0 if self.good else self.failures + 1
        return self.failures < self.failures_allowed


class Pod:
    """A Pod of `spec`, kept running until stop(). Restarts, readiness and what the probes did can be asked for at any time."""

    def __init__(self, podman, name, template, secrets, network, pace, restart="Always"):
        self.podman, self.name, self.pace, self.network = podman, name, pace, network
        self.template = copy.deepcopy(template)
        self.spec = self.template["spec"]
        self.restart = self.spec.get("restartPolicy", restart)
        [self.container] = self.spec["containers"]
        self.kept = {key: self.container.pop(key, None) for key in ("startupProbe", "livenessProbe", "readinessProbe", "lifecycle")}
        self.secrets = secrets      # folders by the secrets' names
        self.text = yaml.safe_dump(self.as_podman_reads_it())
        self.restarts = self.init_restarts = 0
        self.ready = False
        self.code = None            # of a container that isn't started again
        self.killed_by = []         # names of probes
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.live, daemon=True)
        self.thread.start()

    def as_podman_reads_it(self):
        spec = copy.deepcopy(self.spec)
        spec["restartPolicy"] = "Never"
        for container in spec["containers"]:
            container.pop("ports", None)    # podman 4.3 would give the machine's port to the first one
        for volume in spec.get("volumes", []):
            if "secret" in volume:      # podman 4.3 puts base64 into such files
                volume["hostPath"] = {"path": str(self.secrets[volume.pop("secret")["secretName"]]), "type": "Directory"}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": self.name, "labels": self.template["metadata"]["labels"]}, "spec": spec}

    @property
    def box(self):
        return f"{self.name}-{self.container['name']}"

    def address(self):
        found = self.podman.inspect(self.box)
        infra = self.podman.inspect(found["Pod"], "pod")["InfraContainerID"]
        return self.podman.inspect(infra)["NetworkSettings"]["Networks"][self.network]["IPAddress"]

    def log(self):
        return "".join(self.podman.run("logs", name, code=None).stdout + self.podman.run("logs", name, code=None).stderr
                       for name in [*(f"{self.name}-{c['name']}" for c in self.spec.get("initContainers", [])), self.box])

    def live(self):
        while not self.ending.is_set() and not self.begin():
            self.init_restarts += 1
            self.ending.wait(1)
        while not self.ending.is_set():
            if not self.watch():
                return
            self.restarts += 1
            self.ending.wait(0.5)
            self.podman.run("start", self.box, code=None)

    def begin(self):
        """The init containers to their end, and the container's start."""
        done = self.podman.run("play", "kube", "--network", self.network, "-", text=self.text, code=None, timeout=3600)
        # play kube says 0 also where a container of the Pod did not start
        state = (self.podman.inspect(self.box) or {}).get("State", {}).get("Status")
        if done.returncode == 0 and state in ("running", "exited", "stopped"):
            return True
        self.failed = done.stdout + done.stderr + self.log()
        self.podman.run("pod", "rm", "-f", "-t", 0, self.name, code=None)
        return False

    def watch(self):
        """One life of the container. False: it isn't to be started again."""
        probes = {name: Probe(self.kept[name], self.pace) for name in ("startupProbe", "livenessProbe", "readinessProbe") if self.kept.get(name)}
        started = "startupProbe" not in probes
        while not self.ending.wait(0.05):
            state = self.podman.inspect(self.box)["State"]
            if state["Status"] == "exited":
                self.ready = False
                self.code = state["ExitCode"]
                return self.restart == "Always" or (self.restart == "OnFailure" and self.code != 0)
            for name, probe in probes.items():
                if time.monotonic() < probe.due or (name == "startupProbe") == started:
                    continue
                holds = probe.ask(self.podman, self.box)
                if name == "startupProbe":
                    started = probe.good
                if name == "readinessProbe":
                    self.ready = probe.good if probe.good or not holds else self.ready
                elif not holds:
                    self.killed_by.append(name)
                    self.ready = False
                    self.podman.run("stop", "-t", self.spec.get("terminationGracePeriodSeconds", 30), self.box, code=None)
                    return True
            if "readinessProbe" not in probes:
                self.ready = started
        return False

    def stop(self):
        """As the kubelet ends a Pod: preStop, TERM, the grace, KILL."""
        self.ready = False
        before = (self.kept.get("lifecycle") or {}).get("preStop", {})
        if "sleep" in before:
            threading.Event().wait(before["sleep"]["seconds"] * self.pace)
        self.ending.set()
        self.podman.run("pod", "stop", "-t", self.spec.get("terminationGracePeriodSeconds", 30), self.name, code=None)
        self.thread.join(60)
        self.podman.run("pod", "rm", "-f", "-t", 0, self.name, code=None)
