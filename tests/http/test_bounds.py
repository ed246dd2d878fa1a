"""What a client sends is bounded where it comes in: a few letters never become many digits, levels or values behind the door."""

from __future__ import annotations

import pytest

from .conftest import Client

WIDE = ["1e99999", "-1e99999", "1e-99999", "0e99999", "1e64", "9" * 65, "-" + "9" * 4400, "0." + "3" * 300, "1.5e+9999999999999"]
NARROW = ["1e40", "1e-40", "9" * 60, "-0.000001", "2.220446049250313e-16", "1.7976931348623157", "0", "1E5"]
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("number", WIDE)
@pytest.mark.parametrize("body", ['{"metadata":{"a":%s}}', '{"metadata":{"a":[{"b":[%s]}]}}', '{"first_name":"x","anything":%s}', "[%s]"])
async def test_a_number_that_would_grow_is_refused_wherever_it_stands(admin: Client, body: str, number: str) -> None:
    refused = await admin("POST", "/admin/people/user_1", data=body % number, headers=JSON)
    assert (refused.status, refused.json["type"]) == (400, "invalid_data")
    assert "a number of more than 64 digits" in refused.text


@pytest.mark.parametrize("number", NARROW)
async def test_a_number_that_is_one_is_kept(client: Client, number: str) -> None:
    taken = await client("POST", "/test/any", data=f'{{"a":[{number}]}}', headers=JSON)
    assert taken.status == 200
    assert len(taken.text) < 150


async def test_answers_are_not_much_longer_than_what_was_posted(admin: Client) -> None:
    """The worst that is taken: short numbers, written out by PostgreSQL."""
    made = (await admin("POST", "/admin/people", {"email": "wide@example.com"})).json["person"]
    for count, status in ((3900, 200), (9000, 400)):  # written out, these are more than metadata may have
        numbers = ",".join(["1e63"] * count)
        body = f'{{"metadata":{{"a":[{numbers}]}}}}'
        answer = await admin("POST", f"/admin/people/{made['id']}?fields=metadata", data=body, headers=JSON)
        assert answer.status == status
        assert len(answer.text) < 20 * len(body)


@pytest.mark.parametrize("amount", ["1e99999", "0e99999", "1e-99999", "9" * 200, "1" * 90_000, "NaN", "Infinity", "-1e30"])
async def test_amounts_that_are_texts_are_bounded_too(store: Client, amount: str) -> None:
    for value in (amount, {"value": amount}):
        refused = await store("POST", "/store/echo", {"name": "x", "amount": value})
        assert (refused.status, refused.json["type"]) == (400, "invalid_data")
        assert len(refused.text) < 400


@pytest.mark.parametrize("number", ["1e99999", "0e99999", "1e-99999", "9" * 200])
async def test_numbers_of_a_query_string_are_bounded_too(client: Client, number: str) -> None:
    for name in ("weight", "weight[$gt]", "weight[]"):
        assert (await client("GET", f"/test/list?{name}={number}")).status == 400


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("[" * 70 + "]" * 70, "nested too deeply"),
        ('{"a":' * 66 + "{}" + "}" * 66, "nested too deeply"),
        ("[" * 40_000, "nested too deeply"),
        ("[" + ",".join(["0"] * 10_001) + "]", "more than 10000 values"),
        ('{"a":[' + ",".join(["{}"] * 10_001) + "]}", "more than 10000 values"),
        ('{"metadata":{"a":"\\u0000"}}', "null character"),
        ('{"metadata":{"a\\u0000":1}}', "null character"),
        ('{"metadata":{"a":["\\ud800"]}}', "not valid JSON"),
    ],
)
async def test_depth_values_and_letters_of_a_body_are_bounded(client: Client, body: str, words: str) -> None:
    refused = await client("POST", "/test/any", data=body, headers=JSON)
    assert (refused.status, refused.json["type"]) == (400, "invalid_data")
    assert words in refused.text


async def test_a_body_may_be_as_deep_and_as_full_as_any_that_is_meant(client: Client) -> None:
    deep = {"metadata": {"text": ", ".join(["[{"] * 5_000)}}
    assert (await client("POST", "/test/any", deep)).status == 200, "brackets and commas in a text are no values"
    assert (await client("POST", "/test/any", data="[" * 60 + "]" * 60, headers=JSON)).status == 200
    batch = {"create": [{"title": "x", "n": at, **{f"k{key}": 0 for key in range(20)}} for at in range(1_000)]}
    assert (await client("POST", "/test/1/batch", batch)).status == 200, "batches may hold more"
    assert (await client("POST", "/test/1/batch", {"create": [0] * 500_000})).status == 400


async def test_thousands_of_mistakes_are_counted_not_told(store: Client) -> None:
    refused = await store("POST", "/store/echo", {"name": "x", "rules": [0] * 1_400})
    assert (refused.status, refused.json["message"]) == (400, "Invalid request: 1400 values are not what they have to be")
    few = await store("POST", "/store/echo", {"name": "x", "rules": [0] * 50})
    assert few.json["message"].count("Expected type") == 3
