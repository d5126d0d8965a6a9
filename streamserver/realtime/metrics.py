"""Figures of the live conversation, for `/metrics`."""

from prometheus_client import Counter, Gauge

VIEWERS = Gauge("streamserver_viewers", "Sockets that are joined to a room now")
EVENTS = Counter("streamserver_events_sent", "Events written to viewers")
CONFLATED = Counter("streamserver_states_conflated", "State values that a newer one replaced before they were sent")
SLOW = Counter(
    "streamserver_slow_viewers", "Steps of viewers who read too slowly: behind, caught up, dropped", ["step"]
)
SHED = Counter("streamserver_chatter_shed", "Chat and reactions that were over a room's budget")
REFUSED = Counter("streamserver_live_refused", "Connections and messages that were refused", ["code"])
RECOVERED = Counter(
    "streamserver_room_recoveries", "Times a room's missing events were fetched, by outcome", ["outcome"]
)
LOST = Counter("streamserver_bus_lost", "Times a listening connection to Redis was renewed, by reason", ["reason"])
