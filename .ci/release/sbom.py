"""The bill of materials of a release: SPDX 2.3, as JSON.

Each binary is a package with its SHA-256, each library that is linked into it one with the SHA-256 of its source as its authors published
it, and what Debian has changed in that source one more, which is a patch for it.
"""

import hashlib
import json
import re
import time
from pathlib import PurePosixPath
from urllib.parse import quote

# How each library may be used: as its licence in FOLDER/licenses says, by SPDX's names. What is linked of libmd is sha2.c.
LICENCES = {
    "musl": "MIT", "openssl": "Apache-2.0", "inih": "BSD-3-Clause", "libmd": "BSD-3-Clause", "jansson": "MIT",
    "postgresql": "PostgreSQL",
}
NAMES = {"postgresql": "libpq"}


def document(all_built, version, when):
    texts = {built.arch: (built.libraries / "sources").read_text() for built in all_built}
    if len(set(texts.values())) != 1:
        raise SystemExit("release: the processors' libraries are of different sources")
    libraries = list(_libraries(next(iter(texts.values()))))
    packages, relations = [], []
    for built in all_built:
        packages.append(_binary(built, version))
        me = packages[-1]["SPDXID"]
        relations += [("SPDXRef-DOCUMENT", "DESCRIBES", me), *((me, "STATIC_LINK", one["SPDXID"]) for one, _ in libraries)]
        packages.append(_runtime(built))
        relations.append((me, "STATIC_LINK", packages[-1]["SPDXID"]))
    for library, patches in libraries:
        packages += [library, *patches]
        relations += [(patch["SPDXID"], "PATCH_FOR", library["SPDXID"]) for patch in patches]
    text = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"embark-{version}",
        "documentNamespace": "https://spdx.org/spdxdocs/embark-" + version + "-" + _digest(json.dumps(packages, sort_keys=True).encode())[:32],
        "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when)), "creators": [f"Tool: embark-release-{version}"]},
        "packages": packages,
        "relationships": [{"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b} for a, kind, b in relations],
    }
    return json.dumps(text, indent=2) + "\n"


def _digest(data):
    return hashlib.sha256(data).hexdigest()


def _package(name, version, licence, **more):
    return {"name": name, "SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", more.pop("ident", name)), "versionInfo": version,
            "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "licenseConcluded": licence, "licenseDeclared": licence,
            "copyrightText": "NOASSERTION", **more}


def _purl(locator):
    return [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": locator}]


def _sha256(value):
    return [{"algorithm": "SHA256", "checksumValue": value}]


def _binary(built, version):
    return _package("embark", version, "MIT", ident=f"embark-{built.arch}", packageFileName="embark", checksums=_sha256(_digest(built.binary.read_bytes())),
                    primaryPackagePurpose="APPLICATION", externalRefs=_purl(f"pkg:generic/embark@{version}?arch={built.arch}"),
                    sourceInfo=f"static, for linux/{built.arch}")


def _runtime(built):
    """What the compiler itself brings: start files, and functions that stand for instructions."""
    return _package("gcc", built.compiler, "GPL-3.0-or-later WITH GCC-exception-3.1", ident=f"gcc-{built.arch}",
                    primaryPackagePurpose="LIBRARY", sourceInfo="start files and libgcc of the compiler",
                    externalRefs=_purl(f"pkg:generic/gcc@{built.compiler}"))


def _libraries(sources):
    """(library, patches), of lines as those of .ci/sources.lock"""
    parts = {}
    for line in sources.splitlines():
        part, package, version, digest, place = line.split()
        parts.setdefault(part, []).append((package, version, digest, PurePosixPath(place)))
    for part, files in sorted(parts.items()):
        library, patches = None, []
        for package, version, digest, place in files:
            if ".orig.tar" in place.name:
                library = _package(NAMES.get(part, part), re.sub(r"-[^-]*$", "", version), LICENCES[part], packageFileName=place.name,
                                   checksums=_sha256(digest), primaryPackagePurpose="LIBRARY", sourceInfo=f"of Debian's archive: {place}",
                                   externalRefs=_purl(f"pkg:deb/debian/{package}@{quote(version, safe='.-')}?arch=source"))
            elif ".debian.tar" in place.name:
                patches.append(_package(f"{package}, as Debian changes it", version, LICENCES[part], ident=f"{part}-debian",
                                        packageFileName=place.name, checksums=_sha256(digest), primaryPackagePurpose="SOURCE",
                                        sourceInfo=f"of Debian's archive: {place}"))
        yield library, patches
