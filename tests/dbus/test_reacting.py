"""What docs/reacting.md promises, as far as that goes without systemd as the first process."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from face import Face, container_id
from lab.bus import Bus
from lab.paths import CTL, SOURCE
from lab.process import Process
from lists import Lists

UNITS = SOURCE / "systemd" / "reacting"
WEB = container_id(1)
DB = container_id(2)


def blocks() -> dict[str, str]:
    """The files in docs/reacting.md, by the name in their first comment."""
    text = (SOURCE / "docs" / "reacting.md").read_text()
    found = {}
    for block in re.findall(r"(?m)(?:^    .*\n|^\n(?=    ))+", text):
        code = re.sub(r"(?m)^    ", "", block).strip("\n") + "\n"
        if name := re.search(r"(?m)^# (/\S+)$", code):
            found[name[1]] = code
    return found


@pytest.fixture
def programs(bus: Bus, folder: Path) -> dict[str, str]:
    """An environment with shorewatchctl, and with a systemctl and a logger that only write what they are given."""
    bin_ = folder / "bin"
    bin_.mkdir()
    (bin_ / "shorewatchctl").symlink_to(CTL.resolve())
    for name in ("systemctl", "logger"):
        (bin_ / name).write_text(f'#!/bin/sh\nprintf "<%s>" {name} "$@"\necho\n')
        (bin_ / name).chmod(0o755)
    return bus.environment() | {"PATH": f"{bin_}:{os.environ['PATH']}"}


@pytest.fixture
def follow(folder: Path, programs: dict[str, str]) -> Iterator[Callable[..., Process]]:
    parts: list[Process] = []

    def start(*arguments: str) -> Process:
        parts.append(Process([UNITS / "shorewatch-on", *arguments], folder / f"on{len(parts)}.log", programs))
        return parts[-1]

    yield start
    for part in parts:
        if part.running():
            os.killpg(part.pid, 15)  # what it waits for is in its group
            part.wait(10)


def start(face: Face, id_: str, name: str, **more: Any) -> None:
    face.do("start", **({"id": id_, "name": name, "project": "shop", "pid": 11} | more))


def begun(count: int = 1) -> str:
    return r"(?s)(<systemctl><--no-block><start><it\.target>\n.*){%d}" % count


def ended(count: int = 1) -> str:
    return r"(?s)(<systemctl><stop><it\.target>\n.*){%d}" % count


@pytest.mark.parametrize("name,instance", [
    ("web", "web"), ("shop-web-1", "shop-web-1"), ("shop-web-1", r"shop\x2dweb\x2d1"), ("a/b-c", r"a-b\x2dc"),
    ("k8s.io/c", r"k8s.io\x2fc"), ("-x $(id) *'\"; 漢", None)])
def test_a_unit_is_in_step_with_a_container(face: Face, follow: Any, name: str, instance: str) -> None:
    if instance is None:
        instance = subprocess.run(["systemd-escape", "--", name], capture_output=True, text=True, check=True).stdout.strip()
    on = follow("container", instance, "it.target")
    for count in (1, 2):
        start(face, WEB, name, pid=count)
        on.wait_for_output(begun(count), 20)
        face.do("exit", id=WEB, exit_code=5)
        on.wait_for_output(ended(count), 20)
    assert (on.output().count("<start>"), on.output().count("<stop>"), on.running()) == (2, 2, True)


def test_a_unit_is_in_step_with_a_project(face: Face, follow: Any) -> None:
    on = follow("project", "shop", "it.target")
    start(face, WEB, "web")
    on.wait_for_output(begun(), 20)
    start(face, DB, "db", pid=12)
    face.do("exit", id=WEB, exit_code=1)
    face.do("exit", id=DB, exit_code=1)
    on.wait_for_output(ended(), 20)


def test_a_name_of_several_ends_it_with_the_unit_stopped(face: Face, follow: Any) -> None:
    start(face, WEB, "web")
    start(face, DB, "web", project="other", pid=12)
    on = follow("container", "web", "it.target")
    assert on.wait(20) == 4
    assert "several are called so" in on.output() and on.output().endswith("<systemctl><stop><it.target>\n")


def test_it_ends_when_the_bus_does(bus: Bus, face: Face, follow: Any) -> None:
    start(face, WEB, "web")
    on = follow("container", "web", "it.target")
    on.wait_for_output(begun(), 20)
    bus.stop()
    assert on.wait(20) == 5
    assert on.output().count("<stop>") <= 1


def systemd_analyze(folder: Path, *names: str) -> str:
    """What systemd has to say against the units, which are in that folder."""
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *[str(folder / name) for name in names]], text=True,
                          capture_output=True, env=os.environ | {"SYSTEMD_UNIT_PATH": f"{folder}:/lib/systemd/system"})
    return done.stdout + done.stderr + (f"code {done.returncode}" if done.returncode else "")


def test_systemd_takes_the_units(folder: Path) -> None:
    units = folder / "units"
    units.mkdir()
    program = units / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (units / "shorewatchd.service").write_text("[Service]\nExecStart=/bin/true\n")
    for unit in UNITS.glob("*.in"):
        text = unit.read_text().replace("@libexecdir@/shorewatch-on", str(program)).replace("@docdir@", "/doc")
        (units / unit.name.removesuffix(".in")).write_text(text)
    names = []
    for path, text in blocks().items():
        if path.startswith("/etc/systemd/system/"):
            text = re.sub(r"(ExecSt\w+=)(/usr/local/bin/|)(\S+)", rf"\g<1>{program} \g<3>", text)
            (units / Path(path).name).write_text(text)
            names.append(Path(path).name)
    assert len(names) == 3
    for kind in ("container", "project"):
        for suffix in ("service", "target"):
            # verify reads instances that are files.
            name = f"shorewatch-{kind}@x-1.{suffix}"
            (units / name).write_text((units / f"shorewatch-{kind}@.{suffix}").read_text())
            names.append(name)
    assert systemd_analyze(units, *names) == ""
    (units / names[0]).write_text("[Service]\nExecStart=/bin/true\nNonsense=1\n")
    assert "Nonsense" in systemd_analyze(units, names[0])  # it does look


def test_the_program_of_the_page_tells_of_failures(face: Face, programs: dict[str, str], folder: Path) -> None:
    program = folder / "on-exit"
    program.write_text(blocks()["/usr/local/bin/on-exit"])
    program.chmod(0o755)
    monitor = Process([CTL, "monitor", "--exec", "--since-sync", "--event", "exited", "--event", "synchronized", "--",
                       "sh", "-c", 'echo $SHOREWATCH_EVENT; exec "$0"', program], folder / "monitor.log", programs)
    try:
        monitor.wait_for_output("synchronized\n", 20)
        start(face, WEB, "web")
        start(face, DB, "-db $(id)", pid=12)
        face.do("exit", id=WEB, exit_code=0)
        face.do("exit", id=DB, exit_code=3)
        monitor.wait_for_output("<logger>.*\n", 20)
        assert monitor.output() == ("synchronized\nexited\nexited\n"
                                    "<logger><-t><containers><--><-db $(id) of docker failed: 3>\n")
    finally:
        monitor.stop()


def test_the_script_of_the_page_tells_an_end_from_an_error(bus: Bus, face: Face, folder: Path,
                                                           programs: dict[str, str]) -> None:
    text = (SOURCE / "docs" / "reacting.md").read_text()
    script = re.search(r"(?m)^    if code=(?:.*\n)+?    fi\n", text)
    assert script is not None
    start(face, WEB, "job")
    lists = Lists(bus, folder)
    job = Process(["sh", "-c", script[0]], folder / "job.log", programs)
    lists.wait_for()
    lists.close()
    missing = subprocess.run(["sh", "-c", script[0].replace("job)", "none)")], env=programs, text=True, capture_output=True)
    assert missing.stdout == "" and "could not be waited for" in missing.stderr
    face.do("exit", id=WEB, exit_code=3)
    assert job.wait(20) == 0
    assert job.output() == "the job has ended with 3\n"
