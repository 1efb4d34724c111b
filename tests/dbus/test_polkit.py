"""Who may have the daemon do something, as root, the bus and a real polkitd have it between them."""

import contextlib
import os
import pty
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Callable, Iterator

import pytest
from face import Face
from lab.bus import GROUP_ID, Bus
from lab.clients import ROOT, Client
from lab.parts import running
from lab.paths import CTL
from lab.polkit import BUS_POLICY, Polkit, Questions, User, asking
from lab.record_signals import NAME

ENGINE = ROOT + "/engines/docker"
OTHER = ROOT + "/engines/other"
RELOAD = (ROOT, NAME + ".Manager.Reload")
RESYNC = (ENGINE, NAME + ".Engine.Resync")

# nobody, in the group shorewatch and not.
MEMBER = User(65534, [GROUP_ID])
STRANGER = User(65534)

DENIED = "org.freedesktop.DBus.Error.AccessDenied"
WANTS_AUTHENTICATION = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
LIMIT = "org.freedesktop.DBus.Error.LimitsExceeded"

YES_TO_DOCKER = """
polkit.addRule(function(action, subject) {
    if (action.id == "org.shorewatch1.control" && subject.user == "nobody" && action.lookup("engine") == "docker")
        return polkit.Result.YES;
});
"""
NO = "polkit.addRule(function(action, subject) { return polkit.Result.NO; });"


@pytest.fixture
def bus(folder: Path) -> Iterator[Bus]:
    # Others than root are to reach what is in it.
    folder.chmod(0o755)
    with running(Bus(folder / "bus", group=True, policies=[BUS_POLICY])) as part:
        yield part


@pytest.fixture(autouse=True)
def engines(face: Face) -> None:
    """docker and other."""
    face.watch("other")


@pytest.fixture
def start_polkit(folder: Path, bus: Bus) -> Iterator[Callable[..., Polkit]]:
    with contextlib.ExitStack() as stack:
        yield lambda rules="": stack.enter_context(running(Polkit(folder / "polkit", bus, rules)))


@pytest.fixture
def questions(bus: Bus) -> Iterator[Questions]:
    part = Questions(bus)
    yield part
    part.close()


def ask(bus: Bus, user: User, call: tuple[str, str], *flags: str) -> list[str]:
    """The name and the text of the error that the call ends with, or []."""
    with asking(bus, user, *call, *flags) as asker:
        return asker.answers(1)[0]


def done_by(face: Face) -> list[str]:
    """All that the face has had done until now."""
    face.do("queue", length=0)
    return face.events()


def test_root_may_do_everything_and_polkit_is_not_asked(
        client: Client, face: Face, start_polkit: Callable[..., Polkit], questions: Questions) -> None:
    start_polkit(NO)
    client.call(ENGINE, NAME + ".Engine", "Resync")
    client.manager("Reload")
    face.wait_for_event("reload")
    assert done_by(face) == ["resync docker", "reload"]
    assert "CheckAuthorization" not in questions.text()


def test_who_is_not_in_the_group_is_refused_by_the_bus_whatever_polkit_says(
        bus: Bus, face: Face, start_polkit: Callable[..., Polkit], questions: Questions) -> None:
    start_polkit("polkit.addRule(function(action, subject) { return polkit.Result.YES; });")
    for call in (RELOAD, RESYNC):
        name, text = ask(bus, STRANGER, call)
        assert name == DENIED and text.startswith("Rejected send message"), text
    assert "CheckAuthorization" not in questions.text() and done_by(face) == []


def test_a_member_of_the_group_has_to_authenticate_unless_a_rule_says_more(
        bus: Bus, face: Face, start_polkit: Callable[..., Polkit]) -> None:
    start_polkit()
    assert ask(bus, MEMBER, RELOAD) == [
        WANTS_AUTHENTICATION, "To have the configuration read again (polkit action org.shorewatch1.control), uid 65534 "
        "has to authenticate, and the call did not allow asking for that"]
    assert ask(bus, MEMBER, RELOAD, "--interactive") == [
        DENIED, "To have the configuration read again (polkit action org.shorewatch1.control), uid 65534 has to "
        "authenticate, and has no agent to do that with: start one, as pkttyagent, or be root"]
    assert done_by(face) == []


def test_a_rule_can_let_somebody_do_one_thing_to_one_engine(
        bus: Bus, face: Face, start_polkit: Callable[..., Polkit]) -> None:
    start_polkit(YES_TO_DOCKER)
    assert ask(bus, MEMBER, RESYNC) == []
    face.wait_for_event("resync docker")
    assert ask(bus, MEMBER, (OTHER, RESYNC[1]))[0] == WANTS_AUTHENTICATION
    assert ask(bus, MEMBER, RELOAD)[0] == WANTS_AUTHENTICATION
    assert ask(bus, STRANGER, RESYNC)[0] == DENIED
    assert done_by(face) == ["resync docker"]


def test_a_rule_can_let_somebody_do_one_thing_to_one_container(
        bus: Bus, face: Face, start_polkit: Callable[..., Polkit]) -> None:
    face.do("start", engine="docker", id="1" * 64, name="web", project="shop", pid=7)
    face.do("start", engine="docker", id="2" * 64, name="db", project="shop", pid=8)
    start_polkit("""
polkit.addRule(function(action, subject) {
    if (action.id == "org.shorewatch1.control" && subject.user == "nobody" && action.lookup("engine") == "docker" &&
        action.lookup("project") == "shop" && action.lookup("container") == "web")
        return polkit.Result.YES;
});
""")
    web, db = (f"{ENGINE}/containers/_3{digit}{digit * 63}" for digit in "12")
    assert ask(bus, MEMBER, (web, NAME + ".Container.Pause")) == []
    for path, method in ((db, "Pause"), (db, "Unpause"), (web, "Inspect"), (web, "OpenPIDFD"), (db, "GetAddresses")):
        name, text = ask(bus, MEMBER, (path, f"{NAME}.Container.{method}"))
        assert name == WANTS_AUTHENTICATION, text


def test_a_rule_can_refuse(bus: Bus, face: Face, start_polkit: Callable[..., Polkit]) -> None:
    start_polkit(NO)
    for flags in ([], ["--interactive"]):
        assert ask(bus, MEMBER, RELOAD, *flags) == [
            DENIED, "polkit does not let uid 65534 have the configuration read again (action org.shorewatch1.control)"]
    assert done_by(face) == []


def test_who_has_to_authenticate_is_told_what_for_and_may_then(
        bus: Bus, face: Face, start_polkit: Callable[..., Polkit]) -> None:
    polkit = start_polkit()
    with asking(bus, MEMBER, *RESYNC, "--agent") as asker:
        message, cookie = asker.answers(1)[0]
        assert message == "Authentication is required to have an engine listed again: engine 'docker'"
        polkit.authenticated(MEMBER.id, cookie)
        asker.tell("done")
        assert asker.answers(1) == [[]]
    assert done_by(face) == ["resync docker"]


def test_who_does_not_authenticate_may_not(bus: Bus, face: Face, start_polkit: Callable[..., Polkit]) -> None:
    start_polkit()
    with asking(bus, MEMBER, *RELOAD, "--agent") as asker:
        message, _ = asker.answers(1)[0]
        assert message == "Authentication is required to have the configuration read again"
        asker.tell("dismiss")
        assert asker.answers(1) == [[
            DENIED, "To have the configuration read again (polkit action org.shorewatch1.control), uid 65534 had to "
            "authenticate, and did not"]]
    assert done_by(face) == []


def test_what_an_allowed_call_fails_with_is_the_answer(
        bus: Bus, face: Face, start_polkit: Callable[..., Polkit]) -> None:
    start_polkit("polkit.addRule(function(action, subject) { return polkit.Result.YES; });")
    face.do("fail_reload", why="shorewatch.toml:3:1: unknown key 'nmae'; expected name")
    assert ask(bus, MEMBER, RELOAD) == ["org.shorewatch1.Error.InvalidConfiguration",
                                        "shorewatch.toml:3:1: unknown key 'nmae'; expected name"]


def test_without_polkit_only_root_may(bus: Bus, face: Face, client: Client) -> None:
    name, text = ask(bus, MEMBER, RELOAD)
    assert name == DENIED
    assert text.startswith("Only root may have the configuration read again, not uid 65534: polkit, which can let "
                           "others, is not running ("), text
    client.manager("Reload")
    assert done_by(face) == ["reload"]


def test_where_polkit_does_not_know_our_actions_only_root_may_and_the_error_says_why(
        bus: Bus, start_polkit: Callable[..., Polkit], folder: Path) -> None:
    polkit = start_polkit()
    (polkit.folder / "usr/actions/org.shorewatch1.policy").unlink()
    # polkitd reads actions when it is first asked for one.
    name, text = ask(bus, MEMBER, RELOAD)
    assert name == DENIED
    assert "Only root may have the configuration read again, not uid 65534: polkit could not be asked about others" in text
    assert "is org.shorewatch1.policy where it looks for actions?" in text


def test_a_polkit_that_dies_while_it_is_asked_lets_nobody_in(
        bus: Bus, face: Face, client: Client, start_polkit: Callable[..., Polkit], questions: Questions) -> None:
    polkit = start_polkit(YES_TO_DOCKER)
    polkit.process.signal(signal.SIGSTOP)
    with asking(bus, MEMBER, *RESYNC) as asker:
        questions.wait()
        polkit.process.kill()
        name, text = asker.answers(1)[0]
    assert name == DENIED
    assert text.startswith("Only root may have an engine listed again, not uid 65534: polkit, which can let others, did "
                           "not answer ("), text
    client.call(ENGINE, NAME + ".Engine", "Resync")
    assert done_by(face) == ["resync docker"]


def test_one_user_cannot_keep_more_than_some_questions_open_and_root_is_let_in_meanwhile(
        bus: Bus, face: Face, client: Client, start_polkit: Callable[..., Polkit], questions: Questions) -> None:
    polkit = start_polkit(YES_TO_DOCKER)
    polkit.process.signal(signal.SIGSTOP)
    with asking(bus, MEMBER, *RESYNC, count=40) as asker:
        for name, text in asker.answers(8):
            assert (name, text) == (LIMIT, "Too many calls wait for polkit's answer; try again")
        client.manager("Reload")
        face.wait_for_event("reload")
        polkit.process.signal(signal.SIGCONT)
        assert asker.answers(32) == [[]] * 32
    assert sorted(done_by(face)) == ["reload"] + ["resync docker"] * 32


def test_a_caller_that_leaves_while_polkit_decides_harms_nobody(
        bus: Bus, face: Face, client: Client, start_polkit: Callable[..., Polkit], questions: Questions) -> None:
    polkit = start_polkit(YES_TO_DOCKER)
    polkit.process.signal(signal.SIGSTOP)
    with asking(bus, MEMBER, *RESYNC):
        questions.wait()
    polkit.process.signal(signal.SIGCONT)
    assert ask(bus, MEMBER, RESYNC) == []
    client.manager("Reload")
    face.wait_for_event("reload")


def test_an_engine_that_goes_while_polkit_decides_is_no_trouble(
        bus: Bus, face: Face, start_polkit: Callable[..., Polkit], questions: Questions) -> None:
    polkit = start_polkit(YES_TO_DOCKER)
    polkit.process.signal(signal.SIGSTOP)
    with asking(bus, MEMBER, *RESYNC) as asker:
        questions.wait()
        face.do("remove_engine", name="docker")
        polkit.process.signal(signal.SIGCONT)
        assert asker.answers(1) == [[]]


def test_a_bus_that_goes_while_polkit_decides_is_no_trouble(
        bus: Bus, face: Face, start_polkit: Callable[..., Polkit], questions: Questions) -> None:
    polkit = start_polkit(YES_TO_DOCKER)
    polkit.process.signal(signal.SIGSTOP)
    with asking(bus, MEMBER, *RESYNC):
        questions.wait()
        bus.stop()
        bus.start()
    polkit.process.kill()
    bus.wait_for_owner(NAME)
    # What was asked for on the bus that is gone is not done.
    assert done_by(face) == []


def ctl_as(user: User, bus: Bus, folder: Path, *arguments: str, stdin: int = subprocess.DEVNULL) -> tuple[int, str]:
    """The exit code and the errors."""
    program = folder / "shorewatchctl"
    if not program.exists():  # where it is built, others may not go
        shutil.copy(CTL, program)
    done = subprocess.run([program, *arguments], env=bus.environment(), stdin=stdin, capture_output=True, text=True,
                          user=user.id, group=user.id, extra_groups=user.groups, timeout=30)
    # One that counts its lines can't write the counts as another user, and says so.
    said = [line for line in done.stderr.splitlines(keepends=True) if not line.startswith("profiling:")]
    return done.returncode, "".join(said)


def test_shorewatchctl_lets_its_user_authenticate_where_there_is_a_terminal_to_do_so(
        bus: Bus, face: Face, start_polkit: Callable[..., Polkit], folder: Path) -> None:
    start_polkit(YES_TO_DOCKER)
    advice = "; be root, or join the group shorewatch and have polkit allow org.shorewatch1.control\n"
    for command in (["reload"], ["resync", "other"]):
        code, text = ctl_as(MEMBER, bus, folder, *command)
        assert code == 6 and "and the call did not allow asking for that" in text and text.endswith(advice), text
        master, terminal = pty.openpty()
        code, text = ctl_as(MEMBER, bus, folder, *command, stdin=terminal)
        os.close(master)
        os.close(terminal)
        assert code == 6 and "has no agent to do that with: start one, as pkttyagent" in text, text
    assert ctl_as(MEMBER, bus, folder, "resync", "docker") == (0, "")
    assert done_by(face) == ["resync docker"]
