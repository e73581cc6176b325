"""The approval page on a phone of 390 points, with two questions of anna's that wait."""

import io
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from random import Random
from unittest.mock import patch

import anyio
from tests.page.chromium import WIDTH, Tab, browsing
from tests.page.site import Site, secret_of, standing
from tests.pictures.places import QUESTION, WAITING

from paperspace_mcp.simulator import Simulator

DESCRIPTION = "Description"
SCALE = 2
"""Pixels in a picture for each point."""
_COLOURS = 64
_NOON = 1_800_014_400.0
"""2027-01-15 12:00:00 UTC."""
_SEED = 8


@dataclass(frozen=True, slots=True)
class Waiting:
    """The server and the addresses of the pages, each with its picture."""

    site: Site
    pages: dict[Path, str]

    async def said(self) -> dict[Path, str]:
        """The words of each page."""
        async with self.site.browser("anna") as browser:
            return {path: words((await browser.get(page)).text) for path, page in self.pages.items()}


@asynccontextmanager
async def waiting(folder: Path) -> AsyncIterator[Waiting]:
    """Two questions that wait, with the same codes and times whenever this is run."""
    async with standing(folder, Simulator(clock=lambda: 0.0)) as site:
        site.clock.real = lambda: _NOON
        with patch.object(secrets, "choice", Random(_SEED).choice):
            code = await site.ask("anna", "delete_machine", machine="legacy-jenkins")
            await site.ask("anna", "stop_machine", machine="dev-anna")
        yield Waiting(site, {WAITING: "/approvals", QUESTION: f"/approvals/{code}"})


def words(page: str) -> str:
    """What a page says between its head and its end, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.partition("<body>")[2])).split())


async def photographed() -> dict[Path, bytes]:
    """Each picture, a PNG that says in its description what is on it."""
    async with anyio.TemporaryDirectory() as name:
        folder = Path(name)
        async with waiting(folder) as found, browsing(folder / "profile") as tab:
            await _log_in(tab, found.site)
            said = await found.said()
            return {
                path: await _photograph(tab, f"{found.site.url}{page}", said[path], folder / path.name)
                for path, page in found.pages.items()
            }


async def _log_in(tab: Tab, site: Site) -> None:
    await tab.open(f"{site.url}/approvals")
    await tab.fill(user="anna", secret=secret_of("anna"))
    await tab.press("main button")
    await tab.scheme("light")


async def _photograph(tab: Tab, url: str, said: str, scratch: Path) -> bytes:
    await tab.open(url)
    assert await tab.js("document.documentElement.scrollWidth") <= WIDTH, "it scrolls sideways"
    await tab.picture(scratch)
    ends = await tab.js("document.querySelector('main').getBoundingClientRect().bottom")
    return await anyio.to_thread.run_sync(_smaller, scratch, round(ends * SCALE), said)


def _smaller(picture: Path, height: int, said: str) -> bytes:
    """The picture without what is empty below the page, in few colours."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    described, out = PngInfo(), io.BytesIO()
    described.add_itxt(DESCRIPTION, said)
    with Image.open(picture) as whole:
        page = whole.convert("RGB").crop((0, 0, WIDTH * SCALE, height))
        page.quantize(_COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True, pnginfo=described)
    return out.getvalue()
