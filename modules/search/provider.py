"""The interface of search providers.

A provider is a class named in the settings (`providers.search`, exactly one); its options are its constructor's arguments. It keeps
versions of indexes, each under a name of its own (`srhver_…`), and searches them. What is in them is the shop's business: it says which
documents there are.

Documents carry the ticket of the reading that made them, and are written again and out of order: by the refreshing of what has changed,
and by an index that is built meanwhile. **The highest ticket counts, whenever it comes**; what is gone has a ticket, too.

Nobody else writes into a version while one of the writing methods is carried out: the module holds the index, in a transaction of its
database. So a provider that keeps documents elsewhere may look first and write then; it has to end in time whatever happens there, and when
it returns its writing has to be seen by all that is asked from then on. It raises Unavailable where the other side isn't there: what was to
be written comes again, and shops go on without search; and NotFound where it doesn't have the version: then that is built anew.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from ...core.rows import Row
from ...core.service.context import ModuleContext
from ...core.service.providers import Provider
from .asking import Asked
from .indexes import IndexDefinition


class SearchProvider(Provider, ABC):
    """Base of all search providers."""

    def bind(self, context: ModuleContext) -> None:
        """Get the shop's settings and the module's database. Called once, before anything else."""

    async def create_index(self, version: str, definition: IndexDefinition) -> None:
        """Make what a version is kept in, before the first document. May be repeated. Default: nothing has to be made."""

    @abstractmethod
    async def upsert_documents(self, version: str, definition: IndexDefinition, documents: Sequence[Row], ticket: int) -> None:
        """Write documents, `{id, fields, parts}`: a value, a list or an object for each field of the definition, and the keys of what it
        was made of. Those that have a higher ticket already stay. May be repeated."""

    @abstractmethod
    async def delete_documents(self, version: str, ids: Sequence[str], ticket: int) -> None:
        """Let documents be gone for whoever searches, unless they have a higher ticket. Unknown ones are noted as gone. May be repeated."""

    @abstractmethod
    async def delete_older(self, version: str, ticket: int) -> None:
        """`delete_documents` of all that have a lower ticket: what a whole reading that began with it didn't find."""

    @abstractmethod
    async def made_of(self, version: str, parts: Sequence[str]) -> Sequence[str]:
        """Ids of the documents that are made of any of these."""

    @abstractmethod
    async def delete_index(self, version: str) -> None:
        """Delete all of a version, which nobody searches or writes into any more. A missing one is no error. May be repeated."""

    @abstractmethod
    async def search(self, version: str, definition: IndexDefinition, asked: Asked) -> Row | None:
        """Search a version. Returns None for one that isn't there, or was deleted meanwhile; else `hits` (`{id, score, fields}`, best
        first or in the order that was asked for), `count` (all that match; None where nobody asked), `facets` (one for each of
        `asked.facets`: `[{value, count}]`, `[count]` by range, or `{min, max, avg, sum, count}`) and `words` (what hits were found by, for
        highlighting). Raises InvalidData for what it can't do."""
