"""A shell in a terminal that can be looked at: tmux, with a server, a socket and a configuration of its own."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Callable, Mapping

from .waiting import Deadline, FileWatch

PROMPT = "ready> "


class Tmux:
    """environment: of the shell, all of it but TERM, which tmux sets. What is typed goes to whatever has the terminal."""

    def __init__(self, folder: Path, environment: Mapping[str, str], size: tuple[int, int] = (80, 24),
                 prompt: str = PROMPT):
        self._socket = folder / "tmux.sock"
        self._output = folder / "tmux.out"
        self._environment = {"LC_ALL": "C.UTF-8"} | dict(environment) | {"PS1": prompt}
        self._prompt = prompt
        self._size = size

    def start(self) -> None:
        """Returns when the shell waits for a command."""
        columns, rows = self._size
        self._output.touch()
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), "sh", "-i",
                   environment=self._environment)
        # Whatever is shown is written there too: that is how to know when to look again.
        self._tmux("pipe-pane", f"cat >> {shlex.quote(str(self._output))}")
        # What the terminal shows at first may be older than that.
        self.type("clear")
        self.press("Enter")
        self.wait_for(lambda lines: lines[0] == self._prompt.rstrip(), "a shell in tmux")

    def sweep(self) -> None:
        subprocess.run(self._command("kill-server"), capture_output=True, timeout=30)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", "--", text)

    def press(self, *keys: str) -> None:
        """By tmux's names: Enter, Escape, Up, C-c."""
        self._tmux("send-keys", *keys)

    def run(self, *command: "str | Path") -> None:
        self.type(shlex.join(map(str, command)))
        self.press("Enter")

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def lines(self, escapes: bool = False) -> list[str]:
        """What is shown now, without spaces at the ends; escapes: with the sequences for colours and the like."""
        shown = self._tmux("capture-pane", "-p", *(["-e"] if escapes else []))
        return [line.rstrip() for line in shown.removesuffix("\n").split("\n")]

    def ask(self, what: str) -> str:
        """A variable of tmux, as "alternate_on"."""
        return self._tmux("display-message", "-p", f"#{{{what}}}").strip()

    def wait_for(self, wanted: "str | Callable[[list[str]], bool]", what: str = "", seconds: float = 20) -> list[str]:
        """All lines, once they are wanted: by a function, or by a regular expression that one of them has."""
        if isinstance(wanted, str):
            pattern = re.compile(wanted)
            holds: Callable[[list[str]], bool] = lambda lines: any(pattern.search(line) for line in lines)
        else:
            holds = wanted
        deadline = Deadline(seconds, what or f"/{wanted}/ on the screen")
        with FileWatch(self._output) as watch:
            while not holds(lines := self.lines()):
                # tmux reads what it writes there for itself, too, maybe a little later: hence the bound.
                try:
                    watch.wait(min(deadline.left(), 0.2))
                except TimeoutError as error:
                    raise AssertionError("\n".join([f"{error}; there is:", *lines])) from None
        return lines

    def _tmux(self, *arguments: str, environment: "Mapping[str, str] | None" = None) -> str:
        done = subprocess.run(self._command(*arguments), env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, f"tmux {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def _command(self, *arguments: str) -> list[str]:
        # -u: what is shown is UTF-8, whatever the locale of the tests is.
        return ["tmux", "-u", "-S", str(self._socket), *arguments]
