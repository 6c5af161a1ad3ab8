"""Containers, images and networks of one test session, each with labels by which they are found again and removed.

What a session makes carries `embark-test.session=PID-STARTTIME`: what is left of a session that was killed is removed by the next one.
Several sessions, the processes of pytest -n, may be at work at a time. Images stay until the session's end: the layers that one test has
built are the next one's cache.
"""

import contextlib
import fcntl
import itertools
import json
import os
import re
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from support.waiting import eventually

LABEL = "embark-test.session"
SHOWN = "shown"     # a property of a test that conftest.py prints at the end
KINDS = {  # how to list them, and to remove them
    "container": (("ps", "-aq"), ("rm", "-f", "-v")),
    "image": (("images", "-aq"), ("rmi", "-f")),
    "network": (("network", "ls", "-q"), ("network", "rm")),
    "volume": (("volume", "ls", "-q"), ("volume", "rm", "-f")),
}


class Done:
    """A command that has ended."""

    def __init__(self, words, code, stdout, stderr):
        self.words, self.code, self.stdout, self.stderr = words, code, stdout, stderr

    @property
    def output(self):
        return self.stdout + self.stderr

    def describe(self):
        return f"$ {self.words}\nexit code {self.code}\n{self.stdout}{self.stderr}"

    def expect(self, code, *texts):
        assert self.code == code, f"not {code}: {self.describe()}"
        for text in texts:
            assert text in self.output, f"without {text!r}: {self.describe()}"
        return self


def run(*words, code=0, timeout=180, **how):
    """Runs a program; an exit code other than `code` (None: any) fails the test."""
    words = [str(word) for word in words]
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=timeout,
                          **({} if "input" in how else {"stdin": subprocess.DEVNULL}), **how)
    result = Done(" ".join(words), done.returncode, done.stdout, done.stderr)
    return result if code is None else result.expect(code)


def docker(*words, **how):
    return run("docker", *words, **how)


def inspect(name, template):
    return docker("inspect", "-f", template, name).stdout.strip()


# --- sessions

def identity(pid):
    """A process, and not another one that has its number later; None if there is none."""
    try:
        return f"{pid}-{Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19]}"
    except OSError:
        return None


SESSION = identity(os.getpid())


def lives(session):
    return identity(session.partition("-")[0]) == session


def labels(session=SESSION):
    return ["--label", f"{LABEL}={session}"]


def remove_all_of(session):
    with locked("images"):
        for kind, (listing, removal) in KINDS.items():
            # again while that helps: an image stays as long as others stand on it
            found, before = None, set()
            while found != before:
                before = found
                found = set(docker(*listing, "--filter", f"label={LABEL}={session}").stdout.split())
                if found:
                    docker(*removal, *found, code=None)


# --- images

@contextlib.contextmanager
def locked(name, how=fcntl.LOCK_EX):
    """Among all sessions on this machine."""
    with open(Path(tempfile.gettempdir()) / f"embark-test-docker.{name}.lock", "a") as file:
        fcntl.flock(file, how)
        yield


def building():
    """For as long as this is held no image is removed: a build goes on from layers that it found, and fails when one has gone."""
    return locked("images", fcntl.LOCK_SH)


names = []      # of images that this session made and that have no label
stages = []     # of its builds, and what failed ones got to: they have no name, either


def note_stages(output):
    """Of what `docker build` said."""
    stages.extend(re.findall(r"^ ---> ([0-9a-f]{12})$", output, re.M))


def remove_unlabelled():
    with locked("images"):
        for image in names:
            docker("rmi", image, code=None)
        for image in reversed(dict.fromkeys(stages)):
            if docker("image", "inspect", "-f", "{{len .RepoTags}}", image, code=None).stdout.strip() == "0":
                docker("rmi", image, code=None)


def remove_leftovers():
    """Of sessions that no longer live."""
    left = set()
    for kind, (listing, _) in KINDS.items():
        for name in set(docker(*listing, "--filter", f"label={LABEL}").stdout.split()):
            where = ".Config.Labels" if kind in ("container", "image") else ".Labels"
            done = docker(kind, "inspect", "-f", f'{{{{index {where} "{LABEL}"}}}}', name, code=None)
            left.add(done.stdout.strip())
    for session in left - {""}:
        if not lives(session):
            remove_all_of(session)


# --- containers

class Container:
    def __init__(self, name):
        self.name = name

    def inspect(self, template):
        return inspect(self.name, template)

    @property
    def running(self):
        return self.inspect("{{.State.Running}}") == "true"

    @property
    def code(self):
        return int(self.inspect("{{.State.ExitCode}}"))

    @property
    def health(self):
        return self.inspect("{{if .State.Health}}{{.State.Health.Status}}{{end}}")

    @property
    def health_log(self):
        return [entry["Output"].strip() for entry in json.loads(self.inspect("{{json .State.Health.Log}}"))]

    @property
    def address(self):
        """Empty while it has none: between two starts."""
        return next(iter(self.inspect("{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}").split()), "")

    @property
    def title(self):
        """What `docker top` shows of process 1, which need not have the least number."""
        rows = docker("top", self.name, "-eo", "pid,comm", code=None).stdout.splitlines()[1:]
        names = dict(row.split(None, 1) for row in rows)
        return names.get(self.inspect("{{.State.Pid}}"), "") if names else ""

    @property
    def logs(self):
        """stdout and stderr in the order in which they came."""
        done = subprocess.run(["docker", "logs", self.name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=60, check=True)
        return done.stdout.decode(errors="replace")

    def streams(self):
        done = docker("logs", self.name)
        return done.stdout, done.stderr

    def says(self, text, timeout=60, times=1):
        eventually(lambda: len(re.findall(text, self.logs)) >= times, timeout, f"{text!r} in the logs of {self.name}:\n{self.logs}", gap=0.1)
        return self

    def has_title(self, title, timeout=60):
        eventually(lambda: self.title == title, timeout, f"{self.name} to be {title}", gap=0.05)
        return self

    def ends(self, code, *texts, timeout=60):
        """Waits for the end."""
        got = docker("wait", self.name, timeout=timeout).stdout.strip()
        logs = self.logs
        assert got == str(code), f"{self.name}: exit code {got}, not {code}\n{logs}"
        for text in texts:
            assert text in logs, f"{self.name}: without {text!r}\n{logs}"
        return self

    def serves(self, timeout=90, path="/", status=200):
        """Waits for an answer, from the container's own address; gives the body."""
        def answer():
            if not self.running:
                raise AssertionError(f"{self.name} has ended\n{self.logs}")
            address = self.address
            return get(f"http://{address}:8000{path}", status) if address else None
        return eventually(answer, timeout, f"an answer {status} of {self.name}", gap=0.1)

    def exec(self, *words, code=0, options=()):
        return docker("exec", *options, self.name, *words, code=code)

    def kill(self, signal="KILL"):
        docker("kill", "-s", signal, self.name)

    def describe(self):
        state = docker("inspect", "-f", "{{json .State}}", self.name, code=None).stdout
        return f"{self.name}: {state}\n{docker('logs', self.name, code=None).output}"


def get(url, status=200):
    """The body if the answer has this status, else None."""
    try:
        with urllib.request.urlopen(url, timeout=10) as reply:
            return reply.read().decode() if reply.status == status else None
    except urllib.error.HTTPError as error:
        return error.read().decode(errors="replace") if error.code == status else None
    except (urllib.error.URLError, OSError):
        return None


class Boxes:
    """What one test makes. remove() removes its containers and networks, the newest first; images stay until the session's end."""

    def __init__(self, prefix, network=None):
        self.prefix, self.network = prefix, network
        self.containers, self.networks = [], []
        self.numbers = itertools.count()

    def _name(self, kind):
        return f"{self.prefix}-{kind}{next(self.numbers)}"

    def words(self, options, env, network):
        # a name that isn't a container's is nobody's: the machine's name servers aren't asked, which may take seconds to say so
        words = [*labels(), "--dns", "127.0.0.1", *options]
        for name, value in (env or {}).items():
            words += ["-e", f"{name}={value}"]
        network = self.network if network is None else network
        return words + (["--network", network] if network else [])

    def run(self, image, *command, options=(), env=None, network=None):
        """`docker run -d`."""
        container = Container(self._name("c"))
        self.containers.append(container)
        docker("run", "-d", "--name", container.name, *self.words(options, env, network), image, *command)
        return container

    def run_to_end(self, image, *command, options=(), env=None, network=None, code=None, **how):
        """`docker run`, with its output."""
        container = Container(self._name("c"))
        self.containers.append(container)
        return docker("run", "--name", container.name, *self.words(options, env, network), image, *command, code=code, **how)

    def make_network(self):
        name = self._name("n")
        self.networks.append(name)
        docker("network", "create", *labels(), name)
        return name

    def build(self, folder, *options, dockerfile=None, code=0, timeout=1200):
        """`docker build`: (image's name, what it said)."""
        name = self._name("i")
        words = ["build", "--force-rm", "-t", name, *labels(), *options]
        if dockerfile is not None:
            words += ["-f", "-"]
        with building():
            done = docker(*words, folder, code=code, timeout=timeout, **({} if dockerfile is None else {"input": dockerfile}))
        note_stages(done.stdout)
        return name, done

    def remove(self):
        for container in reversed(self.containers):
            docker("rm", "-f", "-v", container.name, code=None)
        for network in self.networks:
            docker("network", "rm", network, code=None)
