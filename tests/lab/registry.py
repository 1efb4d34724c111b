"""A registry of images with a password (Debian's docker-registry), on 127.0.0.1, which engines take without TLS."""

import base64
import gzip
import hashlib
import http.client
import json
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any, Mapping, Optional

from . import busybox
from .process import Process
from .real_engine import program

_DISTRIBUTION = "application/vnd.docker.distribution.manifest.v2+json"


class Registry:
    """start() and stop() as often as wanted, at the same port; sweep() at the end."""

    user = "shore"
    password = "w4tch?~>"

    def __init__(self, folder: Path):
        self.folder = folder
        self.port = 0  # from the first start on
        self._process: Optional[Process] = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def name(self) -> str:
        """As images have it: "127.0.0.1:5000"."""
        return f"127.0.0.1:{self.port}"

    @property
    def credentials(self) -> dict[str, Any]:
        """As Docker's config.json has them."""
        secret = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"auths": {self.name: {"auth": secret}}}

    def start(self) -> None:
        accounts = subprocess.run([program("htpasswd"), "-Bbn", self.user, self.password], check=True,
                                  capture_output=True).stdout
        (self.folder / "accounts").write_bytes(accounts)
        # JSON is YAML.
        (self.folder / "config.yml").write_text(json.dumps({
            "version": 0.1, "log": {"level": "info"},
            "storage": {"filesystem": {"rootdirectory": str(self.folder / "images")}},
            "http": {"addr": f"127.0.0.1:{self.port}"},
            "auth": {"htpasswd": {"realm": "lab", "path": str(self.folder / "accounts")}}}))
        log = self.folder / "registry.log"
        log.unlink(missing_ok=True)
        self._process = Process([program("docker-registry"), "serve", self.folder / "config.yml"], log)
        self.port = int(self._process.wait_for_output(r"listening on 127\.0\.0\.1:(\d+)", 30).group(1))

    def stop(self) -> None:
        assert self._process is not None
        self._process.stop()

    def sweep(self) -> None:
        if self._process is not None and self._process.running():
            self._process.kill()
        shutil.rmtree(self.folder)

    def push(self, repository: str, tag: str = "latest") -> str:
        """Puts an image of busybox there; the name that it is pulled by."""
        layer = busybox.layer()
        architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        config = json.dumps({
            "architecture": architecture, "os": "linux",
            "config": {"Env": ["PATH=/bin"], "Cmd": ["sleep", "1000000"], "Labels": {"of": repository}},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}}).encode()
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": _DISTRIBUTION,
            "config": self._blob(repository, "application/vnd.docker.container.image.v1+json", config),
            "layers": [self._blob(repository, "application/vnd.docker.image.rootfs.diff.tar.gzip",
                                  gzip.compress(layer, 1))]}).encode()
        self._request("PUT", f"/v2/{repository}/manifests/{tag}", manifest, {"Content-Type": _DISTRIBUTION})
        return f"{self.name}/{repository}:{tag}"

    def _blob(self, repository: str, kind: str, data: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        place = self._request("POST", f"/v2/{repository}/blobs/uploads/", b"", {})
        self._request("PUT", f"{place}&digest={digest}", data, {"Content-Type": "application/octet-stream"})
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    def _request(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> str:
        """Where the answer points to."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            secret = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            connection.request(method, target.removeprefix(f"http://{self.name}"), body,
                               {"Authorization": f"Basic {secret}", **headers})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            assert answer.status < 300, f"{method} {target}: {answer.status} {text}"
            return answer.getheader("Location") or ""
        finally:
            connection.close()
