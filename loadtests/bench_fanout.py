"""`make bench-fanout`: how fast viewers are told and answered, each figure beside its baseline from the same run."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial

import uvloop

from loadtests.bench_room import busy_room, leaving, pins
from loadtests.contenders import Contender, floor, node_socketio, python_socketio, running, uwebsockets
from loadtests.measure import ROUNDS, SECONDS, Effort, Report, Round, Target, doing, side_by_side
from loadtests.venue import MESSAGE, Venue, asking

SETTLED = 0.5  # seconds until a flood has filled what there is to fill
MANY = 16  # events under way of a flood that may be written together
ONE = 2  # of one that may not: the one being written, and the next
IDLE = 9_000
WARM = 500  # viewers who came and went before memory is compared
TAP = '["tap",{"anchor":"anc_0000000000000000000000"}]'
UWEBSOCKETS = "uwebsockets: not installed (257 MB); npm install --no-save uwebsockets@3.0.6 adds it to the next run"


async def frames(report: Report, venue: Venue, effort: Effort) -> None:
    """Messages of 200 bytes to everybody in a room, as fast as they go."""
    await _frames_to(report, venue, effort, 500)
    peers = {"python_socketio": python_socketio(), "node_socketio": node_socketio(), "uwebsockets": uwebsockets()}
    found = await _frames_to(report, venue, effort, 2_000, {name: peer for name, peer in peers.items() if peer})
    for name, least in (("python_socketio", 8), ("node_socketio", 1.4)):
        report.figure(f"ratio_frames_to_{name}", found["ours"] / found[name], "x", Target(">=", least))
    if "uwebsockets" not in found:
        print(UWEBSOCKETS, flush=True)
    await _frames_to(report, venue, effort, 9_000)


async def acks(report: Report, venue: Venue, effort: Effort) -> None:
    """An event that does nothing, and a durable hold, against an event that does nothing at the peers."""
    for viewers, least, held in ((200, 5, 2), (2_000, 10, 4)):
        count = effort.sockets(viewers)
        found = await _acks_to(venue, effort, count)
        for name, figure in found.items():
            report.figure(f"acks_{name}_{count}_sockets", figure, "acks/s")
        ours, stock, node = found["ours"], found["python_socketio"], found["node_socketio"]
        report.figure(f"ratio_acks_to_python_socketio_{count}_sockets", ours / stock, "x", Target(">=", least))
        report.figure(f"ratio_acks_to_node_socketio_{count}_sockets", ours / node, "x", Target(">=", 1.2))
        holds = found["hold"] / stock
        report.figure(f"ratio_holds_to_python_socketio_empty_acks_{count}_sockets", holds, "x", Target(">=", held))


async def memory(report: Report, venue: Venue, effort: Effort) -> None:
    """What one more viewer costs who has joined and does nothing."""
    count = effort.sockets(IDLE)
    peers = {"ours": venue.web, "python_socketio": python_socketio(), "node_socketio": node_socketio()}
    rounds: dict[str, Round] = {name: partial(_grown, one, count, effort.sockets(WARM)) for name, one in peers.items()}
    for name, figure in (await side_by_side(rounds, effort.rounds)).items():
        target = Target("<=", 8) if name == "ours" else None
        report.figure(f"memory_{name}_{count}_sockets", figure, "KB/viewer", target)


async def joins(report: Report, venue: Venue, effort: Effort) -> None:
    """From the first connection to the last snapshot."""
    count = effort.sockets(2_000)
    stock = python_socketio(await venue.snapshot_size())
    found = await side_by_side(
        {"ours": lambda: _joined(venue.web, count), "python_socketio": lambda: _joined(stock, count)}, effort.rounds
    )
    for name, figure in found.items():
        report.figure(f"joins_{name}_{count}_sockets", figure, "joins/s")
    report.figure("ratio_joins_to_python_socketio", found["ours"] / found["python_socketio"], "x", Target(">=", 2))


async def _frames_to(
    report: Report, venue: Venue, effort: Effort, viewers: int, peers: Mapping[str, Contender] | None = None
) -> dict[str, float]:
    """Frames a second of every competitor."""
    count = effort.sockets(viewers)
    rounds: dict[str, Round] = {
        "send_floor": lambda: _flooded(floor(count, MESSAGE), count, effort),
        "ours": lambda: _ours(venue, count, MANY, effort),
        "ours_one_a_write": lambda: _ours(venue, count, ONE, effort),
    }
    rounds |= {name: partial(_flooded, peer, count, effort) for name, peer in (peers or {}).items()}
    found = await side_by_side(rounds, effort.rounds)
    for name, figure in found.items():
        report.figure(f"frames_{name}_{count}_sockets", figure, "frames/s")
    for name in ("ours", "ours_one_a_write"):
        ratio = found[name] / found["send_floor"]
        report.figure(f"ratio_frames_{name}_to_floor_{count}_sockets", ratio, "x", Target(">=", 0.85))
    return found


async def _acks_to(venue: Venue, effort: Effort, count: int) -> dict[str, float]:
    """Acks a second of every competitor."""
    return await side_by_side(
        {
            "ours": lambda: _asked(venue.web, count, [TAP], effort),
            "python_socketio": lambda: _asked(python_socketio(), count, [TAP], effort),
            "node_socketio": lambda: _asked(node_socketio(), count, [TAP], effort),
            "hold": lambda: _asked(venue.web, count, venue.holds, effort),
        },
        effort.rounds,
    )


async def _flooded(contender: Contender, count: int, effort: Effort) -> float:
    async with running(contender) as server, server.viewers(count) as viewers:
        server.signal()
        await asyncio.sleep(SETTLED)
        found = await viewers.measure(effort.seconds)
    return found["frames"] / found["seconds"]


async def _ours(venue: Venue, count: int, under_way: int, effort: Effort) -> float:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running(venue.web))
        viewers = await stack.enter_async_context(server.viewers(count, "-x"))
        await stack.enter_async_context(doing(venue.flood(viewers, under_way)))
        await asyncio.sleep(SETTLED)
        found = await viewers.measure(effort.seconds)
    return found["frames"] / found["seconds"]


async def _asked(contender: Contender, count: int, events: list[str], effort: Effort) -> float:
    async with running(contender) as server, server.viewers(count, *asking(events)) as viewers:
        await viewers.measure(SETTLED)
        found = await viewers.measure(effort.seconds)
    return found["calls"] / found["seconds"]


async def _grown(contender: Contender, count: int, warm: int) -> float:
    """KB a viewer."""
    async with running(contender) as server:
        async with server.viewers(warm):
            pass
        await asyncio.sleep(SETTLED)
        before = server.memory
        async with server.viewers(count):
            await asyncio.sleep(SETTLED)
            return (server.memory - before) / count / 1024


async def _joined(contender: Contender, count: int) -> float:
    async with running(contender) as server:
        async with server.viewers(1):  # the first finds nothing prepared
            pass
        async with server.viewers(count) as viewers:
            return viewers.joined / viewers.seconds


ROWS: dict[str, Callable[[Report, Venue, Effort], Awaitable[None]]] = {
    "frames": frames, "busy": busy_room, "pins": pins, "acks": acks, "memory": memory, "joins": joins, "leaving": leaving,
}  # fmt: skip


async def main(rows: list[str], effort: Effort) -> int:
    """Print every figure; the exit code is 1 when a target was missed."""
    report = Report()
    async with Venue.opened() as venue:
        for row in rows:
            await ROWS[row](report, venue, effort)
    return 1 if report.missed else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[[], *ROWS], default=list(ROWS), help="which rows of the table; all")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each competitor, besides one to warm up")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="that a round measures")
    parser.add_argument("--share", type=float, default=1, help="of the sockets, e.g. 0.1 to try it out")
    return parser.parse_args()


if __name__ == "__main__":
    asked = arguments()
    sys.exit(uvloop.run(main(asked.rows, Effort(asked.rounds, asked.seconds, asked.share))))
