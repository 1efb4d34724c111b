"""shorewatchd as its users start it: with a configuration file, on a bus, under something like a service manager."""

import shutil
import signal
from pathlib import Path
from typing import Mapping, Optional, Protocol

from .bus import Bus
from .notify import NotifySocket
from .paths import DAEMON
from .process import STRICT_MEMORY, Process


class Watched(Protocol):
    """What the configuration has to know of an engine."""

    type: str
    url: str


def engine_table(name: str, engine: "str | Watched", extra: str = "") -> str:
    """An [[engine]] of the configuration; an endpoint alone is Docker's. extra: more lines of TOML."""
    type_, endpoint = ("docker", engine) if isinstance(engine, str) else (engine.type, engine.url)
    return f'[[engine]]\nname = "{name}"\ntype = "{type_}"\nendpoint = "{endpoint}"\n{extra}\n'


class Daemon:
    """Watches `engines`, or endpoints of Docker, by name. configuration is its file, which may be rewritten."""

    def __init__(self, folder: Path, bus: Bus, engines: "Mapping[str, str | Watched]"):
        self.folder = folder
        self.bus = bus
        self.configuration = folder / "shorewatch.toml"
        self.state = folder / "state"
        self._process: Optional[Process] = None
        self._notify: Optional[NotifySocket] = None
        folder.mkdir(parents=True, exist_ok=True)
        self.configure(engines)

    def configure(self, engines: "Mapping[str, str | Watched]") -> None:
        self.configuration.write_text("".join(engine_table(name, engine) for name, engine in engines.items()))

    @property
    def process(self) -> Process:
        assert self._process is not None, "shorewatchd was not started"
        return self._process

    @property
    def notify(self) -> NotifySocket:
        assert self._notify is not None, "shorewatchd was not started"
        return self._notify

    def start(self, *arguments: str, environment: Optional[Mapping[str, str]] = None, ready: float = 10,
              run: Optional[Path] = None, capabilities: Optional[str] = None, descriptors: Optional[int] = None) -> None:
        """Returns when it has said READY=1, which `ready` seconds may take; 0: returns at once.

        run: a folder that the daemon sees as /run. capabilities: all that it has, as in "sys_ptrace,kill".
        descriptors: how many it may have open.
        """
        self._close_notify()
        self._notify = NotifySocket(self.folder / "notify.sock")
        inside = [] if run is None else [
            "unshare", "--mount", "--propagation", "private", "sh", "-c", 'mount --bind "$0" /run && exec "$@"', run]
        if capabilities is not None:
            inside += ["setpriv", "--bounding-set", ",".join(["-all", *(f"+{name}" for name in capabilities.split(","))])]
        if descriptors is not None:
            inside += ["prlimit", f"--nofile={descriptors}:{descriptors}"]
        self._process = Process([*inside, DAEMON, "--config", self.configuration, *arguments],
                                self.folder / "shorewatchd.log",
                                self.bus.environment() | STRICT_MEMORY |
                                {"NOTIFY_SOCKET": str(self._notify.path), "STATE_DIRECTORY": str(self.state)} |
                                dict(environment or {}))
        if ready > 0:
            try:
                self._notify.wait_for("READY=1", ready)
            except AssertionError as error:
                raise AssertionError(f"{error}\nits log:\n{self.log()}") from None

    def stop(self, seconds: float = 10) -> int:
        """SIGTERM; the exit code. TimeoutError when it runs on after that."""
        self.process.signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def log(self) -> str:
        return self.process.output()

    def sweep(self) -> None:
        if self._process is not None and self._process.running():
            self._process.stop()
        self._close_notify()
        shutil.rmtree(self.folder)

    def _close_notify(self) -> None:
        if self._notify is not None:
            self._notify.close()
            self._notify = None
