"""Request bodies: pydantic models that are as strict as the API they describe.

    class CreateTaxRate(Body):
        name: str                        # required
        code: str = ABSENT               # may be left out, may not be null
        metadata: Metadata = None        # may be left out, may be null
        rate: Number = ABSENT            # a JSON number, exact; "1" isn't one
        is_default: bool = False         # a default other than None is filled in
        rules: list[Rule] = ABSENT

    class Rule(Part):                    # a Part drops unknown keys, a Body refuses them
        reference: str

A handler gets the body as a dict of what the client sent and of the defaults that were filled in, amounts as Decimal.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model, model_validator
from pydantic_core import PydanticCustomError

from ...core.emails import is_email
from ...core.numbers import number_of

ABSENT: Any = None
"""Default of a field that may be left out but not be null. Fields left out are not in the handler's dict."""


class Part(BaseModel):
    """An object inside a body that drops unknown keys."""

    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True, protected_namespaces=())

    filled: ClassVar[frozenset[str]] = frozenset()
    """Fields with a default that handlers must see."""
    several: ClassVar[bool] = False
    """Whether a list of them is a body as well. A handler then finds it as `body["several"]`."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        cls.filled = frozenset(
            name
            for name, info in cls.model_fields.items()
            if not info.is_required() and info.get_default(call_default_factory=True, validated_data={}) is not None
        )

    @model_validator(mode="after")
    def _fill(self) -> Any:
        if self.filled:
            self.__pydantic_fields_set__.update(self.filled)
        return self

    @classmethod
    def partial(cls) -> type[Self]:
        """The same model with every field optional: `UpdateReason` from `CreateReason`."""
        needed: Any = {field: (info.rebuild_annotation(), ABSENT) for field, info in cls.model_fields.items() if info.is_required()}
        return create_model(cls.__name__.replace("Create", "Update"), __base__=cls, **needed)

    def given(self) -> dict[str, Any]:
        """What the client sent, and the defaults that were filled in."""
        return self.model_dump(exclude_unset=True, by_alias=True)


class Body(Part):
    """A body, or a part of one, that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid")


def expected(types: str, value: Any) -> PydanticCustomError:
    """The error for a value that has none of these types (`number, string`)."""
    return PydanticCustomError("invalid_type", "Expected {expected}", {"expected": types, "received": json_type(value)})


def json_type(value: Any) -> str:
    """The API's name of a JSON value's type, for errors."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float | Decimal):
        return "number"
    return "array" if isinstance(value, list | tuple) else "object"


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise expected("number", value)
    return _finite(Decimal(str(value)) if isinstance(value, float) else Decimal(value), value)


def _whole(value: Any) -> Any:
    number = _number(value)
    if number != number.to_integral_value():
        raise PydanticCustomError("invalid_type", "Expected {expected}", {"expected": "integer", "received": "float"})
    return int(number)


_LARGEST = 10**21
"""Larger numbers are no price or count; they are refused before PostgreSQL or a client's arithmetic fails on them."""


def _finite(number: Decimal, value: Any) -> Decimal:
    if not number.is_finite():
        raise expected("number", value)
    if abs(number) > _LARGEST:
        raise PydanticCustomError("too_big", "Too big", {"maximum": _LARGEST})
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -40:
        raise PydanticCustomError("not_finite", "More than 40 decimals")
    return number


def _big(value: Any) -> Any:
    if isinstance(value, dict):
        value = value.get("value")
        if not isinstance(value, str | int | float | Decimal) or isinstance(value, bool):
            raise expected("number, string, object", value)
    if isinstance(value, str):
        try:
            return _finite(number_of(value.strip()), value)
        except ValueError:
            raise PydanticCustomError("invalid_number", "Invalid number") from None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise expected("number, string, object", value)
    return _number(value)


_BIG_SCHEMA = {
    "anyOf": [
        {"type": "number"},
        {"type": "string"},
        {"type": "object", "properties": {"value": {"type": "string"}, "precision": {"type": "number"}}, "required": ["value"]},
    ]
}

Number = Annotated[Decimal, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
"""A JSON number as Decimal."""
NotNegative = Annotated[Number, Field(ge=0), WithJsonSchema({"type": "number", "minimum": 0})]
Positive = Annotated[Number, Field(gt=0), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})]
Whole = Annotated[int, BeforeValidator(_whole), WithJsonSchema({"type": "integer"})]
"""A JSON number without a fraction (`2.0` is one) as int."""
AtLeastOne = Annotated[Whole, Field(ge=1), WithJsonSchema({"type": "integer", "minimum": 1})]
Rank = Annotated[Whole, Field(ge=0), WithJsonSchema({"type": "integer", "minimum": 0})]
"""A position in an order, counted from 0."""
BigNumber = Annotated[Decimal, BeforeValidator(_big), WithJsonSchema(_BIG_SCHEMA)]
"""An amount: number, string, or {value, precision}; as Decimal."""


def _boolean(value: Any) -> Any:
    return value == "true" if value in ("true", "false") else value


_WORD_SCHEMA = {"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["true", "false"]}]}
BooleanString = Annotated[bool, BeforeValidator(_boolean), WithJsonSchema(_WORD_SCHEMA)]
"""A boolean, or the words `true` and `false`."""
Metadata = dict[str, Any] | None
"""`metadata: Metadata = None`"""
AdditionalData = dict[str, Any] | None


def _email(value: str) -> str:
    if not is_email(value):
        raise PydanticCustomError("invalid_email", "Invalid email")
    return value


Email = Annotated[str, AfterValidator(_email), WithJsonSchema({"type": "string", "format": "email"})]


class LinkBody(Body):
    """The body of routes that link and unlink many things at once."""

    add: list[str] = ABSENT
    remove: list[str] = ABSENT
