"""An answer's body, read piece by piece and never beyond a limit, whatever its headers claim.

httpx would unpack a whole received piece at once: 64 kB of zeros packed by gzip are 64 MB. So it is unpacked here.
"""

import zlib
from collections.abc import AsyncIterator

import httpx

_GZIP_WINDOW = zlib.MAX_WBITS | 16


class Unreadable(ValueError):
    """The bytes of a body cannot be had. `why`: `too_large`, `bad_encoding`."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


async def read_body(response: httpx.Response, limit: int) -> bytes:
    """At most `limit` bytes, unpacked.

    Raises:
        Unreadable: larger than that, or not what `Content-Encoding` says.
        httpx.TransportError: the connection's own troubles.
    """
    if _claimed(response) > limit:
        raise Unreadable("too_large")
    packed = await _gather(response.aiter_raw(), limit)
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in {"gzip", "x-gzip"}:
        return unpack(packed, limit)
    if encoding in {"", "identity"}:
        return packed
    raise Unreadable("bad_encoding")


def _claimed(response: httpx.Response) -> int:
    length = response.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 19 else 0  # noqa: PLR2004  2**63


async def _gather(pieces: AsyncIterator[bytes], limit: int) -> bytes:
    taken = bytearray()
    async for piece in pieces:
        taken += piece
        if len(taken) > limit:
            raise Unreadable("too_large")
    return bytes(taken)


def unpack(packed: bytes, limit: int) -> bytes:
    """What gzip packed; not a byte more than `limit` is ever made of it.

    Raises:
        Unreadable: not gzip, cut short, followed by something else, or larger than `limit`.
    """
    machine = zlib.decompressobj(_GZIP_WINDOW)
    try:
        body = machine.decompress(packed, limit + 1)
    except zlib.error:
        raise Unreadable("bad_encoding") from None
    if len(body) > limit:
        raise Unreadable("too_large")
    if not machine.eof or machine.unused_data:
        raise Unreadable("bad_encoding")
    return body
