"""Outcome measures: range, direction and important change, as a seed for editable tables.

Pure. The numbers are reference data with a source and a population, for a PT to weigh; the
database rows made from them can be edited by an admin. A sentence built here says that a score
changed, by how much and against which reference. It never says that somebody recovered. No item
text of any questionnaire is held, only scores.

Sources, as cited in the rows:
- JOSPT 2014;44:560: important changes by size for pain, PSFS, LEFS, UEFI, ODI, NDI.
- PMC7990728, table 1: pain 0-10 in chronic musculoskeletal pain.
- BMC Musculoskelet Disord 2020;21:328 (shoulder) and J Hand Ther 2016;29:81 (wrist, elbow):
  QuickDASH.
- Physiother Theory Pract 2021: KOOS subscales in knee osteoarthritis.
- s40945-017-0032-x, table 2 and fpain.2021.739051: TSK-11, its change and its bands.
- KSSTA 2017;25:192: limb symmetry, ACL-RSI and LESS as used in return-to-sport batteries.
- PMC3109893; OAJSM 2018;9:171: FMS, and that its total does not predict injury.

Where a source gives a range and names no usual value, the reference is its upper end: better to
claim an important change too late than too early.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final, assert_never

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from handoff.core.errors import Invalid

# Scores are kept in numeric(7, 2) columns.
DECIMAL_PLACES: Final = 2


class MeasureUnit(TextChoices):
    POINTS = "points", _("points")
    PERCENT = "percent", _("%")


@dataclass(frozen=True, slots=True)
class ImportantChange:
    """How much a score must change to matter, in whom, and who says so.

    `low` and `high` are the source's range around `amount`, equal to it when it gives one number.
    `usual` marks the row that is shown when nobody picks another.
    """

    amount: Decimal
    population: str
    source: str
    size: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    usual: bool = False
    verified: bool = True

    @property
    def range_text(self) -> str:
        """ "9", or "9, range 9 to 16" where the source gives a range."""
        if self.low is None or self.high is None:
            return number(self.amount)
        return f"{number(self.amount)}, range {number(self.low)} to {number(self.high)}"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A level that is often asked for, with its source. Shown beside a score, decides nothing."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One scale. The same questionnaire scored in two ways is two measures."""

    code: str
    name: str
    low: Decimal
    high: Decimal
    unit: MeasureUnit
    higher_is_better: bool
    integer_only: bool = False
    loinc: str = ""
    changes: tuple[ImportantChange, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    notes: str = ""

    @property
    def usual_change(self) -> ImportantChange | None:
        return next((row for row in self.changes if row.usual), None)


def _d(text: str) -> Decimal:
    return Decimal(text)


_POINTS, _PERCENT = MeasureUnit.POINTS, MeasureUnit.PERCENT
_JOSPT = "JOSPT 2014;44:560"
_KOOS = "Physiother Theory Pract 2021"
_RTS = "KSSTA 2017;25:192"
_MSK = "musculoskeletal conditions"


def _koos(code: str, name: str, amount: str, loinc: str = "") -> Measure:
    return Measure(
        code=code,
        name=f"Knee injury and osteoarthritis score (KOOS): {name}",
        low=_d("0"),
        high=_d("100"),
        unit=_POINTS,
        higher_is_better=True,
        loinc=loinc,
        changes=(ImportantChange(_d(amount), "knee osteoarthritis", _KOOS, usual=True),),
        notes="Five subscales are reported apart; there is no total.",
    )


def _symmetry(code: str, name: str, what: str) -> Measure:
    return Measure(
        code=code,
        name=name,
        low=_d("0"),
        high=_d("200"),
        unit=_PERCENT,
        higher_is_better=True,
        thresholds=(
            Threshold(
                f"At least 90 % for {what}, by consensus; what it predicts is uncertain", _RTS
            ),
        ),
        notes="Involved side divided by the other side; above 100 % when it is the stronger one.",
    )


SEED: Final[tuple[Measure, ...]] = (
    Measure(
        code="nprs",
        name="Pain 0-10 (NPRS)",
        low=_d("0"),
        high=_d("10"),
        unit=_POINTS,
        higher_is_better=False,
        integer_only=True,
        loinc="72514-3",
        changes=(
            ImportantChange(
                _d("2"), "chronic musculoskeletal pain", "PMC7990728 table 1", usual=True
            ),
            ImportantChange(_d("1.5"), _MSK, _JOSPT, size="small"),
            ImportantChange(_d("3.5"), _MSK, _JOSPT, size="large"),
        ),
        notes="Now, worst and best are three measurements with the same scale.",
    ),
    Measure(
        code="psfs",
        name="Patient-specific function (PSFS)",
        low=_d("0"),
        high=_d("10"),
        unit=_POINTS,
        higher_is_better=True,
        changes=(
            ImportantChange(_d("1.3"), _MSK, _JOSPT, size="small"),
            ImportantChange(_d("2.3"), _MSK, _JOSPT, size="medium", usual=True),
            ImportantChange(_d("2.7"), _MSK, _JOSPT, size="large"),
        ),
        notes="Mean of three to five activities that the client names.",
    ),
    Measure(
        code="lefs",
        name="Leg function (LEFS)",
        low=_d("0"),
        high=_d("80"),
        unit=_POINTS,
        higher_is_better=True,
        integer_only=True,
        changes=(
            ImportantChange(
                _d("9"), "leg conditions", _JOSPT, low=_d("9"), high=_d("16"), usual=True
            ),
        ),
    ),
    Measure(
        code="uefi",
        name="Arm function (UEFI)",
        low=_d("0"),
        high=_d("80"),
        unit=_POINTS,
        higher_is_better=True,
        integer_only=True,
        changes=(
            ImportantChange(
                _d("11"), "arm conditions", _JOSPT, low=_d("6"), high=_d("11"), usual=True
            ),
        ),
    ),
    Measure(
        code="odi",
        name="Low back disability (ODI), percent",
        low=_d("0"),
        high=_d("100"),
        unit=_PERCENT,
        higher_is_better=False,
        loinc="97909-6",
        changes=(
            ImportantChange(_d("12"), "low back pain", _JOSPT, usual=True),
            ImportantChange(
                _d("10"), "low back pain", "often quoted, source not confirmed", verified=False
            ),
        ),
        notes="Percent of the points that could be scored. The raw 0-50 score is its own measure.",
    ),
    Measure(
        code="odi_raw",
        name="Low back disability (ODI), raw",
        low=_d("0"),
        high=_d("50"),
        unit=_POINTS,
        higher_is_better=False,
        integer_only=True,
        changes=(
            ImportantChange(_d("6"), "low back pain", f"{_JOSPT}, 12 percent halved", usual=True),
        ),
        notes="Raw points; the percent score is its own measure.",
    ),
    Measure(
        code="ndi",
        name="Neck disability (NDI), percent",
        low=_d("0"),
        high=_d("100"),
        unit=_PERCENT,
        higher_is_better=False,
        changes=(ImportantChange(_d("14"), "neck pain", _JOSPT, usual=True),),
        notes="Percent of the points that could be scored. The raw 0-50 score is its own measure.",
    ),
    Measure(
        code="ndi_raw",
        name="Neck disability (NDI), raw",
        low=_d("0"),
        high=_d("50"),
        unit=_POINTS,
        higher_is_better=False,
        integer_only=True,
        changes=(
            ImportantChange(_d("7"), "neck pain", f"{_JOSPT}, 14 percent halved", usual=True),
        ),
        notes="Raw points; the percent score is its own measure.",
    ),
    Measure(
        code="quickdash",
        name="Arm, shoulder and hand disability (QuickDASH)",
        low=_d("0"),
        high=_d("100"),
        unit=_POINTS,
        higher_is_better=False,
        changes=(
            ImportantChange(
                _d("13.6"),
                "shoulder conditions",
                "BMC Musculoskelet Disord 2020;21:328",
                low=_d("10.8"),
                high=_d("13.6"),
                usual=True,
            ),
            ImportantChange(
                _d("26"),
                "wrist and elbow conditions",
                "J Hand Ther 2016;29:81",
                low=_d("16"),
                high=_d("26"),
            ),
        ),
    ),
    _koos("koos_pain", "pain", "15"),
    _koos("koos_symptoms", "symptoms", "12.5", "72101-9"),
    _koos("koos_adl", "daily living", "15.5", "72100-1"),
    _koos("koos_sport", "sport and recreation", "17.5"),
    _koos("koos_qol", "quality of life", "12.5"),
    Measure(
        code="tsk11",
        name="Fear of movement (TSK-11)",
        low=_d("11"),
        high=_d("44"),
        unit=_POINTS,
        higher_is_better=False,
        integer_only=True,
        changes=(
            ImportantChange(_d("5.6"), "chronic pain", "s40945-017-0032-x table 2", usual=True),
        ),
        thresholds=(
            Threshold("Bands: up to 22, 23 to 28, 29 to 35, 36 and above", "fpain.2021.739051"),
        ),
    ),
    Measure(
        code="acl_rsi",
        name="Readiness to return to sport (ACL-RSI)",
        low=_d("0"),
        high=_d("100"),
        unit=_POINTS,
        higher_is_better=True,
        thresholds=(Threshold("Batteries for return to sport use above 56", _RTS),),
    ),
    Measure(
        code="lsi",
        name="Limb symmetry index (LSI)",
        low=_d("0"),
        high=_d("200"),
        unit=_PERCENT,
        higher_is_better=True,
        thresholds=(
            Threshold(
                "At least 90 % for hops and strength, by consensus; what it predicts is uncertain",
                _RTS,
            ),
        ),
        notes="Involved side divided by the other side; above 100 % when it is the stronger one.",
    ),
    Measure(
        code="less",
        name="Landing errors (LESS)",
        low=_d("0"),
        high=_d("17"),
        unit=_POINTS,
        higher_is_better=False,
        integer_only=True,
        thresholds=(Threshold("Below 5", _RTS),),
        notes="The upper end of the range is common knowledge and not confirmed in a source.",
    ),
    Measure(
        code="groc",
        name="Change as the client feels it (GROC)",
        low=_d("-7"),
        high=_d("7"),
        unit=_POINTS,
        higher_is_better=True,
        integer_only=True,
        notes="An anchor for other scores; has no important change of its own.",
    ),
    Measure(
        code="fms",
        name="Movement screen (FMS)",
        low=_d("0"),
        high=_d("21"),
        unit=_POINTS,
        higher_is_better=True,
        integer_only=True,
        thresholds=(
            Threshold(
                "An item scored 0 means pain: refer. The total does not predict injury",
                "PMC3109893; OAJSM 2018;9:171",
            ),
        ),
        notes="A trainer's screen: seven items, each 0 to 3.",
    ),
    _symmetry("lsi_strength", "Strength, side against side (LSI)", "strength"),
    _symmetry("lsi_hop", "Hop, side against side (LSI)", "hops"),
)

BY_CODE: Final[Mapping[str, Measure]] = MappingProxyType({row.code: row for row in SEED})


# --- checking and comparing ---------------------------------------------------------------------


class Direction(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Change:
    """Two scores on one scale. `amount` is last minus first, so its sign depends on the scale;
    `reaches` says that its size is at least the reference, in whichever direction."""

    amount: Decimal
    direction: Direction
    reaches: bool
    reference: ImportantChange | None
    source: str
    sentence: str


def number(value: Decimal) -> str:
    """A number as people write it: "90", "2.5", "-3"; no trailing zeros, no exponent."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def check_value(measure: Measure, value: Decimal) -> tuple[str, ...]:
    """What is wrong with `value` on this scale, in words for the person who typed it."""
    if not value.is_finite():
        return ("Enter a number.",)
    if not measure.low <= value <= measure.high:
        low, high = number(measure.low), number(measure.high)
        return (f"{measure.name} runs from {low} to {high}.",)
    if measure.integer_only and value != value.to_integral_value():
        return (f"{measure.name} takes whole numbers only.",)
    if value != round(value, DECIMAL_PLACES):
        return (f"Use at most {DECIMAL_PLACES} decimals.",)
    return ()


def change(
    measure: Measure,
    first: Decimal,
    last: Decimal,
    *,
    reference: ImportantChange | None = None,
) -> Change:
    """How a score moved from `first` to `last`, against `reference` or the usual one.

    Raises `Invalid` on "first" and "last" for values the scale does not have.
    """
    named = {"first": check_value(measure, first), "last": check_value(measure, last)}
    errors = {name: found for name, found in named.items() if found}
    if errors:
        raise Invalid(errors)
    against = reference or measure.usual_change
    amount = last - first
    if not amount:
        direction = Direction.SAME
    elif (amount > 0) == measure.higher_is_better:
        direction = Direction.BETTER
    else:
        direction = Direction.WORSE
    return Change(
        amount=amount,
        direction=direction,
        reaches=against is not None and abs(amount) >= against.amount,
        reference=against,
        source=against.source if against else "",
        sentence=change_sentence(abs(amount), direction, against),
    )


def change_sentence(size: Decimal, direction: Direction, against: ImportantChange | None) -> str:
    """ "changed by 32 for the better (reference 9, ...)": a fact beside a reference, no verdict."""
    beside = (
        f"reference {against.range_text}, {against.source}, {against.population}"
        if against
        else "no reference for important change"
    )
    match direction:
        case Direction.SAME:
            return f"did not change ({beside})"
        case Direction.BETTER:
            return f"changed by {number(size)} for the better ({beside})"
        case Direction.WORSE:
            return f"changed by {number(size)} for the worse ({beside})"
        case _:
            assert_never(direction)
