"""Query strings become trees of strings."""

from __future__ import annotations

from typing import Any

import pytest

from velella.core.errors import InvalidData
from velella.http.kit.filters import BOOLEAN, MANY, TEXT, Filters, meaning
from velella.http.kit.issues import Issue
from velella.http.server.querystring import parse


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", {}),
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a", {"a": ""}),
        ("a=1=2", {"a": "1=2"}),
        ("title=caf%C3%A9+noir", {"title": "café noir"}),
        ("fields=%2Bx,-y,*z", {"fields": "+x,-y,*z"}),
        ("id[]=1&id[]=2", {"id": ["1", "2"]}),
        ("id=1&id=2", {"id": ["1", "2"]}),
        ("id=1&id[]=2", {"id": ["1", "2"]}),
        ("id[1]=b&id[0]=a", {"id": ["a", "b"]}),
        ("id[]=1,2", {"id": ["1", "2"]}),
        ("id=1,2", {"id": "1,2"}),
        ("id[]=1,2&id[]=3", {"id": ["1,2", "3"]}),
        ("created_at[$gt]=x&created_at%5B%24lt%5D=y", {"created_at": {"$gt": "x", "$lt": "y"}}),
        ("created_at[$in][]=x&created_at[$in][]=y", {"created_at": {"$in": ["x", "y"]}}),
        ("variants.sku=q", {"variants": {"sku": "q"}}),
        ("$and[0][a]=1&$and[1][b][]=2", {"$and": [{"a": "1"}, {"b": ["2"]}]}),
        ("a[b]c=1", {"a[b]c": "1"}),
        ("[]=1", {"[]": "1"}),
        ("id[]=a&id[²]=b", {"id": {"0": "a", "²": "b"}}),
        (f"id[]=a&id[{'9' * 5000}]=b", {"id": {"0": "a", "9" * 5000: "b"}}),
    ],
)
def test_a_query_string_is_a_tree(text: str, tree: dict[str, Any]) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize("text", ["a.b.c=1", "a" + "[b]" * 9 + "=1", "&".join(f"a{i}=1" for i in range(1001)), "a=%00"])
def test_what_nobody_means_is_refused(text: str) -> None:
    with pytest.raises(InvalidData):
        parse(text)


def test_a_parameter_may_ask_for_what_a_path_leads_to_beside_all_else_that_is_asked() -> None:
    ruled = meaning(BOOLEAN, lambda given: {"rules": {"attribute": "a"}} if given else {"$not": {"rules": {"attribute": "a"}}})
    filters = Filters(logical=True, q=TEXT, tag_id=meaning(MANY, "tags.id"), is_open=ruled)
    asked = {"tag_id": "a", "is_open": "false", "q": "mug", "$and": [{"q": "cup"}], "$or": [{"tag_id": ["b", "c"]}, {"q": "x"}]}
    assert filters.check(asked) == {
        "q": "mug",
        "$and": [{"q": "cup"}, {"tags": {"id": "a"}}, {"$not": {"rules": {"attribute": "a"}}}],
        "$or": [{"$and": [{"tags": {"id": ["b", "c"]}}]}, {"q": "x"}],
    }
    assert filters.ignoring().check({"tag_id": "a"}) == {}
    issues: list[Issue] = []
    filters.check({"is_open": "perhaps"}, (), issues)
    assert len(issues) == 1
