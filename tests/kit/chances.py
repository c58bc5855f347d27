"""How likely it is that counts like these come from chances like those."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, exp


def chi_square_p(counted: Sequence[int], weights: Sequence[int]) -> float:
    """Pearson's test that things were counted in proportion to their weights: p. There must be an
    odd number of them: for an even number of degrees of freedom the tail is a short sum."""
    assert len(counted) == len(weights)
    assert len(weights) % 2 == 1, "an odd number of things"
    total, whole = sum(counted), sum(weights)
    square = sum(
        (seen - total * weight / whole) ** 2 / (total * weight / whole)
        for seen, weight in zip(counted, weights, strict=True)
    )
    term = tail = 1.0
    for k in range(1, (len(weights) - 1) // 2):
        term *= square / 2 / k
        tail += term
    return exp(-square / 2) * tail


def at_least_p(seen: int, tries: int, chance: float) -> float:
    """How likely so many hits or more are in so many tries (binomial)."""
    return sum(
        comb(tries, k) * chance**k * (1 - chance) ** (tries - k) for k in range(seen, tries + 1)
    )
