"""What is sent, well or badly, and how it is answered."""

import asyncio
import zlib

import pytest

from streamserver.http.api import Call, Routes
from streamserver.messages.base import Nothing
from tests.http.conftest import Client, origin

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
GOOD = '{"key": "abcdefgh", "variant": "var_0123456789abcdefghjkmn"}'
JSON = {"Content-Type": "application/json"}


async def test_a_good_request_is_answered_with_its_message(client: Client) -> None:
    """Every field of the answer is there, with its default."""
    async with client.post("/api/v1/echo", data=GOOD, headers=JSON) as response:
        assert (response.status, response.content_type) == (201, "application/json")
        assert response.headers["Cache-Control"] == "no-store"
        assert await response.json() == {
            "key": "abcdefgh", "variant": "var_0123456789abcdefghjkmn", "quantity": 1, "retry": False,
        }  # fmt: skip


async def test_a_handler_may_answer_with_another_status(client: Client) -> None:
    """What was done before is 200, not 201."""
    async with client.post("/api/v1/echo", data=GOOD[:-1] + ', "retry": true}', headers=JSON) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nonsense", b"\xff\xfe", b'{"key": "\xed\xa0\x80"}', b"[" * 5000, b'{"quantity": 1e999999}'[:-1]],
)
async def test_what_is_no_json_is_told_so(client: Client, body: bytes) -> None:
    """Cut off, in another encoding, or nested too deep: one code, and no crash."""
    async with client.post("/api/v1/echo", data=body, headers=JSON) as response:
        assert (response.status, (await response.json())["code"]) == (400, "bad_format")


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ('"quantity": 1.0', "quantity", "whole number"),
        ('"quantity": NaN', "quantity", "whole number"),
        ('"quantity": "1"', "quantity", "whole number"),
        ('"quantity": true', "quantity", "whole number"),
        ('"quantity": 0', "quantity", "at least 1"),
        ('"quantity": 101', "quantity", "at most 100"),
        ('"retry": 1', "retry", "true or false"),
        ('"variant": "ABC"', "variant", "not an id"),
        ('"key": "short"', "key", "8 to 64"),
        ('"key": null', "key", "text"),
        ('"price": 1', "price", "no such field"),
    ],
)
async def test_each_wrong_field_is_named_with_what_to_do(client: Client, change: str, field: str, says: str) -> None:
    """Nothing is converted quietly, and nothing unknown is ignored."""
    async with client.post("/api/v1/echo", data=f"{GOOD[:-1]}, {change}}}", headers=JSON) as response:
        problem = await response.json()
        assert (response.status, response.content_type) == (422, "application/problem+json")
        assert problem["code"] == "invalid"
        assert [error["field"] for error in problem["errors"]] == [field]
        assert says in problem["errors"][0]["message"]


@pytest.mark.parametrize("body", ["[]", "null", "1", '"text"'])
async def test_json_that_is_no_object_is_invalid(client: Client, body: str) -> None:
    """The request as a whole must be an object."""
    async with client.post("/api/v1/echo", data=body, headers=JSON) as response:
        assert (await response.json())["errors"] == [{"field": "", "message": "This must be an object."}]


async def test_a_thousand_mistakes_are_answered_briefly(client: Client) -> None:
    """An answer does not grow with what a stranger sends."""
    body = "{" + ",".join(f'"{"x" * 20}{number}": 1' for number in range(1000)) + "}"
    async with client.post("/api/v1/echo", data=body, headers=JSON) as response:
        assert response.status == 422
        assert len(await response.read()) < 5_000


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_forms_of_other_sites_are_not_read(client: Client, kind: str) -> None:
    """Only JSON is taken, which no plain form can send."""
    async with client.post("/api/v1/echo", data=GOOD, headers={"Content-Type": kind}) as response:
        problem = await response.json()
        assert (problem["code"], "application/json" in problem["message"]) == ("bad_format", True)


async def test_a_body_over_the_limit_is_refused(client: Client) -> None:
    """JSON has a limit of its own; so does a picture."""
    async with client.post("/api/v1/echo", data=b" " * 1_100_000, headers=JSON) as response:
        assert (response.status, (await response.json())["code"]) == (413, "too_large")
    async with client.post("/api/v1/raw", data=b" " * 1_100_000, headers=origin(client)) as response:
        assert (await response.json())["name"] == "1100000"
    async with client.post("/api/v1/raw", data=b" " * 10_485_761, headers=origin(client)) as response:
        assert response.status == 413


async def test_a_small_body_that_unpacks_to_a_huge_one_is_refused(client: Client) -> None:
    """What counts is the size after unpacking, and no more than that is unpacked."""
    bomb = zlib.compress(b" " * 50_000_000, 9)
    headers = JSON | {"Content-Encoding": "deflate"}
    async with client.post("/api/v1/echo", data=bomb, headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (413, "too_large")


async def raw_exchange(client: Client, request: bytes) -> bytes:
    """Send bytes that no client would send; return the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


async def test_a_damaged_body_is_the_senders_mistake(client: Client) -> None:
    """A body that is not packed the way it says is told so, and is no fault of the server."""
    head = "POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
    packed = f"{head}Content-Encoding: deflate\r\nContent-Length: 9\r\n\r\nnot zlib!"
    assert b"400 Bad Request" in await raw_exchange(client, packed.encode())


async def test_a_failure_is_a_problem_with_its_details(client: Client) -> None:
    """Whatever a domain raises arrives with its code, its sentence and its fields."""
    async with client.get("/api/v1/fail/sold_out") as response:
        assert (response.status, response.content_type) == (409, "application/problem+json")
        problem = await response.json()
        assert problem == {"code": "sold_out", "message": problem["message"], "left": 1, "status": 409}


async def test_an_unforeseen_error_tells_nothing_but_its_number(client: Client) -> None:
    """No reason, no stack trace: only the id under which the log has them."""
    async with client.get("/api/v1/fail/oddly") as response:
        text = await response.text()
        assert response.status == 500
        assert "secret reason" not in text
        assert "Traceback" not in text
        assert (await response.json())["request"] == response.headers["X-Request-Id"]


async def test_an_unknown_address_is_a_problem_for_programs_and_a_page_for_people(client: Client) -> None:
    """Below /api/ it is JSON; elsewhere a page that leads back."""
    async with client.get("/api/v1/nowhere") as response:
        assert (response.status, (await response.json())["code"]) == (404, "not_found")
    async with client.get("/nowhere/<script>") as response:
        text = await response.text()
        assert (response.status, response.content_type) == (404, "text/html")
        assert 'href="/"' in text
        assert "<script>" not in text


async def test_a_wrong_method_names_the_right_ones(client: Client) -> None:
    """The answer lists what the address knows."""
    async with client.put("/api/v1/echo", json={}) as response:
        assert (response.status, (await response.json())["code"]) == (405, "wrong_method")
        assert response.headers["Allow"] == "POST"


def test_a_route_that_writes_must_name_its_scope(database: object) -> None:
    """Forgetting it would let a token that may only read write."""
    api = Routes("forgetful")
    with pytest.raises(TypeError, match="scope"):

        @api.post("/thing", answer=Nothing)
        async def make(call: Call) -> Nothing:  # pyright: ignore[reportUnusedFunction] - never registered
            return Nothing()
