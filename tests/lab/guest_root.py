"""The root file system of a guest: a Debian as the host's, with systemd, polkit and container engines."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from .paths import BUILD, CTL, DAEMON

# Mostly of the engines: what their containers do without is left out.
_PACKAGES = (
    "systemd", "systemd-sysv", "libpam-systemd", "dbus", "dbus-broker", "dbus-user-session", "polkitd", "procps",
    "libglib2.0-bin", "python3", "docker.io", "containerd", "runc", "podman", "conmon", "catatonit", "uidmap",
    "busybox-static", "man-db")
# In Debian 12 a part of docker.io.
_NOT_EVERYWHERE = ("docker-cli",)
# To be raised when what is made of the packages changes.
_VERSION = 1


class CannotMakeRoot(Exception):
    """Says what mmdebstrap said."""


def guest_root(folder: Path = BUILD / "guest") -> Path:
    """The root, made unless it is there; those of other recipes in the folder are removed. Nothing may be changed in it."""
    suite = _release("VERSION_CODENAME")
    packages = sorted({*_PACKAGES, *_known(_NOT_EVERYWHERE), *_libraries()})
    recipe = hashlib.sha256(json.dumps([_VERSION, suite, packages]).encode()).hexdigest()[:16]
    root = folder / recipe
    if root.exists():
        return root
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    unfinished = folder / "unfinished"
    done = subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}",
         '--aptopt=APT::Install-Recommends "false"', *(f"--aptopt={line}" for line in _apt_options()),
         suite, str(unfinished)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise CannotMakeRoot(f"mmdebstrap {suite} ended with {done.returncode}: {done.stdout[-2000:]}")
    shutil.rmtree(unfinished / "var/cache/apt/archives", ignore_errors=True)
    unfinished.rename(root)
    return root


def _release(field: str) -> str:
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith(field + "="):
            return line.partition("=")[2].strip('"')
    raise CannotMakeRoot(f"/etc/os-release has no {field}: which Debian is this?")


def _libraries() -> set[str]:
    """The packages of the libraries that our programs are linked with."""
    listed = subprocess.run(["ldd", DAEMON, CTL], check=True, capture_output=True, text=True).stdout
    found = {match[1] for match in re.finditer(r"=> (/\S+)", listed)}
    # Some packages own a file in /usr/lib, and the linker finds it in /lib.
    paths = {path for library in found for path in (library, os.path.realpath(library), f"/usr{library}")}
    owned = subprocess.run(["dpkg-query", "--search", *sorted(paths)], capture_output=True, text=True).stdout
    return {line.split(":")[0] for line in owned.splitlines()}


def _known(packages: tuple[str, ...]) -> set[str]:
    """Those that this Debian has."""
    return {name for name in packages
            if subprocess.run(["apt-cache", "show", name], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0}


def _apt_options() -> list[str]:
    """This machine's proxy, and how far its clock is to be trusted."""
    listed = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
    return [line for line in listed.splitlines() if re.match(r"Acquire::(https?::Proxy|Check-)", line)]
