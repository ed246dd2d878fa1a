"""Field trees: what the fields grammar means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velella.core.errors import InvalidData
from velella.core.sql.schema.fields import FieldTree

names = st.sampled_from(["id", "title", "variants", "prices", "type"])
paths = st.builds(
    lambda segments, star: (
        f"*{'.'.join(segments)}" if star == "front" else ".".join([*segments, "*"]) if star == "end" else ".".join(segments)
    ),
    st.lists(names, min_size=1, max_size=4),
    st.sampled_from(["front", "end", "none"]),
)
field_lists = st.lists(paths, max_size=8)


@given(field_lists)
def test_a_tree_and_its_fields_say_the_same(fields: list[str]) -> None:
    tree = FieldTree.parse(fields)
    assert FieldTree.parse(tree.fields()) == tree
    assert hash(FieldTree.parse(tree.fields())) == hash(tree)


@given(field_lists)
def test_neither_order_nor_doubles_matter(fields: list[str]) -> None:
    assert FieldTree.parse([*reversed(fields), *fields]).fields() == FieldTree.parse(fields).fields()


@given(field_lists, field_lists)
def test_merging_is_asking_for_both(some: list[str], others: list[str]) -> None:
    assert FieldTree.parse(some).merge(FieldTree.parse(others)) == FieldTree.parse([*some, *others])


@given(field_lists, paths)
def test_without_a_path_nothing_of_it_is_left(fields: list[str], path: str) -> None:
    plain = path.strip("*").rstrip(".")
    left = FieldTree.parse(fields).without(path)
    assert plain not in left
    assert all(other.replace("*", "").rstrip(".") != plain for other in left.fields())
    assert left.without(path) == left


def test_the_forms_of_a_star_are_one() -> None:
    assert FieldTree.parse(["*variants.prices"]) == FieldTree.parse(["variants.prices.*"]) == FieldTree.parse(["variants.*prices"])
    assert FieldTree.parse(["*"]).all


def test_leaves_and_relations() -> None:
    tree = FieldTree.parse(("id", "type", "*variants", "variants.options.value", "images.url"))
    assert tree.leaves == ("id", "type")
    assert set(tree.relations) == {"variants", "images"}
    variants = tree.children["variants"]
    assert variants.all
    assert variants.get("options.value") is not None
    assert tree.depth() == 2
    assert tree.fields() == ("id", "images.url", "type", "variants.*", "variants.options.value")


def test_a_relation_named_alone_is_wanted_whole_even_when_part_of_it_is_named_too() -> None:
    tree = FieldTree.parse(("type", "type.value"))
    assert tree.children["type"].whole
    assert not FieldTree.parse(("type.value",)).children["type"].whole


def test_taking_away_a_relation_takes_what_is_below_and_empty_parents() -> None:
    tree = FieldTree.parse(("id", "*variants", "variants.options.value"))
    assert tree.without("variants").fields() == ("id",)
    assert tree.without("variants.options").fields() == ("id", "variants.*")
    assert FieldTree.parse(("id", "variants.options.value")).without("variants.options").fields() == ("id",)
    assert tree.without("unknown.path") == tree


def test_trees_are_never_changed() -> None:
    tree = FieldTree.parse(("id",))
    tree.add("title")
    tree.merge(FieldTree.parse(("*",)))
    tree.without("id")
    assert tree.fields() == ("id",)


def test_keep_and_under() -> None:
    tree = FieldTree.parse(("*", "id", "variants.id"))
    assert tree.keep(["variants"]).fields() == ("*", "variants.id")
    assert FieldTree.parse(("id", "*")).under("product.type").fields() == ("product.type.*", "product.type.id")


@pytest.mark.parametrize("path", ["", "a..b", ".a", "a.", "..", "a.*.b"])
def test_a_path_with_a_hole_is_refused(path: str) -> None:
    with pytest.raises(InvalidData, match="not a path"):
        FieldTree.parse((path,))
