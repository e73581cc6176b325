"""One poll for all waiters: many `wait` calls in one process look at an event as often as one would.

Each watched event has one post with one poll; waiters stand at posts. A poll lives as long as somebody stands at its
post, belongs to none of them (one that is cancelled takes nothing from the others) and is gone when the last leaves.
What a look means is decided in `rules.waiting`; here is only the looking, the resting and the ringing.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal, Protocol, TypeVar

import anyio
from pydantic import BaseModel

from paperspace_mcp.contract.catalogue import GET_MACHINE, GET_MACHINE_EVENT, LIST_MACHINE_EVENTS
from paperspace_mcp.contract.errors import Failure, UpstreamError
from paperspace_mcp.contract.operation import Operation
from paperspace_mcp.contract.requests import EventsQuery
from paperspace_mcp.contract.shapes import Event, Machine, Shape
from paperspace_mcp.rules import waiting
from paperspace_mcp.rules.waiting import Settled, Sighting, Sleep, Verdict

AT_ONCE = 8
"""Looks under way at the same time, over all events."""
FRESH_S = 1.0
"""A look that began so recently serves a newcomer or a deadline: however many wait, no event is read more often."""
REMEMBER_S = 5.0
"""How long a settled event is answered without a look."""
LOOK_BUDGET_S = 10.0
"""The longest that one read of a look may take; a failed look is no more than a slower next one."""
OVERTIME_S = 5.0
"""How long past its deadline a wait stays for a last look that is under way. Clients give up at 60 s, slices at 50."""
REPORT_EVERY_S = 5.0
REPORT_WITHIN_S = 2.0
"""A client that takes longer to accept a report of progress gets no more of them."""

G = TypeVar("G", bound=BaseModel)
Progress = Callable[[float, Sequence["Watched"]], Awaitable[None]]


class Reads(Protocol):
    """What is needed of the wire: reads that raise `Failure` after their own retries."""

    async def read(
        self,
        operation: Operation[G],
        path: Mapping[str, str] = ...,
        query: Shape | None = None,
        *,
        budget_s: float | None = None,
    ) -> G: ...


@dataclass(frozen=True)
class Watched:
    """How one event stands.

    elapsed_s: seconds from the event's making to its end, or to now; None where the provider's dates do not tell.
    typical_s: seconds that such an event usually takes; None without a public source.
    note: a code of `rules.waiting` ("capacity", "event_done_machine_not_ready", ...), a failure's code, or "".
    failure: why the last look told nothing; with `pending` it may pass, with `unreadable` it will not.
    start: the start that a create began by itself, where that is what failed; its `error` is the provider's text.
    """

    event_id: str
    verdict: Verdict
    event: Event | None
    machine: Machine | None
    elapsed_s: float | None
    typical_s: float | None
    note: str
    failure: Failure | None
    start: Event | None = None


@dataclass(eq=False)
class _Waiter:
    """One `wait` call. Moments are of the monotonic clock."""

    joined_at: float
    deadline: float
    bell: anyio.Event = field(default_factory=anyio.Event)


@dataclass(eq=False)
class _Post:
    """One event's poll and who waits for it."""

    event_id: str
    sighting: Sighting = field(default_factory=Sighting)
    settled: Settled | None = None
    looked_at: float | None = None
    """When the last completed look began."""
    rest_s: float = 0.0
    waiters: set[_Waiter] = field(default_factory=set)
    bell: anyio.Event = field(default_factory=anyio.Event)
    poll: asyncio.Task[None] | None = None
    crash: Exception | None = None

    def serves(self, moment: float) -> bool:
        """Whether what is known is the state at that moment. While looks fail, a rest is a rest for everybody."""
        fresh_s = self.rest_s if self.sighting.failure else FRESH_S
        return self.looked_at is not None and self.looked_at >= moment - fresh_s

    def due(self) -> float:
        """When the next look begins: after the rest, or sooner for a newcomer or a deadline."""
        begun = self.looked_at or 0.0
        return min([begun + self.rest_s, *(self._wanted_by(waiter) for waiter in self.waiters)])

    def _wanted_by(self, waiter: _Waiter) -> float:
        moments = (waiter.joined_at, waiter.deadline)
        return next((moment for moment in moments if not self.serves(moment)), float("inf"))

    def ring(self) -> None:
        for waiter in self.waiters:
            waiter.bell.set()


class Watch:
    """Waits for machine events. One per process and event loop.

    reads: the wire. sleep and clock (monotonic seconds) belong together; now is the wall clock that the provider's
    dates are compared with.
    """

    def __init__(
        self,
        reads: Reads,
        *,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._reads, self._sleep, self._clock, self._now = reads, sleep, clock, now
        self._posts: dict[str, _Post] = {}
        self._recent: dict[str, tuple[float, _Post]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def wait(
        self,
        event_ids: Sequence[str],
        *,
        timeout_s: float,
        until: Literal["all", "any"] = "all",
        progress: Progress | None = None,
    ) -> list[Watched]:
        """How the events stand when they are settled (all, or any of them) or the time is up.

        The answers are in the order given, duplicates folded. The first look is at once: `timeout_s=0` is one look.
        progress: called with the seconds waited on each change and every 5 s; what it raises ends the reports only.
        Raises nothing of the provider's: what could not be read is `unreadable`, or `pending` with the failure.
        """
        joined_at = self._clock()
        waiter = _Waiter(joined_at, joined_at + max(0.0, timeout_s))
        async with self._standing(list(dict.fromkeys(event_ids)), waiter) as posts:
            await self._attend(posts, waiter, until, _Reports(progress, joined_at))
            return [self._watched(post) for post in posts]

    # -- waiters ----------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _standing(self, event_ids: list[str], waiter: _Waiter) -> AsyncGenerator[list[_Post]]:
        posts = [self._join(event_id, waiter) for event_id in event_ids]
        try:
            yield posts
        finally:
            with anyio.CancelScope(shield=True):
                await self._leave(posts, waiter)

    def _join(self, event_id: str, waiter: _Waiter) -> _Post:
        if settled := self._recall(event_id):
            return settled
        post = self._posts.setdefault(event_id, _Post(event_id))
        post.waiters.add(waiter)
        post.bell.set()
        if post.poll is None:
            # An empty context: a poll belongs to no request, so it carries the log or trace context of none.
            post.poll = asyncio.get_running_loop().create_task(self._poll(post), context=Context())
        return post

    async def _leave(self, posts: list[_Post], waiter: _Waiter) -> None:
        for post in posts:
            post.waiters.discard(waiter)
        polls = [self._close(post) for post in posts if not post.waiters]
        await asyncio.gather(*(poll for poll in polls if poll), return_exceptions=True)

    def _close(self, post: _Post) -> asyncio.Task[None] | None:
        if self._posts.get(post.event_id) is post:
            del self._posts[post.event_id]
        if post.poll is not None:
            post.poll.cancel()
        return post.poll

    async def _attend(
        self, posts: list[_Post], waiter: _Waiter, until: Literal["all", "any"], reports: "_Reports"
    ) -> None:
        """Sit by the bell until the wait is over."""
        while True:
            waiter.bell = anyio.Event()
            over = self._over(posts, waiter, until)
            await reports.make(self._clock(), [self._watched(post) for post in posts] if reports.wanted else [])
            if over:
                return
            ends = waiter.deadline if self._clock() < waiter.deadline else waiter.deadline + OVERTIME_S
            await self._until(waiter.bell, min(ends, reports.due) - self._clock())

    def _over(self, posts: list[_Post], waiter: _Waiter, until: Literal["all", "any"]) -> bool:
        for crash in (post.crash for post in posts if post.crash):
            raise crash
        now = self._clock()
        if until == "any" and any(post.settled for post in posts):
            return now >= waiter.deadline + OVERTIME_S or all(p.settled or p.looked_at is not None for p in posts)
        if now < waiter.deadline:
            return all(post.settled for post in posts)
        served = all(post.settled or post.serves(waiter.deadline) for post in posts)
        return served or now >= waiter.deadline + OVERTIME_S

    def _watched(self, post: _Post) -> Watched:
        seen, now = post.sighting, self._now().timestamp()
        stand = post.settled or waiting.next(replace(seen, time_left_s=0), now)
        return Watched(
            event_id=post.event_id,
            verdict=stand.verdict if isinstance(stand, Settled) else Verdict.PENDING,
            event=seen.event,
            machine=None if seen.machine_gone else seen.machine,
            elapsed_s=waiting.elapsed_s(seen, now),
            typical_s=waiting.TYPICAL_S.get(seen.event.name) if seen.event else None,
            note="" if isinstance(stand, Sleep) else stand.note,
            failure=seen.failure,
            start=seen.start,
        )

    # -- polls ------------------------------------------------------------------------------------------------------

    async def _poll(self, post: _Post) -> None:
        try:
            await self._look(post)
            while isinstance(step := waiting.next(post.sighting, self._now().timestamp()), Sleep):
                post.rest_s = step.seconds
                post.ring()
                await self._rest(post)
                await self._look(post)
        except Exception as crash:  # noqa: BLE001 - a poll that dies silently would leave its waiters waiting
            post.crash = crash
        else:
            post.settled = step if isinstance(step, Settled) else None
        self._retire(post)

    def _retire(self, post: _Post) -> None:
        """The poll is over: newcomers are answered from memory for a while, or begin anew."""
        if self._posts.get(post.event_id) is post:
            del self._posts[post.event_id]
        if post.settled and post.settled.lasts:
            self._recent[post.event_id] = (self._clock(), post)
        post.ring()

    def _recall(self, event_id: str) -> _Post | None:
        oldest = self._clock() - REMEMBER_S
        self._recent = {key: kept for key, kept in self._recent.items() if kept[0] >= oldest}
        return self._recent[event_id][1] if event_id in self._recent else None

    async def _rest(self, post: _Post) -> None:
        """Until the next look is due; a newcomer rings, since it may be due sooner for him."""
        while True:
            post.bell = anyio.Event()
            left = post.due() - self._clock()
            if left <= 0:
                return
            await self._until(post.bell, left)

    async def _until(self, bell: anyio.Event, seconds: float) -> None:
        """Until the bell rings, at most `seconds`."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._ring_after, bell, max(0.0, seconds))
            await bell.wait()
            group.cancel_scope.cancel()

    async def _ring_after(self, bell: anyio.Event, seconds: float) -> None:
        await self._sleep(seconds)
        bell.set()

    # -- looks ------------------------------------------------------------------------------------------------------

    async def _look(self, post: _Post) -> None:
        async with self._turns:
            begun = self._clock()
            seen = await self._see_event(post.event_id, post.sighting)
            if machine_id := waiting.machine_to_read(seen, self._now().timestamp()):
                seen = await self._see_machine(machine_id, seen)
            if seen.created_but_off and not seen.failure:
                seen = await self._see_own_start(seen)
            post.sighting, post.looked_at = seen, begun

    async def _see_event(self, event_id: str, seen: Sighting) -> Sighting:
        try:
            event = await self._reads.read(GET_MACHINE_EVENT, {"id": event_id}, budget_s=LOOK_BUDGET_S)
        except Failure as failure:
            return seen.with_failure(failure)
        return seen.with_event(event, self._now().timestamp())

    async def _see_machine(self, machine_id: str, seen: Sighting) -> Sighting:
        try:
            machine = await self._reads.read(GET_MACHINE, {"id": machine_id}, budget_s=LOOK_BUDGET_S)
        except Failure as failure:
            return seen.with_machine_failure(failure)
        return seen.with_machine(machine)

    async def _see_own_start(self, seen: Sighting) -> Sighting:
        """A created machine that is off: only its first events tell whether it was to start and had no room."""
        query = EventsQuery(
            machine_id=seen.machine.id if seen.machine else None, order_by="dtCreated", order="asc", limit=20
        )
        try:
            page = await self._reads.read(LIST_MACHINE_EVENTS, query=query, budget_s=LOOK_BUDGET_S)
        except UpstreamError as failure:
            return seen.with_machine_failure(failure)
        except Failure:
            return seen  # not to be known with this key; the machine's state alone decides, a little later
        return seen.with_machine_events(page.items)


class _Reports:
    """The progress of one wait: on each change, and every 5 s without one."""

    def __init__(self, progress: Progress | None, begun_at: float) -> None:
        self._progress, self._begun_at = progress, begun_at
        self._told: object = None
        self.due = begun_at + REPORT_EVERY_S if progress else float("inf")

    @property
    def wanted(self) -> bool:
        return self._progress is not None

    async def make(self, moment: float, watched: Sequence[Watched]) -> None:
        """Tell the client; one that is gone or too slow is told no more, and the wait goes on."""
        shown = [(w.verdict, w.note, w.event and w.event.state, w.machine and w.machine.state) for w in watched]
        self._told = shown if self._told is None else self._told  # how it stood at the beginning is no news
        if self._progress is None or (shown == self._told and moment < self.due):
            return
        self._told, self.due = shown, moment + REPORT_EVERY_S
        told = False
        with suppress(Exception), anyio.move_on_after(REPORT_WITHIN_S):
            await self._progress(moment - self._begun_at, watched)
            told = True
        if not told:
            self._progress, self.due = None, float("inf")
