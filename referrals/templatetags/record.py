"""What the parts of a record need beyond the kit: marks on the body, a scale, a number to call.

Everything here works on the frozen views of `referrals.packets`, so the client's preview and the
trainer's page cannot differ.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django import template

from referrals.measures import MeasureUnit, number
from referrals.packets import OutcomeView, RestrictionView

register = template.Library()

_LEFT, _RIGHT = 10, 290


@register.filter
def marks(limits: Iterable[RestrictionView]) -> list[tuple[str, str]]:
    """(drawn site, severity) of every limit, for `{% bodymap %}`."""
    return [(site, limit.severity) for limit in limits for site in limit.map_regions]


@register.filter
def count_of(limits: Iterable[RestrictionView], severity: str) -> int:
    """How many of the limits are of this severity."""
    return sum(1 for limit in limits if limit.severity == severity)


@register.filter
def dialled(phone: str) -> str:
    """The digits of a phone number as a `tel:` address wants them."""
    kept = "".join(each for each in phone if each.isdigit())
    return f"+{kept}" if phone.strip().startswith("+") else kept


@register.filter
def plain_number(value: Decimal) -> str:
    """`9` instead of `9.00`."""
    return number(value)


@dataclass(frozen=True, slots=True)
class Scale:
    """A measure drawn from the end of its range to the other, with the first and last value."""

    low: str
    high: str
    first: str
    last: str
    first_x: float
    last_x: float
    is_series: bool
    unit: str
    sentence: str


@register.filter
def scale(outcome: OutcomeView) -> Scale:
    """Where the first and the last value lie between the ends of the measure's range."""
    first, last = outcome.values[0].value, outcome.values[-1].value
    unit = "%" if outcome.unit == MeasureUnit.PERCENT else ""
    low, high = f"{number(outcome.low)}{unit}", f"{number(outcome.high)}{unit}"
    is_series = len(outcome.values) > 1
    said = f"From {number(first)} to {number(last)}" if is_series else f"{number(last)}"
    return Scale(
        low=low,
        high=high,
        first=f"{number(first)}{unit}",
        last=f"{number(last)}{unit}",
        first_x=_along(first, outcome),
        last_x=_along(last, outcome),
        is_series=is_series,
        unit=unit,
        sentence=f"{said} on a scale of {low} to {high}",
    )


def _along(value: Decimal, outcome: OutcomeView) -> float:
    share = float((value - outcome.low) / (outcome.high - outcome.low))
    return round(_LEFT + (_RIGHT - _LEFT) * min(1.0, max(0.0, share)), 1)
