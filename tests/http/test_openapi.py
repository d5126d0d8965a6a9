"""The API's description."""

import re
from typing import Any

import pytest

from tests.http.conftest import Client

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
async def description(client: Client) -> dict[str, Any]:
    async with client.get("/api/openapi.json") as response:
        assert response.content_type == "application/json"
        return await response.json()


def test_each_route_says_what_it_takes_and_answers(description: dict[str, Any]) -> None:
    """Body, answer, parameters, summary and scope come from the route itself."""
    assert description["openapi"] == "3.1.0"
    echo = description["paths"]["/api/v1/echo"]["post"]
    assert echo["summary"] == "Answer with what was sent."
    assert "buy" in echo["description"]
    assert "$ref" in echo["requestBody"]["content"]["application/json"]["schema"]
    assert "$ref" in echo["responses"]["201"]["content"]["application/json"]["schema"]
    assert description["paths"]["/api/v1/fail/{how}"]["get"]["parameters"][0]["name"] == "how"
    assert description["paths"]["/api/v1/client"]["get"]["parameters"][0]["in"] == "query"


def test_each_route_says_what_can_go_wrong(description: dict[str, Any]) -> None:
    """Codes with their sentences, by status."""
    answers = description["paths"]["/api/v1/echo"]["post"]["responses"]
    assert "`sold_out`: Sold out." in answers["409"]["description"]
    assert "`invalid`" in answers["422"]["description"]
    assert set(answers) >= {"201", "400", "403", "409", "413", "422"}


def test_every_schema_that_is_named_exists(description: dict[str, Any]) -> None:
    """No reference leads nowhere, and no two operations share an id."""
    named = set(re.findall(r"#/components/schemas/([\w-]+)", str(description)))
    assert named == named & description["components"]["schemas"].keys()
    ids = [operation["operationId"] for path in description["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))
