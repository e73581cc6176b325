"""The signed webhook for chat bots: questions go out as they begin to wait, decisions come in.

Both ways the same signature: HMAC-SHA256 of `TIMESTAMP.BODY` under a secret that both sides hold. Whoever holds it
decides like an approver, for every user: the bot vouches for the name that it gives.
"""

import hashlib
import hmac
import json
import logging
import queue
import re
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from paperspace_mcp.approving import Approver
from paperspace_mcp.conduct import Conduct
from paperspace_mcp.conduct.storing import stored
from paperspace_mcp.contract.errors import Failure, OperatorError, Refusal
from paperspace_mcp.rules.guard.demands import TYPED_CAP
from paperspace_mcp.rules.guard.records import Record
from paperspace_mcp.surface.wording import explain
from paperspace_mcp.wire.approvers import Approvers
from paperspace_mcp.wire.store import Store

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

TIMESTAMP = "X-Paperspace-Mcp-Timestamp"
SIGNATURE = "X-Paperspace-Mcp-Signature"
FRESH_S = 300.0
POST_S = 5.0
WAITING = 100
"""How many notices may wait to be sent; more are dropped and logged, for a question itself waits in the inbox."""
LONGEST_BODY = 16 * 1024
_STATUS = {
    "unknown_code": 404,
    "already_decided": 409,
    "expired": 410,
    "mistyped_out_of_band": 422,
    "unsigned": 401,
    "replayed": 409,
    "bad_body": 400,
}
_WORDS = {
    "unsigned": "The signature does not fit, or its time is not ours.",
    "replayed": "This nonce was used before.",
    "bad_body": "The body is not {code, decision, typed, approver, nonce}.",
}
_log = logging.getLogger(__name__)


def signature(secret: SecretStr, timestamp: str, body: bytes) -> str:
    """The value of the signature's header."""
    digest = hmac.new(secret.get_secret_value().encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


class Outgoing:
    """Tells a chat bot of each question, from a thread of its own: a call never waits for it, and never fails by it."""

    def __init__(self, url: str, secret: SecretStr, *, now: Callable[[], float] = time.time) -> None:
        self._url = url
        self._secret = secret
        self._now = now
        self._notices: queue.Queue[Record] = queue.Queue(WAITING)
        self._started = False

    async def tell(self, record: Record) -> None:
        """Hand a question over to be sent."""
        if not self._started:
            self._started = True
            threading.Thread(target=self._send_all, name="webhook", daemon=True).start()
        try:
            self._notices.put_nowait(record)
        except queue.Full:
            _log.warning("the webhook is too slow; %s was not sent", record.code)

    def _send_all(self) -> None:
        while True:
            record = self._notices.get()
            try:
                self._send(record)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next question must still be told of
                _log.warning("the webhook was not reached for %s (%s)", record.code, error.__class__.__name__)

    def _send(self, record: Record) -> None:
        import httpx

        body, timestamp = json.dumps(notice(record)).encode(), str(int(self._now()))
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP: timestamp,
            SIGNATURE: signature(self._secret, timestamp, body),
        }
        answer = httpx.post(self._url, content=body, headers=headers, timeout=POST_S, follow_redirects=False)
        if not answer.is_success:
            _log.warning("the webhook answered %s to %s", answer.status_code, record.code)


def notice(record: Record) -> dict[str, Any]:
    """What a chat bot is told of a question."""
    return {
        "code": record.code,
        "tool": record.tool,
        "class": record.effect.value,
        "question": record.question,
        "principal": record.principal,
        "expires_at": record.expires_at,
    }


class Decided(BaseModel):
    """A decision as a chat bot sends it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    code: str = Field(max_length=8)
    decision: str = Field(pattern="^(approve|deny)$")
    typed: str = Field("", max_length=TYPED_CAP)
    approver: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")
    nonce: str = Field(pattern=r"^[\x21-\x7e]{8,128}$")


class _SharedSecret(Approvers):
    """The webhook's secret in the place of an approver's."""

    def __init__(self, secret: SecretStr) -> None:
        self._secret = secret

    def any(self) -> bool:
        return True

    def check(self, user: str, secret: str, *, peer: str = "") -> bool:
        del user, peer
        return hmac.compare_digest(self._secret.get_secret_value().encode(), secret.encode())


class Incoming:
    """Takes decisions from a chat bot."""

    def __init__(
        self, conduct: Conduct, store: Store, secret: SecretStr, security: Any, *, now: Callable[[], float] = time.time
    ) -> None:
        from mcp.server.transport_security import TransportSecurityMiddleware

        self._conduct = conduct
        self._store = store
        self._secret = secret
        self._security = TransportSecurityMiddleware(security)
        self._now = now
        self._one_at_a_time = anyio.Lock()

    async def answer(self, request: "Request") -> "Response":
        """The endpoint. Every answer is JSON but those of the Host rules."""
        from starlette.responses import JSONResponse

        refused = await self._security.validate_request(request, is_post=True)
        if refused is not None:
            return refused
        try:
            record, decision = await self._decided(request)
        except Failure as failure:
            message = _WORDS.get(failure.code) or explain(failure)[0]
            status = _STATUS.get(failure.code, 503 if isinstance(failure, OperatorError) else 403)
            return JSONResponse({"error": {"code": failure.code, "message": message}}, status_code=status)
        return JSONResponse({"code": record.code, "status": "approved" if decision == "approve" else "declined"})

    async def _decided(self, request: "Request") -> tuple[Record, str]:
        said = _read(await self._signed(request))
        await self._use(said.nonce)
        approver = Approver(self._conduct, _SharedSecret(self._secret), said.approver, "webhook", self._now)
        secret = self._secret.get_secret_value()
        if said.decision == "approve":
            return await approver.approve(said.code, said.typed, secret), said.decision
        return await approver.deny(said.code, secret), said.decision

    async def _signed(self, request: "Request") -> bytes:
        """The body, once its signature and time are seen to be right.

        Raises:
            Refusal: unsigned, bad_body.
        """
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > LONGEST_BODY:
                raise Refusal("bad_body")
        stamp, said = request.headers.get(TIMESTAMP, ""), request.headers.get(SIGNATURE, "")
        expected = signature(self._secret, stamp, bytes(body))
        if not hmac.compare_digest(expected.encode(), said.encode()) or not self._fresh(stamp):
            raise Refusal("unsigned")
        return bytes(body)

    def _fresh(self, stamp: str) -> bool:
        return bool(re.fullmatch(r"[0-9]{1,12}", stamp)) and abs(self._now() - int(stamp)) <= FRESH_S

    async def _use(self, nonce: str) -> None:
        """Mark a nonce as used, for longer than any signature with it stays fresh. In the store: it survives a restart.

        Raises:
            Refusal: replayed.
        """
        flag, now = f"nonce:{hashlib.sha256(nonce.encode()).hexdigest()}", self._now()
        async with self._one_at_a_time:
            if await stored(partial(self._store.flag, flag, now)):
                raise Refusal("replayed")
            await stored(partial(self._store.set_flag, flag, now + 2 * FRESH_S + 1, "webhook"))


def _read(body: bytes) -> Decided:
    try:
        return Decided.model_validate_json(body)
    except ValidationError:
        raise Refusal("bad_body") from None


def incoming_routes(incoming: Incoming) -> list[Any]:
    """The address of the decisions."""
    from starlette.routing import Route

    return [Route("/approvals/webhook", incoming.answer, methods=["POST"])]
