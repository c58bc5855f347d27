"""Whatever a creator or a provider says, in whatever field: an answer, a whole log, no freeze.

Every command goes three ways: as a store sends it, straight to its script as a careless caller
would, and typed at the command line. `WILD_CASES=5000` plays that many of each; a run of everything
plays 200.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from dropengine import outcomes, refusals
from dropengine.cli import main
from dropengine.creator_commands import COMMANDS, Bound, Refund, Seen, bounds
from dropengine.doors.page_templates import templates
from dropengine.doors.webhooks import Webhook
from dropengine.errors import Broken
from dropengine.log.referee import judge
from dropengine.log.replay import difference, fold
from dropengine.payments.intent_ids import IntentIds
from dropengine.payments.local import LocalPay
from dropengine.payments.local.webhook_signature import sign, webhook_key
from dropengine.payments.port import Notice
from dropengine.truth import command_checks, scripts
from tests.kit import wild_values
from tests.kit.local_provider import SECRET, SHOP, local_pay, only
from tests.kit.manifests import START_MS, item, manifest
from tests.kit.payment_doors import Deps
from tests.kit.private_server import Server
from tests.kit.raw_replies import raw
from tests.kit.sale import Sale
from tests.truth.test_store_machine import Hands

CASES = int(os.environ.get("WILD_CASES") or 200)
MANY = settings(
    max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
STEPS_MAX = 8

_drops = count(1)

TAME = {
    "whole": st.integers(1, 4),
    "id": st.sampled_from(("pin", "pen", "h1", "h2", "again")),
    "line": wild_values.lines,
    "operator": st.sampled_from(("o1", "o2", "disk")),
    "text": wild_values.lines,
}
WILD = {
    "whole": wild_values.numbers,
    **dict.fromkeys(("id", "line", "operator", "text"), wild_values.texts),
}


def mostly(tame: st.SearchStrategy[Any], wild: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Rather tame: a command with every field wild is refused for the first of them."""
    return st.one_of(tame, tame, tame, wild)


def fields(kind: type[msgspec.Struct], *, spelled: bool = False) -> st.SearchStrategy[Any]:
    """What a caller puts into the fields of a struct. spelled: numbers as texts."""
    return st.fixed_dictionaries({name: value(bound, spelled) for name, bound in bounds(kind)})


def value(bound: Bound, spelled: bool) -> st.SearchStrategy[Any]:
    if bound.kind == "word":
        return mostly(st.sampled_from(bound.words), wild_values.texts)
    if bound.kind == "whole" and spelled:
        return mostly(TAME["whole"].map(str), wild_values.spelled)
    return mostly(TAME[bound.kind], WILD[bound.kind])


@pytest.fixture(scope="module")
def hands(server: Server) -> Iterator[Hands]:
    pair = Hands(server)
    yield pair
    pair.close()


async def a_sale(hands: Hands) -> Sale:
    """A live drop with a unit that is being paid, an order, a held unit, somebody in line, and
    withheld units."""
    sale = Sale(hands.store, f"wild-{next(_drops)}")
    stock = item("pin", {"pin": 4}, withheld={"pin": 2}), item("pen", {"pen": 1})
    await sale.publish(manifest(sale.drop, *stock))
    await sale.creator("open")
    await sale.bought("ana")
    await sale.pay("bo", await sale.held("bo"))
    await sale.held("cy", "pen")
    await sale.joined("di", "pen")
    return sale


async def check_whole(sale: Sale) -> None:
    """Nothing froze, the log is read, the referee is content, and the log alone makes the truth."""
    sale.now += 10_000_000
    while (await sale.settle()).next_ms:
        sale.now += 10_000_000
    truth, log = await sale.truth(), await sale.log()
    lines = [line async for line in sale.store.log(sale.drop)]
    assert truth.state != "frozen"
    assert judge(lines).violations == []
    assert difference(fold(log), truth) == []
    for line in lines:
        json.loads(line, parse_float=refuse)
    assert all(type(duty.amount) is int for duty in truth.outbox.values())


def refuse(number: str) -> float:
    raise AssertionError(f"a number of the log is written as {number}")


def raw_bytes(value: object) -> bytes:
    return str(value).encode("utf-8", "surrogateescape")


verbs = st.sampled_from(tuple(COMMANDS))


@MANY
@given(data=st.data())
def test_what_a_store_sends_is_answered_and_leaves_a_whole_log(
    hands: Hands, data: st.DataObject
) -> None:
    async def play() -> None:
        sale = await a_sale(hands)
        for _ in range(data.draw(st.integers(1, STEPS_MAX), "steps")):
            sale.now += 1000
            verb = data.draw(verbs, "verb")
            more = data.draw(fields(COMMANDS[verb]), "fields")
            signed = data.draw(fields(Seen), "signed")
            if data.draw(st.booleans(), "sees it"):
                signed["revision"] = sale.revision
            outcome = await sale.creator(verb, **signed, **more)
            assert isinstance(outcome, outcomes.Changed | refusals.Refusal)
            told = data.draw(fields(Refund), "order")
            told |= {"by": signed["by"], "key": signed["key"]}
            told["amount"] = data.draw(st.none() | st.integers(0, 900), "amount")
            told["serials"] = data.draw(st.just(()) | st.lists(st.integers(0, 3)), "serials")
            await sale.store.refund(sale.drop, **told, clock_ms=sale.now)
        await check_whole(sale)

    hands.run(play())


SPOKEN = (*COMMANDS, "refund")


async def careless(hands: Hands, data: st.DataObject, verbs: Sequence[str] = SPOKEN) -> None:
    """No type stands before the script: texts where numbers should be, bytes that are no UTF-8."""
    sale = await a_sale(hands)
    for _ in range(data.draw(st.integers(1, STEPS_MAX), "steps")):
        sale.now += 1000
        verb = data.draw(st.sampled_from(verbs), "verb")
        signed, command = (
            data.draw(fields(kind, spelled=True), kind.__name__)
            for kind in command_checks.SIGNED[verb]
        )
        if "revision" in signed and data.draw(st.booleans(), "sees it"):
            signed["revision"] = (await sale.truth()).drop["revision"]
        given = [signed[name] for name in ("revision", "by", "key") if name in signed]
        given = [*given, *command.values()]
        if verb == "refund":
            given.insert(0, given.pop(2))
        # An older caller may say less than the script reads.
        said = data.draw(st.integers(len(given) - 1, len(given)), "said")
        words = [*map(raw_bytes, given[:said])]
        if verb == "refund" and said == len(given):
            amount = data.draw(mostly(st.just(""), wild_values.spelled), "amount")
            serials = data.draw(st.lists(st.integers(0, 3)), "serials")
            words += [raw_bytes(amount), msgspec.msgpack.encode(serials)]
        word, *_ = await raw(sale, verb, *words)
        assert word in {kind.__struct_config__.tag for kind in TOLD}
    await check_whole(sale)


@MANY
@given(data=st.data())
def test_a_careless_caller_of_a_script_is_answered_and_leaves_a_whole_log(
    hands: Hands, data: st.DataObject
) -> None:
    hands.run(careless(hands, data))


@pytest.mark.parametrize("guard", ["unfit_whole", "unfit_id", "unfit_line"])
def test_without_a_guard_a_careless_caller_does_harm(server: Server, guard: str) -> None:
    """The control: what the cases above find when there is something to be found."""
    fit = guard.removeprefix("unfit_")
    guarded = [
        verb
        for verb in SPOKEN
        if any(
            bound.kind == fit for kind in command_checks.SIGNED[verb] for _, bound in bounds(kind)
        )
    ]
    nothing = f"--[[\n{guard} -- looks at nothing.\n--]]\nlocal function {guard}() end\n"
    hands = Hands(server, scripts.load({f"creator/{guard}.lua": nothing}))

    @settings(
        MANY,
        max_examples=2_000,
        derandomize=True,
        report_multiple_bugs=False,
        phases=(Phase.generate,),
    )
    @given(data=st.data())
    def play(data: st.DataObject) -> None:
        hands.run(careless(hands, data, guarded))

    try:
        with pytest.raises((AssertionError, Broken, ValueError)):
            play()
    finally:
        hands.close()


TOLD = {*outcomes.CreatorOutcome.__args__, *outcomes.RefundOutcome.__args__}


@MANY
@given(data=st.data())
def test_what_is_typed_is_answered_without_a_traceback(
    server: Server, hands: Hands, data: st.DataObject
) -> None:
    sale = hands.run(a_sale(hands))
    verb = data.draw(
        st.sampled_from((*COMMANDS, "refund", "show", "log", "list", "publish", "audit")), "verb"
    )
    words = ["audit", "--repair", "--thaw"] if verb == "audit" else ["drop", verb]
    if verb not in ("list", "publish"):
        words.append(data.draw(mostly(st.just(str(sale.drop)), wild_values.texts), "drop"))
    kind = COMMANDS.get(verb) or (Refund if verb == "refund" else None)
    typed = data.draw(fields(kind, spelled=True), "fields") if kind else {}
    typed.pop("back", None)  # It goes to the line: nothing else is typed.
    words += [f"--why={typed[name]}" if name == "why" else typed[name] for name in typed]
    if verb not in ("list", "show", "log"):
        for name, value in data.draw(fields(Seen, spelled=True), "signed").items():
            if (name != "revision" or verb in COMMANDS) and data.draw(st.booleans(), name):
                words.append(f"--{name}={value}")
    if verb == "publish":
        file = data.draw(st.sampled_from((FILE, "none.toml", "\x00", "/")), "file")
        opens_in = data.draw(mostly(st.just("60"), wild_values.spelled), "opens in")
        ident = data.draw(mostly(st.just(f"typed-{next(_drops)}"), wild_values.texts), "id")
        words += [file, f"--opens-in={opens_in}", f"--id={ident}"]
    if verb == "log":
        words.append(f"--after={data.draw(wild_values.spelled, 'after')}")
    typing = data.draw(mostly(st.just(f"{sale.drop}\n"), wild_values.texts), "typed")
    # 14: whose a drop would be cannot be asked, for no shop brought its tables here.
    assert ended(typing, [*words, f"--redis-url={server.url}"]) in (0, 1, 2, 4, 14)
    hands.run(check_whole(sale))


FILE = str(Path(__file__).parents[2] / "dropengine" / "examples" / "hard-mix-a.toml")


def ended(typing: str, words: list[str]) -> int:
    """The exit code of one command line, with what was typed when it asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.StringIO(typing))
        try:
            return main.main(words)
        except SystemExit as usage:
            return int(usage.code or 0)


WILD_NOTICE: dict[str, tuple[st.SearchStrategy[Any], st.SearchStrategy[Any]]] = {
    "drop": (st.none(), wild_values.texts),
    "event": (wild_values.ids, wild_values.texts),
    "kind": (st.sampled_from(("authorized", "captured", "declined")), wild_values.texts),
    "payment": (st.sampled_from(("p1", "p2", "p3")), wild_values.texts),
    "charge": (wild_values.ids, wild_values.texts),
    "amount": (st.just(2400), wild_values.numbers | st.floats(allow_nan=False)),
    "currency": (st.just("EUR"), wild_values.texts),
    "captured": (st.booleans(), wild_values.numbers),
    "card": (st.none() | wild_values.ids, wild_values.texts),
}
"""Field of a notice -> what a provider says in it, and what else may stand there. No drop: the
case's own."""


def test_every_field_of_a_notice_is_said_wildly() -> None:
    assert set(WILD_NOTICE) | {"intent"} == set(Notice.__struct_fields__)


@pytest.fixture(scope="module")
def provider(hands: Hands, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPay]:
    opened = local_pay(tmp_path_factory.mktemp("book") / "book")
    yield hands.run(opened.__aenter__())
    hands.run(opened.__aexit__(None, None, None))


@MANY
@given(data=st.data())
def test_a_signed_notice_is_answered_and_leaves_a_whole_log(
    hands: Hands, provider: LocalPay, data: st.DataObject
) -> None:
    door = Webhook(
        Deps(hands.store, IntentIds(SHOP, hands.store), only(provider), templates()), provider
    )

    async def play() -> None:
        sale = await a_sale(hands)
        for _ in range(data.draw(st.integers(1, STEPS_MAX), "steps")):
            # With every field wild none would be looked at but the first.
            wild = data.draw(st.sets(st.sampled_from(sorted(WILD_NOTICE)), max_size=1), "wild")
            notice = {
                name: data.draw(values[name in wild], name) for name, values in WILD_NOTICE.items()
            }
            notice["drop"] = notice["drop"] or sale.drop
            answer = await told(door, notice | {"intent": await an_intent_of(hands, sale, notice)})
            assert answer.status_code in (200, 400, 503)
        await check_whole(sale)

    hands.run(play())


def test_a_notice_without_a_wild_field_sells(hands: Hands, provider: LocalPay) -> None:
    """The control: what the cases say is believed, so that a wild field in it is looked at."""
    door = Webhook(
        Deps(hands.store, IntentIds(SHOP, hands.store), only(provider), templates()), provider
    )

    async def play() -> Response:
        sale = await a_sale(hands)
        notice = {
            "event": "ev",
            "kind": "authorized",
            "payment": "p2",
            "charge": "ch",
            "amount": 2400,
        }
        notice |= {"currency": "EUR", "captured": False, "drop": sale.drop}
        return await told(door, notice | {"intent": await an_intent_of(hands, sale, notice)})

    answer = hands.run(play())
    assert (answer.status_code, bytes(answer.body)) == (200, b'{"outcome":"paid"}')


async def an_intent_of(hands: Hands, sale: Sale, notice: dict[str, Any]) -> str:
    """The id of the payment of a notice, where there is such a payment."""
    payment, intent = notice["payment"], None
    if notice["drop"] == sale.drop and payment in ("p1", "p2", "p3"):
        intent = await IntentIds(SHOP, hands.store).now(sale.drop, payment)
    return intent or f"{notice['drop']}.{payment}"


async def told(door: Webhook, notice: dict[str, object]) -> Response:
    """Give the door a notice that the provider signed."""
    body = as_json(notice)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = sign(webhook_key(SECRET), START_MS // 1000, body)
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    return await door.take(Request(scope, receive))


def as_json(notice: dict[str, object]) -> bytes:
    """JSON as a careless provider writes it: any number, and bytes that are no UTF-8."""
    parts = [
        b'"%b":%b'
        % (name.encode(), raw_bytes(value) if type(value) in (int, float) else text(value))
        for name, value in notice.items()
    ]
    return b"{" + b",".join(parts) + b"}"


def text(value: object) -> bytes:
    if isinstance(value, str):
        return msgspec.json.encode(value.replace("\udcff", "\ue000")).replace(
            b"\xee\x80\x80", b"\xff"
        )
    return msgspec.json.encode(value)
