"""A crowd of misbehaving feeds with a record of what they allowed and what they held: for the soak."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from tests.politeness.world import DAY, HOUR, MINUTE, ok, rss, status
from tests.web.internet import Asked, reply

HOLDS = 10  # entries in a feed
HOST_DELAY = timedelta(seconds=5)


class Manner(IntEnum):
    """How a feed behaves."""

    WELL = 0
    FRESH = 1  # max-age of 90 minutes
    ASKS_TTL = 2  # of two hours
    SLEEPS = 3  # skipHours at night
    TIRED = 4  # 429 for an hour, at every third request
    OVERLOADED = 5  # 503 without a time, at every fourth
    BROKEN = 6  # 500, at every other
    HTML = 7  # a page with status 200, at every third
    CUT = 8  # a body that ends early, at every third
    SILENT = 9  # hangs up without a word, at every third
    FORGETFUL = 10  # another ETag at every request, never a 304
    MOVED = 11  # 301 to another host
    GONE = 12  # 410 after six hours
    STUBBORN = 13  # 304 whenever it can


@dataclass
class Crowd:
    """So many feeds on hosts of their own, but every seventh shares the one of the feed before."""

    size: int
    start: datetime
    asked: Counter[int] = field(default_factory=Counter)
    last_asked: dict[str, datetime] = field(default_factory=dict)
    closed_until: dict[str, datetime] = field(default_factory=dict)  # by host
    fresh_until: dict[int, datetime] = field(default_factory=dict)  # by feed
    too_early: list[str] = field(default_factory=list)
    held: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))  # what whole bodies of each feed held

    def host(self, number: int) -> str:
        return f"f{number - (number % 7 == 6)}.example"

    def urls(self, port: int) -> list[str]:
        return [f"http://{self.host(n)}:{port}/{n}" for n in range(self.size)]

    def __call__(self, asked: Asked, at: datetime) -> bytes:
        """Answer, and note what was asked too early."""
        host, number = (asked.header("host") or "").partition(":")[0], int(asked.path.strip("/").split("/")[-1])
        self._watch(host, number, at)
        manner = Manner(number % len(Manner))
        if manner is Manner.MOVED and not host.startswith("new"):
            return status("301 Moved", Location=f"http://new-{asked.header('host')}/{number}")
        self.asked[number] += 1
        answer = self._trouble(manner, host, number, at)
        return answer or self._feed(manner, number, at, asked.header("if-none-match"))

    def _watch(self, host: str, number: int, at: datetime) -> None:
        limits = {
            "its delay": self.last_asked.get(host, self.start - DAY) + HOST_DELAY,
            "its rest": self.closed_until.get(host, self.start),
            "its freshness": self.fresh_until.get(number, self.start),
        }
        self.too_early += [
            f"{host}/{number} at {at}: {what} lasts until {until}" for what, until in limits.items() if at < until
        ]
        is_asleep = at.hour < 6 and at - at.replace(hour=0, minute=0) > TURN
        if Manner(number % len(Manner)) is Manner.SLEEPS and is_asleep and self.asked[number]:
            self.too_early.append(f"{host}/{number} at {at}: it sleeps")
        self.last_asked[host] = at

    def _trouble(self, manner: Manner, host: str, number: int, at: datetime) -> bytes | None:
        turn = self.asked[number]
        if manner is Manner.TIRED and turn % 3 == 0:
            self.closed_until[host] = at + HOUR
            return status("429 Too Many Requests", Retry_After="3600")
        if manner is Manner.OVERLOADED and turn % 4 == 0:
            self.closed_until[host] = at + HOUR
            return status("503 Service Unavailable")
        if manner is Manner.GONE and at - self.start > 6 * HOUR:
            self.fresh_until[number] = at + 999 * DAY
            return status("410 Gone")
        plain = {
            Manner.BROKEN: (2, status("500 Oops")),
            Manner.HTML: (3, ok(b"<!doctype html><p>Hello")),
            Manner.SILENT: (3, b""),
        }
        every, answer = plain.get(manner, (0, b""))
        return answer if every and turn % every == 0 else None

    def _feed(self, manner: Manner, number: int, at: datetime, tag: str | None) -> bytes:
        every = (number % 5 + 1) * 20 * MINUTE  # an entry every 20 to 100 minutes
        newest = (at - self.start + DAY) // every
        dates = {f"{number}-{n}": self.start - DAY + n * every for n in range(newest - HOLDS + 1, newest + 1)}
        asks = {Manner.ASKS_TTL: "<ttl>120</ttl>", Manner.SLEEPS: SLEEP}.get(manner, "")
        headers = {"ETag": f'"{newest}"'}
        if manner is Manner.FORGETFUL:
            headers = {"ETag": f'"{at.timestamp()}"'}
        if manner is Manner.FRESH:
            headers["Cache-Control"] = "max-age=5400"
        wait = {Manner.FRESH: 90 * MINUTE, Manner.ASKS_TTL: 2 * HOUR}.get(manner, 10 * MINUTE)
        self.fresh_until[number] = at + wait
        if tag is not None and (tag == headers["ETag"] or manner is Manner.STUBBORN):
            return reply(b"", "304 Not Modified", **headers)
        body = rss(*reversed(dates), asks=asks, dates=dates)
        if manner is Manner.CUT and self.asked[number] % 3 == 0:
            return reply(body[: len(body) // 2], Content_Length=str(len(body)), **headers)
        self.held[number] |= set(dates)
        return ok(body, **headers)


SLEEP = "<skipHours>" + "".join(f"<hour>{hour}</hour>" for hour in range(6)) + "</skipHours>"
TURN = timedelta(minutes=10)  # that a poll which was due before may still wait for its host
START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
