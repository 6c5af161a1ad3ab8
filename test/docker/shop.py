"""The story's shop (story/) in Docker: copies of its folder that may be broken, its images, containers and databases.

What takes minutes and is the same each time, the frontend's packages and its two builds, stays as images embark-test/story-*
beside the base images.
"""

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

from containers import building, docker, labels, locked, note_stages
from support import npm
from support.waiting import eventually

STORY = Path(__file__).parent / "story"
PUBLIC_URL = "https://shop.example.com"
PASSWORDS = {"superuser_password": "Super-Pw-1", "admin_password": "Admin-Pw-2", "ui_password": "Ui-Pw-3",
             "superuser_url": "postgresql://postgres:Super-Pw-1@db/postgres"}
FIRST = "SELECT count(*) FROM items WHERE name = 'the first item'"


class Seen:
    """What somebody saw of a command or a container: its exit code and its lines, without colours. No password is among them."""

    def __init__(self, what, code, output):
        self.what, self.code = what, code
        self.output = re.sub(r"\x1b\[[0-9;]*m|\r", "", output)
        for secret in PASSWORDS.values():
            assert secret not in self.output, f"{what}: a password in\n{self.output}"

    def expect(self, code, *patterns):
        assert self.code == code, f"{self.what}: exit code {self.code}, not {code}\n{self.output}"
        for pattern in patterns:
            assert re.search(pattern, self.output), f"{self.what}: {pattern} is not in\n{self.output}"
        return self

    def line(self, pattern):
        """The one line that the pattern is found in."""
        found = [line.strip() for line in self.output.splitlines() if re.search(pattern, line)]
        assert len(found) == 1, f"{self.what}: {len(found)} lines with {pattern}\n{self.output}"
        return found[0]

    @property
    def said(self):
        """embark's own lines and hints, without what it says of secrets that a build can't see, and of a good bundle."""
        lines = [line.strip() for line in self.output.splitlines() if line.startswith(("embark: ", "  hint: "))]
        return [line for line in lines if not re.search(r"what it is for isn't looked at|embark: bundle: \d+ files", line)]


def run(*words, timeout=600, env=None, cwd=None):
    """A program, to its end; both of its streams in the order in which they were written."""
    words = [str(word) for word in words]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          cwd=cwd, timeout=timeout, env={**os.environ, **(env or {})})
    return Seen(" ".join(words), done.returncode, done.stdout)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def query(db, sql, database="shop"):
    """In a server's container, as its superuser."""
    return docker("exec", "-u", "postgres", db.name, "psql", "-AtX", "-d", database, "-c", sql).stdout.strip()


# ---- Images that stay ----------------------------------------------------------------------------------------------

def keep(name, *build):
    """Builds the image embark-test/story-NAME, which is nothing to do if its layers are there; the one before it goes."""
    tag = f"embark-test/story-{name}"
    # another session would build the same beside us
    with locked(f"story-{name}"):
        before = docker("image", "inspect", "-f", "{{.Id}}", tag, code=None).stdout.strip()
        with building():
            run("docker", "build", "--force-rm", "-t", tag, *build, timeout=1800).expect(0)
        if before and docker("image", "inspect", "-f", "{{.Id}}", tag).stdout.strip() != before:
            with locked("images"):
                docker("rmi", before, code=None)
    return tag


def frontend_tools():
    """Node.js with the frontend's packages, which npm installs on this machine, once, into the cache."""
    packages = npm.cached((STORY / "web" / "package.json").read_text())
    return keep("node", "-f", STORY.with_name("frontend.dockerfile"), packages)


# ---- One shop --------------------------------------------------------------------------------------------------------

class Shop:
    """A copy of the story's folder; `boxes` make and remove all that is made of it, `embark` is an image that has /embark."""

    def __init__(self, folder, boxes, embark):
        self.folder, self.boxes, self.embark = folder, boxes, embark
        self.name = boxes.prefix
        shutil.copytree(STORY, folder)
        (folder / "secrets").mkdir()
        for name, text in PASSWORDS.items():
            (folder / "secrets" / name).write_text(text + "\n")

    # --- its files

    def path(self, name):
        return self.folder / name

    def replace(self, name, old, new):
        text = self.path(name).read_text()
        assert text.count(old) == 1, f"{name} holds {text.count(old)} times: {old}"
        self.path(name).write_text(text.replace(old, new))

    def add_migration(self):
        """The next release."""
        shutil.copy(STORY / "release2" / "0003_price.py", self.path("api/alembic/versions"))

    # --- its images

    def build(self, what, version="1", target=None, code=0, **arguments):
        """`docker build` of api or web; target "service" is the image before embark. Returns the tag, or, where it is to
        fail with another code, what was seen."""
        values = {"EMBARK_IMAGE": self.embark, **arguments}
        if what == "api":
            values["PYTHON_IMAGE"] = "embark-test/python"
        else:
            values.update(NODE_IMAGE="embark-test/node", BUILD_IMAGE=frontend_tools(), INSTALL="true")
        words = [word for name, value in values.items() for word in ("--build-arg", f"{name}={value}")]
        if what == "web":
            keep("web-built" if arguments else "web-unset", "--target", "build", *words, self.path("web"))
        elif code == 0 and self.path("api/requirements.txt").read_text() == (STORY / "api" / "requirements.txt").read_text():
            keep("api", "--target", "build", *words, self.path("api"))
        tag = f"{self.name}-{what}:{version}" + (f"-{target}" if target else "")
        words += ["--target", target] if target else []
        with building():
            seen = run("docker", "build", "--force-rm", "-t", tag, *labels(), *words, self.path(what), timeout=1800)
        note_stages(seen.output)
        seen.expect(code)
        return seen if code else tag

    # --- its containers, in a network of their own

    def start(self, image, *command, env=None, secrets=("admin_password", "ui_password"), alias=None):
        self.boxes.network = self.boxes.network or self.boxes.make_network()
        options = ["--network-alias", alias] if alias else []
        for secret in secrets:
            options += ["-v", f"{self.path('secrets')}/{secret}:/run/secrets/{secret}:ro"]
        return self.boxes.run(image, *command, options=options, env=env)

    def logs(self, image, *command, **how):
        """The same, to its end: what `docker logs` shows, and the exit code."""
        container = self.start(image, *command, **how)
        docker("wait", container.name)
        return Seen(f"docker logs {container.name}", container.code, container.logs)

    def database(self):
        """An empty server, called db; it is up when this returns."""
        db = self.start("embark-test/postgres", env={"POSTGRES_PASSWORD_FILE": "/run/secrets/superuser_password"},
                        secrets=["superuser_password"], alias="db")
        eventually(lambda: db.exec("pg_isready", "-q", "-h", db.address, code=None).code == 0, 60, "PostgreSQL", gap=0.1)
        return db

    def migrate(self, image):
        """`embark migrate` with the superuser's URL."""
        return self.logs(image, "migrate", env={"SUPERUSER_URL_FILE": "/run/secrets/superuser_url"},
                         secrets=["admin_password", "ui_password", "superuser_url"])
