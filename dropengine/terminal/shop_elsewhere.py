"""A drop of a shop anywhere, by the studio's channel and an API key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
import websockets.asyncio.client as sockets
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from dropengine import wire
from dropengine.errors import DropEngineError, Unavailable
from dropengine.studio_wire import Desk
from dropengine.terminal.night import Night, Sight

SUBPROTOCOL: Final = Subprotocol("studio.v1")
OPEN_S_MAX: Final = 10.0
AGAIN_S: Final = 2.0
"""So long after a line broke the next is tried."""
FRAME_BYTES_MAX: Final = 8 << 20
NEVER: Final = range(4500, 5000)
"""Close codes after which coming back is of no use."""
ANSWERS: Final = {
    401: "The shop does not know this key.",
    403: "This key may not look at the drop.",
    404: "There is no such drop at the maker of this key.",
}

_snapshots = msgspec.json.Decoder(wire.Snapshot)
_ticks = msgspec.json.Decoder(wire.Tick)
_desks = msgspec.json.Decoder(Desk)


class _Kind(msgspec.Struct):
    t: str


_kinds = msgspec.json.Decoder(_Kind)


class ShopElsewhere:
    """url: of the shop, http:// or https://. key: an API key of the drop's maker."""

    def __init__(self, url: str, drop: str, key: str) -> None:
        self._drop = drop
        self._key = key
        self._shop = url.rstrip("/")
        self._address = f"ws{self._shop.removeprefix('http')}/studio/drops/{drop}/live"

    async def run(self, night: Night) -> None:
        """Look until the drop is over. Raises DropEngineError where it will never be let in, and
        Unavailable where nobody answers at the beginning; later that is told, and tried again."""
        while True:
            try:
                await self._hear(night)
            except Unavailable as fault:
                if night.sight is None:
                    raise
                night.miss(str(fault))
            if night.sight is not None and night.sight.over:
                return
            await asyncio.sleep(AGAIN_S)

    async def _hear(self, night: Night) -> None:
        """One line, until it breaks or the drop is over."""
        with _as_sentences(self._shop):
            async with sockets.connect(
                self._address,
                additional_headers={"Authorization": f"Bearer {self._key}"},
                subprotocols=[SUBPROTOCOL],
                open_timeout=OPEN_S_MAX,
                max_size=FRAME_BYTES_MAX,
            ) as line:
                seen = _Seen()
                async for frame in line:
                    sight = seen.take(frame if isinstance(frame, bytes) else frame.encode())
                    if sight is not None:
                        night.see(sight)
                        if sight.over:
                            return
        raise Unavailable(f"{self._shop} ended the line.")


class _Seen:
    """What was heard on one line so far."""

    def __init__(self) -> None:
        self._drop: wire.DropView | None = None
        self._tick: wire.Tick | None = None

    def take(self, frame: bytes) -> Sight | None:
        """The next message; what may be shown from it on."""
        match _kinds.decode(frame).t:
            case "snapshot":
                self._drop, self._tick = _snapshots.decode(frame).drop, None
            case "tick":
                self._tick = _ticks.decode(frame)
            case "desk" if self._drop is not None:
                return self._sight(self._drop, _desks.decode(frame))
            case _:
                pass
        return None

    def _sight(self, drop: wire.DropView, desk: Desk) -> Sight:
        now = self._tick or drop
        return Sight(
            drop.id,
            drop.title,
            drop.zone,
            drop.currency,
            now.state,
            now.why,
            now.opens_ms,
            now.closes_ms,
            desk,
        )


@contextmanager
def _as_sentences(shop: str) -> Iterator[None]:
    """Faults of the line as ours."""
    try:
        yield
    except InvalidStatus as fault:
        status = fault.response.status_code
        if status in ANSWERS:
            raise DropEngineError(ANSWERS[status]) from fault
        raise Unavailable(f"{shop} answers {status} in place of opening a line.") from fault
    except InvalidURI as fault:
        raise DropEngineError(f"{shop} is no address of a shop.") from fault
    except (ConnectionClosed, InvalidHandshake, OSError, TimeoutError) as fault:
        code = fault.rcvd.code if isinstance(fault, ConnectionClosed) and fault.rcvd else 0
        if code in NEVER:
            why = fault.rcvd.reason if isinstance(fault, ConnectionClosed) and fault.rcvd else ""
            raise DropEngineError(f"{shop} ended it: {why or code}.") from fault
        raise Unavailable(f"{shop} does not answer.") from fault
    except msgspec.MsgspecError as fault:
        raise DropEngineError(f"{shop} speaks another version of studio.v1: {fault}") from fault
