"""The inbox: the record of writes that came as messages, one row for each message, written in the transaction of its write.

The row's key is the message id. The message that inserts it carries the write out; a second one with the same id waits at the unique index
for the first one's commit and then finds the reply. A first delivery is recorded with its reply once it is done;
if it was delivered before after all, the unique index refuses the record and the whole write is rolled back.

A write that is one statement, and whose answer follows from the one value that the statement gives, needs no transaction for that: the
statement itself records the value. A repeated message is answered by running the write again with the recorded value in the
statement's place.

A durable step's write that is refused is recorded as refused. Otherwise a coordinator that was frozen before it sent the write, while
another one took over, was refused and undid the rest, would carry out on its return a write that no coordinator undoes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Float, LargeBinary, Text, any_, bindparam, cast, delete, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from ...codec import HEAD, bounded, pack, unpack
from ...errors import InvalidData, VelellaError
from ..db.compiled import Compiled, SelfRecording, compiled
from ..db.database import Database
from ..schema.schema import Schema

_REFUSED = "~refused"
_VALUE = b"\xc1"
"""Before the JSON of a statement's value: no reply begins like this, because MessagePack never uses that byte."""


FORGOTTEN_AT_ONCE = 5000
"""The most records that one statement drops: an hour of a busy shop leaves more than a statement may take time for."""
RECORDED_ALONE: Any = object()
"""Stands for the answer of a write that a self-recording statement recorded: only the write itself can make an answer of that value."""


class CameBefore(Exception):
    """A write that was taken for a first delivery wasn't."""


def is_step(message_id: str) -> bool:
    """Whether the message is a write of a step that may still be undone (`execution:path/n`).

    An undo (`~undo`), and a step after the point of no return (`~after`), is repeated until it works: its refusals aren't recorded.
    """
    return ":" in message_id and "~" not in message_id


def answer_of(reply: bytes) -> Any:
    """The answer of a recorded write. Raises the error that it was refused with."""
    answer = unpack(reply)
    if isinstance(answer, list) and len(answer) == 2 and answer[0] == _REFUSED:
        raise VelellaError.from_wire(answer[1])
    return answer


def value_of(reply: bytes) -> bytes | None:
    """The JSON of the value that a self-recording statement recorded; None for any other reply."""
    return reply[1:] if reply.startswith(_VALUE) else None


class Inbox:
    """One module's inbox."""

    def __init__(self, schema: Schema) -> None:
        self._table = table = schema.messages
        id = bindparam("id", type_=table.c.id.type)
        self._insert = compiled(insert(table).values(id=id).on_conflict_do_nothing().returning(table.c.id))
        self._keep = compiled(
            insert(table).values(id=id, reply=bindparam("answer", type_=LargeBinary)).on_conflict_do_nothing().returning(table.c.id)
        )
        self._find = compiled(select(table.c.reply).where(table.c.id == id))
        self._finish = compiled(update(table).where(table.c.id == id).values(reply=bindparam("answer", type_=LargeBinary)))
        ids = bindparam("ids", type_=ARRAY(Text))
        wanted = func.unnest(ids).table_valued("id", name="wanted").render_derived()
        self._insert_many = compiled(
            insert(table).from_select(["id"], select(wanted.c.id).order_by(wanted.c.id)).on_conflict_do_nothing().returning(table.c.id)
        )
        self._find_many = compiled(select(table.c.id, table.c.reply).where(table.c.id == any_(ids)))
        given = func.unnest(ids, bindparam("answers", type_=ARRAY(LargeBinary))).table_valued("id", "answer", name="given").render_derived()
        self._finish_many = compiled(update(table).where(table.c.id == given.c.id).values(reply=given.c.answer))
        self._drop_many = compiled(delete(table).where(table.c.id == any_(ids)))
        age = cast(bindparam("seconds", type_=Float), Float) * literal_column("interval '1 second'")
        execution = func.split_part(table.c.id, literal_column("':'"), literal_column("1"))
        kept = execution == any_(bindparam("keep", type_=ARRAY(Text)))
        old = select(table.c.id).where(table.c.created_at < func.now() - age, ~kept).limit(bindparam("limit", type_=BigInteger))
        portion = old.with_for_update(skip_locked=True).scalar_subquery()
        self._forget = compiled(delete(table).where(table.c.id == any_(func.array(portion, type_=ARRAY(Text)))))

    async def begin(self, database: Database, id: str) -> bytes | None:
        """Take the id. Returns the reply if the write was done before; waits for one that is just being done."""
        if await database.fetch_one(self._insert, {"id": id}) is not None:
            return None
        return await self.reply(database, id)

    async def reply(self, database: Database, id: str) -> bytes:
        """The reply of a write that was done."""
        reply: bytes = await database.fetch_value(self._find, {"id": id})
        return reply

    async def keep(self, database: Database, id: str, reply: bytes) -> bool:
        """Record id and reply of a finished write, in its transaction. False: another one was first, so this one must be rolled back.

        Raises TooLarge for a reply that is too large for a message: then the write must be rolled back, too.
        """
        bounded(reply, "The answer to a write", HEAD)
        return await database.fetch_one(self._keep, {"id": id, "answer": reply}) is not None

    async def record(self, database: Database, id: str, statement: SelfRecording, params: Mapping[str, Any]) -> Any:
        """Run a self-recording statement and return its one value, recorded under the id; None, and no record, if it gives no row.

        Raises CameBefore, and nothing is done, if there is a record with that id.
        """
        if statement.recording is None:
            statement.recording = self._recording(statement)
        try:
            return await database.fetch_value(statement.recording, {**params, "message_id": id})
        except InvalidData as error:
            if getattr(error.__cause__, "constraint_name", None) == self._table.primary_key.name:
                raise CameBefore from error
            raise

    def _recording(self, statement: SelfRecording) -> Compiled:
        result = statement.source.cte("result")
        (value,) = result.c
        text = func.convert_to(cast(func.to_json(value), Text), literal_column("'UTF8'"))
        reply = literal_column(f"'\\x{_VALUE.hex()}'::bytea").op("||")(text)
        kept = select(bindparam("message_id", type_=self._table.c.id.type), reply).select_from(result)
        return compiled(select(value).add_cte(insert(self._table).from_select(["id", "reply"], kept).cte("record")))

    async def refuse(self, database: Database, id: str, error: VelellaError) -> bytes | None:
        """Record that a write was refused, after its transaction. Returns the record if the write was done or refused before, else None."""
        return None if await self.keep(database, id, pack([_REFUSED, error.to_wire()])) else await self.reply(database, id)

    async def finish(self, database: Database, id: str, reply: bytes) -> None:
        """Record the reply, in the transaction of `begin`. Raises TooLarge as `keep` does."""
        bounded(reply, "The answer to a write", HEAD)
        await database.execute(self._finish, {"id": id, "answer": reply})

    async def begin_many(self, database: Database, ids: Sequence[str]) -> dict[str, Any]:
        """`begin` for several messages in one statement. Returns the answer or the error of each that came before, by id, or
        RECORDED_ALONE."""
        if not ids:
            return {}
        new = {row["id"] for row in await database.fetch(self._insert_many, {"ids": list(ids)})}
        known = [id for id in ids if id not in new]
        if not known:
            return {}
        return {row["id"]: _answer_or_error(row["reply"]) for row in await database.fetch(self._find_many, {"ids": known})}

    async def finish_many(self, database: Database, replies: Sequence[tuple[str, Any]]) -> None:
        """`finish` for several. An error is recorded for steps only; any other message is carried out again if it is repeated."""
        kept = [(id, pack(reply)) for id, reply in replies if not isinstance(reply, VelellaError)]
        kept += [(id, pack([_REFUSED, reply.to_wire()])) for id, reply in replies if isinstance(reply, VelellaError) and _stays(id, reply)]
        if kept:
            await database.execute(self._finish_many, {"ids": [id for id, _ in kept], "answers": [reply for _, reply in kept]})
        refused = [id for id, reply in replies if isinstance(reply, VelellaError) and not _stays(id, reply)]
        if refused:
            await database.execute(self._drop_many, {"ids": refused})

    async def forget(self, database: Database, seconds: float, keep: Sequence[str] = ()) -> int:
        """Drop the records that are older than `seconds`, except those of the executions to `keep`, in transactions of FORGOTTEN_AT_ONCE.
        Returns how many were dropped."""
        params, dropped = {"seconds": seconds, "keep": list(keep), "limit": FORGOTTEN_AT_ONCE}, 0
        while portion := await database.execute(self._forget, params):
            dropped += portion
            if portion < FORGOTTEN_AT_ONCE:
                break
        return dropped


def _stays(id: str, error: VelellaError) -> bool:
    """Whether a refusal is recorded: flows repeat a step that failed for a reason other than the request itself."""
    return error.status < 500 and is_step(id)


def _answer_or_error(reply: bytes) -> Any:
    if value_of(reply) is not None:
        return RECORDED_ALONE
    try:
        return answer_of(reply)
    except VelellaError as error:
        return error
