"""Fields: how a column is shown as JSON, and which values it takes.

What comes from outside (filters, rows to write) is converted to the column's type here, so that a wrong value is an
InvalidData that names the field and never an error of the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Double,
    Float,
    FromClause,
    Integer,
    Numeric,
    Text,
    case,
    cast,
    func,
    literal_column,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from ...clock import iso
from ...emails import email_address, folded
from ...errors import InvalidData
from ...numbers import is_narrow, number_of
from .columns import EMAIL, Money, Quantity, Timestamp
from .entity import Entity

Kind = Literal["text", "integer", "number", "float", "boolean", "time", "date", "json", "array", "raw"]

_PRECISION = 20
"""What Medusa writes beside every amount; the amounts themselves are exact."""
_BITS = {"small_integer": 15, "integer": 31, "big_integer": 63}
_TRUE, _FALSE = ("true", "1"), ("false", "0")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an entity that can be shown, filtered by or ordered by."""

    name: str
    kind: Kind
    type: TypeEngine[Any]
    entity: Entity
    column: str | None = None
    """The table's column; None where it is an expression."""
    item: Kind | None = None
    """Arrays: the kind of their items."""
    bits: int = 63
    """Integers: their size."""
    email: bool = False
    """Whether only email addresses may be written: they are stored, and looked for, in lower case."""

    @property
    def hidden(self) -> bool:
        return self.column in self.entity.hidden and self.name not in self.entity.computed

    def of(self, source: FromClause) -> ColumnElement[Any]:
        """The field as the database has it, from an alias of the table or a subselect of it."""
        return source.c[self.column] if self.column is not None else self.entity.computed[self.name](source)

    def shown(self, source: FromClause) -> ColumnElement[Any]:
        """The field as JSON shows it."""
        value = self.of(source)
        if self.kind == "time":
            value = shown_time(value)
        elif self.kind == "number":
            value = func.trim_scale(value)
        elif self.kind == "raw":
            value = raw_twin(value)
        return value.label(self.name)

    def coerce(self, value: Any) -> Any:
        """Convert a value to a parameter of this column's type. Raises InvalidData that names the field."""
        if value is None or (type(value) is str and self.kind == "text" and "\x00" not in value):  # most values
            return value if value is None or not self.email else folded(value)
        if self.kind == "number" and type(value) in (Decimal, int) and is_narrow(number := Decimal(value)):
            return number
        if self.kind == "array":
            if not isinstance(value, (list, tuple, set, frozenset)):
                raise self._refused(value, "a list")
            return [self._one(self.item or "text", item) for item in value]
        return self._one(self.kind, value)

    def taken(self, value: Any) -> Any:
        """Convert a value that is to be stored. Raises InvalidData as `coerce` does, and for a text that isn't an email address where one
        is due."""
        value = self.coerce(value)
        return email_address(value, self.name) if self.email and value is not None else value

    def coerce_item(self, value: Any) -> Any:
        """Convert one item of an array."""
        return self._one(self.item or "text", value)

    def _one(self, kind: Kind, value: Any) -> Any:
        match kind:
            case "text":
                return self._text(value)
            case "integer":
                return self._integer(value)
            case "number" | "raw":
                return self._number(value)
            case "float":
                return float(self._number(value))
            case "boolean":
                return self._boolean(value)
            case "time" | "date":
                moment = self._time(value)
                return moment.date() if kind == "date" else moment
            case _:
                return value

    def _text(self, value: Any) -> str:
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise self._refused(value, "a string")
        if "\x00" in value:
            raise InvalidData(f"'{self.name}' holds a NUL character")
        return value

    def _integer(self, value: Any) -> int:
        number = self._number(value)
        if number != number.to_integral_value() or not -(1 << self.bits) <= number < (1 << self.bits):
            raise self._refused(value, f"a whole number of {self.bits + 1} bits")
        return int(number)

    def _number(self, value: Any) -> Decimal:
        if isinstance(value, float):
            value = repr(value)
        elif not isinstance(value, (int, str, Decimal)) and isinstance(value, Mapping) and "value" in value:  # the form of a raw_ twin
            return self._number(value["value"])
        if isinstance(value, (int, str, Decimal)) and not isinstance(value, bool):
            try:
                number = number_of(value) if isinstance(value, str) else Decimal(value)
            except ValueError:
                raise self._refused(value, "a number") from None
            if is_narrow(number):
                return number
        raise self._refused(value, "a number")

    def _boolean(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        text = str(value).lower()
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        raise self._refused(value, "true or false")

    def _time(self, value: Any) -> datetime:
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                raise self._refused(value, "a time in ISO 8601") from None
        if not isinstance(value, datetime):
            raise self._refused(value, "a time in ISO 8601")
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)

    def _refused(self, value: Any, wanted: str) -> InvalidData:
        shown = iso(value) if isinstance(value, datetime) else str(value)
        return InvalidData(f"'{self.name}' has to be {wanted}, not '{shown[:100]}'")


def raw_twin(amount: ColumnElement[Any]) -> ColumnElement[Any]:
    """An amount as its raw_ twin shows it: what `money.raw` gives."""
    digits = cast(func.trim_scale(amount), Text)
    twin = func.json_build_object(literal_column("'value'"), digits, literal_column("'precision'"), literal_column(str(_PRECISION)))
    return case((amount.is_not(None), twin))


def shown_time(moment: ColumnElement[Any]) -> ColumnElement[Any]:
    """A time as the API shows it: what `clock.iso` gives."""
    return func.to_char(func.timezone(literal_column("'UTC'"), moment), literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'"""))


def fields_of(entity: Entity) -> dict[str, Field]:
    """Every column of the entity, the raw_ twins of its amounts, and its expressions, by name in the order of the table.

    An expression that is nothing but a column is another name of it.
    """
    fields: dict[str, Field] = {}
    for column in entity.table.columns:
        kind, item, bits = kind_of(column.type)
        fields[column.name] = Field(column.name, kind, column.type, entity, column.name, item, bits, EMAIL in column.info)
        if isinstance(column.type, Money | Quantity):
            twin = f"raw_{column.name}"
            fields[twin] = Field(twin, "raw", column.type, entity, column.name)
    for name, expression in entity.computed.items():
        value = expression(entity.table)
        kind, item, bits = kind_of(value.type)
        column_name = value.name if isinstance(value, Column) and value.table is entity.table else None
        fields[name] = Field(name, kind, value.type, entity, column_name, item, bits)
    return fields


def kind_of(type_: TypeEngine[Any]) -> tuple[Kind, Kind | None, int]:
    """Kind of a column type, kind of its items if it is an array, size if it is an integer."""
    if isinstance(type_, Timestamp):
        return "time", None, 63
    if isinstance(type_, ARRAY):
        item, _, bits = kind_of(type_.item_type)
        return "array", item, bits
    plain = type_.impl_instance if isinstance(type_, TypeDecorator) else type_
    if isinstance(plain, Boolean):
        return "boolean", None, 63
    if isinstance(plain, Integer):
        return "integer", None, _BITS.get(plain.__visit_name__, 31)
    if isinstance(plain, Float | Double):
        return "float", None, 63
    if isinstance(plain, Numeric):
        return "number", None, 63
    if isinstance(plain, JSON):
        return "json", None, 63
    if isinstance(plain, DateTime):
        return "time", None, 63
    if isinstance(plain, Date):
        return "date", None, 63
    return "text", None, 63
