"""The manifest of a drop: the rules that are published, hashed and never changed afterwards."""

from __future__ import annotations

from dropengine.manifest.canonical import (
    canonical,
    digest,
    from_canonical,
    rules,
    what_scripts_read,
)
from dropengine.manifest.corrected import corrected, correction, fault_in_correction, words
from dropengine.manifest.currencies import MINOR_DIGITS
from dropengine.manifest.form import Form, form_of, form_of_file, judged_form, named, toml
from dropengine.manifest.game import Collectors, Friends, GameRules, Mission
from dropengine.manifest.manifest import (
    Cohort,
    Item,
    Manifest,
    Pool,
    showable,
    to_open_at_once,
    with_opening,
)
from dropengine.manifest.parse import parse
from dropengine.manifest.toml_tables import (
    DROP_ID_CHARS_MAX,
    ID,
    ID_RULE,
    fault_in_drop_id,
    moment_ms,
    short,
)
from dropengine.manifest.ways import Way

__all__ = [
    "DROP_ID_CHARS_MAX",
    "ID",
    "ID_RULE",
    "MINOR_DIGITS",
    "Cohort",
    "Collectors",
    "Form",
    "Friends",
    "GameRules",
    "Item",
    "Manifest",
    "Mission",
    "Pool",
    "Way",
    "canonical",
    "corrected",
    "correction",
    "digest",
    "fault_in_correction",
    "fault_in_drop_id",
    "form_of",
    "form_of_file",
    "from_canonical",
    "judged_form",
    "moment_ms",
    "named",
    "parse",
    "rules",
    "short",
    "showable",
    "to_open_at_once",
    "toml",
    "what_scripts_read",
    "with_opening",
    "words",
]
