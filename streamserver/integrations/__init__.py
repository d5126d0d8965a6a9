"""The world outside, each part behind a protocol that a domain declares."""
