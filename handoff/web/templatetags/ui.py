"""The components, as template tags. docs/design.md shows each with an example.

`{% load ui %}` and write what is meant; the tag knows the class, the word, the icon and the
attributes that assistive technology needs. Everything a person typed is escaped as usual.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from django import template
from django.conf import settings
from django.template import TemplateSyntaxError
from django.template.loader import get_template
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from handoff.web import bodymap as bodies
from handoff.web import browsers, dates, forms, look
from handoff.web.paging import Page

register = template.Library()

_SPRITE = Path(__file__).resolve().parent.parent.parent / "static" / "img" / "icons.svg"


@cache
def icon_names() -> frozenset[str]:
    """The icons our sprite holds, without their `i-`."""
    root = ElementTree.parse(_SPRITE).getroot()  # noqa: S314 our own file
    return frozenset(node.get("id", "")[2:] for node in root if node.get("id"))


@register.simple_tag
def icon(name: str, size: str = "", label: str = "") -> SafeString:
    """One icon of the sprite; silent beside words, spoken when `label` is all there is."""
    if name not in icon_names():
        raise TemplateSyntaxError(f"There is no icon named {name!r} in img/icons.svg.")
    css = "icon icon--l" if size == "l" else "icon"
    address = f"{static('img/icons.svg')}#i-{name}"
    if label:
        return format_html(
            '<svg class="{}" role="img" aria-label="{}"><use href="{}"></use></svg>',
            css,
            label,
            address,
        )
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}"></use></svg>', css, address
    )


@register.simple_tag
def asset(path: str) -> str:
    """The address of a static file on a page that must appear even if the file list is broken."""
    try:
        return static(path)
    except ValueError:
        return f"{settings.STATIC_URL}{path}"


@register.inclusion_tag("components/baton.html")
def baton(css: str = "") -> dict[str, Any]:
    """The mark: one half the therapist's colour, one half the trainer's."""
    return {"css": css}


# --- People ---------------------------------------------------------------------------------------


@register.inclusion_tag("components/avatar.html")
def avatar(name: str, role: object = "") -> dict[str, Any]:
    return {"initials": look.initials(name), "css": look.person_css(role)}


@register.inclusion_tag("components/person.html")
def person(name: str, role: object = "", detail: str = "", url: str = "") -> dict[str, Any]:
    """Initials, name and one line about the person, in the colour of their role."""
    return {
        "name": name,
        "initials": look.initials(name),
        "css": look.person_css(role),
        "detail": detail,
        "url": url,
    }


@register.filter
def browser_name(user_agent: str) -> str:
    return browsers.browser_name(user_agent)


@register.filter
def coded(text: str) -> SafeString:
    """Plain text in which `names` between backticks are set as code; the rest is escaped."""
    parts = str(text).split("`")
    if len(parts) % 2 == 0:  # one backtick has no partner
        return conditional_escape(text)
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<code>{}</code>", part) if number % 2 else part,)
            for number, part in enumerate(parts)
        ),
    )


# --- State and meaning ----------------------------------------------------------------------------


@register.inclusion_tag("components/badge.html")
def badge(text: str, tone: object = "", icon: str = "", solid: bool = False) -> dict[str, Any]:
    """A state in one or two words; with a tone it takes that tone's colour and icon."""
    worn = look.tone_of(tone) if tone else None
    return {
        "text": text,
        "css": worn.css if worn else "",
        "icon": icon or (worn.icon if worn else ""),
        "solid": solid,
    }


@register.inclusion_tag("components/badge.html")
def severity(value: object, form: str = "badge") -> dict[str, Any]:
    """The fixed word and icon of a severity: `badge`, `solid`, or `plan` for a plan's verdict."""
    worn = look.tone_of(value)
    return {
        "text": worn.verdict if form == "plan" else worn.word,
        "css": worn.css,
        "icon": worn.icon,
        "solid": form in ("solid", "plan"),
    }


@register.filter
def severity_class(value: object) -> str:
    """`is-avoid`, ... for the outermost element that has the meaning."""
    return look.tone_of(value).css


@register.filter
def severity_word(value: object) -> str:
    return look.tone_of(value).word


@register.filter
def severity_icon(value: object) -> str:
    return look.tone_of(value).icon


@register.filter
def phase_class(value: object) -> str:
    return look.phase_of(value).css


@register.inclusion_tag("components/phase.html")
def phase(value: object, text: str = "") -> dict[str, Any]:
    worn = look.phase_of(value)
    return {"css": worn.css, "text": text or worn.word}


@register.inclusion_tag("components/rail.html")
def rail(current: object, **notes: str) -> dict[str, Any]:
    """Who leads now. `{% rail "training" rehab="Priya" training="With you, week 2" %}`"""
    names = list(look.PHASES)
    unknown = set(notes) - set(names)
    if unknown:
        raise TemplateSyntaxError(f"The rail has no step {', '.join(sorted(unknown))}.")
    here = names.index(look.plain(current))
    return {
        "steps": [
            {
                "css": look.PHASES[name].css,
                "word": look.PHASES[name].word,
                "note": notes.get(name, "" if place <= here else "Not yet"),
                "done": place < here,
                "current": place == here,
            }
            for place, name in enumerate(names)
        ]
    }


@register.inclusion_tag("components/plate.html")
def plate(tone: object, number: str = "", words: str = "", icon: str = "") -> dict[str, Any]:
    """The biggest thing of a limit: its number, or its icon where it has none, and two words."""
    worn = look.tone_of(tone)
    return {
        "css": worn.css,
        "number": number,
        "words": words or worn.word,
        "icon": icon or worn.icon,
    }


@register.inclusion_tag("components/tally.html")
def tally(counts: Mapping[str, int], prefix: str = "") -> dict[str, Any]:
    """Limits at a glance; each count jumps to the group with its id (`avoid`, `modify`, ...)."""
    rows = []
    for name in ("avoid", "modify", "caution", "clear"):
        if name in counts:
            worn = look.tone_of(name)
            rows.append({"count": counts[name], "tone": worn, "anchor": f"{prefix}{name}"})
    return {"rows": rows}


@register.inclusion_tag("components/withheld.html")
def withheld(scope: object, who: str = "", text: str = "") -> dict[str, Any]:
    """A part that is not shared with the reader. Never looks like a part that is empty.

    `scope` is a label, or anything with a `label`; `who` is the first name of who decides.
    """
    return {"label": str(getattr(scope, "label", scope)), "who": who, "text": text}


# --- Messages -------------------------------------------------------------------------------------


@register.simple_block_tag
def alert(
    content: SafeString, tone: object = "info", title: str = "", icon: str = ""
) -> SafeString:
    """A message that stays on the page. The block is its text."""
    worn = look.tone_of(tone)
    return _component(
        "components/alert.html",
        {"css": worn.css, "icon": icon or worn.icon, "title": title, "content": content},
    )


@register.simple_block_tag
def empty(content: SafeString, title: str, icon: str = "info") -> SafeString:
    """Why a list is empty and what to do; the block is the text and at most one action."""
    return _component("components/empty.html", {"icon": icon, "title": title, "content": content})


def _component(name: str, context: dict[str, Any]) -> SafeString:
    return SafeString(get_template(name).render(context))


# --- Time -----------------------------------------------------------------------------------------


@register.simple_tag
def day(value: date | datetime | None, relative: bool = False, last: bool = False) -> SafeString:
    """`12 Jan 2027`, and with `relative=True` also `, in 50 days`.

    `last=True` is for an instant at which something is over: the day it still counts on, which is
    the day before where it ends at midnight.
    """
    if value is None:
        return SafeString("")
    if last and isinstance(value, datetime):
        value -= timedelta(microseconds=1)
    far = f", {dates.distance_text(value)}" if relative else ""
    return format_html(
        '<time datetime="{}">{}</time>{}',
        dates.local_day(value).isoformat(),
        dates.day_text(value),
        far,
    )


@register.simple_tag
def distance(value: date | datetime | None) -> SafeString:
    """Only `in 50 days` or `3 days ago`."""
    if value is None:
        return SafeString("")
    return format_html(
        '<time datetime="{}">{}</time>',
        dates.local_day(value).isoformat(),
        dates.distance_text(value),
    )


@register.simple_tag
def moment(value: datetime | None, exact: bool = False) -> SafeString:
    """`Today, 18:04` or `12 Jan 2027, 18:04`, in the reader's zone.

    `exact=True` where the words outlive the day (a signature, paper) or stand inside a sentence.
    """
    if value is None:
        return SafeString("")
    return format_html(
        '<time datetime="{}">{}</time>',
        value.isoformat(),
        dates.moment_text(value, exact=bool(exact)),
    )


@register.inclusion_tag("components/timeline.html")
def timeline(events: Iterable[Any]) -> dict[str, Any]:
    """What happened and what comes next.

    Each event has `title`, and may have `at` (a date or moment), `text`, `phase`, and `when`:
    `done` (as without it), `now` or `next`.
    """
    rows = []
    for event in events:
        get = (
            event.get
            if isinstance(event, Mapping)
            else lambda name, e=event: getattr(e, name, None)
        )
        at, name = get("at"), get("phase")
        rows.append(
            {
                "title": get("title"),
                "text": get("text"),
                "day": at if not isinstance(at, datetime) else None,
                "moment": at if isinstance(at, datetime) else None,
                "css": look.phase_of(name).css if name else "",
                "when": get("when") or "done",
            }
        )
    return {"rows": rows}


# --- Forms ----------------------------------------------------------------------------------------


@register.inclusion_tag("components/field.html")
def field(bound: Any, **options: Any) -> dict[str, Any]:
    """One field of a Django form with label, hint, unit and error, wired for screen readers.

    Options: `label`, `hint`, `unit`, `wide=True`, and `look` for choices: `seg` (one tap each),
    `severity` (seg in severity colours), `switch` (with `on` and `off` as its two words), `plain`.
    """
    return {"field": forms.present(bound, **options)}


@register.inclusion_tag("components/error_summary.html")
def error_summary(*sources: Any, title: str = "", focus: bool = True) -> dict[str, Any]:
    """What is left to correct in these forms or formsets, each line a link to its field."""
    complaints = forms.complaints(sources)
    count = len(complaints)
    return {
        "complaints": complaints,
        "focus": focus,
        "title": title
        or ("One thing needs another look" if count == 1 else f"{count} things need another look"),
    }


# --- Body -----------------------------------------------------------------------------------------


@register.inclusion_tag("components/bodymap.html")
def bodymap(
    view: bodies.View,
    marks: Mapping[str, object] | Iterable[tuple[str, object]] = (),
    pick: str = "",
    pick_side: str = "",
    selected: Collection[str] = (),
    label: str = "",
) -> dict[str, Any]:
    """A figure with its marks, by drawn site: see `bodymap.sites_of`.

    `pick` and `pick_side` name the form fields that a tap fills in with a stored region and side.
    The fields must be on the page too: small regions cannot be hit by everybody.
    """
    drawing = bodies.draw(view, marks, selected=selected)
    return {
        "drawing": drawing,
        "pick": pick,
        "pick_side": pick_side,
        "label": label or drawing.label,
        "ends": ("R", "L") if view == "front" else ("L", "R"),
    }


@register.inclusion_tag("components/bodymap_legend.html")
def bodymap_legend(
    marks: Mapping[str, object] | Iterable[tuple[str, object]] = (),
) -> dict[str, Any]:
    """What each pattern means, naming the regions that wear it; all four without marks."""
    worn = bodies.strictest(marks)
    rows = []
    for tone in (look.AVOID, look.MODIFY, look.CAUTION, look.CLEAR):
        said = [bodies.site_name(site) for site, one in worn.items() if one is tone]
        if said or not worn:
            rows.append({"tone": tone, "regions": ", ".join(said)})
    return {"rows": rows}


# --- Lists ----------------------------------------------------------------------------------------


@register.inclusion_tag("components/pages.html", takes_context=True)
def pages(
    context: template.Context,
    page: "Page[Any]",
    name: str = "cursor",
    back: str = "Newer",
    on: str = "Older",
) -> dict[str, Any]:
    """Links to the neighbours of a keyset page; other parameters of the address stay.

    `back` and `on` say what comes before and after, for a list that is not by date.
    """
    query = context["request"].GET.copy()

    def address(cursor: str | None) -> str:
        if cursor is None:
            return ""
        query[name] = cursor
        return f"?{query.urlencode()}"

    return {
        "previous": address(page.previous),
        "next": address(page.next),
        "back": back,
        "on": on,
    }
