"""Nothing that a client sends is a reason for a 500."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import Client

NAMES = st.sampled_from(
    ["name", "code", "kind", "rate", "amount", "email", "password", "rules", "address", "metadata", "title", "type", "add", "remove", "x"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["", "standard", "publishable", "secret", "a@b.co", "\x00", "1e9999", "-0", "9" * 400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.dictionaries(NAMES, VALUES, max_size=6) | VALUES
KEYS = st.sampled_from(
    ["fields", "limit", "offset", "order", "with_deleted", "q", "id", "id[]", "id[$in][]", "created_at[$gt]", "created_at[]", "type",
     "$and[0][id]", "$or[]", "$or[0][$and][0][q]", "title[a][b]", "token", "email", "a.b", "revoked_at", "revoked_at[$ne]"]
)  # fmt: skip
TEXTS = st.text(max_size=10) | st.sampled_from(
    ["*", "+*", "-id", "sales_channels.*", "+a..b", ".", "*.", "-", "9999999999", "1e3", "null", "true", "%", "_", "'", '"', "created_at"]
)


GENTLY = settings(max_examples=40)


@pytest.mark.parametrize(
    "path",
    ["/store/echo", "/admin/people", "/admin/api-keys", "/auth/customer/emailpass", "/admin/api-keys/x/revoke", "/auth/token/refresh"],
)
@GENTLY
@given(body=BODIES)
async def test_no_body_breaks_a_route(store: Client, admin: Client, path: str, body: Any) -> None:
    answer = await store.with_(**admin.headers)("POST", path, body)
    assert answer.status < 500, answer.text


@pytest.mark.parametrize("path", ["/admin/api-keys", "/admin/users", "/store/people", "/test/list"])
@GENTLY
@given(query=st.lists(st.tuples(KEYS, TEXTS), max_size=4))
async def test_no_query_breaks_a_route(store: Client, admin: Client, path: str, query: list[tuple[str, str]]) -> None:
    answer = await store.with_(**admin.headers)("GET", f"{path}?{urlencode(query)}")
    assert answer.status < 500, answer.text


@pytest.mark.parametrize("path", ["/admin/api-keys/", "/admin/users/", "/store/", "/auth/"])
@GENTLY
@given(rest=st.text(max_size=20))
async def test_no_path_breaks_a_route(store: Client, admin: Client, path: str, rest: str) -> None:
    answer = await store.with_(**admin.headers)("GET", path + quote(rest, safe="/%?#"))
    assert answer.status < 500, answer.text
