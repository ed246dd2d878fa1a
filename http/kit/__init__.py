"""What authors of routes import.

from ..kit import Answer, Body, Filters, Request, Routes, View
"""

from __future__ import annotations

from .access import (
    ANY_BEARER,
    ANY_IDENTITY,
    CUSTOMER,
    CUSTOMER_OPTIONAL,
    CUSTOMER_REGISTERING,
    PUBLIC,
    SESSION_ONLY,
    USER,
    Actor,
    Auth,
    PublishableKey,
)
from .bodies import (
    ABSENT,
    AdditionalData,
    BigNumber,
    Body,
    Email,
    LinkBody,
    Metadata,
    Number,
    Part,
    Whole,
)
from .cached import Cached
from .extending import Next
from .filters import (
    ANYTHING,
    BOOLEAN,
    MANY,
    NOTHING,
    NUMBER,
    NUMBERS,
    OPERATORS,
    STAMPS,
    TEXT,
    TEXT_LIST,
    Filters,
    ParameterKind,
    choice,
    choices,
    meaning,
    required,
)
from .reply import Answer, Paging, Reply, deleted, envelope, list_envelope
from .request import Request
from .resource import require
from .route import Route
from .routes import BATCH_LIMIT, Routes
from .view import View
from .write import Write

__all__ = [
    "ABSENT", "ANYTHING", "ANY_BEARER", "ANY_IDENTITY", "BATCH_LIMIT", "BOOLEAN", "CUSTOMER", "CUSTOMER_OPTIONAL", "CUSTOMER_REGISTERING",
    "MANY", "NOTHING", "NUMBER", "NUMBERS", "OPERATORS", "PUBLIC", "SESSION_ONLY", "STAMPS", "TEXT", "TEXT_LIST", "USER", "Actor",
    "AdditionalData", "Answer", "Auth", "BigNumber", "Body", "Cached", "Email", "Filters", "LinkBody", "Metadata", "Next", "Number",
    "Paging", "ParameterKind", "Part", "PublishableKey", "Reply", "Request", "Route", "Routes", "View", "Whole", "Write", "choice",
    "choices", "deleted", "envelope", "list_envelope", "meaning", "require", "required",
]  # fmt: skip
