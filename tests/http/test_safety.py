"""Where a request comes from, and what every answer carries."""

import pytest

from streamserver.config import Config
from tests.http.conftest import Client, Open, origin, sign_up

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
HOLD = {"key": "abcdefgh", "variant": "var_0123456789abcdefghjkmn"}


async def write(client: Client, **headers: str) -> str:
    """`ok`, or the code of the problem."""
    async with client.post("/api/v1/echo", json=HOLD, headers=headers) as response:
        return "ok" if response.ok else (await response.json())["code"]


async def test_a_write_with_our_cookie_must_come_from_our_page(client: Client) -> None:
    """Another site's page, a sandboxed frame or a request without Origin cannot write in somebody's name."""
    await sign_up(client)
    assert await write(client, **origin(client)) == "ok"
    assert await write(client, Origin=f"http://localhost:{client.port}") == "ok"
    for foreign in ("https://evil.example", "null", f"http://127.0.0.1:{client.port}.evil.example", ""):
        assert await write(client, Origin=foreign) == "bad_origin"
    assert await write(client) == "bad_origin"


async def test_a_guest_without_a_cookie_can_write_and_is_known_afterwards(client: Client) -> None:
    """The first write of a program without cookies works; its answer gives the device mark."""
    async with client.post("/api/v1/echo", json=HOLD) as response:
        assert response.status == 201
        assert "device=" in response.headers["Set-Cookie"]


async def test_another_sites_page_cannot_write_as_a_newcomer_either(client: Client) -> None:
    """A browser that withholds cookies still says where the page came from."""
    assert await write(client, Origin="https://evil.example") == "bad_origin"


async def test_reading_needs_no_origin(client: Client) -> None:
    """A link from anywhere can be followed."""
    await sign_up(client)
    async with client.get("/api/v1/me", headers={"Origin": "https://evil.example"}) as response:
        assert response.status == 200
        assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("path", ["/", "/api/v1/me", "/api/v1/nowhere", "/nowhere", "/images/no.webp", "/healthz"])
async def test_every_answer_carries_the_safety_headers(client: Client, path: str) -> None:
    """Pages, data, pictures and errors alike."""
    async with client.get(path) as response:
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in response.headers["Permissions-Policy"]
        assert response.headers["X-Request-Id"].startswith("req_")


async def address(client: Client, *forwarded: str) -> str:
    headers = [("X-Forwarded-For", line) for line in forwarded]
    async with client.get("/api/v1/client", headers=headers) as response:
        return (await response.json())["name"]


async def test_without_trusted_proxies_nobody_names_their_own_address(client: Client) -> None:
    """X-Forwarded-For is what anybody may write."""
    assert await address(client, "198.51.100.7") == "127.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        (("198.51.100.7",), "198.51.100.7"),
        (("1.2.3.4, 198.51.100.7",), "198.51.100.7"),
        (("1.2.3.4, 198.51.100.7, 10.1.2.3",), "198.51.100.7"),
        (("1.2.3.4", "198.51.100.7, 10.9.9.9"), "198.51.100.7"),
        (("198.51.100.7, nonsense",), "127.0.0.1"),
        (("::ffff:198.51.100.7",), "198.51.100.7"),
        (("2001:db8::1",), "2001:db8::1"),
        (("10.1.2.3",), "10.1.2.3"),
        ((), "127.0.0.1"),
    ],
)
async def test_behind_proxies_the_nearest_stranger_is_the_client(
    open_client: Open, forwarded: tuple[str, ...], found: str
) -> None:
    """Read from the right, the first address that is no trusted proxy counts; what it wrote itself does not."""
    client = await open_client(trusted_proxies=["127.0.0.1/32", "10.0.0.0/8"])
    assert await address(client, *forwarded) == found


async def test_one_address_brings_so_many_newcomers_a_minute(client: Client, config: Config) -> None:
    """Beyond that they can look around, and get no mark to buy with."""
    marked = 0
    for _ in range(config.accounts.guests_per_client + 5):
        client.session.cookie_jar.clear()
        async with client.get("/api/v1/me") as answer:
            assert answer.status == 200
            marked += "device=" in answer.headers.get("Set-Cookie", "")
    assert marked <= config.accounts.guests_per_client
