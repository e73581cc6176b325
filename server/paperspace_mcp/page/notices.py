"""What the page says when something is not as the person thought: a title and a status for each failure."""

from typing import NamedTuple

from paperspace_mcp.contract.errors import Failure
from paperspace_mcp.surface.wording import explain


class Notice(NamedTuple):
    """status: HTTP's. open: whether the question still waits, so that the way on leads back to it.

    text: where the surface's words for a model are not what a person wants to read.
    """

    status: int
    title: str
    open: bool = False
    text: str = ""


_GONE = "It was shown already, its ten minutes are over, the server was started anew, or it is not yours."
_APART = (
    "Only questions of one class and one verb are confirmed together. What grants, reveals, is protected or asks for "
    "an exact name is decided by itself."
)
_ENDED = "Nothing was done. The assistant can ask again."
NOTICES = {
    "unknown_code": Notice(404, "No such question", text="No question of yours that waits has this code."),
    "already_decided": Notice(409, "Decided already"),
    "expired": Notice(410, "Too late", text=f"The question was open for its time, and that is over. {_ENDED}"),
    "wrong_secret": Notice(403, "Wrong secret", open=True),
    "wrong_login": Notice(401, "Not logged in", text="That is not a user of this page with this secret."),
    "too_many_tries": Notice(429, "Too many tries", text="Too many wrong secrets. Try again in ten minutes."),
    "mistyped_out_of_band": Notice(422, "Not what the question asks for", open=True),
    "not_together": Notice(422, "Not as one list", text=_APART),
    "no_secret": Notice(403, "No secret", text="No approver's secret is set up for you."),
    "nothing_revealed": Notice(404, "No such password", text=_GONE),
    "store_unusable": Notice(503, "Not possible now"),
    "audit_unusable": Notice(503, "Not possible now"),
}
APPROVED = Notice(200, "Approved", text="The call goes on by itself. One that gave up waiting is done when repeated.")
DENIED = Notice(200, "Denied", text="Nothing was done, and the assistant is told that you said no.")
LOGIN_ENDED = Notice(401, "Your login has ended", text="Nothing was decided. Log in and decide again.")
FORGED = Notice(403, "Not from this page", text="The form was not sent from this page. Nothing was decided.")
BAD_FORM = Notice(400, "Not a form of this page", text="Nothing was decided.")


def notice_of(failure: Failure) -> Notice:
    """The notice of a failure, with its text."""
    found = NOTICES.get(failure.code) or Notice(500, "That failed")
    return found if found.text else found._replace(text=explain(failure)[0])
