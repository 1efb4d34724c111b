"""A program that a test has started: its output in a file, its end by its pid."""

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Mapping, Optional, Sequence

from .waiting import Deadline, FileWatch, wait_for_exit

# For programs of ours: what was freed is written over, so that nobody gets away with reading it. glibc does that to what
# it does not keep in its thread caches. Benches do without.
STRICT_MEMORY = {} if os.environ.get("SHOREWATCH_PLAIN_MEMORY") else {
    "MALLOC_PERTURB_": "165", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}


class Process:
    """Runs until stop(). Output and errors go to the file `log`, appended."""

    def __init__(self, command: Sequence[str | Path], log: Path, environment: Optional[Mapping[str, str]] = None,
                 **popen_arguments: object):
        self.log = log
        self.name = Path(command[0]).name
        with log.open("ab") as output:
            # A session of its own: a Ctrl-C is for the test, which then stops its parts in order.
            self._popen = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output,
                                           stderr=output, env=environment, start_new_session=True,
                                           **popen_arguments)  # type: ignore[call-overload]

    @property
    def pid(self) -> int:
        return self._popen.pid

    def running(self) -> bool:
        return self._popen.poll() is None

    def wait(self, seconds: float) -> int:
        """The exit code, -n for signal n; TimeoutError when it has not ended by then."""
        if self._popen.returncode is None:
            wait_for_exit(self.pid, Deadline(seconds, f"the end of {self.name}, pid {self.pid}"))
        return self._popen.wait()

    def signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def freeze(self) -> None:
        """Returns when each of its threads has stopped, which may take as long as they wait for a processor."""
        self.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def stop(self, seconds: float = 10) -> int:
        """SIGTERM, and SIGKILL when that has not ended it in time. The exit code."""
        if self.running():
            self.signal(signal.SIGTERM)
            try:
                return self.wait(seconds)
            except TimeoutError:
                self.kill()
        return self.wait(seconds)

    def kill(self) -> None:
        """SIGKILL, which ends a stopped process too; returns when it has ended."""
        self.signal(signal.SIGKILL)
        self.wait(10)

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for_output(self, pattern: str, seconds: float) -> re.Match[str]:
        """The first match in the log, which also has what earlier processes wrote to the same file."""
        deadline = Deadline(seconds, f"/{pattern}/ in the output of {self.name}")
        with FileWatch(self.log) as watch:
            while (found := re.search(pattern, self.output())) is None:
                if not self.running():
                    raise AssertionError(f"{self.name} ended without /{pattern}/ in its output:\n{self.output()}")
                # The end of the process changes no file: hence the bound.
                watch.wait(min(deadline.left(), 0.5))
        return found

    # From /proc, of the process alone.
    def status(self, field: str) -> str:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return line.split(":", 1)[1].strip()
        raise KeyError(field)

    def rss_anon(self) -> int:
        """Bytes of anonymous memory that are resident."""
        return int(self.status("RssAnon").removesuffix(" kB")) * 1024

    def threads(self) -> int:
        return int(self.status("Threads"))

    def fds(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))


def kill_and_wait(pid: int) -> None:
    """SIGKILL to any process; returns when it has ended."""
    os.kill(pid, signal.SIGKILL)
    wait_for_exit(pid, Deadline(10, f"the end of process {pid}"))
