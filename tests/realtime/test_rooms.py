"""Being in a room: what a viewer is told on coming in, while it stays, and on coming back."""

import pytest
from socketio.exceptions import ConnectionError as ConnectError

from streamserver.kit.ids import new_id
from tests.realtime.conftest import Live, Serve
from tests.realtime.stage import Stage

VARIANT = new_id("var")


async def test_a_newcomer_gets_the_whole_room(live: Live, stage: Stage) -> None:
    """The room named in the connect packet is joined at once; the snapshot is the first word, and the only one."""
    await stage.happen("title 1")
    page = await live.page(room=stage.room)

    snapshot = await page.first("snapshot")
    assert (snapshot["seq"], snapshot["about"]["title"], snapshot["rights"]) == (1, "title 1", [])
    assert page.all("event") == []


async def test_a_page_can_connect_first_and_join_later(live: Live, stage: Stage) -> None:
    """`join` is acknowledged, after its snapshot."""
    page = await live.page()
    assert await page.ask("join", {"room": stage.room}) == {"ok": {}}
    assert len(page.all("snapshot")) == 1


async def test_a_room_that_does_not_exist_refuses_the_connection(live: Live) -> None:
    with pytest.raises(ConnectError):
        await live.page(room=new_id("room"))


async def test_a_room_that_does_not_exist_is_not_found(live: Live) -> None:
    page = await live.page()
    answer = await page.ask("join", {"room": new_id("room")})
    assert (answer["error"]["code"], answer["error"]["status"]) == ("not_found", 404)


async def test_events_arrive_in_order_and_once(live: Live, stage: Stage) -> None:
    """Nothing is lost or doubled, also when the bus says something twice."""
    page = await live.page(room=stage.room)
    for number in range(20):
        await stage.happen(f"title {number}")
        await stage.publish(["event", number + 1, stage.events[number]])
    await page.until(lambda: len(page.seqs) >= 20)
    await page.ask("tap", {"anchor": new_id("anchor")})
    assert page.seqs == list(range(1, 21))


async def test_an_event_that_the_bus_lost_is_fetched(live: Live, stage: Stage) -> None:
    """A gap in seq is filled from the room's log before anything later is told."""
    page = await live.page(room=stage.room)
    await stage.happen("lost", published=False)
    await stage.happen("heard")
    await page.until(lambda: len(page.seqs) == 2)
    assert page.seqs == [1, 2]


async def test_a_gap_that_the_log_no_longer_covers_means_resync(live: Live, stage: Stage) -> None:
    """`resync` and a snapshot with the viewer's own rights; events go on from there."""
    stage.moderators.add("acc_mara")
    page = await live.page("mara", room=stage.room)
    await page.first("snapshot")
    await stage.happen("lost", published=False)
    stage.log_start = 2
    await stage.happen("heard")
    await page.first("resync")
    await page.until(lambda: len(page.all("snapshot")) == 2)
    assert (page.all("snapshot")[1]["seq"], page.all("snapshot")[1]["rights"]) == (2, ["pin"])

    await stage.happen("later")
    await page.until(lambda: page.seqs == [3])


async def test_a_new_epoch_means_resync(live: Live, stage: Stage) -> None:
    """The room's log began anew, with lower numbers: they are not mistaken for old ones."""
    await stage.happen("one")
    await stage.happen("two")
    page = await live.page(room=stage.room)
    stage.epoch, stage.events = "e2", []
    await stage.happen("first of the new epoch")
    await page.first("resync")
    await page.until(lambda: len(page.all("snapshot")) == 2)
    assert (page.all("snapshot")[1]["epoch"], page.all("snapshot")[1]["seq"]) == ("e2", 1)


async def test_whoever_returns_gets_the_missing_events(live: Live, stage: Stage) -> None:
    """With `after`: what happened since, the current states, and no snapshot."""
    for number in range(3):
        await stage.happen(f"title {number}")
    await stage.sell(VARIANT, 7, version=1)
    page = await live.page(room=stage.room, after={"epoch": "e1", "seq": 1})
    await page.until(lambda: page.stock(VARIANT) == [7])
    assert page.seqs == [2, 3]
    assert page.all("snapshot") == page.all("resync") == []

    await stage.happen("title 4")
    await page.until(lambda: page.seqs == [2, 3, 4])


@pytest.mark.parametrize("after", [{"epoch": "e1", "seq": 0}, {"epoch": "gone", "seq": 2}, {"epoch": "e1", "seq": 99}])
async def test_whoever_was_away_too_long_starts_anew(live: Live, stage: Stage, after: dict[str, str | int]) -> None:
    """One honest `resync`, then a fresh snapshot."""
    await stage.happen("one")
    await stage.happen("two")
    stage.log_start = 2
    page = await live.page(room=stage.room, after=after)
    await page.first("snapshot")
    assert [name for name, _ in page.got][:2] == ["resync", "snapshot"]


async def test_states_are_conflated_and_the_newest_wins(serve: Serve, stage: Stage) -> None:
    """Of many changes within a tick one is told, and a lower version never overwrites a higher one."""
    live = await serve(tick_ms=200)
    page = await live.page(room=stage.room)
    await page.first("snapshot")
    for version in (1, 2, 5, 4, 3):
        await stage.sell(VARIANT, 100 - version, version)
    await page.until(lambda: page.stock(VARIANT))
    await stage.sell(VARIANT, 50, version=4)
    await stage.sell(VARIANT, 40, version=6)
    await page.until(lambda: len(page.stock(VARIANT)) == 2)
    assert page.stock(VARIANT) == [95, 40]


async def test_two_processes_tell_the_same(serve: Serve, stage: Stage) -> None:
    """What happens in a room reaches viewers of every web process."""
    pages = [await (await serve()).page(room=stage.room) for _ in range(2)]
    await stage.happen("for all")
    await stage.sell(VARIANT, 3, version=1)
    for page in pages:
        await page.until(lambda page=page: page.seqs == [1] and page.stock(VARIANT) == [3])


async def test_a_room_is_left_by_joining_it_anew(live: Live, stage: Stage) -> None:
    """A page that saw a gap joins again with `after`; it is not told twice afterwards."""
    page = await live.page(room=stage.room)
    await stage.happen("one")
    await page.until(lambda: page.seqs == [1])
    await page.ask("join", {"room": stage.room, "after": {"epoch": "e1", "seq": 1}})
    await stage.happen("two")
    await page.until(lambda: 2 in page.seqs)
    await page.ask("tap", {"anchor": new_id("anchor")})
    assert page.seqs == [1, 2]


async def test_reactions_are_added_up(serve: Serve, stage: Stage) -> None:
    """What viewers of two processes send within a moment reaches everybody as a few numbers that add up; an unknown kind is
    refused."""
    first, second = await serve(), await serve()
    pages = [await live.page(room=stage.room) for live in (first, second)]
    for page in pages:
        await page.first("snapshot")
        for _ in range(20):
            await page.ask("react", {"kind": "heart"})
        assert (await page.ask("react", {"kind": "spam"}))["error"]["code"] == "invalid"
    for page in pages:
        await page.until(lambda page=page: sum(told["counts"]["heart"] for told in page.all("reactions")) == 40)
        assert len(page.all("reactions")) <= 8
