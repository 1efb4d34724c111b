"""What the system unit keeps from the daemon is really kept from it, and what it does works with what is left."""

import json
import re
from pathlib import Path

import dbus
import pytest
from installed import MEMBER, ROOTFS, UNIT, Installed

from lab.clients import ROOT, Client
from lab.guest import Guest
from lab.record_signals import NAME
from lab.recorder import Recorder, wait_until

CONTAINER = NAME + ".Container"
PROBE = Path(__file__).parent / "probe.py"
# All else that the probe tries is forbidden.
ALLOWED = {"write its state", "speak to a unix socket", "list addresses"}
# Of the unit, what makes it a daemon.
_DAEMON_SETTINGS = re.compile(
    r"^(Type|NotifyAccess|BusName|ExecStart|ExecReload|WatchdogSec|Restart\w*|Requires|After)=.*\n", re.MULTILINE)


def probe(guest: Guest, installed: Installed, settings: str, other: int) -> dict[str, str]:
    """How the probe ends with the settings of [Service]."""
    unit = (f"{settings}\nType=oneshot\nExecStart=/usr/bin/python3 /srv/probe.py {other}\n"
            "StandardOutput=truncate:/run/probe.json\nStandardError=journal\n")
    guest.run("tee", "/run/systemd/system/probe.service", stdin=unit.encode())
    guest.run("systemctl", "daemon-reload")
    guest.run("systemctl", "start", "probe.service")
    answer: dict[str, str] = json.loads(guest.run("cat", "/run/probe.json").stdout)
    return answer


def test_what_the_unit_forbids_is_forbidden(guest: Guest, installed: Installed) -> None:
    guest.write("/srv/probe.py", PROBE.read_text())
    guest.write("/etc/shorewatch/there", "")
    guest.run("sh", "-c", "touch /tmp/probe-mark; ip link add probe0 type dummy || true; mkdir -p /var/lib/shorewatch; "
              f"echo x > /srv/of-alice; chown {MEMBER} /srv/of-alice; chmod 600 /srv/of-alice; touch /root/.profile")
    guest.run("systemd-run", "--unit=of-alice", f"--uid={MEMBER}", "sleep", "infinity")
    other = int(installed.show("MainPID", "of-alice"))
    unit = _DAEMON_SETTINGS.sub("", guest.run("systemctl", "cat", UNIT).stdout.partition("[Install]")[0])
    inside = probe(guest, installed, unit, other)
    outside = probe(guest, installed, "[Service]", other)
    guest.run("systemctl", "stop", "of-alice")
    # What fails anyway is no proof: this kernel may have no dummy interface, and a guest may not set the clock.
    proven = {name for name in inside if outside[name] == "done"}
    assert {name for name in proven if inside[name] == "done"} == ALLOWED, (inside, outside)
    assert len(proven) > len(inside) * 0.8, outside


def test_the_daemon_has_the_rights_that_the_unit_says(guest: Guest, installed: Installed) -> None:
    installed.start()
    status = dict(line.split(":\t", 1) for line in guest.run("cat", f"/proc/{installed.pid}/status").stdout.splitlines())
    sys_ptrace, sys_admin = 1 << 19, 1 << 21
    for name in ("CapPrm", "CapEff", "CapBnd"):
        assert int(status[name], 16) == sys_ptrace | sys_admin, name
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    for type_ in ("net", "mnt", "ipc", "uts"):
        links = [guest.run("readlink", f"/proc/{pid}/ns/{type_}").stdout for pid in (1, installed.pid)]
        assert links[0] != links[1], type_


def test_engines_are_watched_and_processes_are_known(
        guest: Guest, installed: Installed, client: Client, recorder: Recorder) -> None:
    installed.start()
    states = {name: engine["State"] for name, engine in client.engines().items()}
    assert states == {"containerd": "watching", "docker": "watching", "podman": "watching"}
    id_ = installed.run_container("web")
    path = recorder.wait_for("ContainerStarted", "web").object
    pid = int(guest.run("docker", "inspect", "--format", "{{.State.Pid}}", id_).stdout)
    assert client.manager("GetContainerByPID", dbus.UInt32(pid)) == path
    assert list(client.descriptors(path, CONTAINER, "OpenNamespaces", ["net", "mnt"])) == ["mnt", "net"]
    assert client.descriptor(path, CONTAINER, "OpenPIDFD") > 0
    assert ["lo", "127.0.0.1/8"] in [list(row) for row in client.call(path, CONTAINER, "GetAddresses")]
    assert json.loads(client.call(path, CONTAINER, "Inspect"))["Id"] == id_
    client.call(path, CONTAINER, "Kill", 9)
    assert recorder.wait_for("ContainerExited", "web").details["ExitCode"] == 137


def test_podman_is_watched(guest: Guest, installed: Installed, recorder: Recorder) -> None:
    installed.start()
    guest.run("sh", "-c", f"tar -C {ROOTFS} -c . | podman import - localhost/busybox")
    guest.run("podman", "run", "--detach", "--name", "pod-web", "localhost/busybox", "sleep", "1000")
    assert recorder.wait_for("ContainerStarted", "pod-web", seconds=30).engine == "podman"
    guest.run("podman", "rm", "--force", "--time=0", "pod-web")
    recorder.wait_for("ContainerExited", "pod-web", seconds=30)


def test_containers_are_run_by_way_of_the_daemon(guest: Guest, installed: Installed) -> None:
    installed.start()
    done = guest.run("shorewatchctl", "run", "-i", "--rm", "--rootfs", ROOTFS, "--", "sh", "-c", "read x; echo $x; exit 3",
                     stdin=b"hello\n", check=False)
    assert (done.stdout, done.returncode) == ("hello\n", 3), done.stderr


def test_engines_in_containers_are_found(
        guest: Guest, installed: Installed, client: Client, recorder: Recorder) -> None:
    installed.configure('discover = "deep"\n')
    installed.start()
    guest.write("/srv/inner/config.toml", 'version = 2\nroot = "/srv/inner/root"\n'
                'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime"]\n')
    programs = [f"--volume={part}" for part in ("/usr:/usr", "/usr/bin:/bin", "/usr/sbin:/sbin", "/usr/lib:/lib",
                                                "/usr/lib64:/lib64", "/etc:/etc", "/srv/inner:/srv/inner")]
    id_ = installed.run_container("node", *programs,
                                  command="exec containerd --config /srv/inner/config.toml")
    name = f"containerd-in-{id_[:12]}"
    wait_until(recorder, lambda: client.engines().get(name, {}).get("State") == "watching", 60, "the engine in it")
    [holder] = [path for path, one in client.list().containers.items() if one["Id"] == id_]
    assert client.engines()[name]["Holder"] == holder


@pytest.mark.parametrize("host", ["127.0.0.1", "engine.example"])
def test_an_engine_on_the_network_is_out_of_reach_and_the_error_says_what_to_do(
        installed: Installed, client: Client, host: str) -> None:
    installed.configure(f'[[engine]]\nname = "far"\nendpoint = "tcp://{host}:2375"\n')
    installed.start()
    engine = client.engines()["far"]
    assert engine["State"] == "unavailable"
    assert "this daemon may not use the network" in engine["LastError"] and "remote-engines.conf" in engine["LastError"]


def test_with_the_drop_in_engines_on_the_network_are_watched(
        guest: Guest, installed: Installed, client: Client, recorder: Recorder) -> None:
    installed.drop_in(installed.example("remote-engines.conf"))
    installed.configure('[[engine]]\nname = "far"\nendpoint = "tcp://127.0.0.1:2375"\n')
    guest.run("systemd-run", "--unit=far", "--property=Type=notify", "dockerd", "--host=tcp://127.0.0.1:2375",
              "--data-root=/srv/far/data", "--exec-root=/run/far", "--pidfile=/run/far.pid")
    try:
        installed.start()
        wait_until(recorder, lambda: client.engines()["far"]["State"] == "watching", 30, "the engine on the network")
    finally:
        guest.run("systemctl", "stop", "far")
    assert client.property(ROOT, NAME + ".Manager", "Ready")
