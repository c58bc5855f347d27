"""Rows of `enroll`: a fan comes into cohorts of a drop, and what that lets him do."""

from __future__ import annotations

from dropengine import events, outcomes, refusals
from tests.conftest import MakeSale
from tests.kit.manifests import HOLD_MS, START_MS, item
from tests.kit.sale import Sale

PUBLIC_MS = START_MS + 3_600_000
NOT_YET = refusals.NotEligible(PUBLIC_MS)


async def with_cohorts(make_sale: MakeSale, pins: int = 4, **most: int) -> Sale:
    """Open since its start, to all an hour later."""
    pin = item("pin", {"pin": pins})
    return await make_sale(pin, cohorts=most, public_ms=PUBLIC_MS)


async def test_who_is_in_a_cohort_may_buy_and_who_is_in_none_reads_when_he_may(
    make_sale: MakeSale,
) -> None:
    sale = await with_cohorts(make_sale, club=2)
    assert await sale.enroll("ada", "club") == outcomes.Enrolled(3, ["club"])
    assert (await sale.log())[-1] == events.Enrolled(3, START_MS, "ada", ["club"])
    hold = await sale.held("ada")
    assert (await sale.truth()).holds[hold].cohort == "club"
    before = await sale.truth()
    assert [await sale.hold("ben"), await sale.join("ben")] == [NOT_YET] * 2
    assert await sale.truth() == before
    assert NOT_YET.text != NOT_YET.sentence


async def test_what_he_is_in_already_changes_nothing(make_sale: MakeSale) -> None:
    sale = await with_cohorts(make_sale, club=1, friends=1)
    await sale.enroll("ada", "friends")
    before = await sale.truth()
    assert await sale.enroll("ada", "friends") == outcomes.Enrolled(3, ["friends"])
    assert await sale.truth() == before
    # In the order of the manifest.
    assert await sale.enroll("ada", "friends", "club") == outcomes.Enrolled(4, ["club", "friends"])


async def test_a_unit_counts_against_the_first_of_his_cohorts_with_room_for_all_that_he_takes(
    make_sale: MakeSale,
) -> None:
    sale = await with_cohorts(make_sale, pins=5, club=1, friends=3)
    await sale.enroll("ada", "club", "friends")
    two = await sale.held("ada", qty=2)
    await sale.enroll("ben", "club", "friends")
    one = await sale.held("ben")
    holds = (await sale.truth()).holds
    assert (holds[two].cohort, holds[one].cohort) == ("friends", "club")
    assert (await sale.truth()).pools["pin"].counted == [1, 2]
    # None of the two has room for two any more, and one of them for one.
    assert await sale.hold("ben", qty=2) == refusals.CohortFull(1, PUBLIC_MS)
    last = await sale.hold("ben", qty=2, fewer=True)
    assert isinstance(last, outcomes.Held)
    assert (last.hold.qty, last.hold.cohort) == (1, "friends")


async def test_at_a_ceiling_a_fan_joins_and_is_called_when_his_cohort_has_room_again(
    make_sale: MakeSale,
) -> None:
    """Units are free all the time, and another cohort's fan passes who waits at the ceiling."""
    sale = await with_cohorts(make_sale, club=1, friends=2)
    await sale.enroll("ada", "club")
    await sale.enroll("ben", "club")
    await sale.enroll("cy", "friends")
    hold = await sale.held("ada")
    order = await sale.succeeded(hold, captured=True)
    assert isinstance(order, outcomes.Paid)
    assert await sale.hold("ben") == refusals.CohortFull(0, PUBLIC_MS)
    entry = await sale.joined("ben")
    await sale.held("cy")
    assert (await sale.truth()).entries[entry].state == "waiting"
    await sale.refund(hold)
    offered = (await sale.log())[-1]
    assert isinstance(offered, events.Offered)
    assert (offered.fan, offered.cohort) == ("ben", "club")


async def test_who_comes_into_another_cohort_while_he_waits_is_called_for_it(
    make_sale: MakeSale,
) -> None:
    sale = await with_cohorts(make_sale, club=1, friends=1)
    await sale.enroll("ada", "club")
    await sale.held("ada")
    await sale.enroll("ben", "club")
    await sale.joined("ben")
    await sale.enroll("ben", "friends")
    offered = (await sale.log())[-1]
    assert isinstance(offered, events.Offered)
    assert (offered.fan, offered.cohort) == ("ben", "friends")


async def test_a_late_payment_is_rescued_within_its_fans_cohorts_alone(
    make_sale: MakeSale,
) -> None:
    sale = await with_cohorts(make_sale, club=1)
    await sale.enroll("ada", "club")
    await sale.enroll("ben", "club")
    lost = await sale.held("ada")
    await sale.pay("ada", lost)
    sale.now += HOLD_MS
    await sale.settle()
    assert isinstance(await sale.unpaid(lost), outcomes.Unpaid)
    given = await sale.held("ben")
    late = await sale.succeeded(lost, "first")
    assert isinstance(late, outcomes.Voided)
    # And where his cohort has room it counts again.
    await sale.pay("ben", given)
    sale.now += HOLD_MS
    await sale.settle()
    await sale.unpaid(given)
    # Ada was made good, and would be called before him.
    (entry,) = (await sale.you("ada")).record.entries
    await sale.leave("ada", entry)
    assert isinstance(await sale.succeeded(given, "second"), outcomes.Paid)
    truth = await sale.truth()
    assert (truth.holds[given].cohort, truth.pools["pin"].counted) == ("club", [1])


async def test_membership_is_the_persons_whom_a_guest_became(make_sale: MakeSale) -> None:
    sale = await with_cohorts(make_sale, club=1, friends=1)
    await sale.enroll("ada", "club")
    await sale.held("ada")
    await sale.enroll("guest", "club")
    await sale.joined("guest")
    await sale.enroll("pia", "friends")
    assert isinstance(await sale.adopt("guest", "pia"), outcomes.Adopted)
    fans = (await sale.truth()).fans
    assert (fans["pia"].cohorts, fans["guest"].cohorts) == (["club", "friends"], [])
    # The place that waited at the club's ceiling is called for what friends may have.
    offered = (await sale.log())[-1]
    assert isinstance(offered, events.Offered)
    assert (offered.fan, offered.cohort) == ("pia", "friends")
    # His old id speaks for the person.
    assert await sale.enroll("guest", "friends") == outcomes.Enrolled(
        (await sale.truth()).seq, ["club", "friends"]
    )


async def test_nothing_is_written_once_it_is_open_to_all_and_over_is_over(
    make_sale: MakeSale,
) -> None:
    sale = await with_cohorts(make_sale, club=1)
    assert isinstance(await sale.enroll("ada", "gang"), refusals.BadMessage)
    assert isinstance(await sale.enroll("", "club"), refusals.BadMessage)
    await sale.creator("widen")
    assert await sale.enroll("ada", "club") == outcomes.Enrolled(3, [])
    for verb, refusal in (("close", refusals.Closed()), ("cancel", refusals.Cancelled())):
        other = await make_sale(cohorts={"club": 1}, also=f"-{verb}")
        await other.creator(verb)
        assert await other.enroll("ada", "club") == refusal
