"""A live room with one product in it, made as a host would."""

from tests.stories.people import Host

HANDLE = "bench-host"


async def open_shop(url: str, units: int) -> tuple[str, str]:
    """Returns (room, variant)."""
    async with Host(url) as host:
        await host.open(HANDLE)
        anchor = await host.offer("Moon vase", units)
        await host.post(f"rooms/{host.room}/start")
    return host.room, anchor["variants"][0]["id"]
