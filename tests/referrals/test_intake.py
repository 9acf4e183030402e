"""Typed input: what is taken, what is refused, and where the complaint stands."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.core.errors import Invalid
from referrals.intake import Intake
from referrals.vocabulary import Laterality, Pattern

ID = UUID("6f1c2a34-0000-4000-8000-000000000000")


def intake(value: Any) -> Intake:
    return Intake({"field": value}, ["field"])


def read(reader: str, value: Any, **options: Any) -> Any:
    """The value read, or Invalid when there was a complaint; it is at the field."""
    box = intake(value)
    got = getattr(box, reader)("field", **options)
    if box.errors:
        assert set(box.errors) == {"field"}
        assert got in (None, "", (), False)
        return Invalid
    return got


@pytest.mark.parametrize(
    ("reader", "options", "value", "expected"),
    [
        ("text", {"most": 5}, None, ""),
        ("text", {"most": 5}, " a b ", " a b "),
        ("text", {"most": 5}, "a\r\nb", "a b"),
        ("text", {"most": 5, "lines": True}, "a\r\nb\x0bc", "a\nb\nc"),
        ("text", {"most": 5, "lines": True}, "\t\u2028", "\t\n"),
        ("text", {"most": 5}, "123456", Invalid),
        ("text", {"most": 5}, "🦵🦵🦵🦵🦵", "🦵🦵🦵🦵🦵"),
        ("text", {"most": 5}, "a\x00", Invalid),
        ("text", {"most": 5}, "\ud800", Invalid),
        ("text", {"most": 5}, "\uffff", Invalid),
        ("text", {"most": 5}, b"a", Invalid),
        ("choice", {"choices": Laterality}, "", None),
        ("choice", {"choices": Laterality}, "left", Laterality.LEFT),
        ("choice", {"choices": Laterality}, Laterality.LEFT, Laterality.LEFT),
        ("choice", {"choices": Laterality}, "Left", Invalid),
        ("choice", {"choices": Laterality}, ["left"], Invalid),
        ("choices", {"choices": Pattern}, None, ()),
        ("choices", {"choices": Pattern}, ["run", "jump"], (Pattern.RUN, Pattern.JUMP)),
        ("choices", {"choices": Pattern}, ("run",), (Pattern.RUN,)),
        ("choices", {"choices": Pattern}, "run", Invalid),
        ("day", {}, "", None),
        ("day", {}, " 2027-01-12 ", date(2027, 1, 12)),
        ("day", {}, date(2027, 1, 12), date(2027, 1, 12)),
        ("day", {}, datetime(2027, 1, 12, tzinfo=UTC), Invalid),
        ("day", {}, "2027-02-29", Invalid),
        ("day", {}, "20270112", Invalid),
        ("day", {}, "\uff12\uff10\uff12\uff17-01-12", Invalid),
        ("day", {}, 20270112, Invalid),
        ("whole", {"low": 0, "high": 10}, None, None),
        ("whole", {"low": 0, "high": 10}, " 7 ", 7),
        ("whole", {"low": -3, "high": 10}, "-3", -3),
        ("whole", {"low": 0, "high": 10}, 0, 0),
        ("whole", {"low": 0, "high": 10}, 11, Invalid),
        ("whole", {"low": 0, "high": 10}, True, Invalid),
        ("whole", {"low": 0, "high": 10}, 7.0, Invalid),
        ("whole", {"low": 0, "high": 10}, "\u0667", Invalid),
        ("whole", {"low": 0, "high": 10}, "9" * 5000, Invalid),
        ("decimal", {}, "", None),
        ("decimal", {}, "2.50", Decimal("2.50")),
        ("decimal", {}, "-.5", Decimal("-0.5")),
        ("decimal", {}, "5.", Decimal(5)),
        ("decimal", {}, 0.1, Decimal("0.1")),
        ("decimal", {}, 7, Decimal(7)),
        ("decimal", {}, Decimal("1E+2"), Decimal(100)),
        ("decimal", {}, Decimal("1E+999999"), Invalid),
        ("decimal", {}, Decimal("1E-999999"), Invalid),
        ("decimal", {}, Decimal("sNaN"), Invalid),
        ("decimal", {}, ".", Invalid),
        ("decimal", {}, "2,5", Invalid),
        ("decimal", {}, "1e3", Invalid),
        ("decimal", {}, float("nan"), Invalid),
        ("decimal", {}, False, Invalid),
        ("decimal", {}, [1], Invalid),
        ("flag", {}, "on", True),
        ("flag", {}, "TRUE", True),
        ("flag", {}, True, True),
        ("flag", {}, None, False),
        ("flag", {}, "", False),
        ("flag", {}, "maybe", Invalid),
        ("flag", {}, 1, Invalid),
        ("flag", {}, [], Invalid),
        ("identifier", {}, "", None),
        ("identifier", {}, ID, ID),
        ("identifier", {}, str(ID), ID),
        ("identifier", {}, "7", Invalid),
        ("identifier", {}, 7, Invalid),
    ],
)
def test_reading(reader: str, options: dict[str, Any], value: Any, expected: Any) -> None:
    got = read(reader, value, **options)
    assert got == expected
    assert type(got) is type(expected)


def test_an_unknown_entry_is_named() -> None:
    box = Intake({"field": 1, "other": 2}, ["field"])
    assert set(box.errors) == {"other"}
    assert "field" in box
    assert "absent" not in box


def test_a_long_list_is_not_read_to_its_end() -> None:
    box = intake(["wrong"] * 100_000)
    box.choices("field", Pattern)
    assert len(box.errors["field"]) == len(Pattern) + 1


def test_a_second_check_speaks_only_where_nothing_was_said() -> None:
    box = Intake({"a": "x", "b": "y"}, ["a", "b"])
    box.whole("a", low=0, high=1)
    said = list(box.errors["a"])
    box.refuse_all({"a": ["Other."], "b": ["New."]})
    with pytest.raises(Invalid) as caught:
        box.raise_if_wrong()
    assert caught.value.errors == {"a": said, "b": ["New."]}


def test_nothing_wrong_raises_nothing() -> None:
    intake("x").raise_if_wrong()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(JSON)
def test_whatever_comes_there_is_a_value_or_a_complaint(value: Any) -> None:
    read("text", value, most=20, lines=True)
    read("choice", value, choices=Laterality)
    read("choices", value, choices=Pattern)
    read("day", value)
    read("whole", value, low=0, high=10)
    read("decimal", value)
    read("flag", value)
    read("identifier", value)
