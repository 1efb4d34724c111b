"""Tasks on real engines, through a real registry: what is declared runs, and what goes wrong is told in words."""

import json
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from secrets import token_hex
from typing import Any, Callable, Iterator, Mapping, Optional, Protocol

import dbus
import pytest

from lab.bus import Bus
from lab.clients import MANAGER, ROOT, Client, ctl
from lab.daemon import Daemon
from lab.dockerd import Dockerd
from lab.held_runtime import HeldRuntime
from lab.memory import places_of
from lab.parts import new_folder, running
from lab.podman import Podman
from lab.process import STRICT_MEMORY
from lab.recorder import Recorder, wait_until
from lab.registry import Registry
from lab.rest_engine import RestEngine
from lab.tasks import ERROR, STUBBORN, Tasks, container, definition

LABEL = "org.shorewatch.task-arn"


@pytest.fixture(scope="session")
def registry() -> Iterator[Registry]:
    with new_folder() as folder, running(Registry(folder / "registry")) as part:
        yield part


@pytest.fixture(scope="session")
def web(registry: Registry) -> str:
    return registry.push("lab/web")


@pytest.fixture(scope="module", params=["docker", "podman"])
def session_engine(request: pytest.FixtureRequest, registry: Registry) -> Iterator[RestEngine]:
    with new_folder() as folder:
        runtime = HeldRuntime(folder)
        part: RestEngine = Dockerd(folder / "docker", live_restore=True, runtime=runtime.path)
        if request.param == "podman":
            part = Podman(folder / "podman", runtime=runtime.path)
            part.trust(registry.name)
        with running(part):
            yield part


@pytest.fixture
def engine(session_engine: RestEngine) -> Iterator[RestEngine]:
    yield session_engine
    if not session_engine.process.running():
        session_engine.start()
    session_engine.remove_all()


class StartTasks(Protocol):
    def __call__(self, *lines: str, environment: Optional[Mapping[str, str]] = None) -> Daemon: ...


@pytest.fixture
def start(folder: Path, bus: Bus, engine: RestEngine, registry: Registry,
          request: pytest.FixtureRequest) -> Iterator[StartTasks]:
    """A daemon with lines of the configuration's [tasks]; the state is kept for the next one."""
    parts: list[Daemon] = []
    (folder / "credentials.json").write_text(json.dumps(registry.credentials))

    def start_one(*lines: str, environment: Optional[Mapping[str, str]] = None) -> Daemon:
        part = Daemon(folder / f"daemon{len(parts) + 1}", bus, {engine.type: engine})
        part.state = folder / "state"
        text = "\n".join(["[tasks]", f'folder = "{folder}/tasks.d"',
                          *(lines or [f'credentials = "{folder}/credentials.json"']), ""])
        part.configuration.write_text(part.configuration.read_text() + text)
        parts.append(part)
        part.start(environment=environment)
        return part

    yield start_one
    for part in parts:
        print(f"--- {part.folder / 'shorewatchd.log'}:\n{part.log()[-10000:]}")
        part.sweep()


@pytest.fixture
def tasks(start: StartTasks, client: Client, recorder: Recorder) -> Iterator[Tasks]:
    part = Tasks(client, recorder)
    yield part
    part.check_story()


def owned(engine: RestEngine, arn: str) -> list[dict[str, Any]]:
    """The engine's containers of a task."""
    return [entry for entry in engine.containers() if (entry["Labels"] or {}).get(LABEL) == arn]


def test_a_task_is_pulled_made_started_and_published(
        start: StartTasks, engine: RestEngine, tasks: Tasks, web: str, client: Client) -> None:
    start()
    path = tasks.add(definition("shop", container("web", web), container("db", web)))
    tasks.wait("shop", "RUNNING")
    assert tasks.told("shop") == ["PULLED", "CREATED", "RUNNING"] or tasks.told("shop")[-1] == "RUNNING"
    task = tasks.list()["shop"]
    assert (task["KnownStatus"], task["DesiredStatus"], task["Reason"]) == ("RUNNING", "RUNNING", "")
    assert {one["WaitsFor"] for one in task["Containers"].values()} == {""}
    assert {one["State"] for one in owned(engine, "shop")} == {"running"}
    assert path.startswith("/org/shorewatch1/tasks/")
    tasks.wait_until(lambda _: len(client.list(label=f"{LABEL}=shop").containers) == 2, "the portfolio to have both")

    tasks.act("shop", "Stop")
    tasks.wait("shop", "STOPPED")
    codes = {one["ExitCode"] for one in tasks.list()["shop"]["Containers"].values()}
    assert codes == {0}
    tasks.act("shop", "Remove")
    tasks.wait("shop", "DEAD")
    tasks.wait_until(lambda all_: not all_, "the task to go")
    assert not owned(engine, "shop")


def test_containers_start_in_the_order_of_their_links_and_volumes(
        start: StartTasks, engine: RestEngine, tasks: Tasks, web: str) -> None:
    start()
    tasks.add(definition(
        "order", container("front", web, links=["back"]), container("back", web, volumesFrom=[
            {"sourceContainer": "data"}]),
        container("data", web, mountPoints=[{"sourceVolume": "scratch", "containerPath": "/scratch"}]),
        volumes=[{"name": "scratch"}]))
    tasks.wait("order", "RUNNING")
    started = [signal.args[1] for signal in tasks.recorder.signals.all()
               if signal.member == "ContainerStateChanged" and signal.args[2] == "RUNNING"]
    assert started.index("back") < started.index("front")
    tasks.act("order", "Remove")
    tasks.wait_until(lambda all_: not all_, "the task to go")
    assert not owned(engine, "order")


def test_an_essential_end_stops_the_task_and_another_does_not(
        start: StartTasks, engine: RestEngine, tasks: Tasks, web: str) -> None:
    start()
    tasks.add(definition("one", container("main", web), container("job", web, "exit 3", essential=False)))
    tasks.recorder.wait_for("ContainerStateChanged", seconds=60,
                            where=lambda told: told.args[:3] == ["one", "job", "STOPPED"])
    tasks.recorder.wait_for("ContainerStateChanged", seconds=60,
                            where=lambda told: told.args[:3] == ["one", "main", "RUNNING"])
    task = tasks.list()["one"]
    assert task["DesiredStatus"] == "RUNNING"
    assert task["Containers"]["job"]["ExitCode"] == 3
    main = next(one for one in owned(engine, "one") if one["Id"] == task["Containers"]["main"]["Id"])
    engine.kill(main["Id"])
    told = tasks.wait("one", "STOPPED")
    assert "main" in told.args[2]
    assert tasks.list()["one"]["Containers"]["main"]["ExitCode"] == 137


def test_a_pull_that_fails_is_no_end_where_the_image_is_there(
        start: StartTasks, engine: RestEngine, tasks: Tasks, registry: Registry) -> None:
    image = registry.push("lab/flaky")
    start()
    tasks.add(definition("first", container("a", image)))
    tasks.wait("first", "RUNNING")
    registry.stop()
    try:
        tasks.add(definition("second", container("a", image)))
        tasks.wait("second", "RUNNING")
        tasks.add(definition("third", container("a", f"{registry.name}/lab/nowhere")))
        told = tasks.wait("third", "STOPPED")
    finally:
        registry.start()
    assert "refused" in told.args[2]
    assert not owned(engine, "third")


def test_wrong_credentials_are_told_without_them(
        start: StartTasks, engine: RestEngine, tasks: Tasks, registry: Registry, folder: Path) -> None:
    image = registry.push("lab/private")
    wrong = dict(registry.credentials)
    wrong["auths"] = {registry.name: {"username": registry.user, "password": "s3cret-but-wrong"}}
    (folder / "wrong.json").write_text(json.dumps(wrong))
    daemon = start(f'credentials = "{folder}/wrong.json"')
    tasks.add(definition("barred", container("a", image)))
    told = tasks.wait("barred", "STOPPED")
    assert "unauthorized" in told.args[2].lower() or "authentication required" in told.args[2].lower()
    for text in (daemon.log(), json.dumps(tasks.export()), told.args[2]):
        assert "s3cret" not in text
    daemon.stop()
    assert "s3cret" not in (folder / "state/tasks.json").read_text()


def end_of(text: bytes) -> bytes:
    """What free() leaves as it was, which writes at the beginning of what it gets. Base64's very end is of what follows."""
    return text[16:-4]


def test_of_credentials_nothing_is_left_in_memory(
        start: StartTasks, engine: RestEngine, tasks: Tasks, registry: Registry, folder: Path) -> None:
    image = registry.push("lab/secret")
    secrets = {name: f"of-the-{name}-" + token_hex(20) for name in ("task", "file")}
    users = {name: {"username": "lab", "password": password} for name, password in secrets.items()}
    kept = folder / "kept.json"
    kept.write_text(json.dumps({"auths": {registry.name: users["file"]}}))
    # free() that writes over what it gets would hide what we leave.
    daemon = start(f'credentials = "{kept}"', environment=dict.fromkeys(STRICT_MEMORY, ""))
    tasks.add(definition("own", container("a", image), pullCredentials={registry.name: users["task"]}))
    tasks.wait("own", "STOPPED")
    tasks.add(definition("given", container("a", image)))
    tasks.wait("given", "STOPPED")
    # The file's are kept for the next pull.
    assert len(places_of(daemon.process.pid, end_of(secrets["file"].encode()))) == 1

    for arn in ("own", "given"):
        tasks.act(arn, "Remove")
    kept.write_text(json.dumps(registry.credentials))
    tasks.client.call(ROOT, MANAGER, "Reload")
    for name, password in secrets.items():
        sent = json.dumps(users[name], separators=(",", ":")).encode()
        for text in (password.encode(), b64encode(sent), urlsafe_b64encode(sent)):
            assert not places_of(daemon.process.pid, end_of(text)), f"{text!r} of the {name}"


def test_images_that_tasks_have_pulled_are_listed_with_all_others(
        start: StartTasks, engine: RestEngine, tasks: Tasks, registry: Registry, bus: Bus) -> None:
    image = registry.push("lab/listed", "3")
    start()
    before = {name for _, names, _, _ in tasks.images() for name in names}
    tasks.add(definition("puller", container("a", image)))
    tasks.wait("puller", "RUNNING")
    images = tasks.images()
    names = [name for _, its, _, _ in images for name in its]
    assert image in names and before <= set(names) and len(names) == len(set(names))
    named = [one for one in images if one[1]]
    assert images[:len(named)] == named and [one[1] for one in named] == sorted(one[1] for one in named)
    [(identity, _, size, created)] = [one for one in images if image in one[1]]
    told = engine.api("GET", f"/images/{identity}/json")
    assert told["Id"].removeprefix("sha256:") == identity
    # The image itself does not say when it was made: Docker has no time for it then, Podman one of its own.
    assert size == told["Size"] and (created == 0) == (engine.type == "docker")

    shown = ctl(bus, "task", "images")
    assert shown.returncode == 0 and image in shown.stdout and identity[:12] in shown.stdout, shown.stderr
    [row] = [one for one in json.loads(ctl(bus, "task", "images", "--json").stdout) if image in one["Names"]]
    assert (row["Id"], row["Size"], row["CreatedAt"]) == (identity, size, created)

    def is_refused() -> bool:
        try:
            tasks.images()
        except dbus.DBusException as error:
            assert error.get_dbus_name() == ERROR + "EngineUnavailable", error
            return True
        return False

    engine.stop()
    wait_until(tasks.recorder, is_refused, 60, "the engine to be gone")


def test_what_ignores_sigterm_is_killed(start: StartTasks, engine: RestEngine, tasks: Tasks, web: str) -> None:
    start()
    tasks.add(definition("stubborn", container("a", web, STUBBORN)))
    tasks.wait("stubborn", "RUNNING")
    tasks.act("stubborn", "Stop")
    tasks.wait("stubborn", "STOPPED", seconds=90)
    assert tasks.list()["stubborn"]["Containers"]["a"]["ExitCode"] == 137


def test_a_start_that_takes_too_long_ends_the_task_and_what_runs_after_all_is_stopped_once(
        start: StartTasks, engine: RestEngine, tasks: Tasks, web: str) -> None:
    start()
    with HeldRuntime(engine.folder.parent).held():
        tasks.add(definition("slow", container("a", web)))
        # The deadline of a start is a minute.
        tasks.wait_until(lambda all_: all_["slow"]["Containers"]["a"]["Reason"] != "", "the start to be given up", 90)
    tasks.wait("slow", "STOPPED", seconds=90)
    told = tasks.list()["slow"]
    assert "start" in told["Reason"] and "60" in told["Reason"], told
    [left] = owned(engine, "slow")
    engine.api("POST", f"/containers/{left['Id']}/wait")  # the kernel has told the end before the engine knows it
    tasks.act("slow", "Remove")
    tasks.wait_until(lambda all_: not all_, "the task to go")
    assert not owned(engine, "slow")


def test_a_program_that_is_not_there_is_told_in_the_engines_words(
        start: StartTasks, engine: RestEngine, tasks: Tasks, web: str) -> None:
    start()
    tasks.add(definition("wrong", {"name": "a", "image": web, "entryPoint": ["/no/such/program"]}))
    told = tasks.wait("wrong", "STOPPED")
    assert "/no/such/program" in told.args[2]


def test_files_of_the_folder_are_wanted_while_they_are_there(
        start: StartTasks, engine: RestEngine, tasks: Tasks, web: str, folder: Path, client: Client) -> None:
    (folder / "tasks.d").mkdir()
    (folder / "tasks.d/file.json").write_text(definition("of-a-file", container("a", web)))
    start()
    tasks.wait("of-a-file", "RUNNING")
    assert tasks.list()["of-a-file"]["File"].endswith("file.json")
    (folder / "tasks.d/bad.json").write_text("{")
    (folder / "tasks.d/file.json").unlink()
    client.manager("Reload")
    assert "bad.json" in tasks.problem()
    tasks.wait("of-a-file", "STOPPED")


def test_a_task_of_a_file_outlives_the_daemon(
        start: StartTasks, engine: RestEngine, tasks: Tasks, web: str, folder: Path) -> None:
    (folder / "tasks.d").mkdir()
    (folder / "tasks.d/file.json").write_text(definition("of-a-file", container("a", web)))
    first = start()
    tasks.wait("of-a-file", "RUNNING")
    [before] = owned(engine, "of-a-file")
    first.stop()
    start()
    # One that is added after it has been looked at.
    tasks.add(definition("other", container("a", web)))
    tasks.wait("other", "RUNNING")
    assert tasks.list()["of-a-file"]["DesiredStatus"] == "RUNNING"
    assert [one["Id"] for one in owned(engine, "of-a-file")] == [before["Id"]]
    assert tasks.told("of-a-file")[-1] == "RUNNING"


def test_what_is_no_task_is_refused_with_its_place(start: StartTasks, tasks: Tasks, web: str) -> None:
    start()
    for text, place in (("[]", "$"), (definition("x"), "containerDefinitions"),
                        (definition("x", container("a", web, memory="much")), "containerDefinitions[0].memory"),
                        (definition("x", container("a", web, links=["b"])), "links")):
        with pytest.raises(dbus.DBusException) as caught:
            tasks.add(text)
        assert caught.value.get_dbus_name() == ERROR + "InvalidSpec"
        assert place in caught.value.get_dbus_message()
    assert not tasks.list()
    with pytest.raises(dbus.DBusException) as caught:
        tasks.act("gone", "Stop")
    assert caught.value.get_dbus_name() == ERROR + "NoSuchTask"


def test_a_task_lives_on_without_the_daemon_and_is_known_to_the_next(
        start: StartTasks, engine: RestEngine, tasks: Tasks, web: str) -> None:
    daemon = start()
    tasks.add(definition("lasting", container("a", web), container("b", web)))
    tasks.wait("lasting", "RUNNING")
    before = {one["Id"] for one in owned(engine, "lasting")}
    daemon.process.kill()
    gone = tasks.list  # of the next daemon
    start()
    tasks.wait_until(lambda all_: all_.get("lasting", {}).get("KnownStatus") == "RUNNING", "the task to be known")
    assert {one["Id"] for one in owned(engine, "lasting")} == before
    assert {one["Id"] for one in gone()["lasting"]["Containers"].values()} == before


def test_what_ended_while_nobody_looked_is_told_later(
        start: StartTasks, engine: RestEngine, tasks: Tasks, web: str) -> None:
    daemon = start()
    tasks.add(definition("left", container("a", web)))
    tasks.wait("left", "RUNNING")
    daemon.process.kill()
    engine.kill(owned(engine, "left")[0]["Id"])
    start()
    tasks.wait("left", "STOPPED")
    assert tasks.list()["left"]["Containers"]["a"]["ExitCode"] == 137


def test_after_a_reboot_with_an_empty_engine_the_task_has_stopped(
        start: StartTasks, engine: RestEngine, tasks: Tasks, web: str) -> None:
    daemon = start()
    tasks.add(definition("before", container("a", web)))
    tasks.wait("before", "RUNNING")
    daemon.stop()
    engine.remove_all()
    start()
    told = tasks.wait("before", "STOPPED")
    assert "vanished" in told.args[2]


def test_the_command_line_does_all_of_it(
        start: StartTasks, engine: RestEngine, tasks: Tasks, web: str, bus: Bus, folder: Path) -> None:
    start()
    (folder / "task.json").write_text(definition("by-hand", container("a", web), container(
        "b", f"{web.rpartition('/')[0]}/nowhere", essential=True)))
    added = ctl(bus, "task", "add", str(folder / "task.json"))
    assert (added.returncode, added.stdout) == (0, "by-hand\n"), added.stderr
    tasks.wait("by-hand", "STOPPED")
    listed = ctl(bus, "task", "list")
    assert "by-hand" in listed.stdout and "STOPPED" in listed.stdout
    assert json.loads(ctl(bus, "task", "list", "--json").stdout)[0]["Arn"] == "by-hand"
    shown = ctl(bus, "task", "show", "by-h")
    assert shown.returncode == 0 and "nowhere" in shown.stdout
    assert "by-hand" in ctl(bus, "task", "export").stdout
    assert ctl(bus, "task", "stop", "lab").returncode == 0
    assert ctl(bus, "task", "show", "nothing").returncode == 3
    assert ctl(bus, "task", "add", str(folder / "credentials.json")).returncode == 1
    assert ctl(bus, "task", "add", str(folder / "gone.json")).returncode == 2
    assert ctl(bus, "task", "rm", "by-hand").returncode == 0
    tasks.wait_until(lambda all_: not all_, "the task to go")
