"""The record of writes that came over a wire: one row a message, written in the transaction of its write.

The row's key is the message id. Who inserts it carries the write out; who comes second waits for the first one's
commit at the unique index and then finds the reply.
"""

from __future__ import annotations

from sqlalchemy import Float, LargeBinary, bindparam, cast, delete, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from .compiled import compiled
from .database import Database
from .entity import Schema


class MessageLog:
    """One module's record."""

    def __init__(self, schema: Schema) -> None:
        table = schema.messages
        id = bindparam("id", type_=table.c.id.type)
        self._insert = compiled(insert(table).values(id=id).on_conflict_do_nothing().returning(table.c.id))
        self._find = compiled(select(table.c.reply).where(table.c.id == id))
        self._finish = compiled(update(table).where(table.c.id == id).values(reply=bindparam("answer", type_=LargeBinary)))
        age = cast(bindparam("seconds", type_=Float), Float) * literal_column("interval '1 second'")
        self._forget = compiled(delete(table).where(table.c.created_at < func.now() - age))

    async def begin(self, database: Database, id: str) -> bytes | None:
        """Take the id; the reply if the write was done before. Waits for another one that is just doing it."""
        if await database.fetch_one(self._insert, {"id": id}) is not None:
            return None
        reply: bytes = await database.fetch_value(self._find, {"id": id})
        return reply

    async def finish(self, database: Database, id: str, reply: bytes) -> None:
        """Keep the reply, in the transaction of `begin`."""
        await database.execute(self._finish, {"id": id, "answer": reply})

    async def forget(self, database: Database, seconds: float) -> int:
        """Drop what is older; how many."""
        return await database.execute(self._forget, {"seconds": seconds})
