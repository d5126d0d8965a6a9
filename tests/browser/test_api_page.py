"""The browsable page of the API."""

from playwright.async_api import expect

from tests.browser.windows import Windows


async def test_the_api_can_be_browsed(windows: Windows) -> None:
    """Every call is listed by area, and opens to say what it takes."""
    page = await windows.open("/api")
    call = page.get_by_role("button", name="/rooms/{room}/pins")
    await call.first.click()
    await expect(page.get_by_role("heading", name="Request body")).to_be_visible()
