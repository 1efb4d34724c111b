"""A unix socket in front of an engine's, whose connections can be cut, refused and held up."""

import asyncio
import contextlib
import os
import socket
import threading
from pathlib import Path
from typing import Coroutine, Optional

from .waiting import Arrivals


class CutProxy:
    """Passes bytes from the moment it is made. All methods may be called from any thread."""

    def __init__(self, path: Path, target: Path):
        self.path = path
        self.url = f"unix://{path}"
        self.connections: Arrivals[None] = Arrivals()
        self._target = target
        self._server: Optional[asyncio.AbstractServer] = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cut-proxy")
        self._thread.start()
        self.accept()

    def cut(self) -> None:
        """All connections of this moment, as if the engine had died. New ones are taken."""
        self._do(self._cut())

    def refuse(self) -> None:
        """Cuts, and removes the socket, until accept()."""
        self._do(self._refuse())

    def accept(self) -> None:
        self._do(self._accept())

    def listen_as(self, user: int) -> None:
        """From now on the kernel says that this user listens (unix(7), SO_PEERCRED). For tests that root runs."""
        assert self._server is not None
        with socket.fromfd(self._server.sockets[0].fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as listening:
            os.seteuid(user)
            try:
                listening.listen()
            finally:
                os.seteuid(0)

    def pause(self) -> None:
        """Connections stand and are taken, and nothing passes in them, until resume()."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def resume(self) -> None:
        self._loop.call_soon_threadsafe(self._flowing.set)

    def close(self) -> None:
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _accept(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_unix_server(self._serve, str(self.path))

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            self.path.unlink(missing_ok=True)
        await self._cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(None)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            with contextlib.suppress(OSError):
                engine_reader, engine_writer = await asyncio.open_unix_connection(str(self._target))
                self._writers.add(engine_writer)
                try:
                    await asyncio.gather(self._pass(reader, engine_writer), self._pass(engine_reader, writer))
                finally:
                    self._writers.remove(engine_writer)
                    engine_writer.transport.abort()
        finally:
            self._writers.remove(writer)
            writer.transport.abort()
            self._tasks.remove(task)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the end of one side, which then ends the other."""
        try:
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
        except OSError:
            writer.transport.abort()
