"""A shop under test, and what tests do in it."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import asyncpg

from ..cli.demo import Opened
from ..core.flow import Event
from ..core.sql.write.outbox import module_of
from ..modules import Modules
from ..modules.notification.provider import NotificationMessage
from ..workflows.kit import Workflow
from .client import Answer, Client
from .recording import EMAILS, EVENTS, email_of, event_of, kept

if TYPE_CHECKING:
    from ..actors.host import Host
    from ..core.graph.graph import Graph
    from ..core.settings import Settings

Row = dict[str, Any]
P = ParamSpec("P")
R = TypeVar("R")

SETTLED_SECONDS = 30.0
_UNFINISHED = """
    SELECT 'the event ' || event.name || ' on its way to ' || subscriber AS what, delivery.error FROM event_delivery AS delivery
    JOIN event_outbox AS event ON event.id = event_id
    UNION ALL
    SELECT 'the workflow ' || workflow, NULL FROM workflow_execution
    WHERE state IN ('invoking', 'finishing', 'compensating') AND (resume_at IS NULL OR resume_at <= now())
"""
_OUTBOXES = """
    SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relname LIKE '%\\_outbox' AND relname <> 'event_outbox' AND pg_table_is_visible(oid)
"""
_numbers = itertools.count(1)

ADDRESS = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "address_1": "Quay 1",
    "city": "Kiel",
    "postal_code": "24103",
    "country_code": "de",
}
"""Where orders of tests go."""


@dataclass(frozen=True)
class Shop:
    """A shop that sells in Europe (EUR, prices with 20 % VAT) and in the United States (USD, no tax) from one warehouse, without
    products: those that a test needs, it makes. All tests of a run share it."""

    topology: str
    """`here`: in the process of the tests; others: served by processes of its own, as `velella serve` does."""
    store: Client
    """The store API, with a publishable key."""
    admin: Client
    """The admin API, with a token of a user."""
    regions: dict[str, str]
    """Name → id: `Europe`, `United States`."""
    opened: Opened
    settings: Settings
    host: Host

    # -- what only code sees
    @property
    def modules(self) -> Modules:
        """Handles of the modules. In a shop that is served, they are for looking: its caches don't hear of what is written by them."""
        modules: Modules = self.host.modules
        return modules

    @property
    def graph(self) -> Graph:
        """Queries across modules."""
        return self.host.graph

    async def run(self, workflow: Workflow[P, R], /, *args: P.args, **input: P.kwargs) -> R:
        """Run a workflow to its end and return its result; its errors are raised here."""
        result: R = await self.host.workflows.run(workflow.name, workflow.bind(*args, **input))
        return result

    # -- things to sell, and buyers
    async def product(self, title: str | None = None, *, price: float | str = 10, stock: int | None = 100, **more: Any) -> Row:
        """A published product with one variant, as the admin API shows it.

        Args:
            price: in EUR and in USD.
            stock: None: it isn't counted.
            more: of the body of `POST /admin/products`.
        """
        title = title or f"Product {next(_numbers)}"
        prices = [{"currency_code": currency, "amount": price} for currency in ("eur", "usd")]
        variant = {"title": "Standard", "options": {"Edition": "Standard"}, "prices": prices, "manage_inventory": stock is not None}
        body = {
            "title": title,
            "status": "published",
            "options": [{"title": "Edition", "values": ["Standard"]}],
            "variants": [variant],
            "sales_channels": [{"id": self.opened.channel}],
            "shipping_profile_id": self.opened.profile,
            **more,
        }
        product: Row = (await self.admin.post("/admin/products", body, fields="*variants.inventory_items"))["product"]
        for variant in product["variants"]:
            for item in variant["inventory_items"] if stock is not None else ():
                level = {"location_id": self.opened.location, "stocked_quantity": stock}
                await self.admin.post(f"/admin/inventory-items/{item['inventory_item_id']}/location-levels", level)
        return (await self.admin.get(f"/admin/products/{product['id']}"))["product"]  # type: ignore[no-any-return]

    async def customer(self, email: str | None = None, password: str = "supersecret") -> Client:
        """A customer who has registered: the store API as they use it."""
        email = email or f"customer-{next(_numbers)}@example.com"
        login = {"email": email, "password": password}
        registering = await self.store.post("/auth/customer/emailpass/register", login)
        await self.store.with_headers(authorization=f"Bearer {registering['token']}").post("/store/customers", {"email": email})
        token = (await self.store.post("/auth/customer/emailpass", login))["token"]
        return self.store.with_headers(authorization=f"Bearer {token}")

    async def cart(
        self,
        *products: Row,
        quantity: int = 1,
        region: str = "Europe",
        email: str = "ada@example.com",
        by: Client | None = None,
        **more: Any,
    ) -> Row:
        """A cart with the first variant of each product, as the store API shows it. `by`: whose it is; `more`: of its body."""
        items = [{"variant_id": product["variants"][0]["id"], "quantity": quantity} for product in products]
        address = ADDRESS if region == "Europe" else {**ADDRESS, "country_code": "us"}
        body = {"region_id": self.regions[region], "email": email, "shipping_address": address, "items": items, **more}
        return (await (by or self.store).post("/store/carts", body))["cart"]  # type: ignore[no-any-return]

    async def complete(self, cart: Row, provider: str = "pp_system_default", by: Client | None = None) -> Answer:
        """Choose how a cart is sent and paid, and complete it: the answer to that, whatever it is."""
        store, id = by or self.store, cart["id"]
        option = (await store.get("/store/shipping-options", cart_id=id))["shipping_options"][0]
        await store.post(f"/store/carts/{id}/shipping-methods", {"option_id": option["id"]})
        collection = (await store.post("/store/payment-collections", {"cart_id": id}))["payment_collection"]
        await store.post(f"/store/payment-collections/{collection['id']}/payment-sessions", {"provider_id": provider})
        return await store.send("POST", f"/store/carts/{id}/complete", {})

    async def order(self, *products: Row, provider: str = "pp_system_default", by: Client | None = None, **more: Any) -> Row:
        """A placed order of these products, as the store API shows it. `more`: as `cart` takes it."""
        status, body = await self.complete(await self.cart(*products, by=by, **more), provider, by)
        assert (status, body.get("type")) == (200, "order"), (status, body)
        return body["order"]  # type: ignore[no-any-return]

    # -- what happens later

    async def begun(self, seconds: float = SETTLED_SECONDS) -> None:
        """Return when the modules write the events that are subscribed to, which they are told after the start.

        Raises AssertionError where they don't after these seconds.
        """
        connection = await self._connect()
        try:
            events = [row["event"] for row in await connection.fetch("SELECT DISTINCT event FROM event_subscription")]
            wanted = {module for event in events if (module := module_of(event)) is not None} & vars(self.host.modules).keys()
            for _ in range(int(seconds / 0.05)):
                if wanted <= {row["relname"].removesuffix("_outbox") for row in await connection.fetch(_OUTBOXES)}:
                    return
                await asyncio.sleep(0.05)
        finally:
            await connection.close()
        raise AssertionError(f"After {seconds:g} s these don't write their events: {', '.join(sorted(wanted))}")

    async def settled(self, seconds: float = SETTLED_SECONDS) -> None:
        """Return when every event has come to its subscribers, and no durable workflow runs. One that sleeps or waits counts as still.

        Raises AssertionError with what a subscriber failed with, or what isn't done after these seconds.
        """
        connection = await self._connect()
        try:
            for _ in range(int(seconds / 0.05)):
                outboxes = [row["relname"] for row in await connection.fetch(_OUTBOXES)]
                written = "".join(f" UNION ALL SELECT 'the event ' || name || ' of its module', NULL FROM {name}" for name in outboxes)
                unfinished = await connection.fetch(_UNFINISHED + written)
                for row in unfinished:
                    assert row["error"] is None, f"{row['what']} failed: {row['error']}"
                if not unfinished:
                    return
                await asyncio.sleep(0.05)
        finally:
            await connection.close()
        raise AssertionError(f"After {seconds:g} s these aren't done: {', '.join(row['what'] for row in unfinished)}")

    async def run_job(self, name: str) -> None:
        """Begin a job now, whatever the clock says, and wait until it is done."""
        await self.admin.post(f"/admin/workflows-executions/{name}/run", {})
        await self.settled()

    async def catch_up(self) -> None:
        """Do now what is due by the clock, rather than within seconds. Only `here`."""
        await self.host.workflows.catch_up()

    def events(self) -> list[Event]:
        """All events so far, once they have been delivered, oldest first. See `Events`."""
        return [event_of(row) for row in kept(self.settings.data_dir / EVENTS)]

    def emails(self) -> list[NotificationMessage]:
        """All emails so far, oldest first. See `Emails`."""
        return [email_of(row) for row in kept(self.settings.data_dir / EMAILS)]

    async def execute(self, statement: str, *values: Any) -> None:
        """Carry out a statement in the shop's database, past all modules and caches."""
        connection = await self._connect()
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.close()

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(self.settings.database_of("engine"))
