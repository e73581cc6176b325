"""What a browser sends: where it comes from, and the fields of a form."""

from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

LONGEST_BODY = 16 * 1024
_FIELDS = 10


def peer_of(host: str) -> str:
    """Whom guesses are counted for: an address, of the newer kind its whole network, which one guesser has."""
    try:
        address = ip_address(host)
    except ValueError:
        return "elsewhere"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)


class BadForm(Exception):
    """Not a form of ours. `status` is HTTP's."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def own_origin(request: Request) -> bool:
    """Whether a form was sent from a page of this very address. Every browser says where from; silence is a no."""
    origin = urlsplit(request.headers.get("origin", ""))
    return origin.scheme in {"http", "https"} and origin.netloc == request.headers.get("host", "")


def over_https(request: Request) -> bool:
    """Whether the browser sees https, also through a proxy that ends it."""
    return request.headers.get("origin", "").startswith("https://") or request.url.scheme == "https"


async def fields_of(request: Request) -> dict[str, str]:
    """A form's fields; one that is given twice is refused.

    Raises:
        BadForm: too long, of another type, or unreadable.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise BadForm(415)
    body = await _body(request)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    except ValueError:
        raise BadForm(400) from None
    if len(dict(pairs)) != len(pairs):
        raise BadForm(400)
    return dict(pairs)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            raise BadForm(413)
    return bytes(body)
