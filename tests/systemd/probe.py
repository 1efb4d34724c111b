"""Tries, from within a unit, what a daemon that somebody has taken over would try. Prints, as JSON, how each ended: "done",
or the name of the error. Run in the guest. Without ctypes, which writes code."""

import errno
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Callable


def run(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise OSError(0, done.stderr.decode(errors="replace").strip())


def write(path: str) -> None:
    with open(path, "w") as file:
        file.write("x")
    os.unlink(path)


def overwrite(path: str) -> None:
    with open(path, "r+") as file:
        text = file.read()
        file.seek(0)
        file.write(text)


def read(path: str) -> None:
    with open(path, "rb") as file:
        file.read(1)


def in_child(do: Callable[[], None]) -> None:
    """For what can't be undone."""
    child = os.fork()
    if child == 0:
        try:
            do()
            os._exit(0)
        except OSError as error:
            os._exit(error.errno)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != 0:
        raise OSError(status, "")


def make_setuid() -> None:
    with open("/var/lib/shorewatch/setuid", "w"):
        pass
    try:
        os.chmod("/var/lib/shorewatch/setuid", 0o4755)
    finally:
        os.unlink("/var/lib/shorewatch/setuid")


def main(other: int) -> None:
    """other: the pid of an ordinary user's process."""
    tries: dict[str, Callable[[], object]] = {
        "write /etc": lambda: write("/etc/probe"),
        "write /etc/shorewatch": lambda: write("/etc/shorewatch/probe"),
        "write /usr": lambda: write("/usr/probe"),
        "write /var/lib": lambda: write("/var/lib/probe"),
        "write /run": lambda: write("/run/probe"),
        "write its state": lambda: write("/var/lib/shorewatch/probe"),
        "write a cgroup": lambda: write_cgroup(),
        "write /proc/sys": lambda: overwrite("/proc/sys/net/ipv4/ip_forward"),
        "see /home": lambda: os.stat("/home/alice"),
        "see /root": lambda: os.stat("/root/.profile"),
        "see others' /tmp": lambda: os.stat("/tmp/probe-mark"),
        "read a user's file": lambda: read("/srv/of-alice"),
        "make a device": lambda: in_child(lambda: (os.mknod("/var/lib/shorewatch/null", 0o20600, os.makedev(1, 3)),
                                                   os.unlink("/var/lib/shorewatch/null"))[0]),
        "make a setuid file": make_setuid,
        "give a file away": lambda: in_child(lambda: (os.close(os.open("/var/lib/shorewatch/given", os.O_CREAT, 0o600)),
                                                      os.chown("/var/lib/shorewatch/given", 1000, 1000))[0]),
        "become another user": lambda: in_child(lambda: os.setuid(1000)),
        "signal a user's process": lambda: os.kill(other, signal.SIGCONT),
        "speak IPv4": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close(),
        "speak IPv6": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close(),
        "speak to hardware": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
        "see the host's interfaces": lambda: os.stat("/sys/class/net/probe0"),
        "make a user namespace": lambda: run("unshare", "--user", "true"),
        "make a mount namespace": lambda: run("unshare", "--mount", "true"),
        "make a pid namespace": lambda: run("unshare", "--pid", "--fork", "true"),
        "mount": lambda: run("mount", "-t", "tmpfs", "none", "/mnt"),
        "change its root": lambda: in_child(lambda: os.chroot("/usr")),
        "set the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
        "set the host name": lambda: run("hostname", "guest"),
        "read the kernel's log": lambda: run("dmesg"),
        "change its personality": lambda: run("setarch", "linux32", "true"),
        "run in real time": lambda: in_child(lambda: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))),
        "write code": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close(),
        "speak to a unix socket": lambda: connect("/run/docker.sock"),
        "list addresses": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close(),
    }
    print(json.dumps({name: how_it_ends(do) for name, do in tries.items()}))


def write_cgroup() -> None:
    top = "/sys/fs/cgroup/systemd" if os.path.exists("/sys/fs/cgroup/systemd") else "/sys/fs/cgroup"
    os.mkdir(top + "/probe")
    os.rmdir(top + "/probe")


def connect(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(path)


def how_it_ends(do: Callable[[], object]) -> str:
    try:
        do()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error.strerror))
    return "done"


if __name__ == "__main__":
    main(int(sys.argv[1]))
