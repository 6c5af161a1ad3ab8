"""Dockerfile.example, `make image`, and what README.md and doc/ tell to do with Docker: blocks after a line `<!-- in docker: NAME -->`.

The commands are the documents' own. A `docker` in front of PATH puts the images of these tests in the place of those of a registry.
"""

import json
import os
import re
import shlex
import shutil
import subprocess

import containers
import pytest
from containers import LABEL, SESSION, Container, docker, run
from conftest import TOP
from support.postgres import free_port
from support.waiting import eventually
from test_compose import command as compose_command

IMAGES = {"debian:12": "embark-test/build", "python:3.12-slim": "embark-test/python", "node:22-slim": "embark-test/node",
          "ruby:3.3-slim": "embark-test/ruby", "golang:1.23": "embark-test/go", "postgres:15": "embark-test/postgres"}
BUILD_ARGS = ["--build-arg", "BUILD_IMAGE=embark-test/build", "--build-arg", "PYTHON_IMAGE=embark-test/python"]

DOCUMENTS = "\n".join(path.read_text() for path in [TOP / "README.md", *sorted((TOP / "doc").glob("*.md"))])
BLOCKS = dict(re.findall(r"^<!-- in docker: ([\w ]+) -->\n```\w*\n(.*?)^```", DOCUMENTS, re.M | re.S))

NODE = """
require("http").createServer((request, response) => response.end("served\\n")).listen(8000)
process.on("SIGTERM", () => process.exit(0))
"""
RUBY = """
run lambda { |environment| [200, {"Content-Type" => "text/plain"}, ["served\\n"]] }
"""
GO = """
package main

import (
	"context"
	"fmt"
	"net/http"
	"os/signal"
	"syscall"
)

func main() {
	asked, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go http.ListenAndServe(":8000", http.HandlerFunc(func(reply http.ResponseWriter, _ *http.Request) { fmt.Fprintln(reply, "served") }))
	<-asked.Done()
}
"""
FILES = {"node": {"server.js": NODE}, "ruby": {"config.ru": RUBY}, "go": {"main.go": GO, "go.mod": "module service\n"}, "static": {}}


def fragment(name, embark_image):
    """The documents', with these tests' images."""
    dockerfile = BLOCKS[name].replace("--from=embark ", f"--from={embark_image} ")
    for theirs, ours in IMAGES.items():
        dockerfile = re.sub(rf"^FROM {re.escape(theirs)}(?= |$)", f"FROM {ours}", dockerfile, flags=re.M)
    return dockerfile


def test_blocks_are_found():
    assert sorted(BLOCKS) == ["ask first", "compose", "go", "node", "quick start", "ruby", "static"]
    assert DOCUMENTS.count("<!-- in docker: ") == len(BLOCKS)


# --- the fragments

@pytest.mark.parametrize("name", FILES)
def test_fragment(boxes, embark_image, services, db, tmp_path, name):
    for file, text in FILES[name].items():
        (tmp_path / file).write_text(text)
    shutil.copy(services / "none", tmp_path / "service")
    image, _ = boxes.build(tmp_path, dockerfile=fragment(name, embark_image))
    service = boxes.run(image, env={"DATABASE_URL": db.url})
    assert service.serves() == "served\n"
    service.exec("/embark", "health", "http://127.0.0.1:8000/").expect(0, "answers 200")
    docker("stop", service.name)
    # puma ends itself by the signal that it got, which process 1 can't; without that it is 1
    service.ends(1 if name == "ruby" else 0, "embark: ready in ")


@pytest.mark.parametrize("name, text", [("node", "node"), ("ruby", "puma"), ("go", "/service"), ("static", "/service")])
def test_fragment_that_lacks_its_program(boxes, embark_image, tmp_path, name, text):
    """RUN ["/embark", "check", …] fails the build."""
    last = "FROM " + fragment(name, embark_image).rpartition("\nFROM ")[2].removeprefix("FROM ")
    dockerfile = re.sub(r"^FROM .*", "FROM embark-test/base", re.sub(r"^COPY .*/service\n", "", last, flags=re.M))
    _, done = boxes.build(tmp_path, dockerfile=dockerfile, code=None)
    assert done.code != 0 and re.search(rf"embark: error: service: {text}: ", done.output, re.M), done.describe()


def test_go_with_its_resolver_in_c(boxes, embark_image, tmp_path):
    """Without CGO_ENABLED=0 it needs a C library, which scratch lacks: the kernel says `no such file` of the program itself."""
    for file, text in FILES["go"].items():
        (tmp_path / file).write_text(text)
    _, done = boxes.build(tmp_path, dockerfile=fragment("go", embark_image).replace("CGO_ENABLED=0", "CGO_ENABLED=1"), code=None)
    assert done.code != 0 and re.search(r"embark: error: service: /service: .*ld-linux", done.output), done.describe()


# --- embark alone

def test_make_image(boxes, tmp_path):
    name = f"{boxes.prefix}-embark"
    containers.names.append(name)
    with containers.building():
        run("make", "-s", "image", f"IMAGE={name}", cwd=TOP, timeout=900)
    assert int(docker("image", "inspect", "-f", "{{.Size}}", name).stdout) <= 3_400_000
    boxes.run_to_end(name, "version").expect(0, "embark ", "libpq", "openssl")
    image, _ = boxes.build(tmp_path, dockerfile=f"FROM embark-test/base\nCOPY --from={name} /embark /embark\nCOPY --from={name} /licenses /licenses\n")
    listed = boxes.run_to_end(image, "sh", "-c", "/embark version && wc -c /licenses/*").expect(0)
    for licence in ("embark", "inih", "jansson", "libmd", "musl", "openssl", "postgresql"):
        assert re.search(rf"^ *[1-9]\d+ /licenses/{licence}$", listed.stdout, re.M), listed.stdout


# --- Dockerfile.example, by the quick start of doc/languages.md

@pytest.fixture
def machine(boxes, tmp_path):
    """A folder to be put in front of PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    real = shutil.which("docker")
    script = f"""#!/usr/bin/python3
import os, sys
words, images = sys.argv[1:], {IMAGES!r}
more = ["--label", "{LABEL}={SESSION}"]
if words[0] == "build":
    more += {BUILD_ARGS!r}
if words[0] in ("build", "run"):
    words = [words[0], *more, *(images.get(word, word) for word in words[1:])]
elif words[:2] == ["network", "create"]:
    words = [*words[:2], *more, *words[2:]]
os.execv("{real}", ["docker", *words])
"""
    (programs / "docker").write_text(script)
    (programs / "docker").chmod(0o755)
    yield {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}


def test_quick_start(boxes, machine, tmp_path):
    """As it stands there, but for the names, which may be somebody's, and the port."""
    name, port = f"{boxes.prefix}-notes", free_port()
    commands = re.sub(r"(?<![./])\bnotes\b", name, BLOCKS["quick start"]).replace("8000:8000", f"{port}:8000").replace("localhost:8000", f"localhost:{port}")
    assert commands.count(name) >= 10 and "secret" in commands
    for container in (name, f"{name}-db"):
        boxes.containers.append(Container(container))
    boxes.networks.append(name)
    lines = commands.splitlines()
    build, rest = lines[0], "\n".join(lines[1:])
    assert build.startswith("docker build ") and shlex.split(build)[-1] == "."
    with containers.building():
        done = run("sh", "-euxc", build, cwd=TOP, env=machine, timeout=1500)
    containers.note_stages(done.stdout)
    health = rest.replace("docker logs", f"docker inspect -f '{{{{.State.Health.Status}}}} {{{{.Config.User}}}}' {name}\ndocker logs")
    done = run("timeout", "240", "sh", "-euxc", health, cwd=TOP, env=machine, timeout=300)
    done.expect(0, '[{"id":1,"text":"the first note ', "embark: ready in ", " 65534:65534")
    assert docker("ps", "-aq", "--filter", f"name={name}").stdout == ""
    check_example(boxes, name)
    for version in ("v1", "v2"):
        check_compose(tmp_path, name, version)


def check_compose(folder, image, version):
    """README's file: eight replicas before their database, one of which migrates."""
    project = f"{image}-{version}"
    words, env = compose_command(version, folder / "docker-config")
    files = [folder / "compose.yaml", folder / "labels.yaml"]
    files[0].write_text(BLOCKS["compose"].replace("image: notes\n", f"image: {image}\n").replace("image: postgres:15\n", "image: embark-test/postgres\n"))
    labels = {"labels": {LABEL: SESSION}}
    files[1].write_text(json.dumps({"services": dict.fromkeys(["notes", "db"], labels), "networks": {"default": labels}}))
    compose = [*words, "-p", project, *(word for file in files for word in ("-f", str(file)))]
    try:
        run(*compose, "up", "-d", "--no-build", env={**os.environ, **env}, cwd=folder).expect(0)
        found = docker("ps", "-a", "--filter", f"label=com.docker.compose.project={project}",
                       "--filter", "label=com.docker.compose.service=notes", "--format", "{{.Names}}").stdout.split()
        replicas = [Container(one) for one in found]
        assert len(replicas) == 8
        for replica in replicas:
            eventually(lambda: replica.health == "healthy", 120, f"{replica.name} to be healthy", gap=0.3)
        assert len([replica for replica in replicas if re.search(r'has the lock "embark".*; runs python3', replica.logs)]) == 1
        assert all("embark: ready in " in replica.logs for replica in replicas)
    finally:
        run(*compose, "down", "-v", "-t", "2", env={**os.environ, **env}, cwd=folder).expect(0)


def check_example(boxes, image):
    """The example's image: a venv, checked when it was built; what it lacks is said."""
    user = boxes.run_to_end(image, "sh", "-c", "id -u; command -v python3", env={"EMBARK_SKIP": "all"}).expect(0)
    assert user.stdout.split() == ["65534", "/venv/bin/python3"]
    broken, done = boxes.build(TOP / "test/demo", code=None, dockerfile=f"""
FROM {image}
USER 0
RUN rm -r /venv/lib/python3*/site-packages/uvicorn
USER 65534
RUN ["/embark", "check"]
""")
    assert done.code != 0 and "embark: error: require: module uvicorn: not found by /venv/bin/python3" in done.output, done.describe()
