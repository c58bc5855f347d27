"""What may be put right in a published manifest: words, never a rule of the sale."""

from __future__ import annotations

from typing import Any

import msgspec

from dropengine.creator_commands import Correct
from dropengine.errors import ManifestError
from dropengine.manifest.canonical import canonical, digest, from_canonical
from dropengine.manifest.defaults import (
    ABOUT_CHARS_MAX,
    CALLS_MS,
    DOMAIN,
    IDENTITIES,
    STORY_CHARS_MAX,
)
from dropengine.manifest.manifest import Manifest
from dropengine.manifest.parse import network_most
from dropengine.manifest.toml_tables import faults_in_text

WORDS = ("story", "items[].about")
"""Where they stand."""


def corrected(published: Manifest, wanted: Manifest) -> Manifest:
    """The published manifest with the words of another one.

    Raises ManifestError, naming what else differs. The id and the times of `wanted` do not count:
    a drop may have been published under another id, to open at another time.
    """
    kept = ("id", "opens_ms", "closes_ms", "public_ms")
    same: dict[str, Any] = {name: getattr(published, name) for name in kept}
    if not published.identity and wanted.identity == IDENTITIES[0]:
        # It was published before there was the rule, which no file can leave out any more.
        same["identity"] = ""
    never_quiet = published.calls_from_ms == published.calls_to_ms
    if never_quiet and (wanted.calls_from_ms, wanted.calls_to_ms) == CALLS_MS:
        # So is what a file says of calls that says nothing of them.
        same |= {"calls_from_ms": 0, "calls_to_ms": 0}
    if not published.network_most and wanted.network_most == network_most(wanted.items):
        # And of networks.
        same["network_most"] = 0
    if not published.domain_most and wanted.domain_most == DOMAIN.default:
        same["domain_most"] = 0
    wanted = msgspec.structs.replace(wanted, **same)
    mistakes = [
        f"{field}: is a rule, and was published otherwise"
        for field in _rules_that_differ(published, wanted)
    ]
    if mistakes:
        mistakes.append(f"only {' and '.join(WORDS)} may be corrected")
        raise ManifestError(published.id, mistakes)
    return wanted


def words(manifest: Manifest) -> tuple[str, ...]:
    """What may be put right, as it reads now."""
    return (manifest.story, *(item.about for item in manifest.items))


def correction(manifest: Manifest) -> Correct:
    """The command that makes a drop read so."""
    return Correct(digest(manifest), canonical(manifest).decode())


def fault_in_correction(published: Manifest, command: Correct) -> str:
    """What else than words it would change, as a sentence, or ''."""
    try:
        wanted = from_canonical(command.manifest.encode())
    except ManifestError as fault:
        return f"manifest {fault.mistakes[0]}"
    if digest(wanted) != command.hash:
        return "hash must be that of the manifest"
    if why := _fault_in_words(wanted):
        return f"manifest {why}"
    differ = _rules_that_differ(published, wanted)
    return f"manifest says another {' and '.join(differ)} than was published" if differ else ""


def _fault_in_words(manifest: Manifest) -> str:
    """Why a file could not say them, or '': a form that was sent was read from none."""
    words = [("story", manifest.story, STORY_CHARS_MAX)] + [
        (f"items[{place}].about", item.about, ABOUT_CHARS_MAX)
        for place, item in enumerate(manifest.items)
    ]
    for name, text, most in words:
        for why in faults_in_text(text, most, paragraphs=True):
            return f"{name}: {why}"
    return ""


def _rules_that_differ(one: Manifest, other: Manifest) -> list[str]:
    """The fields in which two manifests differ, their words left out."""
    here, there = _rules(one), _rules(other)
    return sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))


def _rules(manifest: Manifest) -> dict[str, Any]:
    """Field -> value, those of items by their place."""
    rules: dict[str, Any] = msgspec.to_builtins(manifest)
    del rules["story"]
    for place, item in enumerate(rules.pop("items")):
        del item["about"]
        rules |= {f"items[{place}].{name}": value for name, value in item.items()}
    return rules
