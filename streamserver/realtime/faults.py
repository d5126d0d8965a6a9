"""The last words before the server closes a socket."""

from streamserver.messages.live import Fault

TOO_MANY_REQUESTS = Fault(
    code="too_many_requests", message="This page sent far too many messages. Reload it in a minute.", retry=False
)
TOO_SLOW = Fault(code="too_slow", message="Your connection is too slow for this room. Reconnecting.", retry=True)
SIGNED_OUT = Fault(code="signed_out", message="You were signed out. Sign in again to go on.", retry=False)
RESTARTING = Fault(code="restarting", message="The server restarts. You will be reconnected.", retry=True)
BAD_FORMAT = Fault(
    code="bad_format", message="This page sent something that cannot be read. Reload it to go on.", retry=False
)
