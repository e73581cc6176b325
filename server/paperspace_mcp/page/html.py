"""The page's HTML. `filled` is the one place where text becomes HTML, and it escapes all but what is HTML already."""

import html
import time
from collections.abc import Sequence
from urllib.parse import urlencode

from paperspace_mcp.rules.guard import lists
from paperspace_mcp.rules.guard.cleaning import quoted
from paperspace_mcp.rules.guard.demands import TYPED_CAP
from paperspace_mcp.rules.guard.lists import Listing
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
<input type="hidden" name="revealed" value="{revealed}">
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
{groups}<ul class="list">
{rows}
</ul>"""

_ROW = """<a class="card" href="{root}/{code}"><span class="code">{code}</span> <span class="soft">{tool}</span>
<span class="first">{first}</span>{second}<br><span class="soft">{left}</span></a>"""

_ITEM = """<li>{row}</li>
"""

_GROUP = """<form class="group" method="get" action="{root}/list">
<h2>{count} to {verb}</h2>
<ul class="list">
{rows}
</ul>
<div class="buttons"><a class="button go" href="{all_}">Decide all {count} together</a>
<button>Only those ticked</button></div>
</form>
"""

_PICK = """<li class="pick"><label><input type="checkbox" name="code" value="{code}" aria-label="Tick {code}"></label>
{row}</li>
"""

_LISTED = """<h1 class="danger {effect}">{heading}</h1>
{ended}{cards}<form class="card" method="post" action="{root}/list">
<input type="hidden" name="token" value="{token}">
<input type="hidden" name="codes" value="{codes}">
<label for="typed">To go ahead with all of them, type: <span class="typed">{typed}</span></label>
<input id="typed" name="typed" maxlength="{cap}" autocomplete="off" autocapitalize="none" autocorrect="off"
 spellcheck="false">
<label for="secret">Your approver's secret</label>
<input id="secret" name="secret" type="password" required maxlength="256" autocomplete="off">
<div class="buttons"><button class="go" name="decision" value="approve">Approve all</button>
<button name="decision" value="deny">Deny all</button></div>
</form>
<p class="soft">Each is decided under its own code. Denying needs the secret only.</p>"""

_CARD = """<div class="card"><p><span class="code">{code}</span> <span class="soft">{tool} · {left}</span></p>
<ul class="lines listed">
{lines}</ul></div>
"""

_DONE = """<h1>{title}</h1>
<ul class="list">
{rows}
</ul>
<p><a href="{root}">To the questions</a></p>"""

_ONE = """<li class="card"><span class="code">{code}</span> {said}</li>
"""

_REVEALED = """<h1>The desktop password of {name}</h1>
<form class="card" method="post" action="{root}/revealed/{code}">
<input type="hidden" name="token" value="{token}">
<p>It is shown once, to you, and then forgotten here. It waits until {until}.</p>
<div class="buttons"><button class="go">Show it now</button></div>
</form>
<p class="soft">Asked for as <span class="code">{code}</span>.</p>"""

_SHOWN = """<h1>The desktop password of {name}</h1>
<div class="card"><p class="secret">{password}</p></div>
<p class="soft">This was the only time: leave this page and it is gone.</p>
<p><a href="{root}">To the questions</a></p>"""

_SAID = """<p><span class="code">{code}</span> {said}</p>
"""

_ENDED = """<div class="card">{rows}</div>
"""

_QUESTION = """<h1 class="danger {effect}">{first}</h1>
<div class="card"><ul class="lines">
{lines}</ul></div>
<form class="card" method="post" action="{root}/{code}">
<input type="hidden" name="token" value="{token}">
<label for="typed">Type what the question asks for</label>
<input id="typed" name="typed" maxlength="{cap}" autocomplete="off" autocapitalize="none" autocorrect="off"
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


def login(code: str, *, revealed: bool = False) -> Html:
    """The login. `code`: the question to go on to, or what was revealed."""
    return filled(_LOGIN, root=ROOT, code=code, revealed="1" if revealed else "")


def waiting(records: Sequence[Record], now: float) -> Html:
    """The questions, each by its dangerous line: those that may be decided together as one list, then the rest."""
    if not records:
        return Html(_EMPTY)
    found, single = lists.sorted_out(records)
    rows = [filled(_ITEM, row=_row(one, now)) for one in single]
    title = "1 question waits for you" if len(records) == 1 else f"{len(records)} questions wait for you"
    return filled(_LIST, title=title, groups=joined([_group(one, now) for one in found]), rows=joined(rows))


def _row(record: Record, now: float) -> Html:
    first, second = (*_lines(record), "")[:2]
    return filled(
        _ROW, root=ROOT, code=record.code, tool=record.tool, first=first, second=second, left=_left(record, now)
    )


def _group(listing: Listing, now: float) -> Html:
    rows = [filled(_PICK, code=one.code, row=_row(one, now)) for one in listing.records]
    everything = list_link([one.code for one in listing.records])
    return filled(_GROUP, root=ROOT, verb=listing.verb, count=listing.count, rows=joined(rows), all_=everything)


def list_link(codes: Sequence[str]) -> str:
    """Where several questions are shown as one list."""
    return f"{ROOT}/list?" + urlencode([("code", code) for code in codes])


def together(listing: Listing, ended: Sequence[tuple[str, str]], token: str, now: float) -> Html:
    """A whole list, and the form that decides it. ended: codes that were chosen and wait no more, and why."""
    return filled(
        _LISTED,
        root=ROOT,
        effect=listing.effect.value,
        heading=listing.heading,
        ended=filled(_ENDED, rows=joined([filled(_SAID, code=code, said=said) for code, said in ended]))
        if ended
        else "",
        cards=joined([_card(one, now) for one in listing.records]),
        token=token,
        codes=",".join(one.code for one in listing.records),
        typed=listing.typed,
        cap=TYPED_CAP,
    )


def _card(record: Record, now: float) -> Html:
    rows = joined([filled(_LINE, line=line) for line in lists.lines(record)])
    return filled(_CARD, code=record.code, tool=record.tool, left=_left(record, now), lines=rows)


def done(title: str, told: Sequence[tuple[str, str]]) -> Html:
    """What became of each question of a list."""
    rows = [filled(_ONE, code=code, said=said) for code, said in told]
    return filled(_DONE, root=ROOT, title=title, rows=joined(rows))


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
        cap=TYPED_CAP,
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


def revealed(code: str, name: str, until: float, token: str) -> Html:
    """A password waits; the form shows it. Loading this page uses nothing up, so no preview of a link can."""
    return filled(_REVEALED, root=ROOT, code=code, name=quoted(name), until=_clock(until), token=token)


def password(name: str, secret: str) -> Html:
    """The password itself."""
    return filled(_SHOWN, root=ROOT, name=quoted(name), password=secret)


def _lines(record: Record) -> list[str]:
    return record.question.splitlines() or [record.tool]


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%S UTC", time.gmtime(at))


def _left(record: Record, now: float) -> str:
    minutes = max(0, int((record.expires_at - now) // 60))
    return f"{minutes} min left" if minutes else "less than a minute left"
