"""What Docker and Podman have in common: an HTTP API, whose calls for a container differ in little but their prefix.

Only the standard library is used, so that quickstart can show its demo with it.
"""

import contextlib
import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Mapping, Optional
from urllib.parse import quote, urlencode

from .real_engine import RealEngine
from .waiting import Deadline, connect


class EngineError(Exception):
    """The engine's answer was an error, or its command's exit code was one."""

    def __init__(self, status: int, message: str):
        super().__init__(f"{status}: {message}")
        self.status = status


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float = 60):
        super().__init__("engine", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class RestEngine(RealEngine):
    """Containers are named by their ids or names."""

    api_prefix = ""
    removal: Mapping[str, str] = {"force": "true"}  # the query of a removal that kills first if need be

    def api(self, method: str, path: str, body: Any = None, query: Optional[Mapping[str, Any]] = None,
            seconds: float = 60) -> Any:
        """One request; the answer's JSON, or its text where it is none. EngineError from status 400 on."""
        connection = UnixConnection(self.socket, seconds)
        try:
            data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
            headers = {} if data is None else {
                "Content-Type": "application/x-tar" if isinstance(body, bytes) else "application/json"}
            connection.request(method, self.api_prefix + path + ("?" + urlencode(query) if query else ""), data,
                               headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        if answer.status >= 400:
            raise EngineError(answer.status, text)
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text

    def create(self, name: str, *command: str, labels: Optional[Mapping[str, str]] = None, **config: Any) -> str:
        """A container that is not started, by the API, which is faster than the command. Its id.

        Without a command: sleeps until it is killed. config: as the API of that engine has it.
        """
        raise NotImplementedError

    def start_container(self, container: str) -> None:
        self._post(container, "start")

    def run(self, name: str, *command: str, labels: Optional[Mapping[str, str]] = None, **config: Any) -> str:
        """As create(), and started."""
        container = self.create(name, *command, labels=labels, **config)
        self.start_container(container)
        return container

    def inspect(self, container: str) -> Any:
        return self.api("GET", f"/containers/{quote(container)}/json")

    def containers(self) -> Any:
        """All containers, alive or dead, as the API lists them."""
        return self.api("GET", "/containers/json", query={"all": "true"})

    def kill(self, container: str, signal: str = "KILL") -> None:
        self._post(container, "kill", signal=signal)

    def pause(self, container: str) -> None:
        self._post(container, "pause")

    def unpause(self, container: str) -> None:
        self._post(container, "unpause")

    def restart(self, container: str) -> None:
        self._post(container, "restart", t="0")

    def rename(self, container: str, name: str) -> None:
        self._post(container, "rename", name=name)

    def remove(self, container: str) -> None:
        self.api("DELETE", f"/containers/{quote(container)}", query=self.removal)

    def remove_all(self) -> None:
        def remove(container: Any) -> None:
            with contextlib.suppress(EngineError):
                self.remove(container["Id"])

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(remove, self.containers()))

    def _wait_until_answering(self, deadline: Deadline) -> None:
        # The socket takes connections before the engine serves them: the request waits for it. And a predecessor that
        # was killed may take them for a moment, as may what it was forking.
        while True:
            with connect(self.socket, deadline) as connection:
                connection.settimeout(deadline.left())
                with contextlib.suppress(ConnectionError):
                    connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                    if b" 200 " in connection.recv(4096):
                        return
            if not self.process.running():
                raise AssertionError(f"{self.type} ended with {self.process.wait(1)}:\n{self.process.output()[-3000:]}")

    def _post(self, container: str, action: str, **query: str) -> None:
        self.api("POST", f"/containers/{quote(container)}/{action}", query=query)
