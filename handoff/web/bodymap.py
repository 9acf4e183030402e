"""The drawn body: its regions, and which of them a limit colours.

The figure is our own drawing in `static/img`; it is read once and given out as plain data, so that
templates write every attribute through the usual escaping.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from handoff.web.look import STRICTEST_FIRST, Tone, plain, tone_of

View = Literal["front", "back"]
VIEWS: tuple[View, ...] = ("front", "back")
_DRAWINGS = Path(__file__).resolve().parent.parent / "static" / "img"
_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True, slots=True)
class Region:
    """One area of one view. `site` is what both views share: `left-knee`."""

    id: str
    site: str
    name: str
    outline: str


@dataclass(frozen=True, slots=True)
class Figure:
    view: View
    viewbox: str
    shell: str
    regions: tuple[Region, ...]
    detail: str
    outline: str


@dataclass(frozen=True, slots=True)
class DrawnRegion:
    region: Region
    css: str
    selected: bool
    # What a tap on it chooses: a stored region and side.
    stored: str
    side: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure with its marks, ready to be written out; what is selected comes last, on top."""

    figure: Figure
    regions: tuple[DrawnRegion, ...]
    label: str


# The sites of one stored body region; paired ones are drawn once per side. A region that is not
# here (the whole body, heart and breathing) has nothing to draw and is said in words.
_PAIRED: dict[str, tuple[str, ...]] = {
    "shoulder": ("shoulder", "shoulder-blade"),
    "elbow": ("elbow",),
    "wrist": ("wrist",),
    "hand": ("hand",),
    "hip": ("hip", "glute"),
    "knee": ("knee",),
    "ankle": ("ankle",),
    "foot": ("foot",),
}
_SINGLE: dict[str, tuple[str, ...]] = {
    "cervical": ("neck",),
    "thoracic": ("thoracic-spine",),
    "lumbar": ("lumbar-spine",),
    "si_pelvis": ("pelvis", "sacrum"),
    "core": ("abdomen", "left-flank", "right-flank"),
}
_SIDES = ("left", "right")


def sites_of(body_region: object, laterality: object = "") -> tuple[str, ...]:
    """The drawn sites of a stored region and side; empty when there is nothing to draw."""
    region, side = plain(body_region), plain(laterality)
    if region in _SINGLE:
        return _SINGLE[region]
    sides = (side,) if side in _SIDES else _SIDES
    return tuple(f"{one}-{part}" for part in _PAIRED.get(region, ()) for one in sides)


def region_at(site: str) -> tuple[str, str]:
    """The stored region and side that a drawn site stands for; empty where it stands for none."""
    return _REGION_AT.get(site, ("", ""))


_REGION_AT = {
    **{site: (region, "midline") for region, sites in _SINGLE.items() for site in sites},
    **{
        f"{side}-{part}": (region, side)
        for region, parts in _PAIRED.items()
        for part in parts
        for side in _SIDES
    },
}


def site_name(site: str) -> str:
    """`left-knee` in words, the same for both views."""
    return site.replace("-", " ").capitalize()


def strictest(marks: Mapping[str, object] | Iterable[tuple[str, object]]) -> dict[str, Tone]:
    """One tone per site: where two limits meet, the strictest shows."""
    pairs = marks.items() if isinstance(marks, Mapping) else marks
    found: dict[str, Tone] = {}
    for site, severity in pairs:
        tone = tone_of(severity)
        held = found.get(site)
        if held is None or STRICTEST_FIRST.index(tone) < STRICTEST_FIRST.index(held):
            found[site] = tone
    return found


@cache
def figure(view: View) -> Figure:
    """The drawing of `view`, read from our own file."""
    root = ElementTree.parse(_DRAWINGS / f"bodymap-{view}.svg").getroot()  # noqa: S314 our own file

    def path(css: str) -> str:
        found = root.find(f".//{_SVG}path[@class='{css}']")
        return "" if found is None else found.get("d", "")

    regions = tuple(
        Region(
            id=node.get("id", ""),
            site=node.get("data-region", ""),
            name=node.findtext(f"{_SVG}title", default=""),
            outline=node.get("d", ""),
        )
        for node in root.iterfind(f".//{_SVG}path[@class='bm-region']")
    )
    return Figure(
        view=view,
        viewbox=root.get("viewBox", ""),
        shell=path("bm-shell"),
        regions=regions,
        detail=path("bm-detail"),
        outline=path("bm-outline"),
    )


def draw(
    view: View,
    marks: Mapping[str, object] | Iterable[tuple[str, object]] = (),
    *,
    selected: Collection[str] = (),
) -> Drawing:
    """The figure with each marked site in its strictest tone, and a sentence that says the same."""
    drawn = figure(view)
    chosen = {selected} if isinstance(selected, str) else set(selected)
    tones = strictest(marks)
    regions = [
        DrawnRegion(
            region=region,
            css=tones[region.site].css if region.site in tones else "",
            selected=region.site in chosen,
            stored=region_at(region.site)[0],
            side=region_at(region.site)[1],
        )
        for region in drawn.regions
    ]
    regions.sort(key=lambda one: one.selected)
    said = [
        f"{region.name}: {tones[region.site].word.lower()}"
        for region in drawn.regions
        if region.site in tones
    ]
    side = "Front" if view == "front" else "Back"
    label = f"{side} of body. {'. '.join(said)}." if said else f"{side} of body. Nothing is marked."
    return Drawing(figure=drawn, regions=tuple(regions), label=label)
