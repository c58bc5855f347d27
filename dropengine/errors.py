"""The tree of faults. An expected ending is a value (see `model`); only what must stop the work is raised.

    DropEngineError
    +-- Away              the server of the truth did not answer; nothing is known, nothing is sold out
    +-- Broken            an invariant does not hold; the drop is frozen rather than sold wrongly
    +-- ManifestError     a manifest with mistakes, all of them at once
"""


class DropEngineError(Exception):
    """Root of every fault that Drop Engine raises. `exit_code` is what the command line ends with."""

    exit_code = 1


class Away(DropEngineError):
    """The server of the truth is away or did not answer in time. What was sent is *unknown*."""

    exit_code = 4


class Broken(DropEngineError):
    """An invariant does not hold. The message names the drop and what was expected."""

    exit_code = 5


class ManifestError(DropEngineError):
    """A manifest that cannot be published.

    mistakes: one sentence each, with the line or path it speaks of.
    """

    exit_code = 2

    def __init__(self, source: str, mistakes: list[str]) -> None:
        self.source = source
        self.mistakes = mistakes
        count = f"{len(mistakes)} mistake" + ("s" if len(mistakes) != 1 else "")
        super().__init__(f"{source}: {count}\n" + "\n".join(f"  {m}" for m in mistakes))
