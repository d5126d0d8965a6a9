"""Whether a port can be listened on, asked before anything starts.

The web processes share their port through SO_REUSEPORT, by which a second server would silently take half of the first
one's visitors. A bind without it fails instead.
"""

import errno
import socket

from streamserver.cli.errors import CannotStartError

REASONS = {
    errno.EADDRINUSE: "Another program listens there. Stop it, or choose another port with {setting}.",
    errno.EACCES: "Ports below 1024 need special rights. Choose a higher one with {setting} and put a proxy in front.",
    errno.EADDRNOTAVAIL: "That address is not one of this machine's. Use 127.0.0.1, or 0.0.0.0 for all of them.",
}


def check_port(host: str, port: int, setting: str) -> None:
    """Raises `CannotStartError`, which names `setting`."""
    place = f"{host}, port {port}"
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that ended lately do not count
            probe.bind(address)
            probe.listen()
    except socket.gaierror as error:
        raise CannotStartError(f"Cannot listen on {place}: '{host}' is no address. See web.host.") from error
    except OSError as error:
        reason = REASONS.get(error.errno or 0, str(error)).format(setting=setting)
        raise CannotStartError(f"Cannot listen on {place}: {reason}") from error
