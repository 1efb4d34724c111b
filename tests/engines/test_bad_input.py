"""What is not an engine gets a clear error, and no other engine notices."""

import contextlib
import os
import pwd
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest

from lab.clients import Client
from lab.cut_proxy import CutProxy
from lab.daemon import Daemon, engine_table
from lab.dockerd import Dockerd
from lab.engine import Engine
from lab.recorder import Recorder, wait_until


NOBODY = pwd.getpwnam("nobody").pw_uid


@dataclass(frozen=True)
class Behind:
    """An engine at another socket than its own."""

    type: str
    url: str


class NoEngine:
    """Takes connections on a unix socket and answers each request with the same bytes; None: never."""

    def __init__(self, path: Path, answer: bytes | None):
        self._answer = answer
        self._taken: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._thread = threading.Thread(target=self._serve, name="no-engine")
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._answer is None:
                self._taken.append(connection)
                continue
            with connection, contextlib.suppress(ConnectionError):  # whoever asked may not read it to the end
                if connection.recv(65536):
                    connection.sendall(self._answer)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for connection in self._taken:
            connection.close()


def json_answer(body: bytes, length: int | None = None) -> bytes:
    return (b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" %
            (len(body) if length is None else length)) + body


ANSWERS = {
    "never": None,
    "no HTTP": b"220 mail.example.org ESMTP\r\n",
    "noise": bytes(range(256)) * 64,
    "truncated": json_answer(b"[{", 1000),
    "no JSON": json_answer(b"<html></html>"),
    "refusal": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 23\r\n\r\n{\"message\":\"on strike\"}",
    "chunks": b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
    "endless header": b"HTTP/1.1 200 OK\r\nApi-Version: " + b"1" * 1_000_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_what_does_not_answer_like_an_engine_is_named_and_disturbs_no_other(
        answer: bytes | None, folder: Path, dockerd: Dockerd, start_daemon: Callable[..., Daemon], client: Client,
        recorder: Recorder) -> None:
    path = folder / "bad.sock"
    with contextlib.closing(NoEngine(path, answer)):
        daemon = start_daemon({"bad": f"unix://{path}", "good": dockerd.url})
        wait_until(recorder, lambda: client.engines()["bad"]["LastError"] != "", 40, "a LastError")
        engines = client.engines()
        assert str(path) in engines["bad"]["LastError"]
        assert engines["bad"]["State"] != "watching"
        assert engines["good"]["State"] == "watching"
        assert engines["good"]["LastError"] == ""
        dockerd.run("web")
        recorder.wait_for("ContainerStarted", "web")
        assert daemon.stop(1.0) == 0


def folder_there(path: Path) -> None:
    path.mkdir()


def file_there(path: Path) -> None:
    path.write_text("no socket")


def nobody_listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as gone:
        gone.bind(str(path))


def loop_of_links(path: Path) -> None:
    path.symlink_to(path)


def fifo_there(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("place", [folder_there, file_there, nobody_listening, loop_of_links, fifo_there])
def test_what_is_in_the_place_of_a_socket_is_named_and_an_engine_that_takes_its_place_is_watched(
        place: Callable[[Path], None], folder: Path, dockerd: Dockerd, start_daemon: Callable[..., Daemon],
        client: Client, recorder: Recorder) -> None:
    path = folder / "place.sock"
    place(path)
    start_daemon({"bad": f"unix://{path}", "good": dockerd.url})
    engines = client.engines()
    assert engines["bad"]["State"] == "unavailable"
    assert str(path) in engines["bad"]["LastError"]
    assert engines["good"]["State"] == "watching"

    mark = len(recorder.signals)
    path.rename(folder / "away")
    path.symlink_to(dockerd.socket)
    recorder.wait_for("EngineStateChanged", after=mark, seconds=30,
                      where=lambda signal: signal.args[:2] == ["bad", "watching"])
    assert client.engines()["bad"]["LastError"] == ""


@pytest.mark.parametrize("type_", ["docker", "containerd"])
def test_who_listens_at_a_socket_has_to_be_root_or_whom_the_configuration_names(
        type_: str, request: pytest.FixtureRequest, cut_proxy: Callable[..., CutProxy],
        start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    engine: Engine = request.getfixturevalue({"docker": "dockerd"}.get(type_, type_))
    proxy = cut_proxy(engine)
    proxy.listen_as(NOBODY)
    daemon = start_daemon({"theirs": proxy.url if type_ == "docker" else Behind(type_, proxy.url)})
    wait_until(recorder, lambda: client.engines()["theirs"]["LastError"] != "", 20, "a LastError")
    theirs = client.engines()["theirs"]
    assert f"user {NOBODY} listens there, who is not trusted" in theirs["LastError"]
    assert (theirs["State"], theirs["Id"]) == ("unavailable", "")

    daemon.configuration.write_text(engine_table("theirs", Behind(type_, proxy.url), 'user = "nobody"'))
    client.manager("Reload")
    wait_until(recorder, lambda: client.engines()["theirs"]["State"] == "watching", 20, "what the configuration names")
