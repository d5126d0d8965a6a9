"""Accounts over HTTP, as a browser and as a program."""

from aiohttp import ClientResponse

from tests.http.conftest import Client, Open, origin, sign_up


def cookies(response: ClientResponse) -> dict[str, str]:
    """The Set-Cookie lines of an answer by the cookie's name."""
    return {line.partition("=")[0]: line for line in response.headers.getall("Set-Cookie", [])}


async def me(client: Client, **headers: str) -> dict[str, object]:
    async with client.get("/api/v1/me", headers=headers) as response:
        return await response.json()


async def test_a_newcomer_gets_a_device_mark_once(client: Client) -> None:
    """The mark is signed, out of reach of scripts, and stays the same."""
    async with client.get("/api/v1/me") as response:
        line = cookies(response)["device"]
        body = await response.json()
        assert all(part in line for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"))
        assert body == {"account": None, "device": body["device"], "is_admin": False, "shops": []}
    async with client.get("/api/v1/me") as response:
        assert cookies(response) == {}
        assert (await response.json())["device"] == body["device"]


async def test_a_made_up_mark_is_replaced(client: Client) -> None:
    """Nobody can call themselves another's device."""
    victim = (await me(client))["device"]
    client.session.cookie_jar.clear()
    assert (await me(client, Cookie=f"device={victim}.AAAA"))["device"] != victim


async def test_a_person_signs_up_out_and_in(client: Client) -> None:
    """The device mark outlives all of it: what was held before signing in can be found after."""
    device = (await me(client))["device"]
    assert (await sign_up(client)).device == device
    assert (await me(client))["account"] == {"handle": "ines", "name": "Ines"}
    async with client.delete("/api/v1/session", headers=origin(client)) as response:
        assert 'session=""' in cookies(response)["session"]
    assert (await me(client))["account"] is None
    credentials = {"handle": "ines", "password": "clay and patience"}
    async with client.post("/api/v1/session", json=credentials, headers=origin(client)) as response:
        assert "HttpOnly" in cookies(response)["session"]
        assert (await response.json())["account"]["handle"] == "ines"
    assert (await me(client))["device"] == device


async def test_a_session_ends_when_somebody_else_signs_in(client: Client) -> None:
    """Signing in with a browser ends the sign-in that it had: an old cookie is worth nothing."""
    await sign_up(client)
    old = next(cookie.value for cookie in client.session.cookie_jar if cookie.key == "session")
    await sign_up(client, "tomas")
    client.session.cookie_jar.clear()
    assert (await me(client, Cookie=f"session={old}"))["account"] is None


async def test_a_wrong_password_is_told(client: Client) -> None:
    """The answer has a code for the page and a sentence for the person."""
    await sign_up(client)
    credentials = {"handle": "ines", "password": "not the password"}
    async with client.post("/api/v1/session", json=credentials, headers=origin(client)) as response:
        assert (response.status, response.content_type) == (401, "application/problem+json")
        assert (await response.json())["code"] == "wrong_password"


async def test_too_many_failures_say_when_to_come_back(client: Client) -> None:
    """The answer's Retry-After is in seconds."""
    guess = {"handle": "ines", "password": "not the password"}
    for _ in range(10):
        await client.post("/api/v1/session", json=guess, headers=origin(client))
    response = await client.post("/api/v1/session", json=guess, headers=origin(client))
    assert response.status == 429
    assert int(response.headers["Retry-After"]) == (await response.json())["retry_after"] > 0


async def new_token(client: Client, *scopes: str) -> str:
    body = {"name": "script", "scopes": scopes}
    async with client.post("/api/v1/tokens", json=body, headers=origin(client)) as response:
        assert response.status == 201
        return (await response.json())["secret"]


async def test_a_program_uses_a_token_instead_of_cookies(client: Client) -> None:
    """With a bearer token cookies do not count, no Origin is needed, and no cookie is given."""
    await sign_up(client)
    secret = await new_token(client, "read", "buy")
    await sign_up(client, "tomas")
    bearer = {"Authorization": f"Bearer {secret}"}
    async with client.get("/api/v1/me", headers=bearer) as response:
        assert (await response.json())["account"]["handle"] == "ines"
        assert cookies(response) == {}
    hold = {"key": "abcdefgh", "variant": "var_0123456789abcdefghjkmn"}
    async with client.post("/api/v1/echo", json=hold, headers=bearer) as response:
        assert response.status == 201


async def test_a_token_does_no_more_than_its_scopes(client: Client) -> None:
    """A token that may only read neither buys nor makes itself a stronger one."""
    await sign_up(client)
    bearer = {"Authorization": f"Bearer {await new_token(client, 'read')}"}
    hold = {"key": "abcdefgh", "variant": "var_0123456789abcdefghjkmn"}
    async with client.post("/api/v1/echo", json=hold, headers=bearer) as response:
        assert response.status == 403
        assert (await response.json())["scope"] == "buy"
    async with client.post("/api/v1/tokens", json={"name": "more", "scopes": ["buy"]}, headers=bearer) as response:
        assert (response.status, (await response.json())["code"]) == (403, "forbidden")


async def test_a_revoked_token_is_refused(client: Client) -> None:
    """It is not quietly taken for a guest."""
    await sign_up(client)
    secret = await new_token(client, "read")
    token = (await (await client.get("/api/v1/tokens")).json())["tokens"][0]["id"]
    await client.delete(f"/api/v1/tokens/{token}", headers=origin(client))
    async with client.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}) as response:
        assert (response.status, (await response.json())["code"]) == (401, "sign_in_needed")
        assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_tokens_need_a_person(client: Client) -> None:
    """A guest has none."""
    async with client.get("/api/v1/tokens") as response:
        assert (await response.json())["code"] == "sign_in_needed"


async def test_over_tls_cookies_are_bound_to_the_host(open_client: Open) -> None:
    """With an https address, cookies are Secure and carry the prefix that keeps neighbouring hosts from setting them."""
    client = await open_client(public_url="https://shop.example")
    async with client.get("/api/v1/me") as response:
        line = cookies(response)["__Host-device"]
        assert "Secure" in line
        assert "Domain" not in line
