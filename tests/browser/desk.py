"""A merchant at the dashboard: a page of Chromium, and what went wrong while it was used."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.async_api import Error, Locator, Page, Response, expect

from ..e2e.served import ADMIN

SETTLED = 300
"""Milliseconds: what a page does on its own after its last answer."""
EXPECTED = {"GET /admin/users/me": 401}
"""How the dashboard learns that nobody is signed in."""
NOT_YET = {"GET /cloud/auth": 404}
"""What the dashboard asks for and docs/compatibility.md lists under "Not yet"."""


@dataclass
class Desk:
    """The dashboard in a browser. Fields, buttons and rows are found by what a merchant reads on them."""

    page: Page
    base: str
    refused: dict[str, int] = field(default_factory=dict)
    """Requests that a test means to be refused, with the status of the answer."""
    slips: list[str] = field(default_factory=list)
    """Requests that were refused or failed though the dashboard is right to ask, and exceptions that nothing caught."""
    answers: int = 0

    def __post_init__(self) -> None:
        self.page.on("response", self._answered)
        self.page.on("pageerror", self._thrown)

    def _answered(self, response: Response) -> None:
        if not response.url.startswith(self.base):
            return
        self.answers += 1
        asked = f"{response.request.method} {response.url.removeprefix(self.base)}"
        expected = EXPECTED | NOT_YET | self.refused
        if response.status >= 400 and expected.get(asked.partition("?")[0]) != response.status:
            self.slips.append(f"{response.status} {asked}")

    def _thrown(self, error: Error) -> None:
        self.slips.append(f"{self.page.url.removeprefix(self.base)}: {error.message}")

    async def settled(self) -> None:
        """Wait until the dashboard asks for nothing any more."""
        await self.page.wait_for_load_state("networkidle")
        await self.page.wait_for_timeout(SETTLED)

    async def open(self, path: str) -> None:
        """Open a page of the dashboard by its address."""
        await self.page.goto(f"/app{path}")
        await self.settled()

    async def sign_in(self, password: str = ADMIN[1]) -> None:
        await self.page.get_by_placeholder("Email").fill(ADMIN[0])
        await self.page.get_by_placeholder("Password").fill(password)
        await self.page.get_by_role("button", name="Continue with Email").click()
        await self.settled()

    @property
    def front(self) -> Locator:
        """What lies on top: the last dialog, or else the page.

        Some dialogs of 2.18.0 are on the page twice, and each hides the other from screen readers: roles are asked for with hidden ones.
        """
        return self.page.locator("main, [role=dialog], [role=alertdialog]").last

    def heading(self, name: str) -> Locator:
        return self.front.get_by_role("heading", name=name, exact=True)

    def row(self, text: str) -> Locator:
        """The row of a table in which `text` stands."""
        return self.front.get_by_role("row").filter(has_text=text)

    async def sees(self, *texts: str) -> None:
        for text in texts:
            await expect(self.page.get_by_text(text).last).to_be_visible()
