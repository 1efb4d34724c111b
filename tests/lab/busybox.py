"""The one image of the tests, made from the machine's own busybox-static: no registry is needed."""

import hashlib
import io
import json
import platform
import tarfile
from typing import Optional

BUSYBOX = "/bin/busybox"
# What containers are started with; the shell has the others too. busybox has hundreds, and the engines here copy every
# file of the image for every container.
APPLETS = ("sh", "sleep", "true")


def layer() -> bytes:
    """A tar archive of the image's files."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for folder in ("bin", "dev", "etc", "proc", "root", "sys", "tmp"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        tar.add(BUSYBOX, "bin/busybox")
        for applet in APPLETS:
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
    return content.getvalue()


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def oci_archive(name: str, entrypoint: tuple[str, ...] = (), files: Optional[bytes] = None,
                diff_ids: Optional[list[str]] = None) -> bytes:
    """An image with one layer, as `ctr images import` takes it. files, diff_ids: instead of layer() and its digest."""
    files = layer() if files is None else files
    blobs: dict[str, bytes] = {}

    def described(kind: str, data: bytes) -> dict[str, object]:
        digest = digest_of(data)
        blobs[f"blobs/{digest.replace(':', '/')}"] = data
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest, "size": len(data)}

    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    config = json.dumps({
        "architecture": architecture, "os": "linux",
        "config": {"Env": ["PATH=/bin"], **({"Entrypoint": list(entrypoint)} if entrypoint else {"Cmd": ["sh"]})},
        "rootfs": {"type": "layers", "diff_ids": [digest_of(files)] if diff_ids is None else diff_ids}}).encode()
    manifest = json.dumps({"schemaVersion": 2, "config": described("config.v1+json", config),
                           "layers": [described("layer.v1.tar", files)]}).encode()
    index = described("manifest.v1+json", manifest)
    index["annotations"] = {"io.containerd.image.name": name}
    index["platform"] = {"architecture": architecture, "os": "linux"}
    blobs["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [index]}).encode()
    blobs["oci-layout"] = json.dumps({"imageLayoutVersion": "1.0.0"}).encode()

    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for path, data in blobs.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return content.getvalue()
