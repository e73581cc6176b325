"""The page's HTML. `filled` is the one place where text becomes HTML, and it escapes all but what is HTML already."""

import html
import time
from collections.abc import Sequence

from paperspace_mcp.rules.guard.records import Record

ROOT = "/approvals"


class Html(str):
    """Text that is HTML already; anything else is escaped where it is filled in."""

    __slots__ = ()


def filled(template: str, **values: object) -> Html:
    """A template with its gaps filled."""
    return Html(template.format_map({name: _safe(value) for name, value in values.items()}))


def _safe(value: object) -> str:
    return str(value) if isinstance(value, Html) else html.escape(str(value))


def joined(parts: Sequence[Html]) -> Html:
    return Html("".join(parts))


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<link rel="stylesheet" href="{root}/style.css">
</head>
<body>
<header><a href="{root}">Paperspace approvals</a>{who}</header>
<main>
{content}
</main>
</body>
</html>
"""

_WHO = """<form method="post" action="{root}/logout"><input type="hidden" name="token" value="{token}">\
<span>{user}</span> <button>Log out</button></form>"""

_LOGIN = """<h1>Log in to decide</h1>
<form class="card" method="post" action="{root}/login">
<input type="hidden" name="code" value="{code}">
<label for="user">User</label>
<input id="user" name="user" required maxlength="64" autocomplete="username" autocapitalize="none" spellcheck="false">
<label for="secret">Approver's secret</label>
<input id="secret" name="secret" type="password" required maxlength="256" autocomplete="off">
<div class="buttons"><button class="go">Log in</button></div>
</form>
<p class="soft">You see the questions of your own calls. A login lasts ten minutes.</p>"""

_EMPTY = """<h1>Nothing waits for you</h1>
<p class="card">A question appears here when a call of yours needs a person. Load the page again to look.</p>"""

_LIST = """<h1>{title}</h1>
<ul class="list">
{rows}
</ul>"""

_ROW = """<li><a class="card" href="{root}/{code}"><span class="code">{code}</span> <span class="soft">{tool}</span>
<span class="first">{first}</span>{second}<br><span class="soft">{left}</span></a></li>
"""

_QUESTION = """<h1 class="danger {effect}">{first}</h1>
<div class="card"><ul class="lines">
{lines}</ul></div>
<form class="card" method="post" action="{root}/{code}">
<input type="hidden" name="token" value="{token}">
<label for="typed">Type what the question asks for</label>
<input id="typed" name="typed" maxlength="512" autocomplete="off" autocapitalize="none" autocorrect="off"
 spellcheck="false">
<label for="secret">Your approver's secret</label>
<input id="secret" name="secret" type="password" required maxlength="256" autocomplete="off">
<div class="buttons"><button class="go" name="decision" value="approve">Approve</button>
<button name="decision" value="deny">Deny</button></div>
</form>
<dl class="facts">
<dt>Question</dt><dd class="code">{code}</dd>
<dt>Tool</dt><dd>{tool}</dd>
<dt>Class</dt><dd>{effect}</dd>
<dt>Caller</dt><dd>{principal}</dd>
<dt>Asked at</dt><dd>{asked}</dd>
<dt>Open until</dt><dd>{until} ({left})</dd>
</dl>"""

_LINE = "<li>{line}</li>\n"

_NOTICE = """<h1>{title}</h1>
<div class="card"><p>{text}</p></div>
<p><a href="{link}">{label}</a></p>"""


def page(title: str, content: Html, *, user: str = "", token: str = "") -> Html:
    """A whole document; with a user, the way out."""
    who = filled(_WHO, root=ROOT, user=user, token=token) if user else Html()
    return filled(_PAGE, root=ROOT, title=title, who=who, content=content)


def login(code: str) -> Html:
    """The login. `code`: the question to go on to."""
    return filled(_LOGIN, root=ROOT, code=code)


def waiting(records: Sequence[Record], now: float) -> Html:
    """The list of questions; each by its dangerous line."""
    if not records:
        return Html(_EMPTY)
    rows = [
        filled(_ROW, root=ROOT, code=one.code, tool=one.tool, first=first, second=second, left=_left(one, now))
        for one in records
        for first, second in [(*_lines(one), "")[:2]]
    ]
    title = "1 question waits for you" if len(rows) == 1 else f"{len(rows)} questions wait for you"
    return filled(_LIST, title=title, rows=joined(rows))


def question(record: Record, token: str, now: float) -> Html:
    """One question in full, and the form that decides it."""
    first, *lines = _lines(record)
    return filled(
        _QUESTION,
        root=ROOT,
        first=first,
        lines=joined([filled(_LINE, line=line) for line in lines]),
        code=record.code,
        token=token,
        tool=record.tool,
        effect=record.effect.value,
        principal=record.principal,
        asked=_clock(record.issued_at),
        until=_clock(record.expires_at),
        left=_left(record, now),
    )


def notice(title: str, text: str, link: str, label: str) -> Html:
    """What happened, and the way on."""
    return filled(_NOTICE, title=title, text=text, link=link, label=label)


def _lines(record: Record) -> list[str]:
    return record.question.splitlines() or [record.tool]


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S UTC", time.gmtime(at))


def _left(record: Record, now: float) -> str:
    minutes = max(0, int((record.expires_at - now) // 60))
    return f"{minutes} min left" if minutes else "less than a minute left"
