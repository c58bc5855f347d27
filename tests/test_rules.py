"""The page of rules: numbered sentences with an example each, which those who judge cite."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "rules.md").read_text()
RULES = dict(re.findall(r"(?m)^- \*\*([TCHLGDKNEAP]\d+)\.\*\* (.+)$", PAGE))
JUDGES = {
    "the referee": ROOT / "dropengine" / "log" / "referee",
    "the oracle": ROOT / "tests" / "kit" / "oracle",
}
NUMBER = re.compile(r"(?<![\w-])[TCHLGDKNEAP]\d{1,2}(?!\w)")


def cited(folder: Path) -> set[str]:
    return {number for file in folder.glob("*.py") for number in NUMBER.findall(file.read_text())}


def test_rules_are_numbered_in_their_order() -> None:
    for letter in "TCHLGDKNEAP":
        numbers = [int(name[1:]) for name in RULES if name[0] == letter]
        assert numbers == list(range(1, len(numbers) + 1))
    assert len(re.findall(r"(?m)^- ", PAGE)) == len(RULES)


@pytest.mark.parametrize("number", RULES)
def test_a_rule_is_sentences_with_an_example(number: str) -> None:
    assert re.search(r"\.( Again [^*]+\.)? \*[^*]+\.\*( Not judged: [^*]+\.)?$", RULES[number])


@pytest.mark.parametrize("who", JUDGES)
def test_whoever_judges_cites_rules_that_are_there(who: str) -> None:
    assert cited(JUDGES[who]) <= RULES.keys()


def test_a_rule_cites_rules_that_are_there() -> None:
    assert set(NUMBER.findall(PAGE)) <= RULES.keys()


@pytest.mark.parametrize("number", RULES)
def test_a_rule_is_judged_or_says_why_it_cannot_be(number: str) -> None:
    """The oracle answers commands and knows them all; a log does not tell of everything."""
    assert number in cited(JUDGES["the oracle"])
    judged = number in cited(JUDGES["the referee"])
    assert judged != ("Not judged: " in RULES[number])
