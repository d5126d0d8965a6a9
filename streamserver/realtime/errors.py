"""Failures that only a live connection knows."""

from streamserver.kit.errors import Failure, OneMoment
from streamserver.kit.log import log
from streamserver.kit.outages import STORES_AWAY


class NotJoined(Failure):
    code, status = "not_joined", 409
    sentence = "Join the room first."


class UnknownEvent(Failure):
    code, status = "unknown_event", 404
    sentence = "This server knows no such event. The page may be out of date: reload it."


class WebSocketOnly(Failure):
    code, status = "websocket_only", 400
    sentence = (
        "Live updates need Socket.IO v5 over WebSocket. Connect with io({transports: ['websocket']}), and let every "
        "proxy on the way pass the Upgrade header."
    )


def expected(error: Exception) -> Failure:
    """What a viewer is told. Errors that nobody foresaw are logged and not shown."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, STORES_AWAY):
        log.warning("a store is away", error=repr(error))
        return OneMoment()
    log.error("an event failed", exc_info=error)
    return Failure("Something went wrong on our side. Please try again; nothing was bought twice.")
