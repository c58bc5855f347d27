"""An embedded server that is started again whenever it dies."""

import asyncio
import os
import signal

from dropengine.processes.embedded_server import EmbeddedServer, ServerState


class Watched:
    """A server that is kept alive, and what its keeper was told."""

    def __init__(self, one: EmbeddedServer) -> None:
        self.one = one
        self.told: asyncio.Queue[tuple[ServerState, str]] = asyncio.Queue()

    async def __aenter__(self) -> "Watched":
        await self.one.rise()
        self.task = asyncio.create_task(self.one.watch(lambda *news: self.told.put_nowait(news)))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.one.stop()
        await asyncio.gather(self.task, return_exceptions=True)

    async def until(self, state: ServerState) -> str:
        while True:
            found, sentence = await asyncio.wait_for(self.told.get(), 30)
            if found is state:
                return sentence

    async def killed(self) -> None:
        """kill -9, and wait until it is up again."""
        assert self.one.pid is not None
        os.kill(self.one.pid, signal.SIGKILL)
        await self.until(ServerState.UP)
