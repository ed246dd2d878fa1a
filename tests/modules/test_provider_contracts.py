"""What is promised of each kind of provider: one class for a kind, which all of the kind pass, in this process or beside another side that
loses answers."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from velella.core.clock import utc_now
from velella.core.errors import InvalidData, NotFound, PaymentOutcomeUnknown, Unavailable, VelellaError
from velella.core.ids import ulid
from velella.core.service.providers import Providers
from velella.modules.analytics.provider import Group, Identified, Told, Tracked
from velella.modules.auth.service import AuthService
from velella.modules.file.provider import FileKey
from velella.modules.fulfillment.provider import Consignment
from velella.modules.notification.provider import Content, NotificationMessage
from velella.modules.payment.provider import Ask, Data

from ..parties import KINDS, PATIENCE, Party, pieces
from ..ship_desk import CARRIER
from ..vault import Vault
from .one_module import alone

D = Decimal


def of(*names: str) -> Any:
    return pytest.mark.parametrize("party", names, indirect=True)


@of("local files", "s3")
class TestFiles:
    @staticmethod
    async def content(party: Party, key: FileKey, start: int = 0) -> bytes:
        return b"".join([piece async for piece in party.provider.read(key, start)])

    @pytest.mark.parametrize("access", ["public", "private"])
    async def test_a_file_is_what_was_stored_last_until_it_is_deleted(self, party: Party, access: Any) -> None:
        key, content = FileKey(f"{ulid().lower()}.png", access), b"0123456789" * 60_000
        for each in (b"", content[:17], content):
            await party.provider.store(key, pieces(each), "image/png")
            assert await self.content(party, key) == each
        assert await self.content(party, key, 200_001) == content[200_001:]
        for _ in range(2):
            await party.provider.delete(key)
        with pytest.raises(NotFound):
            await self.content(party, key)

    async def test_what_breaks_off_leaves_what_was_there(self, party: Party) -> None:
        async def broken() -> AsyncIterator[bytes]:
            yield b"x" * 7_000_000
            raise ConnectionResetError("the client is gone")

        key = FileKey(f"{ulid().lower()}.png")
        with pytest.raises(ConnectionResetError):
            await party.provider.store(key, broken(), "image/png")
        with pytest.raises(NotFound):
            await self.content(party, key)
        await party.provider.store(key, pieces(b"whole"), "image/png")
        with pytest.raises(ConnectionResetError):
            await party.provider.store(key, broken(), "image/png")
        assert await self.content(party, key) == b"whole"

    async def test_a_private_file_is_elsewhere_and_has_another_address(self, party: Party) -> None:
        name = f"{ulid().lower()}.csv"
        await party.provider.store(FileKey(name, "private"), pieces(b"a,b"), "text/csv")
        with pytest.raises(NotFound):
            await self.content(party, FileKey(name))
        urls = {await party.provider.download_url(FileKey(name, "private")), party.provider.url(FileKey(name))}
        assert len(urls) == 2
        assert all(name in url for url in urls)

    async def test_no_name_leads_elsewhere(self, party: Party) -> None:
        for name in ("../x", "a/b", "", ".", "x\n", "private/x"):
            for does in (party.provider.delete(FileKey(name)), self.content(party, FileKey(name))):
                with pytest.raises(NotFound):
                    await does


@of("local notifications", "smtp", "sendgrid")
class TestNotifications:
    @staticmethod
    def delivered(party: Party, logs: Any) -> list[tuple[str, str, str]]:
        """Id, receiver and subject of what arrived."""
        if party.id == "smtp":
            heads = [
                dict(line.split(": ", 1) for line in each.content.decode().split("\r\n\r\n")[0].split("\r\n") if ": " in line)
                for each in party.desk.emails
            ]
            return [(head["Message-ID"].strip("<>").partition("@")[0], head["To"], head["Subject"]) for head in heads]
        if party.id == "sendgrid":
            sent = [(body["personalizations"][0], body["subject"]) for body in party.desk.bodies]
            return [(to["custom_args"]["notification_id"], to["to"][0]["email"], subject) for to, subject in sent]
        return [("noti_7", entry["to"], entry["subject"]) for entry in logs]

    @pytest.fixture(autouse=True)
    def nothing_yet(self, party: Party) -> None:
        if party.desk is not None:
            (party.desk.emails if party.id == "smtp" else party.desk.bodies).clear()

    @staticmethod
    def message(**other: Any) -> NotificationMessage:
        return NotificationMessage(
            **{"id": "noti_7", "to": "ada@example.com", "channel": "email", "content": Content("Hello", "There"), **other}
        )

    async def test_it_arrives_under_its_id_each_time(self, party: Party) -> None:
        with capture_logs() as logs:
            ids = [await party.provider.send(self.message()) for _ in range(2)]
        assert self.delivered(party, logs) == [("noti_7", "ada@example.com", "Hello")] * 2
        assert ids[0] == ids[1], "whoever gets it knows that it is the same"

    async def test_what_can_never_arrive_is_said_to_be_so(self, party: Party) -> None:
        if party.desk is None:
            pytest.skip("it delivers anything")
        for never in (self.message(to="nobody@example.com"), self.message(content=None, template="unknown")):
            with pytest.raises(InvalidData):
                await party.provider.send(never)

    async def test_what_did_not_arrive_may_arrive_later(self, party: Party) -> None:
        if party.way is None:
            pytest.skip("it asks nobody")
        await party.way.play("killed")
        with pytest.raises(Unavailable):
            await party.provider.send(self.message())
        await party.way.play(None)
        await party.provider.send(self.message())
        assert len(self.delivered(party, ())) == 1


@of("local analytics", "posthog")
class TestAnalytics:
    @staticmethod
    def batch() -> list[Told]:
        group = Group("company", "acme")
        return [
            Tracked(str(uuid4()), utc_now(), "order_placed", "cus_1", group, {"total": D("9.90")}),
            Tracked(str(uuid4()), utc_now(), "stock_counted"),
            Identified(str(uuid4()), utc_now(), "cus_1", None, {"email": "ada@example.com"}),
            Identified(str(uuid4()), utc_now(), None, group, {"plan": "gold"}),
        ]

    async def test_all_kinds_arrive_and_what_is_told_again_counts_once(self, party: Party) -> None:
        batch = self.batch()
        with capture_logs() as logs:
            for _ in range(2):
                for at in range(0, len(batch), party.provider.most):
                    await party.provider.send(batch[at : at + party.provider.most])
        if party.desk is None:
            assert [entry["event"] for entry in logs] == ["order_placed", "stock_counted", "identified", "identified"] * 2
        else:
            assert {told.id for told in batch} <= {event["uuid"] for event in party.desk.events}
            assert len([event for event in party.desk.events if event["uuid"] in {told.id for told in batch}]) == len(batch)

    async def test_an_answer_that_is_lost_is_no_refusal(self, party: Party) -> None:
        if party.way is None:
            pytest.skip("it asks nobody")
        batch = self.batch()
        await party.way.play("cut")
        with pytest.raises(Unavailable):
            await party.provider.send(batch)
        await party.way.play(None)
        await party.provider.send(batch)
        assert len([event for event in party.desk.events if event["uuid"] in {told.id for told in batch}]) == len(batch)


@of("system", "vault", "stripe")
class TestPayments:
    @staticmethod
    async def begun(party: Party) -> tuple[str, Data]:
        id = f"payses_{ulid()}"
        if party.id == "pp_vault_vault":
            Vault.purse_of(id).at_once = False
        outcome = await party.provider.initiate(Ask(id, {"session_id": id}, D(100), "eur"))
        assert outcome.status == "pending"
        return id, {**outcome.data, "session_id": id}

    async def held(self, party: Party) -> tuple[str, Data]:
        id, data = await self.begun(party)
        if party.id == "pp_stripe_stripe":
            await party.desk.pay(data["id"])
        return id, data

    @staticmethod
    async def kept(party: Party, id: str, data: Data) -> Decimal | None:
        """What the other side has of the buyer's money, held or taken; None: there is no other side."""
        if party.id == "pp_vault_vault":
            return Vault.purse_of(id).kept
        if party.id == "pp_stripe_stripe":
            intent = await party.desk("GET", f"payment_intents/{data['id']}")
            if intent["status"] == "succeeded":
                return D(intent["amount_received"] - sum(await party.desk.refunds(data["id"]))) / 100
            return D(intent["amount"] if intent["status"] == "requires_capture" else 0) / 100
        return None

    async def test_money_is_held_taken_and_given_back_once_for_each_key(self, party: Party) -> None:
        id, data = await self.held(party)

        async def ask(what: str, amount: int, key: str) -> str:
            does = getattr(party.provider, what)
            answers = [await does(Ask(f"{id}:{key}", data, D(amount), "eur")) for _ in range(3)]
            assert len({answer.status for answer in answers}) == 1
            return str(answers[0].status)

        assert await ask("authorize", 100, "authorize") == "authorized"
        assert (await party.provider.status(Ask(id, data, D(100), "eur"))).status == "authorized"
        assert await ask("capture", 100, "capture") == "captured"
        assert await self.kept(party, id, data) in (None, D(100))
        assert await ask("refund", 30, "one") == "captured"
        assert await ask("refund", 30, "two") == "captured"
        assert await self.kept(party, id, data) in (None, D(40))
        if not party.provider.asks_nobody:
            with pytest.raises(VelellaError) as refused:
                await ask("refund", 41, "three")
            assert refused.value.status < 500, "it is certain that nothing was given back"
            assert await self.kept(party, id, data) == D(40)

    async def test_what_is_let_go_and_what_was_never_paid_holds_nothing(self, party: Party) -> None:
        id, data = await self.held(party)
        await party.provider.authorize(Ask(f"{id}:authorize", data, D(100), "eur"))
        for n in range(2):
            assert (await party.provider.cancel(Ask(f"{id}:cancel{n}", data, D(100), "eur"))).status == "canceled"
        assert await self.kept(party, id, data) in (None, 0)
        id, data = await self.begun(party)
        for n in range(2):
            await party.provider.drop(Ask(f"{id}:drop{n}", data, D(100), "eur"))
        assert await self.kept(party, id, data) in (None, 0)
        await party.provider.drop(Ask("payses_never:drop", {"session_id": "payses_never"}, D(100), "eur"))

    async def test_what_was_paid_in_a_dropped_payment_goes_back_once(self, party: Party) -> None:
        id, data = await self.held(party)
        await party.provider.authorize(Ask(f"{id}:authorize", data, D(100), "eur"))
        await party.provider.capture(Ask(f"{id}:capture", data, D(100), "eur"))
        for n in range(2):
            await party.provider.drop(Ask(f"{id}:drop{n}", data, D(100), "eur"))
        assert await self.kept(party, id, data) in (None, 0)

    @pytest.mark.parametrize("what", ["capture", "refund"])
    async def test_an_answer_that_is_lost_is_no_refusal(self, party: Party, what: str) -> None:
        if party.way is None:
            pytest.skip("it asks nobody, or is a stand-in itself")
        id, data = await self.held(party)
        await party.provider.authorize(Ask(f"{id}:authorize", data, D(100), "eur"))
        if what == "refund":
            await party.provider.capture(Ask(f"{id}:capture", data, D(100), "eur"))
        asked = Ask(f"{id}:{what}", data, D(100), "eur")
        await party.way.play("cut")
        with pytest.raises(PaymentOutcomeUnknown):
            await getattr(party.provider, what)(asked)
        await party.way.play(None)
        assert (await getattr(party.provider, what)(asked)).status == "captured"
        assert await self.kept(party, id, data) == {"capture": 100, "refund": 0}[what]


@of("manual", "carrier", "shipstation")
class TestFulfillments:
    OPTION = {"carrier_id": CARRIER, "carrier_service_code": "parcel"}
    BUYER = {"first_name": "Ada", "address_1": "Street 1", "city": "Town", "postal_code": "1", "country_code": "de"}
    ITEM = {"id": "fulit_1", "line_item_id": "ordli_1", "quantity": D(2)}

    def fulfillment(self) -> dict[str, Any]:
        return {"option": self.OPTION, "delivery_address": self.BUYER, "items": [self.ITEM], "lines": [self.ITEM], "location": None}

    async def sent(self, party: Party, key: str) -> Consignment:
        made: Consignment = await party.provider.create(key, {}, [self.ITEM], None, self.fulfillment())
        return made

    @staticmethod
    def goes(party: Party, key: str) -> int | None:
        """How many parcels go under a key; None: there is nobody who carries them."""
        if party.id == "carrier_carrier":
            return int(key in party.provider.taken and key not in party.provider.called_off)
        if party.desk is not None:
            return sum(label["status"] != "voided" for label in party.desk.bought(key))
        return None

    async def test_it_has_ways_of_sending_and_of_sending_back(self, party: Party) -> None:
        options = await party.provider.options()
        assert len({option["id"] for option in options}) == len(options) > 1
        assert {bool(option.get("is_return")) for option in options} == {True, False}
        assert all([await party.provider.validate_option(option) for option in options])

    @pytest.mark.parametrize("back", [False, True])
    async def test_under_one_key_one_parcel_goes_until_it_is_called_off(self, party: Party, back: bool) -> None:
        key = f"ful_{ulid()}"
        makes = [party.provider.create_return(key, self.fulfillment()) if back else self.sent(party, key) for _ in range(2)]
        one, two = [await make for make in makes]
        assert (one.labels, one.data) == (two.labels, two.data)
        assert self.goes(party, key) in (None, 1)
        for _ in range(2):
            await party.provider.cancel(key, one.data)
        assert self.goes(party, key) in (None, 0)

    async def test_what_was_made_without_an_answer_is_called_off_and_so_is_what_was_never_made(self, party: Party) -> None:
        key = f"ful_{ulid()}"
        await self.sent(party, key)
        await party.provider.cancel(key, {})
        assert self.goes(party, key) in (None, 0)
        await party.provider.cancel(f"ful_{ulid()}", {})

    async def test_an_answer_that_is_lost_is_asked_for_again(self, party: Party) -> None:
        if party.way is None:
            pytest.skip("it asks nobody, or is a stand-in itself")
        key = f"ful_{ulid()}"
        await party.way.play("cut")
        with pytest.raises(Unavailable):
            await self.sent(party, key)
        await party.way.play(None)
        party.desk.lost.append("POST /labels$")
        with pytest.raises(Unavailable):
            await self.sent(party, key)
        party.desk.lost.clear()
        assert (await self.sent(party, key)).labels[0]["tracking_number"] == party.desk.bought(key)[0]["tracking_number"]
        assert self.goes(party, key) == 1


@of("emailpass", "google", "github")
class TestSigningIn:
    @pytest.fixture
    async def auth(self, party: Party, fresh_database: str) -> AsyncIterator[AuthService]:
        providers = Providers("auth", KINDS["auth"], [party.configured])
        async with alone(AuthService, fresh_database, connections=8, providers=providers) as service:
            yield service
            await service.stop()

    @staticmethod
    def given(body: Any = None, query: Any = None) -> dict[str, Any]:
        return {"body": body or {}, "query": query or {}, "protocol": "https", "actor_type": "customer"}

    async def proof(self, auth: AuthService, party: Party, who: str) -> dict[str, Any]:
        """What a person brings who is who he says."""
        if party.desk is None:
            return self.given({"email": f"{who}@example.com", "password": f"{who}'s secret"})
        begun = await auth.authenticate(party.id, self.given())
        assert begun["success"]
        assert begun["location"] is not None
        return self.given(query=party.desk.consent(begun["location"], who))

    async def comes(self, auth: AuthService, party: Party, proof: dict[str, Any]) -> Any:
        return await (auth.authenticate if party.desk is None else auth.validate_callback)(party.id, proof)

    async def test_who_proves_it_is_the_same_identity_each_time(self, auth: AuthService, party: Party) -> None:
        for who in ("ada", "bo") if party.desk is None else ():
            assert (await auth.register(party.id, await self.proof(auth, party, who)))["success"]
            assert not (await auth.register(party.id, await self.proof(auth, party, who)))["success"]
        proofs = [await self.proof(auth, party, who) for who in ("ada", "ada", "ada", "bo")]
        came = await asyncio.gather(*(self.comes(auth, party, proof) for proof in proofs))
        assert all(each["success"] for each in came), came
        ids = [each["auth_identity"]["id"] for each in came]
        assert (len(set(ids[:3])), len(set(ids))) == (1, 2)
        assert not {"password", "s3cret", "provider_metadata"} & set(re.findall(r"\w+", json.dumps(came, default=str)))

    async def test_who_doesnt_prove_it_is_nobody_and_leaves_nothing(self, auth: AuthService, party: Party) -> None:
        right = await self.proof(auth, party, "ada")
        if party.desk is None:
            await auth.register(party.id, right)
        before = await auth.count("auth_identity")
        wrong = [
            {**right, "body": {**right["body"], "password": "guessed"}},
            {**right, "body": {**right["body"], "email": "nobody@example.com"}},
        ]
        if party.desk is not None:
            wrong = [{**right, "query": {**right["query"], name: "guessed"}} for name in ("code", "state")]
        for proof in (*wrong, self.given(), self.given({"email": 5, "password": []}, {"code": "", "state": "x" * 9000})):
            came = await self.comes(auth, party, proof)
            assert (came["success"], came["auth_identity"]) == (False, None), proof
            assert came["error"]
        assert await auth.count("auth_identity") == before

    async def test_another_side_that_is_away_refuses_nobody(self, auth: AuthService, party: Party) -> None:
        if party.way is None:
            pytest.skip("it asks nobody")
        auth.providers.get(party.id).outside.timeout = 0.5
        for fault in ("killed", "silent", "failed", "cut"):
            proof = await self.proof(auth, party, "ada")
            await party.way.play(fault)
            with pytest.raises(Unavailable):
                await self.comes(auth, party, proof)
            await party.way.play(None)
        auth.providers.get(party.id).outside.timeout = PATIENCE
        assert (await self.comes(auth, party, await self.proof(auth, party, "ada")))["success"]
