"""The Dockerfile's steps, taken without a container engine: in a folder of their own, by a user without privileges."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from tests.docker.dockerfile import ROOT, parsed

BUILD, FINAL = parsed((ROOT / "Dockerfile").read_text(encoding="utf-8"))
NOBODY = 65534
_PASSED = (
    "HTTP_",
    "HTTPS_",
    "NO_",
    "ALL_",
    "http",
    "no_",
    "all_",
    "SSL_CERT_",
    "UV_INDEX",
    "UV_DEFAULT_INDEX",
    "UV_NATIVE",
)
"""How the index is reached from here is no step of the image."""
_UNREACHABLE = ("Failed to fetch", "error sending request", "dns error", "Could not connect")


class Image:
    """What the build stage makes, under a folder instead of the root of a file system."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.source = root / "src"
        self.app = root / "app"
        self.env = {
            **{name: value for name, value in os.environ.items() if name.startswith(_PASSED)},
            **BUILD.env,
            "UV_PROJECT_ENVIRONMENT": str(self.app),
            "HOME": str(root),
            "PATH": os.pathsep.join([str(root / "bin"), str(_python().parent), "/usr/bin", "/bin"]),
        }

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            shell=True,
            cwd=self.source,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            **unprivileged(),
        )


def unprivileged() -> dict[str, Any]:
    """Nobody's rights where the tests run as root; otherwise the tests' own are none."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def _python() -> Path:
    """A Python that somebody without privileges may run."""
    for name in (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3"):
        path = Path(name).resolve()
        if path.exists() and _supported(path):
            return path
    pytest.skip("no Python 3.11 that an unprivileged user may run")


def _supported(python: Path) -> bool:
    check = [str(python), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    try:
        return subprocess.run(check, cwd="/", check=False, timeout=20, **unprivileged()).returncode == 0
    except OSError:
        return False


def _uv() -> Path:
    """The uv itself: a wrapper of it on the path leads to where only its owner may go."""
    named = (os.environ.get("UV"), Path(sys.base_prefix) / "bin" / "uv", shutil.which("uv"))
    for path in (Path(name).resolve() for name in named if name):
        if path.is_file() and not path.read_bytes().startswith(b"#!"):
            return path
    pytest.skip("uv is not installed")


def _copy(words: Sequence[str], image: Image) -> None:
    for name in words[:-1]:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, image.source / words[-1], ignore=ignored)
        else:
            shutil.copy(ROOT / name, image.source)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """Every COPY and RUN of the build stage, in order."""
    # Not under pytest's own folders: those are shut to others, and shut again by every run that begins.
    with tempfile.TemporaryDirectory(prefix="paperspace-mcp-image-", ignore_cleanup_errors=True) as root:
        yield _built(Image(Path(root).resolve()))


def _built(image: Image) -> Image:
    for folder in (image.root / "bin", image.source):
        folder.mkdir()
    shutil.copy(_uv(), image.root / "bin" / "uv")
    (image.root / "bin" / "uv").chmod(0o755)
    for one in BUILD.instructions:
        if one.keyword == "COPY" and "from" not in one.flags:
            _copy(one.words, image)
        elif one.keyword == "RUN":
            _own(image.root)
            ran = image.run(one.value)
            if any(sign in ran.stderr for sign in _UNREACHABLE):
                pytest.skip(f"the package index cannot be reached: {ran.stderr[-300:]}")
            assert ran.returncode == 0, ran.stderr
    return image


def _own(root: Path) -> None:
    """Give the folder to the user who takes the steps."""
    if os.geteuid() != 0:
        return
    subprocess.run(["chown", "-R", str(NOBODY), root], check=True, timeout=60)
    root.chmod(0o755)


def test_the_server_is_installed_compiled_and_not_editable(image: Image) -> None:
    (package,) = image.app.glob("lib/python*/site-packages/paperspace_mcp")
    sources = list(package.rglob("*.py"))
    assert sources
    assert all(list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc")) for path in sources)


def test_only_what_the_server_needs_is_installed(image: Image) -> None:
    installed = {path.name for path in image.app.glob("lib/python*/site-packages/*")}
    assert not installed & {"pytest", "_pytest", "mypy", "ruff", "importlinter"}


@contextmanager
def started(image: Image) -> Iterator[str]:
    """The final stage's command on a free port of loopback; its address."""
    command = [str(image.app / "bin" / FINAL.only("ENTRYPOINT").words[0]), *FINAL.only("CMD").words]
    command[command.index("0.0.0.0")], command[command.index("8000")] = "127.0.0.1", "0"
    env = {**FINAL.env, "PATH": str(image.app / "bin"), "PAPERSPACE_MCP_STATE_DIR": str(image.root / "state")}
    rights = unprivileged()
    with subprocess.Popen(command, env=env, cwd="/", stderr=subprocess.PIPE, text=True, **rights) as process:
        try:
            assert process.stderr is not None
            announced = next((line for line in process.stderr if "listening on" in line), "")
            yield announced.split()[-1]
        finally:
            process.terminate()
            process.wait(10)


def test_the_command_serves_and_the_health_check_agrees(image: Image) -> None:
    with started(image) as url:
        port = url.rpartition(":")[2].partition("/")[0]
        assert _checked(image, port) == 0
        assert "list_machines" in anyio.run(_tools, url)
    assert _checked(image, port) != 0, "a server that is gone is not healthy"


def _checked(image: Image, port: str) -> int:
    python, *words = json.loads(json.dumps(FINAL.only("HEALTHCHECK").words).replace(":8000", f":{port}"))
    command = [str(image.app / "bin" / python), *words]
    return subprocess.run(
        command, cwd="/", check=False, timeout=20, stderr=subprocess.DEVNULL, **unprivileged()
    ).returncode


async def _tools(url: str) -> list[str]:
    async with Client(url, cache=None) as client:
        return [tool.name for tool in (await client.list_tools()).tools]
