"""A real polkitd on a test's bus, which knows the project's actions and the test's rules, and nothing of the machine's."""

import contextlib
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional, Sequence

import dbus
import dbus.bus

from .bus import Bus
from .paths import POLKIT_ACTIONS
from .process import Process

NAME = "org.freedesktop.PolicyKit1"
# Debian 12 and others; newer ones.
_PROGRAMS = ("/usr/lib/polkit-1/polkitd", "/usr/libexec/polkitd")
# Lets polkitd have its name, and others ask it.
BUS_POLICY = Path("/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf")
_ASK = Path(__file__).parent / "ask.py"

# polkitd reads fixed folders: in a mount namespace of its own, they are the test's.
_INSIDE = """
mount --bind "$0/usr" /usr/share/polkit-1 &&
mount --bind "$0/etc" /etc/polkit-1 &&
exec "$@"
"""


class Polkit:
    """rules: JavaScript, as in a file of rules.d."""

    def __init__(self, folder: Path, bus: Bus, rules: str = ""):
        self.folder = folder
        self._bus = bus
        self._process: Optional[Process] = None
        for part in ("usr/actions", "usr/rules.d", "etc/rules.d"):
            (folder / part).mkdir(parents=True)
        shutil.copy(POLKIT_ACTIONS, folder / "usr/actions")
        (folder / "etc/rules.d/10-test.rules").write_text(rules)

    @property
    def process(self) -> Process:
        assert self._process is not None, "polkitd was not started"
        return self._process

    def start(self) -> None:
        """Returns when it can be asked."""
        program = next(path for path in _PROGRAMS if Path(path).exists())
        self._process = Process(["unshare", "--mount", "--propagation", "private", "sh", "-c", _INSIDE, self.folder,
                                 program], self.folder / "polkitd.log", self._bus.environment())
        try:
            self._bus.wait_for_owner(NAME)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.process.output()}") from None

    def authenticated(self, user: int, cookie: str) -> None:
        """What polkit's helper tells it once somebody has given root's password to the agent of `user`."""
        bus = dbus.bus.BusConnection(self._bus.address)
        try:
            authority = bus.get_object(NAME, "/org/freedesktop/PolicyKit1/Authority", introspect=False)
            root = dbus.Struct(("unix-user", dbus.Dictionary({"uid": dbus.UInt32(0)}, signature="sv")), signature="sa{sv}")
            authority.AuthenticationAgentResponse2(dbus.UInt32(user), cookie, root, dbus_interface=NAME + ".Authority")
        finally:
            bus.close()

    def sweep(self) -> None:
        if self._process is not None and self._process.running():
            # A stopped one is to end too.
            self._process.kill()
        shutil.rmtree(self.folder)


class Questions:
    """What is asked of polkit on a bus, as the bus shows it to root."""

    def __init__(self, bus: Bus):
        self._process = Process(["dbus-monitor", "--address", bus.address, "member='CheckAuthorization'"],
                                bus.folder / "questions.log")
        # The monitor's own name is lost when it becomes a monitor: from then on it sees all.
        self._process.wait_for_output("NameLost", 10)

    def wait(self, seconds: float = 10) -> None:
        """Returns once there was one."""
        self._process.wait_for_output("member=CheckAuthorization", seconds)

    def text(self) -> str:
        return self._process.output()

    def close(self) -> None:
        self._process.stop()


@dataclass(frozen=True)
class User:
    id: int
    groups: Sequence[int] = ()


class Asker:
    """Calls of one connection of another user, all sent at once (ask.py)."""

    def __init__(self, bus: Bus, user: User, path: str, method: str, *flags: str, count: int = 1):
        command = [sys.executable, str(_ASK), bus.address, str(user.id), ",".join(map(str, user.groups)), path, method, str(count),
                   *flags]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                         start_new_session=True)

    def answers(self, count: int) -> list[Sequence[str]]:
        """The next ones, in the order in which they come: the name and the text of an error, or nothing."""
        assert self._process.stdout is not None
        lines = [self._process.stdout.readline() for _ in range(count)]
        assert all(lines), f"ended with {self._process.wait()}"
        return [json.loads(line) for line in lines]

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """Leaves the bus, whatever it is waiting for."""
        self._process.kill()
        self._process.communicate()


@contextlib.contextmanager
def asking(*arguments: object, **options: object) -> Iterator[Asker]:
    asker = Asker(*arguments, **options)  # type: ignore[arg-type]
    try:
        yield asker
    finally:
        asker.close()
