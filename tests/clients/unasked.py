"""Clients that cannot show a question: a person decides in a terminal beside them, with a secret."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.clients.ground import Ground, Server, Transport
from tests.clients.inspector import IS_ERROR, Inspector
from tests.clients.mcpdo import connected
from tests.clients.rows import ERAS, Row, Scene
from tests.clients.terminal import typed

SECRET = "a secret that no client knows"
_ASKED, _SECRET = "> ", "approver's secret: "
Call = Callable[..., dict[str, Any]]
"""A tool and its arguments to the structured half of the answer."""


@dataclass(frozen=True, slots=True)
class Approver:
    """Whoever sits at the terminal. No command shows the secret that is typed there."""

    server: Server

    def init(self) -> int:
        return self._do(["approve", "--init"], ("new secret: ", SECRET), ("once more: ", SECRET))

    def decide(self, code: str, text: str, secret: str = SECRET) -> int:
        return self._do(["approve", code], (_ASKED, text), (_SECRET, secret))

    def deny(self, code: str) -> int:
        return self._do(["approve", code, "--deny"], (_SECRET, SECRET))

    def _do(self, words: list[str], *answers: tuple[str, str]) -> int:
        code, shown = typed([*self.server.command[:-1], *words], self.server.environment, *answers)
        assert SECRET not in shown
        return code


def approve(ground: Ground) -> list[Row]:
    """A call is told `approval_required`; a person approves its code in a terminal; the same call is done once."""
    return [row for client, transport in _CLIENTS for era in ERAS for row in _one(ground, client, transport, era)]


def _one(ground: Ground, client: str, transport: Transport, era: str) -> list[Row]:
    scene = Scene(ground.account, client, era, transport)
    with ground.server(transport) as server, _CALLING[client](ground, server, era) as call:
        _decisions(scene, call, Approver(server))
    return scene.rows


@contextmanager
def _inspector(ground: Ground, server: Server, era: str) -> Iterator[Call]:
    """On stdio every call has a server of its own: what is approved lives in the state, not in a process."""
    yield Inspector(ground, server, era).call


@contextmanager
def _mcpdo(ground: Ground, server: Server, era: str) -> Iterator[Call]:
    with connected(ground, server, era, "off") as mcpdo:
        yield mcpdo.answered


_CALLING = {"inspector --cli": _inspector, "mcpdo --elicit off": _mcpdo}
_CLIENTS: tuple[tuple[str, Transport], ...] = (("inspector --cli", "stdio"), ("mcpdo --elicit off", "http"))


def _decisions(scene: Scene, call: Call, person: Approver) -> None:
    name, machine = scene.account.machine("ready")
    with scene.step("approve --init, then stop_machine: approval_required and a code"):
        assert person.init() == 0
        code = _required(call, "stop_machine", name)
    with scene.step("approve with another secret, then the same call: nothing sent", reads=None):
        assert person.decide(code, "stop", "a guess, which is long enough") == 1
        assert _required(call, "stop_machine", name) == code
    with scene.step("approve, then the same call: done once", sends=[f"PATCH /machines/{machine}/stop"]):
        assert person.decide(code, "stop") == 0
        assert call("stop_machine", machine=name)["status"] == "done"
    with scene.step("the same call once more: already_done"):
        assert call("stop_machine", machine=name)["status"] == "already_done"
    _destroys(scene, call, person)


def _destroys(scene: Scene, call: Call, person: Approver) -> None:
    name, machine = scene.account.machine("off")
    with scene.step("delete_machine, denied in the terminal: nothing sent"):
        assert person.deny(_required(call, "delete_machine", name)) == 0
        assert call("delete_machine", machine=name, ends=IS_ERROR)["error"]["code"] == "declined"
    name, machine = scene.account.machine("off")
    with scene.step("delete_machine, its name typed in the terminal: done once", sends=[f"DELETE /machines/{machine}"]):
        assert person.decide(_required(call, "delete_machine", name), name) == 0
        assert call("delete_machine", machine=name)["status"] == "done"


def _required(call: Call, tool: str, machine: str) -> str:
    """A call that must be decided elsewhere; its code."""
    answer = call(tool, machine=machine)
    assert (answer["status"], answer["executed"]) == ("approval_required", False), answer["summary"]
    return str(answer["approval"])
