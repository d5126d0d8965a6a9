"""A process with viewers, for tests that kill it: `python -m tests.realtime.process <parent> <redis url> <room> <viewers>`."""

import asyncio
import sys

from streamserver.cli.bound import die_with_parent
from streamserver.kit.redis import connect
from streamserver.realtime.attendance import Attendance
from streamserver.rooms.presence import Presence


async def report(redis_url: str, room: str, viewers: int) -> None:
    attendance = Attendance(Presence(connect(redis_url), 30))
    attendance.start()
    attendance.count(room, viewers, host=False)
    await asyncio.Event().wait()


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    asyncio.run(report(sys.argv[2], sys.argv[3], int(sys.argv[4])))
