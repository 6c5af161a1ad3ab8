"""What `make release` has put into dist/, from outside: make test-release (ARGS='-k packages').

EMBARK_SPDX_SCHEMA=FILE names the schema of SPDX 2.3 as its authors publish it, for the bill of materials to be judged by that one, too.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import uuid
from pathlib import Path

import jsonschema
import pytest

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
DIST = TOP / "dist"
VERSION = re.search(r"^VERSION := (.*)$", (TOP / "Makefile").read_text(), re.M)[1]
ARCHES = {"amd64": "X86-64", "arm64": "AArch64"}  # as readelf says it
EMULATOR = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")
LOCK = [line.split() for line in (TOP / ".ci/sources.lock").read_text().splitlines() if not line.startswith(("#", "cmocka "))]
each = pytest.mark.parametrize("arch", ARCHES)


def output(*words, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=1800, **more)
    assert done.returncode == 0, f"{words} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def on_this_machine(arch):
    """The words before a program of that processor."""
    machine = os.uname().machine
    return [] if machine == {"amd64": "x86_64", "arm64": "aarch64"}[arch] else [EMULATOR]


def archive(arch):
    return DIST / f"embark-{VERSION}-linux-{arch}.tar.gz"


def says_its_version(text):
    """The version, and those of the sources."""
    said = re.fullmatch(r"embark (\S+) \((.*)\)\n", text)
    assert said[1] == VERSION
    for part, package, version, *_ in LOCK:
        name = {"postgresql": "libpq", "inih": "inih"}.get(part, package)
        assert f"{name} {version.rpartition('-')[0]}" in said[2].split(", ")


def test_sums():
    said = output("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=DIST)
    files = {path.name for path in DIST.iterdir() if path.is_file()} - {"SHA256SUMS"}
    assert files == {line.partition(":")[0] for line in said.splitlines()}
    assert files == {f"embark-{VERSION}.spdx.json", f"embark-{VERSION}-oci.tar",
                     *(name for arch in ARCHES for name in (archive(arch).name, f"embark_{VERSION}_{arch}.deb"))}


@each
def test_archives(arch, tmp_path):
    output("tar", "-xzf", archive(arch), "-C", tmp_path)
    root = tmp_path / f"embark-{VERSION}-linux-{arch}"
    assert [path.name for path in tmp_path.iterdir()] == [root.name]
    header = output("readelf", "--file-header", "--program-headers", "--wide", root / "embark")
    assert re.search(rf"Machine:.*{ARCHES[arch]}", header) and "INTERP" not in header and "GNU_RELRO" in header
    assert "RWE" not in header
    assert "static" in output("file", root / "embark")
    says_its_version(output(*on_this_machine(arch), root / "embark", "version"))
    assert {path.name for path in (root / "licenses").iterdir()} == {"embark", *(part for part, *_ in LOCK)}
    pages = [path for path in root.glob("man/man?/*")]
    assert {path.name for path in pages} == {path.name for path in TOP.glob("doc/*.[157]")}
    assert "EMBARK" in output("man", "--local-file", root / "man/man1/embark.1", env={**os.environ, "MANPAGER": "cat"})
    # what the example copies is beside it, or of the tree that embark is built from
    assert (root / "example/Dockerfile").read_text() == (TOP / "Dockerfile.example").read_text()
    assert (root / "example/test/demo/app/requirements.txt").is_file()


@each
def test_archives_are_of_nobody(arch):
    """root's, of one time, in order: nothing of the machine or of who has built it."""
    with tarfile.open(archive(arch)) as tar:
        members = tar.getmembers()
    assert [one.name for one in members] == sorted(one.name for one in members)
    assert {(one.uid, one.gid, one.uname, one.gname) for one in members} == {(0, 0, "root", "root")}
    assert len({one.mtime for one in members}) == 1
    assert {one.mode for one in members} == {0o644, 0o755}


@each
def test_packages(arch, tmp_path):
    deb = DIST / f"embark_{VERSION}_{arch}.deb"
    fields = dict(line.split(": ", 1) for line in output("dpkg-deb", "--field", deb).splitlines() if not line.startswith(" "))
    assert (fields["Package"], fields["Version"], fields["Architecture"]) == ("embark", VERSION, arch)
    assert "Depends" not in fields, "it is static"
    # as dpkg installs it, below a root of its own
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    for name in ("status", "available"):
        (tmp_path / "var/lib/dpkg" / name).touch()
    output("dpkg", f"--root={tmp_path}", "--force-not-root", "--force-architecture", "--force-script-chrootless", "--install", deb)
    says_its_version(output(*on_this_machine(arch), tmp_path / "usr/bin/embark", "version"))
    assert (tmp_path / "usr/share/man/man5/embark.ini.5.gz").is_file()
    text = (tmp_path / "usr/share/doc/embark/copyright").read_text()
    for part in {"embark", *(part for part, *_ in LOCK)}:
        assert f"\n==== {part} ====\n" in text
    assert (tmp_path / "usr/bin/embark").read_bytes() == binary(arch)


def binary(arch):
    with tarfile.open(archive(arch)) as tar:
        return tar.extractfile(f"embark-{VERSION}-linux-{arch}/embark").read()


# --- the bill of materials

@pytest.fixture(scope="module")
def bill():
    return json.loads((DIST / f"embark-{VERSION}.spdx.json").read_text())


def test_bill_is_spdx(bill):
    schemas = [HERE / "spdx.schema.json"]
    if os.environ.get("EMBARK_SPDX_SCHEMA"):
        schemas.append(Path(os.environ["EMBARK_SPDX_SCHEMA"]))
    for path in schemas:
        schema = json.loads(path.read_text())
        jsonschema.validators.validator_for(schema)(schema).validate(bill)
    names = [one["SPDXID"] for one in bill["packages"]]
    assert len(set(names)) == len(names)
    for one in bill["relationships"]:
        assert {one["spdxElementId"], one["relatedSpdxElement"]} <= {"SPDXRef-DOCUMENT", *names}
    related = {one["relatedSpdxElement"] for one in bill["relationships"]} | {one["spdxElementId"] for one in bill["relationships"]}
    assert set(names) <= related, "each is something's"


@pytest.mark.parametrize("spoil", [
    lambda bill: bill.pop("documentNamespace"),
    lambda bill: bill["packages"][0].pop("downloadLocation"),
    lambda bill: bill["packages"][0].update(SPDXID="SPDXRef-no blanks"),
    lambda bill: bill["packages"][0]["checksums"][0].update(checksumValue="xyz"),
    lambda bill: bill["relationships"][0].update(relationshipType="IS_OF"),
    lambda bill: bill.update(more=1),
])
def test_what_is_no_spdx_is_told(bill, spoil):
    bill = json.loads(json.dumps(bill))
    spoil(bill)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(bill, json.loads((HERE / "spdx.schema.json").read_text()))


def test_bill_names_each_source_and_binary(bill):
    """Hashes are those of the sources, which the lock names and which lie in the cache, and of the binaries in the archives."""
    told = {one["packageFileName"]: one["checksums"][0]["checksumValue"] for one in bill["packages"] if "checksums" in one and one["name"] != "embark"}
    locked = {Path(place).name: digest for _, _, _, digest, place in LOCK if not place.endswith(".dsc")}
    assert told == locked
    cache = Path(output(TOP / ".ci/deps").strip()).parent / "sources"
    for name, digest in told.items():
        if (cache / name).exists():
            assert hashlib.sha256((cache / name).read_bytes()).hexdigest() == digest
    for arch in ARCHES:
        one = next(one for one in bill["packages"] if one["SPDXID"] == f"SPDXRef-embark-{arch}")
        assert one["checksums"][0]["checksumValue"] == hashlib.sha256(binary(arch)).hexdigest()
        linked = {two["relatedSpdxElement"] for two in bill["relationships"] if (two["spdxElementId"], two["relationshipType"]) ==
                  (one["SPDXID"], "STATIC_LINK")}
        assert linked == {f"SPDXRef-gcc-{arch}", *(f"SPDXRef-{ {'postgresql': 'libpq'}.get(part, part)}" for part, *_ in LOCK)}
    purls = {ref["referenceLocator"] for one in bill["packages"] for ref in one.get("externalRefs", [])}
    for _, package, version, *_ in LOCK:
        assert f"pkg:deb/debian/{package}@{version}?arch=source" in purls


# --- the container image

@pytest.fixture
def image():
    """A name for what an engine is given, which is removed at the end."""
    name = f"localhost/embark-release-{uuid.uuid4().hex[:8]}"
    yield name
    for engine in ("docker", "podman"):
        listed = subprocess.run([engine, "image", "ls", "--quiet", "--filter", f"reference={name}"], capture_output=True, text=True).stdout
        for one in set(listed.split()):
            subprocess.run([engine, "image", "rm", "--force", one], capture_output=True)


@each
def test_docker_takes_the_layout(arch, image):
    """arm64's is run by an emulator that is put in, as the kernel knows none."""
    output("skopeo", "copy", f"--override-arch={arch}", f"oci:{DIST}/embark-{VERSION}-oci:{VERSION}", f"docker-daemon:{image}:{arch}")
    told = json.loads(output("docker", "image", "inspect", f"{image}:{arch}"))[0]
    assert (told["Architecture"], told["Config"]["Entrypoint"]) == (arch, ["/embark"])
    if on_this_machine(arch):
        run = ["--volume", f"{EMULATOR}:/emulator:ro", "--entrypoint", "/emulator", f"{image}:{arch}", "/embark", "version"]
    else:
        run = [f"{image}:{arch}", "version"]
    says_its_version(output("docker", "run", "--rm", "--network=none", f"--platform=linux/{arch}", *run))


def test_podman_takes_the_archive():
    """Its storage is a folder of the test's own; what it loads is this machine's image."""
    # a short name, below /tmp, as its sockets have a limit
    root = Path(f"/tmp/embark-podman-{uuid.uuid4().hex[:8]}")
    podman = ["podman", "--root", root / "s", "--runroot", root / "r", "--storage-driver=vfs", "--cgroup-manager=cgroupfs"]
    try:
        said = output(*podman, "load", "--input", DIST / f"embark-{VERSION}-oci.tar")
        name = re.search(r"Loaded image: (\S+)", said)[1]
        told = json.loads(output(*podman, "image", "inspect", name))[0]
        assert f"linux/{told['Architecture']}" == f"linux/{next(arch for arch in ARCHES if not on_this_machine(arch))}"
        mount = output(*podman, "image", "mount", name).strip()
        says_its_version(output(f"{mount}/embark", "version"))
        output(*podman, "image", "unmount", name)
    finally:
        subprocess.run([*map(str, podman), "image", "rm", "--all", "--force"], capture_output=True)
        shutil.rmtree(root, ignore_errors=True)


def test_layout_is_whole():
    """Each blob has the hash that is its name and the size that is said; both processors' configurations say what they are."""
    layout = DIST / f"embark-{VERSION}-oci"
    assert json.loads((layout / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    seen = set()

    def blob(one):
        data = (layout / "blobs/sha256" / one["digest"].removeprefix("sha256:")).read_bytes()
        assert "sha256:" + hashlib.sha256(data).hexdigest() == one["digest"] and len(data) == one["size"]
        seen.add(one["digest"].removeprefix("sha256:"))
        return data

    [named] = json.loads((layout / "index.json").read_text())["manifests"]
    assert named["annotations"] == {"org.opencontainers.image.ref.name": VERSION}
    platforms = []
    for one in json.loads(blob(named))["manifests"]:
        manifest = json.loads(blob(one))
        configuration = json.loads(blob(manifest["config"]))
        [blob(layer) for layer in manifest["layers"]]
        assert one["platform"]["architecture"] == configuration["architecture"]
        platforms.append(one["platform"]["architecture"])
    assert platforms == list(ARCHES)
    assert seen == {path.name for path in (layout / "blobs/sha256").iterdir()}, "and nothing else"


# --- built again

def test_the_same_commit_is_the_same_bytes(tmp_path):
    """Elsewhere, at another time, in another time zone and locale, with another mask."""
    there = tmp_path / "another" / "folder"
    there.mkdir(parents=True)
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=TOP, check=True, capture_output=True).stdout
    for name in names.decode().split("\0"):
        if name and (TOP / name).exists():
            (there / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, there / name)
    when = int(output("git", "log", "-1", "--format=%ct", cwd=TOP))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    environment |= {"SOURCE_DATE_EPOCH": str(when), "TZ": "Asia/Kathmandu", "LC_ALL": "C", "USER": "somebody"}
    output("sh", "-c", "umask 077 && exec make --silent release", cwd=there, env=environment)
    files = sorted(path.relative_to(DIST) for path in DIST.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(there / "dist") for path in (there / "dist").rglob("*") if path.is_file())
    for name in files:
        if (DIST / name).read_bytes() != (there / "dist" / name).read_bytes():
            pytest.fail(f"{name} differs\n{difference(DIST / name, there / 'dist' / name)}", pytrace=False)


def difference(one, two):
    """What diffoscope says, where it is installed."""
    if not shutil.which("diffoscope"):
        return "(diffoscope, were it installed, would say in what)"
    return subprocess.run(["diffoscope", one, two], capture_output=True, text=True).stdout[:10000]
