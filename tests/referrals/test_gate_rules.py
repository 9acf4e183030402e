"""Met, not met, not measured: by the newest fitting value, and never added up."""

from datetime import date
from decimal import Decimal

import pytest

from referrals.gate_rules import NOT_MEASURED, Standing, Taken, compare, reaches, summary
from referrals.vocabulary import Comparator

D = Decimal
SEPTEMBER, JANUARY = date(2026, 9, 1), date(2027, 1, 12)


@pytest.mark.parametrize(
    ("comparator", "below", "at", "above"),
    [
        (Comparator.GE, False, True, True),
        (Comparator.GT, False, False, True),
        (Comparator.LE, True, True, False),
        (Comparator.LT, True, False, False),
        (Comparator.EQ, False, True, False),
        (Comparator.BETWEEN, False, False, False),
    ],
)
def test_each_way_to_compare(comparator: Comparator, below: bool, at: bool, above: bool) -> None:
    found = [reaches(comparator, D(value), D(90)) for value in ("89.99", "90.00", "90.01")]
    assert found == [below, at, above]


def test_the_newest_value_decides_whatever_the_order() -> None:
    old, new = Taken(D(95), "", SEPTEMBER), Taken(D(80), "", JANUARY)
    for values in ([old, new], [new, old]):
        found = compare(Comparator.GE, D(90), "", values)
        assert (found.standing, found.by) == (Standing.UNMET, new)


def test_of_two_on_one_day_the_later_recorded_one() -> None:
    first, second = Taken(D(80), "", JANUARY), Taken(D(92), "", JANUARY)
    assert compare(Comparator.GE, D(90), "", [first, second]).by is second


def test_a_side_is_that_side_only() -> None:
    left, none = Taken(D(95), "left", JANUARY), Taken(D(95), "", JANUARY)
    assert compare(Comparator.GE, D(90), "left", [left]).standing is Standing.MET
    assert compare(Comparator.GE, D(90), "right", [left]) == NOT_MEASURED
    assert compare(Comparator.GE, D(90), "right", [none]) == NOT_MEASURED
    assert compare(Comparator.GE, D(90), "", [left]).by is left


def test_nothing_measured_is_not_unmet() -> None:
    assert compare(Comparator.LE, D(2), "", []) == NOT_MEASURED


def test_a_summary_counts_and_concludes_nothing() -> None:
    met, unmet, unknown = Standing.MET, Standing.UNMET, Standing.NOT_MEASURED
    assert summary([met, unmet, met, unmet, unmet]) == "2 of 5 gates met"
    assert summary([met, unknown]) == "1 of 2 gates met, 1 not measured"
    assert summary([met]) == "1 of 1 gate met"
    assert summary([]) == "0 of 0 gates met"
    for word in ("clear", "ready", "passed", "safe"):
        assert word not in summary([met, met]).lower()
