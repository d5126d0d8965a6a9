"""Browser windows, each with cookies and a size of its own, whose consoles are read along."""

import re
from typing import Any, Literal

from playwright.async_api import Browser, ConsoleMessage, Page, WebError

from tests.stories.people import Person

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
# What Chromium itself logs about a refusal that the page shows to its reader, or about a line that the test has cut.
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
CUT = "net::ERR_INTERNET_DISCONNECTED"


class Windows:
    """`complaints` are errors of pages and violations of their content policy."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self.complaints: list[str] = []

    async def open(
        self,
        path: str = "/",
        person: Person | None = None,
        *,
        phone: bool = False,
        scheme: Literal["light", "dark"] = "light",
        still: bool = False,
    ) -> Page:
        """A window of nobody, or of somebody who has signed in already. `still`: of a person who wants no motion."""
        context = await self._browser.new_context(
            base_url=self._url,
            locale="en-GB",
            color_scheme=scheme,
            reduced_motion="reduce" if still else "no-preference",
            **(PHONE if phone else DESKTOP),
        )
        context.set_default_timeout(15_000)
        context.on("console", self._said)
        context.on("weberror", self._broke)
        for cookie in person.cookies if person else ():
            await context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self._url}])
        page = await context.new_page()
        await page.goto(path)
        return page

    async def close(self) -> None:
        for context in self._browser.contexts:
            await context.close()

    def _said(self, message: ConsoleMessage) -> None:
        answered = "/api/v1/" in message.location["url"] and REFUSED.match(message.text)
        if message.type == "error" and not answered and CUT not in message.text:
            self.complaints.append(f"{message.text} ({message.location['url']})")

    def _broke(self, error: WebError) -> None:
        self.complaints.append(f"{error.error.stack or error.error}")
