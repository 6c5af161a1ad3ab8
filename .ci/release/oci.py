"""A container image of embark alone, for several processors, as an OCI image layout.

The image is what `make image` makes: /embark, and /licenses of what is linked in. The layout's index.json names one index, by the version; that
one names a manifest for each processor.
"""

import gzip
import hashlib
import json
import time

import pack


def layout(all_built, version, when, folder):
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def blob(data, kind):
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    def as_json(value):
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    manifests = []
    for built in all_built:
        data = pack.tar(_files(built), when)
        layer = blob(gzip.compress(data, 9, mtime=0), "layer.v1.tar+gzip")
        configuration = blob(as_json(_configuration(built.arch, version, when, data)), "config.v1+json")
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": configuration, "layers": [layer]}
        manifests.append({**blob(as_json(manifest), "manifest.v1+json"), "platform": _platform(built.arch)})
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests}
    named = {**blob(as_json(index), "index.v1+json"), "annotations": {"org.opencontainers.image.ref.name": version}}
    (folder / "index.json").write_bytes(as_json({**index, "manifests": [named]}))
    (folder / "oci-layout").write_bytes(as_json({"imageLayoutVersion": "1.0.0"}))


def _files(built):
    return {"embark": (built.binary, 0o755), **{f"licenses/{name}": (path, 0o644) for name, path in built.licences()}}


def _platform(arch):
    return {"architecture": arch, "os": "linux", **({"variant": "v8"} if arch == "arm64" else {})}


def _configuration(arch, version, when, data):
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))
    return {**_platform(arch), "created": created,
            "config": {"Entrypoint": ["/embark"], "Labels": {"org.opencontainers.image.title": "embark", "org.opencontainers.image.version": version,
                                                             "org.opencontainers.image.licenses": "MIT"}},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(data).hexdigest()}"]},
            "history": [{"created": created, "created_by": f"embark {version}"}]}
