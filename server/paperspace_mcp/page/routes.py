"""The page's addresses. A GET shows and never decides; every answer says what browsers must not do with it."""

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps

from mcp.server.transport_security import TransportSecurityMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from paperspace_mcp.approving import Decided, worded
from paperspace_mcp.contract.errors import Failure
from paperspace_mcp.page import html, notices
from paperspace_mcp.page.deciding import Page
from paperspace_mcp.page.forms import BadForm, fields_of, over_https, own_origin, peer_of
from paperspace_mcp.page.html import ROOT, Html
from paperspace_mcp.page.looks import STYLE
from paperspace_mcp.page.notices import Notice
from paperspace_mcp.page.sessions import SESSION_S, Session

COOKIE = "paperspace_mcp_approvals"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # No address leaves to others. Not `no-referrer`: under that, browsers say `Origin: null` in forms of our own.
    "Referrer-Policy": "same-origin",
}
DECISIONS = {"approve": "approved", "deny": "denied"}
SEVERAL = 2
_CODE = re.compile(r"[A-Z0-9]{1,8}")
_NO_FILE = "The approvers' secrets cannot be read, so nobody can decide. A person checks the state directory."
Answering = Callable[[Request], Awaitable[Response]]


def page_routes(page: Page) -> list[Route]:
    """The routes of the page, to be put beside `/mcp`."""
    handlers = _Handlers(page)
    return [
        Route(ROOT, handlers.guarded(handlers.waiting), methods=["GET"]),
        Route(f"{ROOT}/style.css", handlers.guarded(handlers.style), methods=["GET"]),
        Route(f"{ROOT}/login", handlers.guarded(handlers.login_form), methods=["GET"]),
        Route(f"{ROOT}/login", handlers.guarded(handlers.log_in), methods=["POST"]),
        Route(f"{ROOT}/logout", handlers.guarded(handlers.log_out), methods=["POST"]),
        Route(f"{ROOT}/list", handlers.guarded(handlers.show_list), methods=["GET"]),
        Route(f"{ROOT}/list", handlers.guarded(handlers.decide_list), methods=["POST"]),
        Route(f"{ROOT}/revealed/{{code}}", handlers.guarded(handlers.show_revealed), methods=["GET"]),
        Route(f"{ROOT}/revealed/{{code}}", handlers.guarded(handlers.reveal), methods=["POST"]),
        Route(f"{ROOT}/{{code}}", handlers.guarded(handlers.show), methods=["GET"]),
        Route(f"{ROOT}/{{code}}", handlers.guarded(handlers.decide), methods=["POST"]),
    ]


class _Handlers:
    def __init__(self, page: Page) -> None:
        self._page = page
        self._security = TransportSecurityMiddleware(page.security)

    def guarded(self, handler: Answering) -> Answering:
        """The handler behind the checks that all share, its failures told as pages."""

        @wraps(handler)
        async def checked(request: Request) -> Response:
            response = await self._security.validate_request(request) or await self._answered(handler, request)
            response.headers.update(HEADERS)
            return response

        return checked

    async def _answered(self, handler: Answering, request: Request) -> Response:
        request.state.session, request.state.codes = None, []
        if request.method == "POST" and not own_origin(request):
            return self._notice(request, notices.FORGED)
        try:
            request.state.session = await self._page.session(request.cookies.get(COOKIE, ""))
            return await handler(request)
        except BadForm as bad:
            return self._notice(request, notices.BAD_FORM._replace(status=bad.status))
        except Failure as failure:
            return self._notice(request, notices.notice_of(failure))
        except OSError:
            return self._notice(request, notices.NOTICES["store_unusable"]._replace(text=_NO_FILE))

    async def style(self, _request: Request) -> Response:
        return Response(STYLE, media_type="text/css")

    async def login_form(self, request: Request) -> Response:
        return self._page_of(request, "Log in", html.login(_code(request.query_params.get("code", ""))))

    async def log_in(self, request: Request) -> Response:
        fields = await fields_of(request)
        peer = peer_of(request.client.host if request.client else "")
        cookie = await self._page.log_in(fields.get("user", "").strip(), fields.get("secret", ""), peer)
        code = _code(fields.get("code", ""))
        place = f"{ROOT}/revealed" if fields.get("revealed") else ROOT
        response = RedirectResponse(f"{place}/{code}" if code else ROOT, status_code=303)
        _set_cookie(response, cookie, secure=over_https(request))
        return response

    async def log_out(self, request: Request) -> Response:
        session, fields = self._session(request), await fields_of(request)
        if session and not self._page.sessions.fits(session, fields.get("token", "")):
            return self._notice(request, notices.FORGED)
        if session:
            await self._page.log_out(session)
        response = RedirectResponse(f"{ROOT}/login", status_code=303)
        response.delete_cookie(COOKIE, path=ROOT, httponly=True, samesite="strict")
        return response

    async def waiting(self, request: Request) -> Response:
        session = self._session(request)
        if session is None:
            return self._page_of(request, "Log in", html.login(""), status=401)
        records = await self._page.waiting(session)
        return self._page_of(request, "Questions", html.waiting(records, self._page.now()))

    async def show(self, request: Request) -> Response:
        session, code = self._session(request), _code(request.path_params["code"])
        if session is None:
            return self._page_of(request, "Log in", html.login(code), status=401)
        record = await self._page.show(session, code)
        token = self._page.sessions.form_token(session)
        return self._page_of(request, f"Question {code}", html.question(record, token, self._page.now()))

    async def decide(self, request: Request) -> Response:
        session, fields = self._session(request), await fields_of(request)
        if session is None:
            return self._notice(request, notices.LOGIN_ENDED)
        if not self._page.sessions.fits(session, fields.get("token", "")):
            return self._notice(request, notices.FORGED)
        return await self._decided(request, session, fields)

    async def _decided(self, request: Request, session: Session, fields: dict[str, str]) -> Response:
        decision = fields.get("decision", "")
        if decision not in DECISIONS:
            raise BadForm(400)
        code, typed, secret = _code(request.path_params["code"]), fields.get("typed", ""), fields.get("secret", "")
        await self._page.decide(session, code, decision, typed, secret)
        return self._notice(request, notices.APPROVED if decision == "approve" else notices.DENIED)

    async def show_list(self, request: Request) -> Response:
        session, codes = self._session(request), _codes(request.query_params.getlist("code"))
        if session is None:
            return self._page_of(request, "Log in", html.login(""), status=401)
        waiting, ended = await self._page.together(session, codes)
        if len(waiting) < SEVERAL:
            return RedirectResponse(f"{ROOT}/{waiting[0].code}" if waiting else ROOT, status_code=303)
        listing = await self._page.listing(session, [one.code for one in waiting])
        content = html.together(listing, _told(ended), self._page.sessions.form_token(session), self._page.now())
        return self._page_of(request, listing.typed, content)

    async def decide_list(self, request: Request) -> Response:
        session, fields = self._session(request), await fields_of(request)
        if session is None:
            return self._notice(request, notices.LOGIN_ENDED)
        if not self._page.sessions.fits(session, fields.get("token", "")):
            return self._notice(request, notices.FORGED)
        decision, codes = fields.get("decision", ""), _codes(fields.get("codes", "").split(","))
        if decision not in DECISIONS or not codes:
            raise BadForm(400)
        request.state.codes = codes
        typed, secret = fields.get("typed", ""), fields.get("secret", "")
        return self._done(request, await self._page.decide_list(session, codes, decision, typed, secret), decision)

    def _done(self, request: Request, done: Sequence[Decided], decision: str) -> Response:
        how, failed = DECISIONS[decision], sum(1 for one in done if one.failure)
        title = f"{len(done) - failed} {how}" + (f", {failed} not" if failed else "")
        told = [(one.code, worded(one.failure) if one.failure else f"{how}.") for one in done]
        return self._page_of(request, title, html.done(title, told), status=409 if failed == len(done) else 200)

    async def show_revealed(self, request: Request) -> Response:
        session, code = self._session(request), _code(request.path_params["code"])
        if session is None:
            return self._page_of(request, "Log in", html.login(code, revealed=True), status=401)
        held, token = self._page.revealed(session, code), self._page.sessions.form_token(session)
        return self._page_of(request, "A password", html.revealed(code, held.target_name, held.until, token))

    async def reveal(self, request: Request) -> Response:
        session, fields = self._session(request), await fields_of(request)
        if session is None:
            return self._notice(request, notices.LOGIN_ENDED)
        if not self._page.sessions.fits(session, fields.get("token", "")):
            return self._notice(request, notices.FORGED)
        held = await self._page.reveal(session, _code(request.path_params["code"]))
        return self._page_of(request, "A password", html.password(held.target_name, held.password.get_secret_value()))

    def _session(self, request: Request) -> Session | None:
        session: Session | None = request.state.session
        return session

    def _notice(self, request: Request, notice: Notice) -> Response:
        link, label = self._way_on(request) if notice.open else (ROOT, "To the questions")
        return self._page_of(
            request, notice.title, html.notice(notice.title, notice.text, link, label), status=notice.status
        )

    def _way_on(self, request: Request) -> tuple[str, str]:
        """Back to what still waits: the question, or the list."""
        if request.state.codes:
            return html.list_link(request.state.codes), "Back to the list"
        code = _code(request.path_params.get("code", ""))
        return (f"{ROOT}/{code}", f"Back to {code}") if code else (ROOT, "To the questions")

    def _page_of(self, request: Request, title: str, content: Html, *, status: int = 200) -> Response:
        session = self._session(request)
        token = self._page.sessions.form_token(session) if session else ""
        user = session.user if session else ""
        return HTMLResponse(html.page(title, content, user=user, token=token), status_code=status)


def _code(said: str) -> str:
    """A code as it is written, or nothing: what is no code is never shown or looked up."""
    code = said.strip().upper()
    return code if _CODE.fullmatch(code) else ""


def _codes(said: Sequence[str]) -> list[str]:
    """Each code once; what is none is left out, as what nobody ever gave."""
    return list(dict.fromkeys(filter(None, map(_code, said))))


def _told(ended: Sequence[Decided]) -> list[tuple[str, str]]:
    return [(one.code, worded(one.failure)) for one in ended if one.failure]


def _set_cookie(response: Response, cookie: str, *, secure: bool) -> None:
    response.set_cookie(
        COOKIE, cookie, max_age=int(SESSION_S), path=ROOT, secure=secure, httponly=True, samesite="strict"
    )
