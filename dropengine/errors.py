"""The tree of faults: what must stop the work is raised, an expected ending is a value (`model`).

DropEngineError
+-- Unavailable      the server of the truth did not answer; nothing is known, nothing is sold out
|   +-- NewerSchema  a newer version keeps this drop, in a layout that is not known here
+-- DatabaseAway     SQL did not answer; selling goes on, what needs people or books waits
+-- Broken           an invariant does not hold; the drop is frozen rather than sold wrongly
+-- ManifestError    a manifest with mistakes, all of them at once
+-- ConfigError      settings with mistakes, all of them at once, each naming its source
+-- AlreadyRunning   another live process owns this data directory
+-- PortTaken        something else listens on the address
+-- ServerTooOld     the server of the truth lacks what the scripts need
+-- ServerWeaker     the server may lose what it acknowledged, and nobody accepted that
+-- ServerFailed     the embedded server cannot be brought up
+-- DiskFull         there is no room left to write down a sale
+-- WorkersFailed    the web processes cannot be brought up
+-- ServerTaken      another shop, or another run of this one, sells from the server
+-- BackupFault      a backup cannot be made, read, or restored here
+-- DrawFault        a list cannot be drawn, or what was revealed does not prove its order
+-- CarriedFault     places of an earlier drop cannot be carried over: its log is not the one named
"""

from __future__ import annotations

from dropengine.catalogue import ENGLISH


class DropEngineError(Exception):
    """Root of all faults of Drop Engine. `exit_code` is what the command line ends with."""

    exit_code = 1


class Unavailable(DropEngineError):
    """The server of the truth is away or did not answer in time. What was sent is *unknown*.

    `told`: the name of a sentence for fans, where more may be said than that. `silent`: no reply
    came in its time; whoever waits behind it would wait as long again.
    """

    exit_code = 4
    told = ""
    silent = False

    @property
    def why(self) -> str:
        """That sentence in English, as programs read it."""
        return ENGLISH(self.told) if self.told else ""


class NewerSchema(Unavailable):
    """A newer version lifted this drop to a layout that is not known here; nothing was written."""

    exit_code = 12
    told = "newer_shop"

    def __init__(self, drop: str, schema: int, known: int) -> None:
        self.drop = drop
        self.schema = schema
        self.known = known
        super().__init__(
            f"{drop} is kept in layout {schema}; this version of Drop Engine knows layouts up to "
            f"{known} and leaves the drop alone. Run the newer version here too."
        )


class DatabaseAway(DropEngineError):
    """SQL is away, or not laid out as this version needs it. What was to be written is *unknown*.

    Selling goes on without it. The message says why in a sentence.
    """

    exit_code = 14


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


class ConfigError(DropEngineError):
    """Settings that cannot be used.

    mistakes: one sentence each, beginning with the source: a flag, a variable, a file and its line.
    """

    exit_code = 2

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        count = f"{len(mistakes)} mistake" + ("s" if len(mistakes) != 1 else "")
        super().__init__(f"settings: {count}\n" + "\n".join(f"  {m}" for m in mistakes))


class AlreadyRunning(DropEngineError):
    """Another live process owns the data directory: two servers on one log would diverge."""

    exit_code = 3

    def __init__(self, directory: str, pid: int | None) -> None:
        self.directory = directory
        self.pid = pid
        owner = "Another process" if pid is None else f"Process {pid}"
        super().__init__(
            f"{owner} already sells from {directory}: stop it first, or choose another data_dir."
        )


class PortTaken(DropEngineError):
    """The address cannot be listened on."""

    exit_code = 6

    def __init__(self, host: str, port: int, reason: str) -> None:
        self.host = host
        self.port = port
        super().__init__(
            f"Cannot listen on {host} port {port}: {reason}. "
            f"Choose another host or port (port 0 takes any free one), or stop what is there."
        )


class ServerTooOld(DropEngineError):
    """The server is no Valkey >= 8 and no Redis >= 7.2."""

    exit_code = 7

    def __init__(self, name: str, version: str) -> None:
        self.name = name
        self.version = version
        super().__init__(
            f"The server is {name} {version}: Valkey 8 or Redis 7.2 is the oldest that can sell. "
            f"Upgrade it, or leave REDIS_URL out to use the embedded server."
        )


class ServerWeaker(DropEngineError):
    """The server may lose or refuse what it promised. The message says why and what to do."""

    exit_code = 8


class ServerFailed(DropEngineError):
    """The embedded server does not come up. The message carries its own last words."""

    exit_code = 9


class DiskFull(DropEngineError):
    """There is no room to write. Nothing sold is lost; sales go on when there is room again."""

    exit_code = 10

    def __init__(self, directory: str, free_mib: int, needed_mib: int) -> None:
        self.directory = directory
        self.free_mib = free_mib
        self.needed_mib = needed_mib
        super().__init__(
            f"The disk under {directory} has {free_mib} MiB free and {needed_mib} are needed: "
            f"make room. Sales are paused until then, and nothing sold is lost."
        )


class WorkersFailed(DropEngineError):
    """The web processes do not come up."""

    exit_code = 11


class ServerTaken(DropEngineError):
    """Another shop, or another run of this one, sells from the server. The message says which."""

    exit_code = 13


class BackupFault(DropEngineError):
    """A backup that cannot be made, read, or restored here. The message says why and what to do."""

    exit_code = 15


class DrawFault(DropEngineError):
    """A list cannot be sealed or ordered, or what was revealed does not prove what was promised.
    The message says which, and of whom."""

    exit_code = 16


class CarriedFault(DropEngineError):
    """Places of an earlier drop cannot be carried over. The message says why."""

    exit_code = 17
