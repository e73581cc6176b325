"""What an answer says: a shape, or a failure that tells who must act and whether anything may have changed."""

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from paperspace_mcp.contract.catalogue import AUTH_SESSION
from paperspace_mcp.contract.errors import CallerError, Failure, OperatorError, OutcomeUnknown, UpstreamError
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.wire.bodies import Unreadable, read_body

G = TypeVar("G", bound=BaseModel)

ERROR_BODY_LIMIT = 64 * 1024
"""An error is a sentence; what is longer is not read."""
MESSAGE_LIMIT = 512


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and its body, unpacked. `problem` says why there is no body: `too_large`, `bad_encoding`."""

    status: int
    body: bytes = b""
    problem: str = ""
    retry_after_s: float | None = None

    @property
    def good(self) -> bool:
        return 200 <= self.status <= 299  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Meaning:
    """`refused`: the status itself says that a mutation was not carried out."""

    kind: type[Failure]
    code: str
    refused: bool = True
    retryable: bool = False
    teaches: bool = True
    """Whether the provider's message is worth showing: it teaches what to change."""


# fmt: off
MEANINGS: dict[int, Meaning] = {
    400: Meaning(CallerError, "bad_request"),
    401: Meaning(OperatorError, "unauthorized", teaches=False),
    402: Meaning(OperatorError, "payment_required"),
    403: Meaning(OperatorError, "forbidden", teaches=False),
    404: Meaning(CallerError, "not_found"),
    405: Meaning(CallerError, "method_not_supported"),
    407: Meaning(OperatorError, "proxy_unauthorized", teaches=False),
    408: Meaning(UpstreamError, "upstream_error", refused=False, retryable=True),
    409: Meaning(CallerError, "conflict"),
    410: Meaning(CallerError, "not_found"),
    412: Meaning(CallerError, "precondition_failed"),
    413: Meaning(CallerError, "payload_too_large"),
    414: Meaning(CallerError, "bad_request"),
    415: Meaning(CallerError, "bad_request"),
    422: Meaning(CallerError, "bad_request"),
    429: Meaning(UpstreamError, "rate_limited", retryable=True),
    499: Meaning(UpstreamError, "upstream_error", refused=False, retryable=True),
}
"""The provider's twelve (facts.md 7), and what gateways before it say."""
# 307 and 308 ask for the same call elsewhere, so nothing was done; 303 says that it was; 301 and 302 are used for both.
REDIRECT = Meaning(UpstreamError, "upstream_redirect", refused=False, teaches=False)
PURE_REDIRECT = Meaning(UpstreamError, "upstream_redirect", teaches=False)
BROKEN = Meaning(UpstreamError, "upstream_error", refused=False, retryable=True, teaches=False)
STRANGE = Meaning(UpstreamError, "upstream_error", refused=False)
# fmt: on


def meaning_of(status: int) -> Meaning:
    """What a status that is no success means. Unknown ones are never taken for a refusal."""
    if 300 <= status <= 399:  # noqa: PLR2004
        return PURE_REDIRECT if status in {307, 308} else REDIRECT
    return MEANINGS.get(status) or (BROKEN if status >= 500 else STRANGE)  # noqa: PLR2004


async def take(response: httpx.Response, limit: int, retry_after_s: float | None) -> Answer:
    """Read an answer, at most `limit` bytes of it. The status of an error counts even if its body cannot be read.

    Raises:
        httpx.TransportError: a success whose body did not arrive.
    """
    answer = Answer(response.status_code, retry_after_s=retry_after_s)
    try:
        body = await read_body(response, limit if answer.good else ERROR_BODY_LIMIT)
    except Unreadable as error:
        return Answer(answer.status, problem=error.why, retry_after_s=retry_after_s)
    except Exception:
        if answer.good:
            raise
        return answer
    return Answer(answer.status, body, retry_after_s=retry_after_s)


def shape_of(operation: Operation[G], answer: Answer) -> G:
    """The shape that the operation gives.

    Raises:
        Failure: for every other status and for every body that is not that shape.
    """
    if not answer.good:
        raise failure_of(operation, answer)
    if answer.problem:
        raise _unreadable(operation, answer, answer.problem)
    if operation.name == AUTH_SESSION.name and answer.body.strip() == b"null":
        # "200 with null when the key is missing or wrong" (facts.md 4)
        raise OperatorError("unauthorized", facts={"operation": operation.name, "status": answer.status})
    try:
        well_formed(answer.body)
        return _read(operation, answer.body)
    except (ValueError, RecursionError):
        raise _unreadable(operation, answer, _fault(answer.body)) from None


def _read(operation: Operation[G], body: bytes) -> G:
    """The body as the shape. A field that cannot be read becomes unknown: one odd value must not hide a fleet."""
    try:
        return operation.gives.model_validate_json(body)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False, include_context=False)
        if any(one["type"] == "json_invalid" for one in wrong):
            raise
        content = json.loads(body)
        for one in wrong:
            _drop(content, one["loc"])
        return operation.gives.model_validate(content)


def _drop(content: Any, where: tuple[int | str, ...]) -> None:
    """Take the value at a place out; the rest of its object stays."""
    for part in where[:-1]:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(content, dict) and where:
        content.pop(where[-1], None)


def _fault(body: bytes) -> str:
    if not body.strip():
        return "empty"
    try:
        well_formed(body)
    except (ValueError, RecursionError):
        return "not_json"
    return "wrong_shape"


def _unreadable(operation: Operation[Any], answer: Answer, problem: str) -> Failure:
    facts = {"operation": operation.name, "status": answer.status, "problem": problem}
    if operation.mutates:
        return OutcomeUnknown("outcome_unknown", "unknown", facts={**facts, "cause": "unreadable_answer"})
    return UpstreamError("malformed_answer", facts=facts)


def failure_of(operation: Operation[Any], answer: Answer) -> Failure:
    """The failure that a status means; `facts` carry `status`, `provider_code`, `provider_message`, `retry_after_s`."""
    meaning = meaning_of(answer.status)
    facts: dict[str, Any] = {"operation": operation.name, "status": answer.status, **_provider_facts(answer, meaning)}
    if answer.retry_after_s is not None:
        facts["retry_after_s"] = answer.retry_after_s
    if operation.mutates and not meaning.refused:
        return OutcomeUnknown("outcome_unknown", "unknown", facts={**facts, "cause": meaning.code})
    return meaning.kind(meaning.code, retryable=meaning.retryable, facts=facts)


def _provider_facts(answer: Answer, meaning: Meaning) -> dict[str, str]:
    try:
        body = well_formed(answer.body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(body, dict):
        return {}
    code, message = body.get("code"), clean(body.get("message")) if meaning.teaches else ""
    known = isinstance(code, str) and re.fullmatch(r"[A-Z_]{1,40}", code)
    return ({"provider_code": str(code)} if known else {}) | ({"provider_message": message} if message else {})


def clean(message: Any) -> str:
    """Text of the provider, fit to be quoted: one line, printable, at most 512 characters. Markup is dropped whole."""
    if not isinstance(message, str) or re.search(r"<[!/a-zA-Z]", message):
        return ""
    visible = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in message[: 4 * MESSAGE_LIMIT])
    return " ".join(visible.split())[:MESSAGE_LIMIT]


def well_formed(body: bytes) -> Any:
    """Parse JSON as RFC 8259 means it: UTF-8, no doubled keys, no NaN, no number beyond a float.

    pydantic's parser is lenient in all but the first; of two equal keys it silently takes one.

    Raises:
        ValueError: anything else. RecursionError: nested too deeply.
    """
    return _STRICT.decode(body.decode("utf-8"))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError("a number is too large")
    return number


def _no_constant(_: str) -> float:
    raise ValueError("NaN and Infinity are no JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_constant)
