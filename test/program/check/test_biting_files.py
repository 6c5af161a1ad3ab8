"""Files that an image should not have where embark reads: FIFOs, devices without an end, sockets, loops of links, files and folders of any size, and jars that
lie. Each is said or passed over, in bounded time and memory."""

import os
import socket
import struct
import subprocess
import time
import zipfile
import zlib

import pytest

from conftest import PYTHON
from support import process
from support.image import write
from support.process import PATH

MEMORY = 48  # MiB
LIMIT = 10   # s; milliseconds as a rule


def fifo(path):
    os.mkfifo(path)


def zero(path):
    path.symlink_to("/dev/zero")


def sock(path):
    with socket.socket(socket.AF_UNIX) as s:
        here = os.getcwd()
        os.chdir(path.parent)  # a socket's path is short
        try:
            s.bind(path.name)
        finally:
            os.chdir(here)


def loop(path):
    path.symlink_to(path.name)


def huge(path):
    path.touch()
    os.truncate(path, 3 << 30)


def directory(path):
    path.mkdir()


KINDS = [fifo, zero, sock, loop, huge, directory]
NOWHERE = "[database]\nurl = postgresql://a@127.0.0.1:1/x\ntimeout = 200ms\n"
PLACES = {
    "config": ("embark.ini", ["check"], None, {}, {}),
    "name-file": ("x", ["wait"], NOWHERE, {"PGPASSWORD_FILE": "x"}, {}),
    "value": ("x", ["check"], "[image]\nbuild = ${file:x}\n", {}, {}),
    "requirements": ("requirements.txt", ["check"], "[require]\nmanifest = requirements.txt\n", {}, {}),
    "included": ("y.txt", ["check"], "[require]\nmanifest = requirements.txt\n", {}, {"requirements.txt": "-r y.txt\n"}),
    "pyproject": ("pyproject.toml", ["check"], "[require]\nmanifest = pyproject.toml\n", {}, {}),
    "dynamic": ("d.txt", ["check"], "[require]\nmanifest = pyproject.toml\n", {}, {
        "pyproject.toml": '[project]\nname = "x"\ndynamic = ["dependencies"]\n[tool.setuptools.dynamic.dependencies]\nfile = ["d.txt"]\n'}),
    "package.json": ("package.json", ["check"], "[require]\nmanifest = package.json\n", {}, {}),
    "package": ("node_modules/thing/package.json", ["check"], "[require]\nmodule = node: thing\n", {}, {"node_modules/thing/index.js": ""}),
    "composer": ("vendor/composer/installed.json", ["check"], "[require]\nmodule = php: a/b\n", {}, {}),
    "jar": ("libs/a.jar", ["check", "--", "java", "-cp", "libs/*", "Main"], "[require]\nmodule = java: com.x.Y\n", {}, {}),
    "own-jar": ("a.jar", ["check", "--", "java", "-jar", "a.jar"], "[require]\nmodule = java: com.x.Y\n", {}, {}),
    "sql": ("sql/001_a.sql", ["check"], "[migrate]\nsql = sql\n", {}, {}),
    "sql-folder": ("sql", ["check"], "[migrate]\nsql = sql\n", {}, {}),
    "bootstrap": ("b.sql", ["check"], "[bootstrap]\nurl = postgresql://127.0.0.1:1/x\nsql = b.sql\n", {}, {}),
    "alembic.ini": ("alembic.ini", ["doctor"], NOWHERE + "[migrate]\ncommand = alembic upgrade head\n", {}, {}),
    "version": ("alembic/versions/a.py", ["doctor"], NOWHERE + "[migrate]\ncommand = alembic upgrade head\n", {},
                {"alembic.ini": "[alembic]\nscript_location = alembic\n"}),
    "files": ("m/001.py", ["doctor"], NOWHERE + "[migrate]\ncommand = true\nfiles = m/*\n", {}, {}),
    "prisma": ("prisma/schema.prisma", ["doctor"], NOWHERE + "[migrate]\ncommand = npx prisma migrate deploy\n", {}, {}),
    "knexfile": ("knexfile.js", ["doctor"], NOWHERE + "[migrate]\ncommand = npx knex migrate:latest\n", {}, {}),
    "django": ("manage.py", ["doctor"], NOWHERE + "[migrate]\ncommand = python3 manage.py migrate\n", {}, {}),
    "flyway": ("flyway.conf", ["doctor"], NOWHERE + "[migrate]\ncommand = flyway migrate\n", {}, {}),
    "script": ("m.sh", ["doctor"], NOWHERE + "[migrate]\ncommand = sh m.sh\n", {}, {}),
    "program": ("program", ["check"], "[require]\ncommand = ./program\n", {}, {}),
    "service": ("program", ["--", "./program"], "", {}, {}),
    "main": ("main.py", ["check", "--", "python3", "main.py"], "[require]\nmodule = python: json\n", {}, {}),
    "service-file": ("services", ["wait"], NOWHERE, {"PGSERVICE": "x", "PGSERVICEFILE": "services"}, {}),
    "password-file": ("passwords", ["wait"], NOWHERE, {"PGPASSFILE": "passwords"}, {}),
    "root": (".postgresql/root.crt", ["wait"], NOWHERE, {}, {}),
    "crl": ("crl", ["wait"], NOWHERE.replace("/x", "/x?sslcrl=crl"), {}, {}),
    "openssl": ("openssl.cnf", ["wait"], NOWHERE, {"OPENSSL_CONF": "openssl.cnf"}, {}),
}


def bounded(started, codes=None):
    begun = time.monotonic()
    code = started.wait(LIMIT)
    assert code >= 0 if codes is None else code in codes, started.describe()
    return time.monotonic() - begun


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("place", PLACES)
def test_whatever_is_there(embark, folder, place, kind):
    name, words, config, env, files = PLACES[place]
    for file, text in files.items():
        write(folder / file, text)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    kind(folder / name)
    env = {"PATH": PATH, **env}
    if config is None:
        env["EMBARK_CONFIG"] = str(folder / name)
    measured = [] if process.asan() else ["prlimit", f"--data={MEMORY << 20}"]
    started = embark(*words, env=env, config=config, prefix=measured)
    bounded(started)
    assert "out of memory" not in started.stderr, started.describe()


@pytest.mark.parametrize("what", ["sslrootcert", "sslcert", "sslcrl", "OPENSSL_CONF", "PGSERVICEFILE"])
def test_what_libpq_reads_by_itself(embark, folder, listener, what):
    """A server that speaks TLS: only then the files are opened."""
    fifo(folder / "fifo")
    server = listener(b"S")
    url = f"postgresql://a:b@127.0.0.1:{server.port}/x?sslmode=require"
    env = {"DATABASE_URL": url + (f"&{what}={folder}/fifo" if what.islower() else ""), "EMBARK_DATABASE_TIMEOUT": "1s", "PGSERVICE": "x",
           "PGSERVICEFILE": "/dev/null"}
    if what.isupper():
        env[what] = str(folder / "fifo")
    started = embark("wait", env=env)
    started.expect(78, rf"{what} {folder}/fifo is a FIFO, not a file")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_metadata_of_python_packages(embark, folder, kind):
    """The probe reads what an installer has written."""
    for name in ("METADATA", "RECORD", "top_level.txt", "direct_url.json"):
        info = folder / "libs" / f"{name.split('.')[0].lower()}_pkg-1.0.dist-info"
        for other in ("METADATA", "RECORD", "top_level.txt", "direct_url.json"):
            if other != name:
                write(info / other, '{"editable":true}' if other.endswith("json") else "Name: x\n")
        kind(info / name)
        kind(folder / "libs" / f"link{name}.egg-link")
    write(folder / "requirements.txt", "metadata-pkg>=2\nrecord-pkg[x]\nnothing\n")
    started = embark("check", config=f"[require]\nmodule = {PYTHON}: record_pkg, json>=1\nmanifest = requirements.txt\n", env={"PYTHONPATH": "libs"},
                     prefix=["prlimit", f"--as={1 << 30}"] if not process.asan() else [])
    started.expect(72, "record_pkg", timeout=LIMIT)


def test_folders_of_a_hundred_thousand_names(embark, folder):
    """Bounded, and a signal ends it."""
    many = folder / "many"
    many.mkdir()
    for number in range(100_000):  # each an inode, which takes a while
        os.close(os.open(f"{many}/{number}.txt", os.O_CREAT | os.O_WRONLY))
    for config in ("[require]\nfile = many/999999.txt\n", "[require]\ndir = many/Nothing\n", "[migrate]\nsql = many\n", "[require]\ncommand = many/nothing\n",
                   "[bundle]\ndir = many\nforbid = nothing\n"):
        bounded(embark("check", config=config))
    env = {"PATH": f"{many}:{PATH}", "PYTHONPATH": str(many), "CLASSPATH": f"{many}/*"}
    bounded(embark("check", config="[require]\ncommand = nothing\nmodule = java: a.B\n", env=env))
    bounded(embark("check", config=f"[require]\nmodule = {PYTHON}: nothing\n", env=env))
    bounded(embark("doctor", config=NOWHERE + "[migrate]\ncommand = true\nfiles = many/*.txt\n", env=env, stdout=subprocess.DEVNULL))
    os.rename(many, folder / "dist")
    started = embark("check", config="[bundle]\ndir = dist\nforbid = nothing\n")
    started.signal(15)
    bounded(started, (0, 143, -15))     # -15: before it has begun


# --- jars

def write_zip(path, entries):
    """A jar whose directory says what it likes: (name, stored bytes, compressed size, size, method, offset or None)."""
    body, directory, length = [], [], 0
    for name, data, compressed, size, method, offset in entries:
        at = length if offset is None else offset
        body.append(struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, method, 0, 0, 0, compressed, size, len(name), 0) + name + data)
        length += len(body[-1])
        directory.append(struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, method, 0, 0, 0, compressed, size, len(name), 0, 0, 0, 0, 0, at) + name)
    body, directory = b"".join(body), b"".join(directory)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, min(len(entries), 65535), min(len(entries), 65535), len(directory), len(body), 0)
    path.write_bytes(body + directory + end)


def deflated(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def zeros(times=1):
    """One manifest of many megabytes, and a directory that names it so often."""
    packed = deflated(bytes(64 << 20))
    return [(b"META-INF/MANIFEST.MF", packed, len(packed), 10, 8, None)] + [(b"META-INF/MANIFEST.MF", b"", len(packed), 10, 8, 0)] * (times - 1)


BOMBS = {
    "a manifest that grows": zeros,
    "a manifest that is said to be large": lambda: [(b"META-INF/MANIFEST.MF", b"x", 0xFFFFFFF0, 0xFFFFFFF0, 0, None)],
    "the same manifest again and again": lambda: zeros(20_000),
    "names repeated": lambda: [(b"a/B.class", b"", 0, 0, 0, 0)] * 300_000,
    "an offset outside": lambda: [(b"META-INF/MANIFEST.MF", b"x", 1, 1, 0, 0xFFFFFFF0)],
    "a jar in itself": lambda: [(b"BOOT-INF/lib/x.jar", b"", 0xFFFF, 0xFFFF, 0, 0)] * 5_000,
}


@pytest.mark.parametrize("what", BOMBS)
def test_jars(embark, folder, what):
    write_zip(folder / "a.jar", BOMBS[what]())
    started = embark("check", "--", "java", "-jar", "a.jar", config="[require]\nmodule = java: com.x.Y\n",
                     prefix=[] if process.asan() else ["prlimit", f"--data={96 << 20}"])
    bounded(started, (72, 0))
    assert "out of memory" not in started.stderr, started.describe()


def test_a_jar_whose_parts_are_itself(embark, folder):
    """Each of its thousand nested jars is the whole file again."""
    path = folder / "a.jar"
    names = [b"BOOT-INF/lib/%d.jar" % n for n in range(1000)]
    for size in (100_000, None):
        entries = [(name, b"", size or path.stat().st_size, size or path.stat().st_size, 0, 0) for name in names]
        write_zip(path, entries)
    started = embark("check", "--", "java", "-jar", "a.jar", config="[require]\nmodule = java: com.x.Y\n")
    bounded(started, (72, 0))


def test_a_jar_and_a_signal(embark, folder):
    write_zip(folder / "a.jar", zeros(50_000))
    started = embark("check", "--", "java", "-jar", "a.jar", config="[require]\nmodule = java: com.x.Y\n")
    started.signal(15)
    begun = time.monotonic()
    assert started.wait(LIMIT) in (143, -15, 72), started.describe()
    assert time.monotonic() - begun < 2


def test_an_ordinary_jar(embark, folder):
    with zipfile.ZipFile(folder / "a.jar", "w", zipfile.ZIP_DEFLATED) as jar:
        jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nClass-Path: b.jar\n")
    with zipfile.ZipFile(folder / "b.jar", "w") as jar:
        jar.writestr("com/x/Y.class", b"")
    embark("check", "--", "java", "-jar", "a.jar", config="[require]\nmodule = java: com.x.Y\n").expect(0)
