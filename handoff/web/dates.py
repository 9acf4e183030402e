"""Dates as people read them here: 12 Jan 2027, and "in 50 days" where it helps.

One format for everybody, in English month names, so that no reader takes 12/01 for 1 December.
"""

from datetime import date, datetime

from django.utils import timezone

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def local_day(value: date | datetime) -> date:
    """The calendar day of `value` in the zone of the person who looks."""
    if isinstance(value, datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return value


def day_text(value: date | datetime) -> str:
    day = local_day(value)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def moment_text(value: datetime, *, today: date | None = None, exact: bool = False) -> str:
    """`12 Jan 2027, 18:04`, or `Today, 18:04`; `exact` for what is kept or printed."""
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    if exact:
        return f"{day_text(local)}, {local:%H:%M}"
    today = today or timezone.localdate()
    named = {0: "Today", 1: "Yesterday"}.get((today - local.date()).days)
    return f"{named or day_text(local)}, {local:%H:%M}"


def distance_text(value: date | datetime, *, today: date | None = None) -> str:
    """`today`, `tomorrow`, `in 50 days`, `3 days ago`; far off, months or years."""
    days = (local_day(value) - (today or timezone.localdate())).days
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(days)
    if near:
        return near
    size = abs(days)
    if size < 60:
        span = f"{size} days"
    elif size < 730:
        span = f"{round(size / 30.44)} months"
    else:
        span = f"{round(size / 365.25)} years"
    return f"in {span}" if days > 0 else f"{span} ago"
