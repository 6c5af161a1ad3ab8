"""Makes wheels of the Python packages that Debian has installed, so that pip installs them where there is no index.

    wheels.py FOLDER

Debian's files are what upstream's wheels hold, compiled for Debian's interpreter. psycopg2 is there as psycopg2-binary as well, since
that is what requirements.txt usually says.
"""

import base64
import hashlib
import importlib.metadata
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

ROOT = Path("/usr/lib/python3/dist-packages")
TAG = f"cp{sys.version_info[0]}{sys.version_info[1]}"


def files_of(package):
    listed = subprocess.run(["dpkg", "-L", package], check=True, capture_output=True, text=True).stdout.split("\n")
    return [Path(line) for line in listed if line.startswith(f"{ROOT}/") and Path(line).is_file()]


def metadata_folder(files):
    for path in files:
        for part in (path, *path.parents):
            if part.suffix in (".dist-info", ".egg-info"):
                return part
    return None


def metadata(distribution, name, needs):
    """What it needs is taken from Debian's Depends: Debian relaxes upstream's bounds on versions, and drops some of the lists."""
    head = [f"Metadata-Version: 2.1", f"Name: {name}", f"Version: {distribution.version}"]
    return "\n".join(head + [f"Requires-Dist: {line}" for line in needs]) + "\n"


def write(folder, name, distribution, files, info_folder, needs):
    pure = not any(path.suffix == ".so" for path in files)
    tag = "py3-none-any" if pure else f"{TAG}-{TAG}-{sysconfig.get_platform().replace('-', '_')}"
    escaped = name.replace("-", "_").replace(".", "_")
    info = f"{escaped}-{distribution.version}.dist-info"
    contents = {str(path.relative_to(ROOT)): path.read_bytes() for path in files
                if info_folder not in (path, *path.parents) and path.suffix != ".pyc"}
    contents[f"{info}/METADATA"] = metadata(distribution, name, needs).encode()
    contents[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: embark-test\nRoot-Is-Purelib: {str(pure).lower()}\nTag: {tag}\n".encode()
    scripts = distribution.read_text("entry_points.txt")
    if scripts:
        contents[f"{info}/entry_points.txt"] = scripts.encode()
    record = "".join(f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
                     for path, data in contents.items())
    contents[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    with zipfile.ZipFile(folder / f"{escaped}-{distribution.version}-{tag}.whl", "w", zipfile.ZIP_STORED) as wheel:
        for path, data in contents.items():
            wheel.writestr(path, data)


def main():
    folder = Path(sys.argv[1])
    folder.mkdir()
    known = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Depends}\n", "python3-*"], check=True,
                           capture_output=True, text=True)
    depends, found = {}, {}
    for line in known.stdout.splitlines():
        status, package, rest = line.split(" ", 2)
        files = files_of(package) if status == "installed" else []
        info_folder = metadata_folder(files)
        if info_folder is None:
            continue
        distribution = importlib.metadata.Distribution.at(info_folder)
        if distribution.metadata["Name"] not in ("pip", "setuptools", "wheel"):
            found[package] = (distribution, files, info_folder)
            depends[package] = re.findall(r"(?:^|[,|] *)(python3-[a-z0-9.+-]+)", rest)
    for package, (distribution, files, info_folder) in sorted(found.items()):
        name = distribution.metadata["Name"]
        needs = sorted(found[other][0].metadata["Name"] for other in depends[package] if other in found)
        write(folder, name, distribution, files, info_folder, needs)
        if name == "psycopg2":
            write(folder, "psycopg2-binary", distribution, files, info_folder, needs)
    print(*sorted(path.name for path in folder.iterdir()), sep="\n")


main()
