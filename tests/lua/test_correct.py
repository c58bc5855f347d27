"""Rows of `correct`: words change, rules never."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dropengine import events, outcomes, refusals
from dropengine.log import replay
from dropengine.log.referee import judge
from dropengine.manifest import Manifest, correction, digest
from tests.kit.sale import Sale

LONG = "a word, " * 900


async def reads(sale: Sale) -> Manifest:
    shown = await sale.store.show(sale.drop)
    assert shown is not None
    assert shown.hash == digest(shown.manifest)
    return shown.manifest


async def corrected(sale: Sale, wanted: Manifest, **more: Any) -> outcomes.CreatorOutcome:
    return await sale.creator("correct", **msgspec.structs.asdict(correction(wanted)), **more)


async def check(sale: Sale) -> None:
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines).violations == []
    assert replay.difference(replay.fold_lines(lines), await sale.truth()) == []


@pytest.mark.parametrize("story", ["Wash by hand.", "", 'so "near"\n\n\\ \u00e9 \u05de', LONG])
async def test_words_are_put_right_and_the_log_tells_their_hash(sale: Sale, story: str) -> None:
    first = await reads(sale)
    item = msgspec.structs.replace(first.items[0], about=f"care: {story[:200]}")
    wanted = msgspec.structs.replace(first, story=story, items=(item, *first.items[1:]))
    assert isinstance(await corrected(sale, wanted), outcomes.Changed)
    assert await reads(sale) == wanted
    event = (await sale.log())[-1]
    assert isinstance(event, events.Corrected)
    assert event.hash == digest(wanted) == (await sale.truth()).drop["hash"]
    kept = msgspec.msgpack.decode(
        await sale.store.client.hget(f"{{{sale.drop}}}:drop", "versions"), strict=False
    )
    assert [row[1] for row in kept] == [digest(first)]
    await check(sale)


RULES: dict[str, Any] = {
    "title": "Another drop",
    "maker": "Somebody",
    "limit": 9,
    "hold_ms": 1,
    "currency": "USD",
    "opens_ms": 4_000_000_000_000,
    "practice": True,
    "id": "another",
}


@pytest.mark.parametrize("rule", RULES)
async def test_no_rule_is_changed_by_the_way(sale: Sale, rule: str) -> None:
    wanted = msgspec.structs.replace(await reads(sale), story="new", **{rule: RULES[rule]})
    refused = await corrected(sale, wanted)
    assert isinstance(refused, refusals.BadMessage)
    assert rule in refused.why
    assert (await reads(sale)).story == ""


@pytest.mark.parametrize("name", ["price", "cap", "title", "most", "limit", "id", "pools"])
async def test_no_item_becomes_another(sale: Sale, name: str) -> None:
    first = await reads(sale)
    was = getattr(first.items[0], name)
    other = was + 1 if isinstance(was, int) else f"{was}x" if isinstance(was, str) else ()
    item = msgspec.structs.replace(first.items[0], **{name: other})
    refused = await corrected(sale, msgspec.structs.replace(first, items=(item,)))
    assert isinstance(refused, refusals.BadMessage)
    assert name in refused.why
    extra = msgspec.structs.replace(first, items=(*first.items, *first.items))
    assert isinstance(await corrected(sale, extra), refusals.BadMessage)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        (
            "right \u202e left",
            "must not contain an invisible mark that turns the direction of text",
        ),
        ("a bell \u0007", "must not contain a control character"),
        ("\u200b \u00a0", "must show something"),
        ("x" * 8001, "must be at most 8000 characters, and has 8001"),
    ],
)
async def test_a_word_that_no_manifest_may_say_is_no_correction(
    sale: Sale, word: str, why: str
) -> None:
    first = await reads(sale)
    refused = await corrected(sale, msgspec.structs.replace(first, story=word))
    assert isinstance(refused, refusals.BadMessage)
    assert refused.why.startswith(f"manifest story: {why}")
    item = msgspec.structs.replace(first.items[0], about=word)
    refused = await corrected(sale, msgspec.structs.replace(first, items=(item,)))
    assert isinstance(refused, refusals.BadMessage)
    assert refused.why.startswith(f"manifest items[0].about: {why}".replace("8000", "2000"))
    assert await reads(sale) == first


async def test_the_hash_is_that_of_the_form_and_the_form_is_canonical(sale: Sale) -> None:
    wanted = correction(msgspec.structs.replace(await reads(sale), story="new"))
    for hash_, text in (
        ("0" * 64, wanted.manifest),
        (wanted.hash, wanted.manifest + " "),
        (wanted.hash, wanted.manifest.replace('":', '": ', 1)),
        (wanted.hash, "{}"),
        (wanted.hash, "no JSON"),
    ):
        refused = await sale.creator("correct", hash=hash_, manifest=text)
        assert isinstance(refused, refusals.BadMessage)
    assert len(await sale.log()) == 2


async def test_what_reads_so_already_is_nothing_new_and_a_repeat_is_harmless(sale: Sale) -> None:
    first = await reads(sale)
    assert isinstance(await corrected(sale, first), refusals.Already)
    wanted = msgspec.structs.replace(first, story="new")
    done = await corrected(sale, wanted, key="k")
    assert await corrected(sale, wanted, key="k", revision=2) == done
    assert isinstance(await corrected(sale, first, key="k"), refusals.KeyReused)
    assert isinstance(await corrected(sale, first), outcomes.Changed)
    assert isinstance(await corrected(sale, wanted, revision=2), refusals.StaleRevision)
    await check(sale)


async def test_twenty_times_and_no_more(sale: Sale) -> None:
    first = await reads(sale)
    for number in range(20):
        wanted = msgspec.structs.replace(first, story=f"version {number}")
        assert isinstance(await corrected(sale, wanted), outcomes.Changed)
    refused = await corrected(sale, first)
    assert refused == refusals.BadMessage("manifest was corrected 20 times, which is the most")
    await check(sale)


async def test_a_drop_that_was_called_off_reads_as_it_did(sale: Sale) -> None:
    first = await reads(sale)
    await sale.creator("cancel")
    wanted = msgspec.structs.replace(first, story="new")
    assert await corrected(sale, wanted) == refusals.Cancelled()
    assert await reads(sale) == first
