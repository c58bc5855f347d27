"""How a drop gives out its arrivals, as its maker chooses it: each mode with whom it suits, and
what a form says of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from dropengine.doors.page_formats import span
from dropengine.log.draw import drand
from dropengine.manifest import Form, Manifest
from dropengine.manifest.defaults import MODES, WINDOWS
from dropengine.manifest.form import OF_CHANCE, PLANNED
from dropengine.manifest.game import KINDS
from dropengine.manifest.moments import moment
from dropengine.manifest.seal import first_round, sealed_at
from dropengine.randomness import CHAINS, QUICKNET, BeaconRound, Chain, Source


class Mode(NamedTuple):
    """How a mode is shown. `suits`: whom."""

    name: str
    how: str
    suits: str


SHOWN: Final[Mapping[str, Mode]] = MappingProxyType(
    {
        "rush": Mode(
            "First come, first served",
            "Whoever presses first has it; the others stand in line.",
            "Suits an edition that is enough for nearly everybody who comes.",
        ),
        "lobby": Mode(
            "A lobby, then chance",
            "Fans enter a list before the opening, and at the opening chance orders it.",
            "Suits a crowd that comes for the hour: nobody wins by being faster.",
        ),
        "collect": Mode(
            "A few minutes, then chance",
            "Whoever enters a list in the first minutes is as good as the first of all.",
            "Suits the same crowd, where nobody should have to be there before.",
        ),
        "draw": Mode(
            "A draw over hours or days",
            "A list is open for long, then chance orders it; who lost before has more tickets.",
            "Suits a crowd around the world, and people who lost before.",
        ),
    }
)
"""Mode -> its words, in the order of the page."""
assert tuple(SHOWN) == MODES

COMMITMENT_PROVES: Final = (
    "Its commitment stands in the rules before anybody enters, and it is revealed after the seal. "
    "That proves that neither the list nor the order was changed afterwards, and that no fan chose "
    "his place. It does not prove that you chose nothing: whoever knows the secret could try last "
    "entries until a friend comes first."
)
BEACON_PROVES: Final = (
    "A number that the drand network makes public half a minute after the seal. Nobody can know it "
    "or choose it before, you neither: that proves all of it, as everybody was shown the list's "
    "fingerprint before. The order waits for it, and the shop needs a way to the internet."
)
OWN_PROVES: Final = (
    "A number that {name} makes public half a minute after the seal. This shop named that network "
    "itself: whoever runs it could know the number before, and the page says so. It proves as much "
    "as fans trust those who run it."
)
"""What each source of chance proves, for its maker."""


def beacon_proves(chain: Chain) -> str:
    """What a round of this chain proves."""
    return BEACON_PROVES if chain.hash in CHAINS else OWN_PROVES.format(name=chain.beacon_id)


def chain_named(chance: Source | None) -> Chain:
    """The chain that a published drop's round is of; quicknet where it names none."""
    known = chance.known() if isinstance(chance, BeaconRound) else None
    return known or QUICKNET


def by_mode(form: Form) -> Form:
    """A form without what its mode leaves unsaid: those fields are not shown. Persons enter a list,
    unless guests may, and only persons can be carried over."""
    form = _by_points(form)
    mode = form.get("mode", MODES[0])
    if any(path.startswith("cohorts[") for path in form):
        # A cohort is of persons.
        form = {path: text for path, text in form.items() if path != GUESTS}
        form["identity"] = "verified"
    else:
        form = {path: text for path, text in form.items() if path != "public_at"}
    if FROM not in form:
        form = {path: text for path, text in form.items() if path not in OF_CARRIED}
    else:
        form = {path: text for path, text in form.items() if path != GUESTS}
        form["identity"] = "verified"
    if mode not in WINDOWS:
        return {path: text for path, text in form.items() if path not in (*OF_CHANCE, GUESTS)}
    kept = {path: text for path, text in form.items() if path != "tickets_most" or mode == "draw"}
    kept.pop("identity", None)
    return kept if GUESTS in kept else kept | {"identity": "verified"}


def _by_points(form: Form) -> Form:
    """Without the rules of what gives no points."""
    if "friends.worth" not in form:
        form = {path: text for path, text in form.items() if not path.startswith("friends.")}
    if not {"collectors.bought", "collectors.missed"} & form.keys():
        form = {path: text for path, text in form.items() if not path.startswith("collectors.")}
    if any(path.startswith(POINTS) for path in form):
        return form
    return {path: text for path, text in form.items() if path != "points_until"}


POINTS: Final = ("friends.", "collectors.", "missions[")
"""Before the fields of what gives points."""
GUESTS: Final = "guests_may_enter"
FROM: Final = "carried_from"
HASH: Final = "carried_hash"
OF_CARRIED: Final = (HASH, "carried_share")
"""What says nothing where nobody is carried over."""


PROOFS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "code": "A word you say live",
        "answer": "An answer you know",
        "tap": "You tick it off",
    }
)
"""Kind of a mission -> how it is proved."""
assert tuple(PROOFS) == KINDS


class Chance(NamedTuple):
    """What a form chose of where chance comes from. `round`: 0 for none; `due`: when that is made
    public, as people read it. `foreign`: it was named by number, and is not the planned one."""

    beacon: bool
    round: int
    due: str
    foreign: bool
    can: bool


def chance(form: Form, m: Manifest, chain: Chain) -> Chance:
    """m: what the form makes."""
    said = form.get("beacon_round", "")
    number = m.beacon_round
    planned = sealed_at(m.mode, m.window_ms, m.opens_ms)
    if not number and planned:
        number = first_round(chain, planned)
    due = moment(chain.due_ms(number), m.zone) if number else ""
    return Chance(bool(said), number, due, said not in ("", PLANNED), drand.can_check())


class Said(NamedTuple):
    """A sentence about a launch. `warns`: it is worth a second look."""

    warns: bool
    sentence: str


def told(m: Manifest, chain: Chain) -> list[Said]:
    """What should be known of its launch before it is published. chain: what its round is of."""
    mode = SHOWN[m.mode]
    first = Said(False, f"{mode.name}: {mode.how}")
    if m.mode not in WINDOWS:
        return [first, *_early(m), *_carried(m), *_game(m), _network(m)]
    said = [first, _window(m), _offers(m), _source(m, chain)]
    if m.mode == "draw":
        said.append(_tickets(m))
    if m.guests_may_enter:
        said.append(Said(True, GUESTS_ENTER))
    return [*said, *_early(m), *_carried(m), *_game(m), _network(m)]


GUESTS_ENTER: Final = (
    "Guests may enter: anyone may enter many times then, and the page says so to everybody."
)


def _early(m: Manifest) -> list[Said]:
    """Who may buy before the others."""
    if not m.cohorts:
        return []
    named = ", ".join(f"{cohort.title} ({sum(cohort.most):,} units)" for cohort in m.cohorts)
    until = f"until {moment(m.public_ms, m.zone)}" if m.public_ms else "until you open it to all"
    return [Said(False, f"Early access, {until}, for {named}.")]


def _carried(m: Manifest) -> list[Said]:
    if not m.carried_from:
        return []
    sentence = (
        f"Whoever waited in vain in {m.carried_from} stands first, once he has confirmed it; "
        f"together they have {m.carried_share} % of each pool at most, until it has no free unit."
    )
    return [Said(False, sentence)]


def _game(m: Manifest) -> list[Said]:
    """What gives points, and what they do to the line."""
    if m.game is None:
        return []
    gives, friends, collectors = [], m.game.friends, m.game.collectors
    if friends is not None:
        counts = "takes part" if m.identity == "verified" else "has paid"
        gives.append(f"{friends.worth:,} for a friend who {counts}, {friends.most:,} at most")
    if collectors is not None:
        each = [
            f"{worth:,} for each earlier drop of yours in which somebody {what}"
            for worth, what in (
                (collectors.bought, "bought"),
                (collectors.missed, "waited in vain"),
            )
            if worth
        ]
        gives.append(f"{' and '.join(each)}, {collectors.most:,} at most")
    gives += [f"{one.worth:,} for “{one.title}”" for one in m.game.missions]
    until = "until they are called"
    if m.game.points_until == "seal":
        until = "until the list is sealed"
    line = (
        f"Every {ordinal(m.k)} call of the line goes to whoever has most points. Who has none and "
        f"stands at place {5 * (m.k - 1)} is called by call {5 * m.k} at the latest: the page of "
        "each fan says by which."
    )
    return [Said(False, f"Fans earn points {until}: {'; '.join(gives)}."), Said(False, line)]


def ordinal(number: int) -> str:
    """5 -> `5th`."""
    end = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{'th' if 10 < number % 100 < 14 else end}"


def _window(m: Manifest) -> Said:
    opens = "before the opening" if m.mode == "lobby" else "from the opening on"
    seals_ms = sealed_at(m.mode, m.window_ms, m.opens_ms)
    when = f", sealed on {moment(seals_ms, m.zone)}" if seals_ms else ""
    return Said(False, f"The list is open for {span(m.window_ms)} {opens}{when}.")


def _offers(m: Manifest) -> Said:
    sentence = (
        f"Then the first in the order get offers, which stand {span(m.first_offer_ms)}; what is "
        f"let go is offered on, for {span(m.offer_ms)} each."
    )
    return Said(False, sentence)


def _tickets(m: Manifest) -> Said:
    if m.tickets_most == 1:
        return Said(False, "Everybody has one ticket.")
    sentence = (
        "Everybody has one ticket, and one more for each earlier draw of yours in which he went "
        f"away empty: {m.tickets_most:,} at most."
    )
    return Said(False, sentence)


def _source(m: Manifest, chain: Chain) -> Said:
    if not m.beacon_round:
        sentence = (
            "Chance comes from a secret of the shop that the rules commit to: fans can check list "
            "and order, and must trust you that you tried no last entries."
        )
        return Said(False, sentence)
    due_ms = chain.due_ms(m.beacon_round)
    seals_ms = sealed_at(m.mode, m.window_ms, m.opens_ms)
    if chain.hash in CHAINS:
        beacon, proven = "the drand beacon", "nobody can choose the order"
    else:
        beacon, proven = chain.beacon_id, "nobody can choose the order but those who run it"
    sentence = (
        f"Chance comes from round {m.beacon_round:,} of {beacon}, made public on "
        f"{moment(due_ms, m.zone)}: {proven}."
    )
    long = bool(seals_ms) and due_ms - seals_ms > WAIT_MS
    if long:
        sentence += f" That is {span(due_ms - seals_ms)} after the seal: the order waits so long."
    return Said(long, sentence)


WAIT_MS: Final = 120_000
"""A beacon that is so much later than the seal is worth a second look."""


def _network(m: Manifest) -> Said:
    if not m.network_most:
        return Said(True, "One network may have as much as it likes: many cookies are many fans.")
    sentence = (
        f"One network may have {m.network_most:,} unpaid carts and places at a time. You lift that "
        "for a venue on the night."
    )
    return Said(False, sentence)
