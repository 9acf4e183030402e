"""Between a region with its side and the parts of the body figure.

Ids are the `data-region` values of the front and back drawings; left is always the person's left.
The figure has more parts than there are regions: a thigh or an upper arm stands for the joint
that its muscles move most, and the PT can choose another one beside the figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from referrals.vocabulary.terms import BodyRegion, Laterality

_SIDES: Final = {
    Laterality.LEFT: ("left",),
    Laterality.RIGHT: ("right",),
    Laterality.BILATERAL: ("left", "right"),
}

# Parts drawn once per side. The first is the region's own; the back view has no hip, so the
# buttock stands in for it there.
_SIDED_PARTS: Final[Mapping[BodyRegion, tuple[str, ...]]] = MappingProxyType(
    {
        BodyRegion.SHOULDER: ("shoulder",),
        BodyRegion.ELBOW: ("elbow",),
        BodyRegion.WRIST: ("wrist",),
        BodyRegion.HAND: ("hand",),
        BodyRegion.HIP: ("hip", "glute"),
        BodyRegion.KNEE: ("knee",),
        BodyRegion.ANKLE: ("ankle",),
        BodyRegion.FOOT: ("foot",),
    }
)

# Parts drawn once.
_MIDDLE_PARTS: Final[Mapping[BodyRegion, tuple[str, ...]]] = MappingProxyType(
    {
        BodyRegion.CERVICAL: ("neck",),
        BodyRegion.THORACIC: ("thoracic-spine",),
        BodyRegion.LUMBAR: ("lumbar-spine",),
        BodyRegion.SI_PELVIS: ("pelvis", "sacrum"),
        BodyRegion.CORE: ("abdomen",),
        BodyRegion.CARDIORESPIRATORY: ("chest",),
    }
)

# What a tap on a part means, beyond the parts above.
_NEIGHBOURS: Final[Mapping[str, BodyRegion]] = MappingProxyType(
    {
        "shoulder-blade": BodyRegion.SHOULDER,
        "upper-arm": BodyRegion.ELBOW,
        "forearm": BodyRegion.WRIST,
        "flank": BodyRegion.LUMBAR,
        "thigh": BodyRegion.KNEE,
        "hamstring": BodyRegion.KNEE,
        "shin": BodyRegion.ANKLE,
        "calf": BodyRegion.ANKLE,
    }
)


def _picks() -> dict[str, tuple[BodyRegion, Laterality]]:
    parts = {part: region for region, names in _SIDED_PARTS.items() for part in names}
    picks = {
        f"{side}-{part}": (region, laterality)
        for part, region in {**parts, **_NEIGHBOURS}.items()
        for laterality, side in ((Laterality.LEFT, "left"), (Laterality.RIGHT, "right"))
    }
    for region, names in _MIDDLE_PARTS.items():
        picks.update({part: (region, Laterality.MIDLINE) for part in names})
    # Muscles of the chest wall sit on the upper back's ribs; the heart is never tapped.
    picks["chest"] = (BodyRegion.THORACIC, Laterality.MIDLINE)
    picks["head"] = (BodyRegion.CERVICAL, Laterality.MIDLINE)
    return picks


PICKS: Final[Mapping[str, tuple[BodyRegion, Laterality]]] = MappingProxyType(_picks())
ALL_PARTS: Final = tuple(sorted(PICKS))


def parts_of(region: BodyRegion, laterality: Laterality | None) -> tuple[str, ...]:
    """The `data-region` ids to colour. A paired region without a side colours both."""
    if region is BodyRegion.WHOLE_BODY:
        return ALL_PARTS
    if region in _MIDDLE_PARTS:
        return _MIDDLE_PARTS[region]
    sides = _SIDES.get(laterality or Laterality.BILATERAL, ("left", "right"))
    return tuple(f"{side}-{part}" for side in sides for part in _SIDED_PARTS[region])


def picked(part: str) -> tuple[BodyRegion, Laterality] | None:
    """The region and side a tapped part stands for; None for an id the figure does not have."""
    return PICKS.get(part)
