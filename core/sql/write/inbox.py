"""The record of writes that came over a wire: one row a message, written in the transaction of its write.

The row's key is the message id. Who inserts it carries the write out; who comes second waits for the first one's
commit at the unique index and then finds the reply. A write that can't have come before is recorded with its reply once it is done;
should it have come before after all, the unique index says so and all of it is undone.

A write that is one statement, and whose answer follows from the one value this gives, needs no transaction for that either: the statement
itself records the value. Who sends the message again is answered by going through the write once more with the recorded value in the
statement's place.

A durable step's write that is refused is recorded as refused. A coordinator that was frozen before it could send that write, while
another one took over, was refused and undid the rest, finds it when it comes back; else it would do what nobody undoes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, Float, LargeBinary, Text, any_, bindparam, cast, delete, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from ...codec import HEAD, bounded, pack, unpack
from ...errors import InvalidData, VelellaError
from ..db.compiled import Compiled, SelfRecording, compiled
from ..db.database import Database
from ..schema.schema import Schema

_REFUSED = "~refused"
_VALUE = b"\xc1"
"""Before the JSON of a statement's value: no reply begins like this, because MessagePack never uses that byte."""


class CameBefore(Exception):
    """A write that was taken for the first one of its id wasn't."""


def is_step(message_id: str) -> bool:
    """Whether it is a write of a step that may still be undone (`execution:path/n`).

    Undoing (`~undo`), and what comes after a point of no return (`~after`), is repeated until it works: its refusals don't count.
    """
    return ":" in message_id and "~" not in message_id


def answer_of(reply: bytes) -> Any:
    """What a recorded write answered. Raises what it was refused with."""
    answer = unpack(reply)
    if isinstance(answer, list) and len(answer) == 2 and answer[0] == _REFUSED:
        raise VelellaError.from_wire(answer[1])
    return answer


def value_of(reply: bytes) -> bytes | None:
    """The JSON of the value that a statement recorded by itself; None of any other reply."""
    return reply[1:] if reply.startswith(_VALUE) else None


class Inbox:
    """One module's record."""

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
        self._forget = compiled(delete(table).where(table.c.created_at < func.now() - age, ~kept))

    async def begin(self, database: Database, id: str) -> bytes | None:
        """Take the id; the reply if the write was done before. Waits for another one that is just doing it."""
        if await database.fetch_one(self._insert, {"id": id}) is not None:
            return None
        return await self.reply(database, id)

    async def reply(self, database: Database, id: str) -> bytes:
        """What a write that was done answered."""
        reply: bytes = await database.fetch_value(self._find, {"id": id})
        return reply

    async def keep(self, database: Database, id: str, reply: bytes) -> bool:
        """Keep id and reply of a write that is done, in its transaction. False: another one was first, so this one must be undone.

        Raises TooLarge for a reply that could never travel: then the write must be undone, too.
        """
        bounded(reply, "The answer to a write", HEAD)
        return await database.fetch_one(self._keep, {"id": id, "answer": reply}) is not None

    async def record(self, database: Database, id: str, statement: SelfRecording, params: Mapping[str, Any]) -> Any:
        """The one value of a statement, which is recorded under the id by that statement; without a row there is no record, and None.

        Raises CameBefore, and nothing is done, where there is one of that id already.
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
        """Keep that a write was refused, after its transaction. The record, if it was carried out meanwhile, or refused before."""
        return None if await self.keep(database, id, pack([_REFUSED, error.to_wire()])) else await self.reply(database, id)

    async def finish(self, database: Database, id: str, reply: bytes) -> None:
        """Keep the reply, in the transaction of `begin`. Raises TooLarge as `keep` does."""
        bounded(reply, "The answer to a write", HEAD)
        await database.execute(self._finish, {"id": id, "answer": reply})

    async def begin_many(self, database: Database, ids: Sequence[str]) -> dict[str, Any]:
        """`begin` for several messages, as one statement: of those that came before, what they answered or were refused with."""
        if not ids:
            return {}
        new = {row["id"] for row in await database.fetch(self._insert_many, {"ids": list(ids)})}
        known = [id for id in ids if id not in new]
        if not known:
            return {}
        return {row["id"]: _answer_or_error(row["reply"]) for row in await database.fetch(self._find_many, {"ids": known})}

    async def finish_many(self, database: Database, replies: Sequence[tuple[str, Any]]) -> None:
        """`finish` for several. A reply that is an error is kept for steps; any other message that is sent again is looked at anew."""
        kept = [(id, pack(reply)) for id, reply in replies if not isinstance(reply, VelellaError)]
        kept += [(id, pack([_REFUSED, reply.to_wire()])) for id, reply in replies if isinstance(reply, VelellaError) and _stays(id, reply)]
        if kept:
            await database.execute(self._finish_many, {"ids": [id for id, _ in kept], "answers": [reply for _, reply in kept]})
        refused = [id for id, reply in replies if isinstance(reply, VelellaError) and not _stays(id, reply)]
        if refused:
            await database.execute(self._drop_many, {"ids": refused})

    async def forget(self, database: Database, seconds: float, keep: Sequence[str] = ()) -> int:
        """Drop what is older and not of these executions; how many."""
        return await database.execute(self._forget, {"seconds": seconds, "keep": list(keep)})


def _stays(id: str, error: VelellaError) -> bool:
    """Whether nobody asks again: flows try anew what failed for other reasons than what was asked."""
    return error.status < 500 and is_step(id)


def _answer_or_error(reply: bytes) -> Any:
    try:
        return answer_of(reply)
    except VelellaError as error:
        return error
