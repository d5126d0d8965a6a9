"""What stops a command, told to whoever runs the server."""

EXIT_CONFIG = 78  # EX_CONFIG of sysexits.h: starting again would not help


class CannotStartError(Exception):
    """The message says what is in the way and what to do about it."""
