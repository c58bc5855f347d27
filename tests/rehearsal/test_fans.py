"""What a person does when the other end behaves in ways that a healthy shop shows only by luck.

The other end is a script of frames; whole evenings against the real shop are in `test_demo`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from dropengine import wire
from dropengine.rehearsal.fans import Crowd, Fan
from dropengine.rehearsal.fans.client_socket import ABNORMAL, SUBPROTOCOL, TurnedAway, dial
from dropengine.rehearsal.fans.plans import Ending, OfferAnswer, Plan
from dropengine.rehearsal.history.record import Fail, Info, Invoke, Ok

DROP = "pins"
POOL = wire.PoolView(
    item="pin", cap=3, free=3, held=0, sold=0, withheld=0, leased=0, waiting=0, buying=0, offered=0
)
PLAN = Plan(
    drop=0,
    early_ms=1,
    tap_ms=0,
    impatient=False,
    pools=(0,),
    qty=1,
    fewer=False,
    twice=False,
    ending=Ending.LAPSE,
    think=0.0,
    extends=False,
    joins=False,
    answer=OfferAnswer.CLAIM,
    answer_think=0.0,
    patience=0.0,
    breaks_ms=0,
    again=False,
)


def you(seq: int, **more: object) -> wire.You:
    nothing = wire.You(seq=seq, fan="ada", used=0, holds=[], entries=[], orders=[])
    return msgspec.structs.replace(nothing, **more)


def snapshot(seq: int = 2, state: str = "live", mine: wire.You | None = None) -> wire.Snapshot:
    item = wire.ItemView(id="pin", title="Pin", cap=3, price=1, limit=0, most=2, pools=["pin"])
    drop = wire.DropView(
        id=DROP,
        title="Pins",
        maker="",
        story="",
        state=state,
        revision=1,
        mode="rush",
        currency="EUR",
        minor_digits=2,
        zone="UTC",
        opens_ms=0,
        closes_ms=0,
        now=0,
        limit=2,
        k=5,
        hold_ms=1_000,
        offer_ms=1_000,
        extend_ms=1_000,
        cool_ms=0,
        practice=True,
        pace=10,
        pace_ms=10_000,
        hash="",
        epoch="",
        durable=True,
        items=[item],
        pools={"pin": POOL},
        lines={"pin": 0},
        news=[],
    )
    return wire.Snapshot(seq=seq, drop=drop, you=mine or you(seq))


def hold(name: str = "h1", **more: object) -> wire.HoldView:
    plain = wire.HoldView(
        id=name,
        key="k",
        pool="pin",
        qty=1,
        price=1,
        origin="press",
        state="active",
        start_ms=0,
        deadline_ms=0,
        claimed=False,
        extended=False,
        checking=False,
    )
    return msgspec.structs.replace(plain, **more)


Talk = Callable[["Peer", ServerConnection], Awaitable[None]]


class Peer:
    """The other end. `talk` is what happens on each socket; `heard` collects the commands."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.url = ""
        self.sockets = 0
        self.cookies: list[str] = []
        self.heard: asyncio.Queue[wire.FromFanMessage] = asyncio.Queue()

    async def hear(self, socket: ServerConnection) -> wire.FanCommand:
        """The next command on a socket."""
        message = wire.parse(await socket.recv(decode=False))
        assert isinstance(message, wire.Command)
        self.heard.put_nowait(message)
        return message

    @staticmethod
    async def tell(socket: ServerConnection, message: wire.ToFanMessage) -> None:
        await socket.send(wire.encode(message).decode())

    def page(self, connection: ServerConnection, request: Request) -> Response | None:
        """A GET of the page gives the ticket; a socket goes on to its talk."""
        if request.path != f"/drops/{DROP}/live":
            answer = connection.respond(HTTPStatus.OK, "")
            answer.headers["Set-Cookie"] = f"fan=ticket{len(self.cookies)}; HttpOnly; Path=/"
            self.cookies.append(request.headers.get("Cookie", ""))
            return answer
        self.cookies.append(request.headers.get("Cookie", ""))
        return None

    async def sit(self, socket: ServerConnection) -> None:
        self.sockets += 1
        await self.talk(self, socket)


@contextlib.asynccontextmanager
async def meet(talk: Talk) -> AsyncIterator[tuple[Peer, Crowd]]:
    peer = Peer(talk)
    async with serve(
        peer.sit,
        "127.0.0.1",
        0,
        process_request=peer.page,
        subprotocols=[SUBPROTOCOL],
        compression=None,
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        peer.url = f"http://127.0.0.1:{port}"
        crowd = Crowd(peer.url, seed=1)
        try:
            yield peer, crowd
            assert crowd.stumbles == []
        finally:
            await crowd.close()


def come(crowd: Crowd, **habits: object) -> Fan:
    crowd.opened.set()
    return crowd.enter(DROP, msgspec.structs.replace(PLAN, **habits))


async def soon(true: Callable[[], bool], fan: Fan) -> None:
    async with asyncio.timeout(20):
        await fan.browser.until(true)


async def test_a_lost_answer_is_asked_again_with_the_same_key() -> None:
    async def talk(peer: Peer, socket: ServerConnection) -> None:
        await peer.tell(socket, snapshot())
        command = await peer.hear(socket)
        if peer.sockets == 1:
            socket.transport.abort()
            return
        await peer.tell(socket, wire.Done(id=command.id, seq=3, hold=hold()))
        await peer.tell(socket, you(3, holds=[hold()]))
        await socket.wait_closed()

    async with meet(talk) as (peer, crowd):
        fan = come(crowd)
        await soon(lambda: bool(fan.screen.you and fan.screen.you.holds), fan)
        first, again = await peer.heard.get(), await peer.heard.get()
        assert isinstance(first, wire.Hold)
        assert isinstance(again, wire.Hold)
        assert first.key == again.key
        assert [type(line) for line in crowd.history.lines()[:2]] == [Invoke, Ok]
        assert crowd.reconnects == 1


async def test_away_is_unknown_and_never_written_down_as_a_refusal() -> None:
    async def talk(peer: Peer, socket: ServerConnection) -> None:
        await peer.tell(socket, snapshot())
        command = await peer.hear(socket)
        await peer.tell(
            socket, wire.Refused(id=command.id, seq=2, code="away", text="", retry_ms=1)
        )
        command = await peer.hear(socket)
        await peer.tell(socket, wire.Done(id=command.id, seq=3, hold=hold()))
        await peer.tell(socket, you(3, holds=[hold()]))
        await socket.wait_closed()

    async with meet(talk) as (peer, crowd):
        fan = come(crowd)
        await soon(lambda: bool(fan.screen.you and fan.screen.you.holds), fan)
        first, again = await peer.heard.get(), await peer.heard.get()
        assert isinstance(first, wire.Hold)
        assert isinstance(again, wire.Hold)
        assert first.key == again.key
        assert not any(isinstance(line, Fail) for line in crowd.history.lines())


async def test_what_has_no_answer_when_the_crowd_goes_home_stays_unknown() -> None:
    asked = asyncio.Event()

    async def talk(peer: Peer, socket: ServerConnection) -> None:
        await peer.tell(socket, snapshot())
        await peer.hear(socket)
        asked.set()
        await socket.wait_closed()

    async with meet(talk) as (_, crowd):
        come(crowd)
        await asked.wait()
    assert [type(line) for line in crowd.history.lines()[:2]] == [Invoke, Info]


async def test_a_refusal_is_an_end_and_is_not_asked_again() -> None:
    async def talk(peer: Peer, socket: ServerConnection) -> None:
        await peer.tell(socket, snapshot())
        command = await peer.hear(socket)
        await peer.tell(socket, wire.Refused(id=command.id, seq=2, code="sold_out", text=""))
        command = await peer.hear(socket)
        await peer.tell(socket, wire.Done(id=command.id, seq=3, entry="e1"))
        await socket.wait_closed()

    async with meet(talk) as (peer, crowd):
        fan = come(crowd, joins=True)
        assert isinstance(await peer.heard.get(), wire.Hold)
        assert isinstance(await peer.heard.get(), wire.Join)
        await soon(lambda: crowd.refusals["sold_out"] == 1, fan)


async def test_a_double_click_is_one_key_and_two_holds_for_it_are_doubted() -> None:
    async def talk(peer: Peer, socket: ServerConnection) -> None:
        await peer.tell(socket, snapshot())
        for number in (1, 2):
            command = await peer.hear(socket)
            made = hold(f"h{number}")
            await peer.tell(socket, wire.Done(id=command.id, seq=3, hold=made))
        await peer.tell(socket, you(4))
        await socket.wait_closed()

    async with meet(talk) as (peer, crowd):
        fan = come(crowd, twice=True)
        first, second = await peer.heard.get(), await peer.heard.get()
        assert isinstance(first, wire.Hold)
        assert isinstance(second, wire.Hold)
        assert first.key == second.key
        assert first.id != second.id
        await soon(lambda: fan.screen.faults_count == 1, fan)


async def test_an_offer_is_claimed_and_then_treated_as_a_hold() -> None:
    offer = hold("h9", origin="line")
    taken = hold("h9", origin="line", claimed=True)

    async def talk(peer: Peer, socket: ServerConnection) -> None:
        await peer.tell(socket, snapshot(mine=you(2, holds=[offer])))
        command = await peer.hear(socket)
        await peer.tell(socket, wire.Done(id=command.id, seq=3, hold=taken))
        await peer.tell(socket, you(3, holds=[taken]))
        command = await peer.hear(socket)
        await peer.tell(socket, wire.Done(id=command.id, seq=4))
        await peer.tell(socket, you(4))
        await socket.wait_closed()

    async with meet(talk) as (peer, crowd):
        come(crowd, ending=Ending.RELEASE)
        claimed, released = await peer.heard.get(), await peer.heard.get()
        assert isinstance(claimed, wire.Claim)
        assert isinstance(released, wire.Release)
        assert claimed.hold == released.hold == "h9"


async def test_nobody_asks_for_more_than_the_drop_sells_at_once() -> None:
    async def talk(peer: Peer, socket: ServerConnection) -> None:
        await peer.tell(socket, snapshot())
        await peer.hear(socket)
        await socket.wait_closed()

    async with meet(talk) as (peer, crowd):
        come(crowd, qty=3)
        press = await peer.heard.get()
        assert isinstance(press, wire.Hold)
        assert press.qty == 2


async def test_a_paused_drop_is_waited_for() -> None:
    resumed = asyncio.Event()

    async def talk(peer: Peer, socket: ServerConnection) -> None:
        await peer.tell(socket, snapshot(state="paused"))
        await resumed.wait()
        assert peer.heard.empty()
        pools = {"pin": POOL}
        tick = wire.Tick(seq=3, now=1, state="live", revision=2, pools=pools)
        await peer.tell(socket, tick)
        await peer.hear(socket)
        await socket.wait_closed()

    async with meet(talk) as (peer, crowd):
        fan = come(crowd)
        await soon(lambda: fan.screen.state == "paused", fan)
        resumed.set()
        assert isinstance(await peer.heard.get(), wire.Hold)


async def test_everybody_has_a_ticket_of_his_own() -> None:
    async def talk(peer: Peer, socket: ServerConnection) -> None:
        await peer.tell(socket, snapshot(state="scheduled"))
        await socket.wait_closed()

    async with meet(talk) as (peer, crowd):
        fans = [come(crowd) for _ in range(12)]
        for fan in fans:
            await soon(lambda fan=fan: fan.screen.drop is not None, fan)  # type: ignore[misc]
        assert len({fan.browser.cookie for fan in fans}) == 12
        # The page is asked for without a ticket, the socket with the one it gave.
        assert sorted(cookie for cookie in peer.cookies if cookie) == sorted(
            fan.browser.cookie for fan in fans
        )


async def test_a_code_that_says_do_not_come_back_is_obeyed() -> None:
    async def talk(peer: Peer, socket: ServerConnection) -> None:
        await peer.tell(socket, snapshot(state="scheduled"))
        await socket.close(wire.CloseCode.NO_SUCH_DROP)

    async with meet(talk) as (peer, crowd):
        fan = come(crowd)
        await soon(lambda: fan.screen.faults_count == 1, fan)
        assert "4504" in fan.screen.faults[0]
        assert peer.sockets == 1


async def test_a_lost_socket_is_told_once_with_its_code() -> None:
    codes: asyncio.Queue[int] = asyncio.Queue()
    frames: asyncio.Queue[bytes] = asyncio.Queue()

    async def talk(peer: Peer, socket: ServerConnection) -> None:
        await socket.send(["a frame ", "in three ", "pieces"])
        if peer.sockets == 1:
            await socket.close(1012)
        else:
            socket.transport.abort()

    async with meet(talk) as (peer, _):
        url = f"{peer.url.replace('http', 'ws')}/drops/{DROP}/live"
        for code in (1012, ABNORMAL):
            link = await dial(
                url,
                origin=peer.url,
                cookie="",
                hear=frames.put_nowait,
                lost=codes.put_nowait,
                within_s=5,
            )
            assert await frames.get() == b"a frame in three pieces"
            assert await codes.get() == code
            assert not link.send(b"{}")
        assert codes.empty()


async def test_a_handshake_that_is_turned_away_says_its_status() -> None:
    async def talk(peer: Peer, socket: ServerConnection) -> None:
        raise AssertionError("nobody gets here")

    async with meet(talk) as (peer, _):
        with pytest.raises(TurnedAway, match="200"):
            await dial(
                f"{peer.url.replace('http', 'ws')}/elsewhere",
                origin=peer.url,
                cookie="",
                hear=lambda _: None,
                lost=lambda _: None,
                within_s=5,
            )
