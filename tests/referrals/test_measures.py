"""The seed table of measures, and what is said about a change."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

import pytest

from handoff.core.errors import Invalid
from referrals.measures import (
    BY_CODE,
    SEED,
    Direction,
    ImportantChange,
    Measure,
    MeasureUnit,
    change,
    change_sentence,
    check_value,
    number,
)

D = Decimal
JOSPT = "JOSPT 2014;44:560"

# code low high unit better integer loinc | amount of each reference, the usual one marked *
TABLE = """
nprs 0 10 points low int 72514-3 | 2* 1.5 3.5
psfs 0 10 points high any - | 1.3 2.3* 2.7
lefs 0 80 points high int - | 9*
uefi 0 80 points high int - | 11*
odi 0 100 percent low any 97909-6 | 12* 10
odi_raw 0 50 points low int - | 6*
ndi 0 100 percent low any - | 14*
ndi_raw 0 50 points low int - | 7*
quickdash 0 100 points low any - | 13.6* 26
koos_pain 0 100 points high any - | 15*
koos_symptoms 0 100 points high any 72101-9 | 12.5*
koos_adl 0 100 points high any 72100-1 | 15.5*
koos_sport 0 100 points high any - | 17.5*
koos_qol 0 100 points high any - | 12.5*
tsk11 11 44 points low int - | 5.6*
acl_rsi 0 100 points high any - |
lsi 0 200 percent high any - |
less 0 17 points low int - |
groc -7 7 points high int - |
fms 0 21 points high int - |
lsi_strength 0 200 percent high any - |
lsi_hop 0 200 percent high any - |
"""


def _described(measure: Measure) -> str:
    words = [
        measure.code,
        number(measure.low),
        number(measure.high),
        measure.unit.value,
        "high" if measure.higher_is_better else "low",
        "int" if measure.integer_only else "any",
        measure.loinc or "-",
        "|",
        *(number(row.amount) + ("*" if row.usual else "") for row in measure.changes),
    ]
    return " ".join(words)


def test_seed_is_the_specified_table() -> None:
    assert [_described(measure) for measure in SEED] == TABLE.strip().split("\n")
    assert list(BY_CODE) == [measure.code for measure in SEED]
    assert len(BY_CODE) == len(SEED)


@pytest.mark.parametrize("measure", SEED, ids=lambda m: m.code)
def test_every_number_has_a_source_and_a_population(measure: Measure) -> None:
    assert measure.name
    for row in measure.changes:
        assert row.source
        assert row.population
        assert row.amount > 0
        assert (row.low is None) == (row.high is None)
        if row.low is not None and row.high is not None:
            assert row.low <= row.amount <= row.high
    for threshold in measure.thresholds:
        assert threshold.source
        assert threshold.text
    usual = [row for row in measure.changes if row.usual]
    assert len(usual) == (1 if measure.changes else 0)
    assert measure.usual_change == (usual[0] if usual else None)


def test_sources_are_those_that_were_read() -> None:
    sources = {row.source for measure in SEED for row in measure.changes}
    assert sources == {
        "PMC7990728 table 1",
        JOSPT,
        f"{JOSPT}, 12 percent halved",
        f"{JOSPT}, 14 percent halved",
        "often quoted, source not confirmed",
        "BMC Musculoskelet Disord 2020;21:328",
        "J Hand Ther 2016;29:81",
        "Physiother Theory Pract 2021",
        "s40945-017-0032-x table 2",
    }
    doubtful = [(m.code, row.amount) for m in SEED for row in m.changes if not row.verified]
    assert doubtful == [("odi", D(10))]


def test_raw_scales_are_half_of_the_percent_scales() -> None:
    for percent, raw in (("odi", "odi_raw"), ("ndi", "ndi_raw")):
        one, other = BY_CODE[percent].usual_change, BY_CODE[raw].usual_change
        assert one is not None
        assert other is not None
        assert one.amount == 2 * other.amount
        assert BY_CODE[percent].high == 2 * BY_CODE[raw].high


def test_thresholds_stay_beside_the_scores_that_have_no_change() -> None:
    held = {m.code: [t.text for t in m.thresholds] for m in SEED if m.thresholds}
    assert set(held) == {"tsk11", "acl_rsi", "lsi", "lsi_strength", "lsi_hop", "less", "fms"}
    assert "56" in held["acl_rsi"][0]
    assert "90 %" in held["lsi"][0]
    assert "5" in held["less"][0]
    assert "refer" in held["fms"][0]


# --- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize("measure", SEED, ids=lambda m: m.code)
def test_both_ends_of_the_range_belong_to_it_and_nothing_beyond(measure: Measure) -> None:
    assert check_value(measure, measure.low) == ()
    assert check_value(measure, measure.high) == ()
    for beyond in (measure.low - D("0.01"), measure.high + D("0.01")):
        (text,) = check_value(measure, beyond)
        assert number(measure.low) in text
        assert number(measure.high) in text


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(value: str) -> None:
    assert check_value(BY_CODE["lefs"], D(value)) == ("Enter a number.",)


def test_whole_numbers_and_decimals() -> None:
    assert check_value(BY_CODE["nprs"], D("3.0")) == ()
    assert "whole" in check_value(BY_CODE["nprs"], D("3.5"))[0]
    assert check_value(BY_CODE["psfs"], D("6.67")) == ()
    assert "2 decimals" in check_value(BY_CODE["psfs"], D("6.667"))[0]
    assert "2 decimals" in check_value(BY_CODE["psfs"], D("1e-400000"))[0]
    assert check_value(BY_CODE["psfs"], D("1e400000")) != ()


# --- changes ------------------------------------------------------------------------------------


def test_change_on_a_scale_where_more_is_better() -> None:
    found = change(BY_CODE["lefs"], D(34), D(66))
    assert found.amount == 32
    assert found.direction is Direction.BETTER
    assert found.reaches
    assert found.source == JOSPT
    assert found.sentence == (
        "changed by 32 for the better (reference 9, range 9 to 16, JOSPT 2014;44:560,"
        " leg conditions)"
    )


def test_change_on_a_scale_where_less_is_better() -> None:
    found = change(BY_CODE["nprs"], D(6), D(5))
    assert found.amount == -1
    assert found.direction is Direction.BETTER
    assert not found.reaches
    assert found.sentence == (
        "changed by 1 for the better (reference 2, PMC7990728 table 1,"
        " chronic musculoskeletal pain)"
    )


def test_change_for_the_worse_can_matter_too() -> None:
    found = change(BY_CODE["odi"], D(20), D(32))
    assert found.direction is Direction.WORSE
    assert found.reaches
    assert found.sentence.startswith("changed by 12 for the worse (reference 12,")


def test_reference_is_reached_at_the_number_itself() -> None:
    assert change(BY_CODE["psfs"], D("2.0"), D("4.3")).reaches
    assert not change(BY_CODE["psfs"], D("2.0"), D("4.29")).reaches


def test_no_change() -> None:
    found = change(BY_CODE["lefs"], D(40), D("40.0"))
    assert found.direction is Direction.SAME
    assert not found.reaches
    assert found.sentence.startswith("did not change (reference 9")


def test_a_measure_without_reference_says_so() -> None:
    found = change(BY_CODE["lsi"], D(71), D(90))
    assert found.direction is Direction.BETTER
    assert found.reference is None
    assert found.source == ""
    assert not found.reaches
    assert found.sentence == ("changed by 19 for the better (no reference for important change)")


def test_another_reference_can_be_chosen() -> None:
    wrist = BY_CODE["quickdash"].changes[1]
    found = change(BY_CODE["quickdash"], D(50), D(34), reference=wrist)
    assert found.reference is wrist
    assert not found.reaches
    assert "J Hand Ther" in found.sentence
    assert change(BY_CODE["quickdash"], D(50), D(34)).reaches


def test_values_the_scale_does_not_have_are_refused_by_name() -> None:
    with pytest.raises(Invalid) as refused:
        change(BY_CODE["lefs"], D(-1), D(81))
    assert set(refused.value.errors) == {"first", "last"}
    with pytest.raises(Invalid) as refused:
        change(BY_CODE["lefs"], D(1), D(81))
    assert set(refused.value.errors) == {"last"}


def test_numbers_read_like_numbers() -> None:
    assert [number(D(text)) for text in ("90", "90.00", "2.50", "-3", "0.0", "1E+2")] == [
        "90",
        "90",
        "2.5",
        "-3",
        "0",
        "100",
    ]


def test_rows_of_an_editable_table_make_measures_too() -> None:
    own = Measure(
        code="own",
        name="Own scale",
        low=D(0),
        high=D(5),
        unit=MeasureUnit.POINTS,
        higher_is_better=True,
        changes=(ImportantChange(D(1), "everybody", "a pilot"),),
    )
    assert own.usual_change is None
    assert not change(own, D(1), D(3)).reaches


def test_a_direction_nobody_knows_is_not_put_into_words() -> None:
    with pytest.raises(AssertionError):
        change_sentence(D(1), cast(Direction, "sideways"), None)
