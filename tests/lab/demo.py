"""A dockerd of its own with something to see: a compose project whose containers come, pause, fail and go, for ever.

Usage: demo.py FOLDER. Prints "ready" when the engine answers on FOLDER/docker.sock. Ends on SIGTERM, and removes FOLDER.
"""

import itertools
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.dockerd import Dockerd

PROJECT = "shop"
# PID 1 of a container ignores the signals that it does not handle.
SERVER = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done")
FAILS_WHEN_STOPPED = ("sh", "-c", "trap 'exit 3' TERM; while :; do sleep 1 & wait $!; done")


def pace() -> None:
    """Slow enough to be read."""
    time.sleep(2)


def play(engine: Dockerd) -> None:
    """One scene. Names are the ones that docker compose would give."""

    def up(service: str, *command: str) -> str:
        name = f"{PROJECT}-{service}-1"
        engine.run(name, *command, labels={
            "com.docker.compose.project": PROJECT, "com.docker.compose.service": service,
            "com.docker.compose.container-number": "1"})
        pace()
        return name

    def do(container: str, action: str) -> None:
        engine.api("POST", f"/containers/{container}/{action}")
        pace()

    db = up("db", *SERVER)
    cache = up("cache", *SERVER)
    web = up("web", *FAILS_WHEN_STOPPED)
    do(cache, "pause")
    do(cache, "unpause")
    do(web, "stop")
    do(web, "start")
    do(db, "restart")
    for container in (web, cache, db):
        do(container, "stop")
        engine.remove(container)


def main() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    engine = Dockerd(Path(sys.argv[1]))
    try:
        engine.start()
        print("ready", flush=True)
        for _ in itertools.count():
            play(engine)
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        engine.sweep()


if __name__ == "__main__":
    main()
