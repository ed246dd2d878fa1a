"""A merchant at the dashboard: a page of Chromium, and the errors while it was used."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image
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
        """The card with that heading."""
        title = self.page.get_by_role("heading", name=heading, exact=True, include_hidden=True)
        return self.page.locator("main .shadow-elevation-card-rest").filter(has=title).last

    async def sees(self, *texts: str) -> None:
        for text in texts:
            await expect(self.page.get_by_text(text).last).to_be_visible()

    async def picture(self, name: str) -> None:
        """Take a picture for the documentation, in 256 colours: less than half of the bytes."""
        if self.pictures is not None:
            await self.page.mouse.move(0, 0)
            await expect(self.page.get_by_role("region", name="Notifications").get_by_role("listitem")).to_have_count(0)
            shot = Image.open(BytesIO(await self.page.screenshot()))
            shot.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(self.pictures / f"{name}.png", optimize=True)

    async def sees_in(self, heading: str, *texts: str) -> None:
        """See these texts in a card. Blanks count as one."""
        for text in texts:
            await expect(self.section(heading)).to_contain_text(text)

    # -- actions
    async def press(self, name: str) -> None:
        await self.front.get_by_role("button", name=name, exact=True, include_hidden=True).last.click()
        await self.settled()

    async def press_in(self, heading: str, name: str) -> None:
        """Press a button of a card."""
        await self.section(heading).get_by_role("button", name=name, exact=True).last.click()
        await self.settled()

    async def save(self, name: str = "Save") -> None:
        """Press the button that ends a dialog: the dialog closes only when the server has accepted the input."""
        await self.press(name)
        await expect(self.page.get_by_role("dialog", include_hidden=True)).to_have_count(0)
        await self.settled()

    async def menu(self, heading: str, item: str) -> None:
        """Choose from the menu of a section."""
        await self.section(heading).locator("button[aria-haspopup=menu]").first.click()
        await self._choose_from_menu(item)

    async def row_menu(self, row: str, item: str) -> None:
        await self.row(row).get_by_role("button").last.click()
        await self._choose_from_menu(item)

    async def _choose_from_menu(self, item: str) -> None:
        await self.page.get_by_role("menuitem", name=item, exact=True).click()
        await self.settled()

    async def fill(self, label: str, text: str) -> None:
        await self.front.get_by_label(label, exact=True).fill(text)

    def line(self, text: str) -> Locator:
        """A line of an order, in a form that lists such lines."""
        return self.front.locator(".shadow-elevation-card-rest").filter(has_text=text)

    async def quantity(self, line: str, number: int) -> None:
        """Say how many of a line of an order are meant."""
        await self.quantity_of(self.line(line), number)

    async def quantity_of(self, line: Locator, number: int) -> None:
        await self._type(line.locator("input[type=number]").first, str(number))

    async def line_menu(self, line: str, item: str) -> None:
        """Choose from the menu of a line of an order."""
        await self.line(line).locator("button[aria-haspopup=menu]").click()
        await self._choose_from_menu(item)

    async def damaged(self, line: str, number: int) -> None:
        """Say how many of a line that comes back are beyond repair."""
        await self.line(line).get_by_role("button").first.click()
        question = self.page.get_by_text("How many of the items are damaged?")
        await question.wait_for()
        await self.front.locator("input[type=number]").fill(str(number))
        await question.click()  # the field is stored when it is left
        await self.settled()
        await self.page.keyboard.press("Escape")
        await expect(question).to_have_count(0)
        await expect(self.line(line).get_by_role("button").first).to_have_text(str(number))

    async def reason(self, line: str, reason: str, note: str) -> None:
        """Say why a line of an order comes back."""
        await self.line_menu(line, "Add Reason")
        await self.line(line).get_by_role("combobox").click()
        await self.page.get_by_role("option", name=reason, exact=True, include_hidden=True).last.click()
        await self.settled()
        await self.line_menu(line, "Add Note")
        await self._type(self.line(line).locator("input:not([type=number]):not([role=combobox])"), note)

    async def more(self, item: str) -> None:
        """Choose from the menu of the plus above a list of lines."""
        await self.front.locator("button[aria-haspopup=menu]").first.click()
        await self._choose_from_menu(item)

    async def change(self, line: str, *, quantity: int, price: str) -> None:
        """Change a line of a draft order in its own row, and tick it off."""
        row = self.line(line).last
        await row.get_by_role("button").last.click()
        await row.locator("input").first.fill(str(quantity))
        await row.locator("input").last.fill(price)
        await row.get_by_role("button").last.click()
        await self.settled()

    async def add_lines(self, *products: str, to: int = 0) -> None:
        """Choose products in the list behind the link "Add items", or behind the next one of these."""
        await self.front.get_by_text("Add items", exact=True).nth(to).click()
        await self.settled()
        for product in products:
            await self.tick_row(product)
        await self.press("Save")

    async def amount(self, field: str, text: str) -> None:
        """Type an amount of money behind the pencil of a row of totals."""
        row = self.front.locator("div.flex.items-center.justify-between").filter(has=self.page.get_by_text(field, exact=True)).last
        await row.get_by_role("button").click()
        await self._type(row.locator("input"), text)

    async def refund(self, amount: str) -> None:
        """Give back what an order has too much, of its first payment."""
        await self.follow(f"Refund {amount}")
        await self.front.locator("button[role=combobox]").filter(has_text="Select payment to refund").click()
        await self.page.get_by_role("option").first.click()
        await self.save()

    async def _type(self, field: Locator, text: str) -> None:
        """Fill a field that is stored when it is left."""
        await field.fill(text)
        await field.press("Tab")
        await self.settled()

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

    async def pick(self, label: str, option: str) -> None:
        """Choose from a field with suggestions beside a text, which isn't tied to it as its label."""
        beside = self.page.locator("label").filter(has_text=re.compile(f"^{label}"))
        grid = self.front.locator("div.grid").filter(has=beside).filter(has=self.page.get_by_role("combobox", include_hidden=True)).last
        await grid.get_by_role("combobox", include_hidden=True).click()
        await self.page.get_by_role("option", name=option, include_hidden=True).last.click()
        await self.settled()

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
