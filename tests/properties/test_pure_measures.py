"""What holds for every two scores on every scale."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from referrals.measures import SEED, Direction, Measure, change, check_value


@st.composite
def scored(draw: st.DrawFn) -> tuple[Measure, Decimal, Decimal]:
    measure = draw(st.sampled_from(SEED))
    places = 0 if measure.integer_only else 2
    scores = st.decimals(measure.low, measure.high, places=places)
    return measure, draw(scores), draw(scores)


@given(scored())
def test_a_change_and_its_way_back_mirror_each_other(
    pair: tuple[Measure, Decimal, Decimal],
) -> None:
    measure, first, last = pair
    there, back = change(measure, first, last), change(measure, last, first)
    assert there.amount == -back.amount
    assert there.reaches == back.reaches
    mirrored = {
        Direction.BETTER: Direction.WORSE,
        Direction.WORSE: Direction.BETTER,
        Direction.SAME: Direction.SAME,
    }
    assert back.direction is mirrored[there.direction]


@given(scored())
def test_a_sentence_never_promises_more_than_a_change(
    pair: tuple[Measure, Decimal, Decimal],
) -> None:
    measure, first, last = pair
    found = change(measure, first, last)
    words = found.sentence.lower()
    for promise in ("recover", "heal", "cured", "fit for", "cleared", "safe"):
        assert promise not in words
    assert "reference" in words
    if found.reference is not None:
        assert found.reference.source in found.sentence
    if found.direction is not Direction.SAME:
        assert f"changed by {abs(found.amount).normalize():f} " in found.sentence


@given(st.sampled_from(SEED), st.decimals(allow_nan=True, allow_infinity=True))
def test_any_decimal_is_judged_without_breaking(measure: Measure, value: Decimal) -> None:
    if not check_value(measure, value):
        assert value.is_finite()
        assert measure.low <= value <= measure.high
