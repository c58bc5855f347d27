"""Numbers as Prometheus text, and how those of several processes become one.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct


class Adds(StrEnum):
    """How the numbers of several processes become one."""

    SUM = "sum"
    MOST = "most"
    LEAST = "least"
    NEWEST = "newest"
    """That of the process which knows the latest: they all tell of the same thing."""
    EACH = "each"
    """Not at all, each has the label `process`. A counter begins again with its process: in a sum
    that looks as if all of them had begun again, and as much were counted anew."""


class Family(NamedTuple):
    """All numbers of one name."""

    kind: str
    help: str
    adds: Adds


class Sample(Struct, frozen=True, array_like=True):
    """One number. labels: names and values. at: how late it knows, where the newest counts."""

    name: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()
    at: int = 0


def added(
    processes: Mapping[int, Iterable[Sample]], families: Mapping[str, Family]
) -> list[Sample]:
    """The numbers of all processes, by the number of each, as those of one shop."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], Sample] = {}
    each = ((number, sample) for number, samples in processes.items() for sample in samples)
    for number, sample in each:
        adds = families[family_of(sample.name, families)].adds
        labels = sample.labels
        if adds is Adds.EACH:
            labels = (*labels, ("process", str(number)))
        key = (sample.name, labels)
        before = found.get(key)
        if before is None:
            found[key] = Sample(sample.name, sample.value, labels, sample.at)
            continue
        match adds:
            case Adds.SUM:
                found[key] = Sample(sample.name, before.value + sample.value, labels)
            case Adds.MOST:
                found[key] = max(before, sample, key=lambda one: one.value)
            case Adds.LEAST:
                found[key] = min(before, sample, key=lambda one: one.value)
            case Adds.NEWEST:
                found[key] = max(before, sample, key=lambda one: one.at)
            case Adds.EACH:
                raise AssertionError(f"{sample.name} twice from process {number}")
    return [*found.values()]


def text(samples: Iterable[Sample], families: Mapping[str, Family]) -> str:
    """Every family with its help and kind, all its numbers together."""
    by_name: dict[str, list[Sample]] = {name: [] for name in families}
    for sample in samples:
        by_name[family_of(sample.name, families)].append(sample)
    lines = []
    for name, family in families.items():
        if not by_name[name]:
            continue
        lines.append(f"# HELP {name} {_escaped(family.help)}")
        lines.append(f"# TYPE {name} {family.kind}")
        lines += [f"{one.name}{_labels(one)} {_number(one.value)}" for one in by_name[name]]
    return "\n".join(lines) + "\n"


def family_of(name: str, families: Mapping[str, Family]) -> str:
    """Of which family a number is: a histogram has numbers of three names."""
    return name if name in families else name.rpartition("_")[0]


def _labels(sample: Sample) -> str:
    pairs = (f'{name}="{_quoted(value)}"' for name, value in sample.labels)
    return "{" + ",".join(pairs) + "}" if sample.labels else ""


def _escaped(words: str) -> str:
    return words.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(value: str) -> str:
    return _escaped(value).replace('"', r"\"")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(value)
