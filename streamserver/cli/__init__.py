"""The command line: what a self-hoster types."""

from streamserver.cli.commands import main

__all__ = ["main"]
