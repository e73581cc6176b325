"""The simulated account in a process of its own. Its log of requests is the oracle: what a client was told is not."""

import json
import urllib.request
from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import Any

_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Account:
    """`paperspace-mcp simulate`, through its control surface. root: the address without `/v1`."""

    root: str

    @property
    def url(self) -> str:
        return f"{self.root}/v1"

    def requests(self) -> list[str]:
        """All that arrived, each as `METHOD /path`."""
        return [f"{one['method']} {one['path']}" for one in self._control("GET", "/wire")]

    def machine(self, state: str) -> tuple[str, str]:
        """A new machine in that state, with a name that no other has; its name and id."""
        name = f"guest-{next(_NUMBERS)}"
        return name, str(self._control("POST", "/machines", {"name": name, "state": state})["id"])

    def machines(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._control("GET", "/state")["machines"]
        return found

    def advance(self, seconds: float) -> None:
        self._control("POST", "/advance", {"seconds": seconds})

    def _control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.root}/_control{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


def effects(requests: list[str]) -> list[str]:
    """Those that are to change something."""
    return [one for one in requests if not one.startswith("GET ")]


def told(requests: list[str]) -> str:
    """Requests as a cell of the table: effects in full, reads counted."""
    reads = len(requests) - len(effects(requests))
    counted = [f"{one} x{times}" if times > 1 else one for one, times in Counter(effects(requests)).items()]
    return "; ".join([*counted, *([f"{reads} GET"] if reads else [])]) or "nothing"
