"""/websub/TOKEN: where hubs verify what we ask of them, deny it, and push.

The token is the proof of who asks, so the guard asks for no other; what is pushed must be signed besides.

Source:
    WebSub, W3C Recommendation of 23 January 2018, sections 5 and 7.
"""

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pipeline import pushing
from pipeline.engine import Engine
from pipeline.model import PushState, Subscription
from pipeline.settings.sections import CALLBACKS
from pipeline.stages import push

LONGEST_CHALLENGE = 2000  # characters
log = structlog.get_logger()


class Callback:
    """What hubs ask and send."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._rows = engine, engine.store.subscriptions

    async def answer(self, request: Request) -> Response:
        """A question or a delivery of a hub."""
        known = await self._rows.of_token(request.path_params["token"])
        if known is None:
            raise HTTPException(404, "no such subscription")
        return await (self._take(request, known) if request.method == "POST" else self._say(request, known))

    async def _say(self, request: Request, known: Subscription) -> Response:
        """Confirm what we want, and take note of what is denied; whatever else is asked is not ours."""
        asked, now = request.query_params, self._engine.clock.now()
        mode, is_leaving = asked.get("hub.mode"), known.state is PushState.LEAVING
        if asked.get("hub.topic") != known.hub.topic:
            raise HTTPException(404, "another topic")
        if mode == "denied" and not is_leaving:
            await self._rows.denied(push.denied(known, asked.get("hub.reason", ""), now), now)
            log.warning("hub denied", hub=known.hub.url, topic=known.hub.topic)
            return Response(status_code=204)
        challenge = asked.get("hub.challenge", "")
        if mode != ("unsubscribe" if is_leaving else "subscribe") or not 0 < len(challenge) <= LONGEST_CHALLENGE:
            raise HTTPException(404, "this is not wanted")
        if is_leaving:
            await self._rows.left(known, now)
        else:
            await self._rows.verified(push.verified(known, asked.get("hub.lease_seconds"), now), now)
        log.info("hub verified", hub=known.hub.url, topic=known.hub.topic, mode=mode)
        return PlainTextResponse(challenge)

    async def _take(self, request: Request, known: Subscription) -> Response:
        """Store what is pushed; what is not to be believed is ignored, and accepted all the same."""
        rows = await self._engine.store.feeds.listing(named=(str(known.feed_id),))
        if known.state is PushState.LEAVING or not rows or not rows[0].is_enabled:
            raise HTTPException(410, "no longer wanted")
        if request.headers.get("content-encoding", "identity") != "identity":
            raise HTTPException(415, "send it uncompressed", {"Accept-Encoding": "identity"})
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
        await pushing.deliver(self._engine, known, rows[0], headers, await request.body())
        return Response(status_code=202)


def routes(engine: Engine) -> list[Route]:
    """Where hubs find us."""
    return [Route(CALLBACKS + "{token}", Callback(engine).answer, methods=["GET", "POST"])]
