from typing import Any

CONNECT: int
DISCONNECT: int
EVENT: int

class Packet:
    json: Any
    uses_binary_events: bool
    packet_type: int
    namespace: str | None
    data: Any
    id: int | None
    attachment_count: int
    def __init__(self, *, encoded_packet: str | None = None) -> None: ...
