"""A crowd in which some deceive: who comes by whose link, from where, under which address.

Honest fans come alone, or by the link of a friend who was there before; some of them share a
household, a dormitory or a firm. Of the deceivers a quarter each refer themselves, refer one
another in pairs, gather stars of throwaways, and string accounts into chains that may close. They
know the rules: their accounts spread over as many networks and mail domains as they can get.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Final

PUBLIC: Final = ("gmail.com", "web.de", "outlook.com", "yahoo.com")
FRIENDS: Final = (0, 0, 0, 0, 0, 1, 1, 2, 3)
"""How many friends somebody honest brings."""
SPELLINGS: Final = 20
STAR: Final = 50
CHAIN: Final = 12
NETWORKS: Final = 4
"""From so many networks one deceiver's accounts come."""


@dataclass
class Account:
    """Who stands in line. `human`: who is behind it. `ref`: by whose link he came, or ''."""

    name: str
    human: str
    address: str
    network: str
    ref: str = ""
    honest: bool = True


def crowd(dice: Random, people: int, deceivers: float) -> list[Account]:
    """So many accounts in the order in which they come; of them that share is not honest."""
    false = round(people * deceivers)
    groups = [*_honest(dice, people - false), *_deceivers(dice, false)]
    # Groups come mixed, each in its own order: whoever refers is there before.
    turns = [number for number, group in enumerate(groups) for _ in group]
    dice.shuffle(turns)
    comes = [iter(group) for group in groups]
    return [next(comes[number]) for number in turns]


def _honest(dice: Random, people: int) -> list[list[Account]]:
    groups: list[list[Account]] = []
    made = 0
    while made < people:
        size = min(people - made, 1 + dice.choice(FRIENDS))
        home = f"10.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(256)}"
        group: list[Account] = []
        for i in range(size):
            name = f"h{made + i}"
            firm = f"firm{dice.randrange(50)}.example" if dice.random() < 0.1 else ""
            domain = firm or dice.choice(PUBLIC)
            at_home = i == 0 or dice.random() < 0.3
            elsewhere = f"11.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(256)}"
            network = home if at_home else elsewhere
            ref = group[0].name if i else ""
            group.append(Account(name, name, f"{name}@{domain}", network, ref))
        groups.append(group)
        made += size
    return groups


def _deceivers(dice: Random, accounts: int) -> list[list[Account]]:
    shapes = (_themselves, _pairs, _stars, _chains)
    groups: list[list[Account]] = []
    for number, shape in enumerate(shapes):
        left = accounts // len(shapes) + (number < accounts % len(shapes))
        while left:
            human = f"x{len(groups)}"
            group = shape(dice, human, left)[:left]
            names = {one.name for one in group}
            for one in group:
                one.ref = one.ref if one.ref in names else ""
            groups.append(group)
            left -= len(group)
    return groups


def _account(dice: Random, human: str, number: int, domain: str) -> Account:
    name = f"{human}-{number}"
    network = f"66.{_number(human) % 256}.{dice.randrange(NETWORKS)}.7"
    return Account(name, human, f"{name}@{domain}", network, honest=False)


def _number(human: str) -> int:
    return int(human[1:])


def _themselves(dice: Random, human: str, _: int) -> list[Account]:
    """One mailbox, many spellings of it; and his own link in each browser."""
    group = [_account(dice, human, i, "gmail.com") for i in range(SPELLINGS)]
    for i, one in enumerate(group):
        one.address = f"{human}+{i}@gmail.com" if i else f"{human}@gmail.com"
        one.ref = group[0].name
    return group


def _pairs(dice: Random, human: str, _: int) -> list[Account]:
    """Each came by the link of the other."""
    group = [_account(dice, human, i, dice.choice(PUBLIC)) for i in range(2)]
    group[0].ref, group[1].ref = group[1].name, group[0].name
    return group


def _stars(dice: Random, human: str, left: int) -> list[Account]:
    """Throwaways of a domain of his own, and of a public one."""
    group = [_account(dice, human, 0, "gmail.com")]
    for i in range(1, min(STAR, left)):
        domain = f"throwaway{_number(human)}.example" if i % 2 else dice.choice(PUBLIC)
        group.append(_account(dice, human, i, domain))
        group[-1].ref = group[0].name
    return group


def _chains(dice: Random, human: str, left: int) -> list[Account]:
    """Each came by the one before; the first by the last."""
    group = [_account(dice, human, i, dice.choice(PUBLIC)) for i in range(min(CHAIN, left))]
    for before, one in pairwise(group):
        one.ref = before.name
    group[0].ref = group[-1].name if len(group) > 1 else ""
    return group
