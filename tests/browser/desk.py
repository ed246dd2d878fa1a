"""A merchant at the dashboard: a page of Chromium, and the errors while it was used."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import ConsoleMessage, Error, Locator, Page, Request, Response, expect

from ..e2e.served import ADMIN

QUIET = 400
"""Milliseconds without a request under way after which a page is taken for settled."""
EXPECTED = {"GET /admin/users/me": 401}
"""How the dashboard finds out that no user is logged in."""
BROKEN = re.compile(r"An error occurred|An unexpected error|404 - |There was nothing to display|Something went wrong")
"""Texts of pages that can't be shown."""


@dataclass
class Desk:
    """The dashboard in a browser. Fields, buttons and rows are found by their visible texts."""

    page: Page
    base: str
    pictures: Path | None = None
    """Where pictures for the documentation are put, if they are taken."""
    refused: dict[str, int] = field(default_factory=dict)
    """Requests that a test expects to be refused, with the status of the answer."""
    slips: list[str] = field(default_factory=list)
    """Requests that were refused or failed though the dashboard is right to send them, and uncaught exceptions."""
    answers: int = 0
    under_way: set[Request] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("request", self._begun)
        self.page.on("requestfinished", self._ended)
        self.page.on("requestfailed", self._ended)
        self.page.on("response", self._answered)
        self.page.on("pageerror", self._thrown)
        self.page.on("console", self._said)

    def _begun(self, request: Request) -> None:
        self.under_way.add(request)

    def _ended(self, request: Request) -> None:
        self.under_way.discard(request)

    def _answered(self, response: Response) -> None:
        if not response.url.startswith(self.base):
            return
        self.answers += 1
        asked = f"{response.request.method} {response.url.removeprefix(self.base)}"
        expected = EXPECTED | self.refused
        if response.status >= 400 and expected.get(asked.partition("?")[0]) != response.status:
            self.slips.append(f"{response.status} {asked}")

    def _said(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.slips.append(f"{self.page.url.removeprefix(self.base)}: {message.text}")

    def _thrown(self, error: Error) -> None:
        self.slips.append(f"{self.page.url.removeprefix(self.base)}: {error.message}")

    # -- navigation
    async def settled(self) -> None:
        """Wait until something is shown, and no request is running."""
        await expect(self.page.locator("body")).to_have_text(re.compile(r"\w"))
        quiet = 0
        async with asyncio.timeout(60):
            while quiet < QUIET:
                await self.page.wait_for_timeout(50)
                quiet = 0 if self.under_way else quiet + 50

    async def open(self, path: str) -> None:
        """Open a page of the dashboard by its address."""
        await self.page.goto(f"/app{path}")
        await self.settled()

    async def sign_in(self, password: str = ADMIN[1]) -> None:
        await self.page.get_by_placeholder("Email").fill(ADMIN[0])
        await self.page.get_by_placeholder("Password").fill(password)
        await self.page.get_by_role("button", name="Continue with Email").click()
        await self.settled()

    async def follow(self, link: str) -> None:
        await self.front.get_by_role("link", name=link, exact=True).first.click()
        await self.settled()

    # -- looking
    @property
    def front(self) -> Locator:
        """The topmost element: the last dialog, or else the page.

        Some dialogs of 2.18.0 are on the page twice, and each hides the other from screen readers: so hidden roles are included.
        """
        return self.page.locator("main, [role=dialog], [role=alertdialog]").last

    def row(self, text: str) -> Locator:
        """The row of a table with a cell that is exactly `text`."""
        return self.front.get_by_role("row", include_hidden=True).filter(has=self.page.get_by_text(text, exact=True))

    def section(self, heading: str) -> Locator:
        """The box under a heading, with its buttons."""
        has_button = self.page.get_by_role("button")
        title = self.page.get_by_role("heading", name=heading, exact=True)
        return self.page.locator("main div").filter(has=title).filter(has=has_button).last.locator("..")

    async def sees(self, *texts: str) -> None:
        for text in texts:
            await expect(self.page.get_by_text(text).last).to_be_visible()

    async def picture(self, name: str) -> None:
        """Take a picture for the documentation."""
        if self.pictures is not None:
            await self.page.mouse.move(0, 0)
            await expect(self.page.get_by_role("region", name="Notifications").get_by_role("listitem")).to_have_count(0, timeout=15_000)
            await self.page.screenshot(path=self.pictures / f"{name}.png")

    # -- actions
    async def press(self, name: str) -> None:
        await self.front.get_by_role("button", name=name, exact=True, include_hidden=True).last.click()
        await self.settled()

    async def save(self, name: str = "Save") -> None:
        """Press the button that ends a dialog: the dialog closes only when the server has accepted the input."""
        await self.press(name)
        await expect(self.page.get_by_role("dialog", include_hidden=True)).to_have_count(0)
        await self.settled()

    async def menu(self, heading: str, item: str) -> None:
        """Choose from the menu of a section."""
        await self.section(heading).get_by_role("button").first.click()
        await self._choose_from_menu(item)

    async def row_menu(self, row: str, item: str) -> None:
        await self.row(row).get_by_role("button").last.click()
        await self._choose_from_menu(item)

    async def _choose_from_menu(self, item: str) -> None:
        await self.page.get_by_role("menuitem", name=item, exact=True).click()
        await self.settled()

    async def fill(self, label: str, text: str) -> None:
        await self.front.get_by_label(label, exact=True).fill(text)

    async def tick(self, text: str) -> None:
        """Choose a radio button, a switch or a selectable row."""
        await self.front.get_by_text(text, exact=True).click()

    async def tick_row(self, text: str) -> None:
        await self.row(text).locator("button[role=checkbox]").click()

    async def choose(self, label: str, option: str, *, search: bool = True) -> None:
        """Choose from a field with suggestions: what it suggests for the option's own name."""
        suggesting = self.front.get_by_label(label, exact=True)
        await suggesting.click()
        if search:
            await suggesting.fill(option)
        await self.page.get_by_role("option", name=option, exact=True, include_hidden=True).last.click()
        await self.page.keyboard.press("Tab")

    async def select(self, shown: str, option: str) -> None:
        """Choose from a list that shows `shown` while it is closed."""
        await self.front.locator("button[role=combobox]").filter(has_text=shown).click()
        await self.page.get_by_role("option", name=option, exact=True).click()

    async def enter(self, row: str, column: str, text: str) -> None:
        """Type into a cell of a sheet."""
        await (await self._cell(row, column)).click()
        await self.page.keyboard.type(text)
        await self.page.keyboard.press("Enter")

    async def _cell(self, row: str, column: str) -> Locator:
        headers = [header.strip() for header in await self.front.get_by_role("columnheader", include_hidden=True).all_inner_texts()]
        return self.row(row).get_by_role("gridcell", include_hidden=True).nth(headers.index(column))

    async def check(self, row: str, column: str) -> None:
        """Tick a cell of a sheet."""
        await (await self._cell(row, column)).locator("button").click()

    async def create_option(self, title: str, *values: str) -> None:
        """On the page of a new product: an option of its own with these values."""
        await self.front.get_by_role("combobox", include_hidden=True).last.fill(title)
        await self.page.get_by_text(f'Create "{title}"').last.click()
        await self.tick("Values")  # closes the suggestions
        await self.front.get_by_placeholder("Red, Blue, Green").click()
        await self.page.keyboard.type("".join(f"{value}," for value in values))
