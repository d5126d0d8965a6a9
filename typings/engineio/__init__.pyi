from typing import Any

class AsyncServer:
    class reason:
        TRANSPORT_CLOSE: str

    handlers: dict[str, Any]
    sockets: dict[str, Any]
    def __init__(self, **options: Any) -> None: ...
    def generate_id(self) -> str: ...
