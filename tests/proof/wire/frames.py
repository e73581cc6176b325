"""Hand-written messages on a real port: answers that no client library would send, and strangers with other tokens."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import anyio
import httpx
from tests.guard.bench import CALLS, MODERN, Call
from tests.page.site import Site, secret_of, standing
from tests.proof.wire.family import Family, Given, Tally
from tests.proof.wire.ground import Asked, provider, simulated
from tests.proof.wire.worker import policy

from paperspace_mcp.simulator import Simulator

HANDSHAKE = "2025-11-25"
PATIENCE_S = 0.25
"""How long an answer is waited for that a server with any sense does not give: nobody had the right to answer."""
META = "io.modelcontextprotocol"
ABLE: dict[str, Any] = {"elicitation": {"form": {}}}
Json = Any

RESULTS: dict[str, Callable[[str], Json]] = {
    "nothing": lambda _t: {},
    "null": lambda _t: None,
    "a list": lambda _t: [],
    "a word": lambda _t: "accept",
    "true": lambda _t: True,
    "no content": lambda _t: {"action": "accept"},
    "null content": lambda _t: {"action": "accept", "content": None},
    "empty content": lambda _t: {"action": "accept", "content": {}},
    "content is the text": lambda t: {"action": "accept", "content": t},
    "content is a list": lambda t: {"action": "accept", "content": [t]},
    "typed is null": lambda _t: {"action": "accept", "content": {"typed": None}},
    "typed is true": lambda _t: {"action": "accept", "content": {"typed": True}},
    "typed is 1": lambda _t: {"action": "accept", "content": {"typed": 1}},
    "typed is a list": lambda t: {"action": "accept", "content": {"typed": [t]}},
    "typed is an object": lambda t: {"action": "accept", "content": {"typed": {"typed": t}}},
    "typed twice": lambda t: {"action": "accept", "content": {"typed": t, "typed ": t}},
    "a field too many": lambda t: {"action": "accept", "content": {"typed": t, "confirm": True}},
    "content in content": lambda t: {"action": "accept", "content": {"content": {"typed": t}}},
    "no action": lambda t: {"content": {"typed": t}},
    "another action": lambda t: {"action": "approve", "content": {"typed": t}},
    "ACCEPT": lambda t: {"action": "ACCEPT", "content": {"typed": t}},
    "a list of actions": lambda t: {"action": ["accept"], "content": {"typed": t}},
    "declined with the text": lambda t: {"action": "decline", "content": {"typed": t}},
    "cancelled with the text": lambda t: {"action": "cancel", "content": {"typed": t}},
    "another text": lambda t: {"action": "accept", "content": {"typed": f"{t}x"}},
    "the text beside it": lambda t: {"action": "accept", "content": {"typed": "no"}, "typed": t},
    "approved in the meta": lambda t: {"action": "decline", "_meta": {"approved": True, "typed": t}},
}
"""What is put where an answer belongs, as bare JSON."""


def right(text: str) -> Json:
    return {"action": "accept", "content": {"typed": text}}


@dataclass
class Scene:
    """A site, and the account of the present scene behind it."""

    site: Site
    sim: Simulator

    @property
    def sent(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.sim.mutations()]

    def renew(self) -> None:
        self.sim = simulated()
        self.site.clock.added += 3600.0

    @asynccontextmanager
    async def web(self, user: str) -> AsyncIterator[httpx.AsyncClient]:
        """Connections with a user's token; `nobody` has none, `forger` one that is nobody's."""
        tokens = {**self.site.tokens, "forger": self.site.tokens["anna"][:-1] + "0"}
        headers = {"Authorization": f"Bearer {tokens[user]}"} if user in tokens else {}
        accepts = {"Accept": "application/json, text/event-stream"}
        async with httpx.AsyncClient(base_url=self.site.url, headers={**headers, **accepts}, timeout=20.0) as http:
            yield http


@asynccontextmanager
async def site_of(given: Given) -> AsyncIterator[Scene]:
    front = Simulator("empty")
    async with standing(given.folder, front, policy=policy()) as site:
        scene = Scene(site, simulated())
        front.app = provider(lambda: scene.sim)  # type: ignore[assignment]
        yield scene


# -- the modern era: a call, its question, the call again -------------------------------------------------------------


async def modern(http: httpx.AsyncClient, call: Call, **more: Json) -> dict[str, Any]:
    """One request of the modern era; what came back, or the status where nothing readable did."""
    meta = {f"{META}/protocolVersion": MODERN, f"{META}/clientCapabilities": ABLE}
    params = {"name": call.tool, "arguments": dict(call.arguments), "_meta": meta, **more}
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": call.tool}
    answer = await http.post("/mcp", json=_request("tools/call", params), headers=headers)
    return _message(answer.text) or {"status": answer.status_code}


async def modern_ask(http: httpx.AsyncClient, call: Call) -> Asked:
    result = (await modern(http, call))["result"]
    key, request = next(iter(result["inputRequests"].items()))
    return Asked(key, request["params"]["message"], result["requestState"])


def _request(method: str, params: Json, number: int = 1) -> Json:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def _message(text: str) -> dict[str, Any]:
    """The last message of an answer, in either of its two forms."""
    lines = [
        line.removeprefix("data:").strip() for line in text.splitlines() if not line.startswith((":", "event", "id"))
    ]
    found = [line for line in lines if line.startswith("{")]
    return dict(json.loads(found[-1])) if found else {}


# -- the handshake's era: a session, and a question that comes on the call's own stream -------------------------------

Answering = Callable[[httpx.AsyncClient, Mapping[str, str], Json], Awaitable[None]]


async def legacy(http: httpx.AsyncClient, call: Call, answering: Answering) -> None:
    """One call of the handshake's era; `answering` does what it likes about the question."""
    hello = {"protocolVersion": HANDSHAKE, "capabilities": ABLE, "clientInfo": {"name": "a", "version": "1"}}
    greeted = await http.post("/mcp", json=_request("initialize", hello))
    session = {"Mcp-Session-Id": greeted.headers["mcp-session-id"], "MCP-Protocol-Version": HANDSHAKE}
    await http.post("/mcp", json={"jsonrpc": "2.0", "method": "notifications/initialized"}, headers=session)
    message = _request("tools/call", {"name": call.tool, "arguments": dict(call.arguments)}, 2)
    with anyio.move_on_after(5.0):
        async with http.stream("POST", "/mcp", json=message, headers=session) as stream:
            await _listen(stream, http, session, answering)
    await http.request("DELETE", "/mcp", headers=session)


async def _listen(
    stream: httpx.Response, http: httpx.AsyncClient, session: Mapping[str, str], answering: Answering
) -> None:
    """To the result; where the question was not answered by who may, not for ever."""
    with anyio.CancelScope() as scope:
        async for line in stream.aiter_lines():
            said = _message(line)
            if said.get("id") == 2 and "method" not in said:
                return
            if said.get("method") == "elicitation/create":
                await answering(http, session, said["id"])
                scope.deadline = anyio.current_time() + PATIENCE_S


def answers(result: Json, by: httpx.AsyncClient | None = None) -> Answering:
    """Whoever answers the question with this."""

    async def answering(http: httpx.AsyncClient, session: Mapping[str, str], number: Json) -> None:
        message = {"jsonrpc": "2.0", "id": number, "result": result}
        await (by or http).post("/mcp", json=message, headers=dict(session))

    return answering


# -- what is tried ----------------------------------------------------------------------------------------------------

Try = Callable[[Scene, Call], Awaitable[None]]


def _forged(era: str, shape: Callable[[str], Json]) -> Try:
    async def forged(scene: Scene, call: Call) -> None:
        async with scene.web("anna") as http:
            if era != MODERN:
                await legacy(http, call, answers(shape(call.typed)))
                return
            asked = await modern_ask(http, call)
            await modern(http, call, requestState=asked.state, inputResponses={asked.key: shape(call.typed)})

    return forged


def _framed(frame: Callable[[Asked, str], dict[str, Json]]) -> Try:
    """The right answer in a wrong frame."""

    async def framed(scene: Scene, call: Call) -> None:
        async with scene.web("anna") as http:
            asked = await modern_ask(http, call)
            await modern(http, call, **frame(asked, call.typed))

    return framed


def _strange(era: str, who: str) -> Try:
    """The right answer to anna's question, by somebody else."""

    async def strange(scene: Scene, call: Call) -> None:
        async with scene.web("anna") as anna, scene.web(who) as other:
            if era != MODERN:
                await legacy(anna, call, answers(right(call.typed), other))
                return
            asked = await modern_ask(anna, call)
            await modern(other, call, requestState=asked.state, inputResponses={asked.key: right(call.typed)})

    return strange


async def _decided_by_another(scene: Scene, call: Call) -> None:
    """Ben, logged in, decides anna's question on the page; then both call again."""
    code = await scene.site.ask("anna", call.tool, **call.arguments)
    async with scene.site.browser("ben") as browser:
        for form in ({}, {"token": "x"}, {"csrf": "x"}):
            await browser.decide(code, "approve", call.typed, secret_of("ben"), dict(form))
    for user in ("ben", "anna"):
        await scene.site.call(user, call.tool, **call.arguments)


async def _done_by_another(scene: Scene, call: Call) -> None:
    """Anna's question is approved by her; ben makes the same call."""
    code = await scene.site.ask("anna", call.tool, **call.arguments)
    async with scene.site.browser("anna") as browser:
        await browser.approve("anna", code, call.typed)
    await scene.site.call("ben", call.tool, **call.arguments)


def _flipped(state: str | None) -> str:
    text = str(state)
    return text[:-8] + ("A" if text[-8] != "A" else "B") + text[-7:]


FRAMES: dict[str, Callable[[Asked, str], dict[str, Json]]] = {
    "no state": lambda asked, text: {"inputResponses": {asked.key: right(text)}},
    "null state": lambda asked, text: {"requestState": None, "inputResponses": {asked.key: right(text)}},
    "empty state": lambda asked, text: {"requestState": "", "inputResponses": {asked.key: right(text)}},
    "a bit flipped in the state": lambda asked, text: {
        "requestState": _flipped(asked.state),
        "inputResponses": {asked.key: right(text)},
    },
    "half of the state": lambda asked, text: {
        "requestState": str(asked.state)[:40],
        "inputResponses": {asked.key: right(text)},
    },
    "the state of another version": lambda asked, text: {
        "requestState": f"v0{str(asked.state)[2:]}",
        "inputResponses": {asked.key: right(text)},
    },
    "a list of answers": lambda asked, text: {"requestState": asked.state, "inputResponses": [right(text)]},
    "under another key": lambda asked, text: {
        "requestState": asked.state,
        "inputResponses": {"paperspace_mcp:plan": right(text), "": right(text)},
    },
    "in the arguments": lambda asked, text: {
        "requestState": asked.state,
        "arguments": {"machine": "dev-ben", "inputResponses": {asked.key: right(text)}, "spoken": right(text)},
    },
    "no answers": lambda asked, _text: {"requestState": asked.state},
}
TRIES: dict[str, Try] = {
    **{f"{era}, {name}": _forged(era, shape) for era, (name, shape) in product((MODERN, HANDSHAKE), RESULTS.items())},
    **{f"{MODERN}, {name}": _framed(frame) for name, frame in FRAMES.items()},
    **{
        f"{era}, answered by {who}": _strange(era, who)
        for era, who in product((MODERN, HANDSHAKE), ("ben", "nobody", "forger"))
    },
    "decided by another user on the page": _decided_by_another,
    "approved by one, done by another": _done_by_another,
}


async def attack(given: Given) -> Tally:
    """One message, or one stranger, in each scene."""
    tally, dice = Tally(), given.dice
    every = list(product(TRIES, CALLS))
    dice.shuffle(every)
    async with site_of(given) as scene:
        for name, call in (every * (given.count // len(every) + 1))[: given.count]:
            scene.renew()
            await TRIES[name](scene, call)
            tally.attempt(f"{name}, {call.tool}", len(scene.sent))
        for call, era in product(CALLS[: given.count // 10], (MODERN, HANDSHAKE)):
            scene.renew()
            await _forged(era, right)(scene, call)
            tally.controls += sorted(scene.sent) == sorted(call.sent)
    return tally


HANDWRITTEN = Family(
    "hand-written messages",
    "Bare JSON-RPC over HTTP in both eras: answers and frames that no client library would send, sealed states cut and "
    "flipped, another user's token, no token, another's session, another's question on the page.",
    attack,
    few=24,
    many=2_000,
)
