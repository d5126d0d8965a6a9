"""A self-hosted, real-time livestream commerce server."""

VERSION = "0.1.0"
