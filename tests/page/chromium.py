"""A real Chromium, spoken to over its DevTools protocol: a phone of 390 by 844 points."""

import itertools
import json
import os
import shutil
import subprocess
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import pytest

WIDTH, HEIGHT = 390, 844
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-port=0",
    f"--window-size={WIDTH},{HEIGHT}",
)
_LISTENS = "DevTools listening on "
_LOAD_S = 20.0


def executable() -> str:
    """$CHROMIUM, or the one that is installed."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found or not Path(found).exists():
        pytest.fail("No Chromium here: install it (Debian: `apt-get install chromium`), or name it in $CHROMIUM.")
    return found


@dataclass
class Tab:
    """One page of the browser. `complaints`: what the console said, such as a broken content policy."""

    socket: aiohttp.ClientWebSocketResponse
    session: str = ""
    complaints: list[str] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)
    _loaded: int = 0

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """One command; its result."""
        number = next(self._numbers)
        session = {"sessionId": self.session} if self.session else {}
        await self.socket.send_json({"id": number, "method": method, "params": params, **session})
        while True:
            said = await self._next()
            if said.get("id") == number:
                assert "error" not in said, (method, said["error"])
                result: dict[str, Any] = said["result"]
                return result

    async def _next(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads((await self.socket.receive()).data)
        if said.get("method") == "Page.loadEventFired":
            self._loaded += 1
        if said.get("method") == "Log.entryAdded":
            self.complaints.append(said["params"]["entry"]["text"])
        return said

    async def open(self, url: str) -> None:
        async with self.loading():
            await self.send("Page.navigate", url=url)

    async def press(self, selector: str) -> None:
        """Press a button, and wait for the page that follows."""
        async with self.loading():
            await self.js(f"document.querySelector({json.dumps(selector)}).click()")

    async def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            await self.js(f"document.querySelector('#{name}').value = {json.dumps(value)}")

    @asynccontextmanager
    async def loading(self) -> AsyncIterator[None]:
        before = self._loaded
        yield
        with anyio.fail_after(_LOAD_S):
            while self._loaded == before:
                await self._next()

    async def js(self, expression: str) -> Any:
        """The value of an expression in the page."""
        said = await self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    async def title(self) -> str:
        return str(await self.js("document.querySelector('h1').textContent"))

    async def picture(self, path: Path) -> None:
        """All of the page, below the fold too."""
        height = await self.js("Math.max(innerHeight, document.documentElement.scrollHeight)")
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1}
        shot = await self.send("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        await anyio.Path(path).write_bytes(b64decode(shot["data"]))

    async def scheme(self, which: str) -> None:
        """`light` or `dark`."""
        await self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": which}])


@asynccontextmanager
async def browsing(profile: Path) -> AsyncIterator[Tab]:
    """A browser with one page, as wide as a phone."""
    command = [executable(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    with started(command) as process:
        try:
            address = await anyio.to_thread.run_sync(_address, process)
            async with aiohttp.ClientSession() as http, http.ws_connect(address, max_msg_size=0) as socket:
                yield await _phone(Tab(socket))
        finally:
            process.kill()
            if process.stderr:
                process.stderr.read()


def started(command: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(_LISTENS):
            return line.removeprefix(_LISTENS).strip()
    pytest.fail("Chromium ended before it listened")


async def _phone(tab: Tab) -> Tab:
    target = await tab.send("Target.createTarget", url="about:blank")
    attached = await tab.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
    tab.session = attached["sessionId"]
    await tab.send("Page.enable")
    await tab.send("Log.enable")
    await tab.send("Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT, deviceScaleFactor=2, mobile=True)
    return tab
