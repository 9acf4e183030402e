"""The templates. Each number stands beside its source; what has none is open.

Wording and gates name no condition: a trainer may read them without knowing what was treated.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from referrals.starting_points.shape import ProposedGate, ProposedLimit, Template, Wait
from referrals.vocabulary import BodyRegion, Comparator, Unit

# Short, and without the name of a condition: a gate's source is read by whoever reads the gate.
_BATTERY: Final = "Gokeler and others, KSSTA 2017;25:192"
_RUNNING: Final = "Rambaud and others, Br J Sports Med 2018;52:1437"
_NINE_MONTHS: Final = "Review of return criteria, PMC6600576"
_CUFF: Final = "Thigpen and others, J Shoulder Elbow Surg 2016;25:521"
_PAIN_MODEL: Final = "Pain-monitoring model, Silbernagel and others 2007"
_FEAR: Final = "Bands of the score, fpain.2021.739051"
_FLEXION: Final = "Connecticut Orthopaedics, public rehabilitation protocol, weeks 6 to 12"
_HAMSTRING: Final = "Van der Horst and others, Br J Sports Med 2017;51:1583"
_ANKLE: Final = "Review of ankle care, PMC7745493"
_ANKLE_RETURN: Final = "Wikstrom and others, J Sport Rehabil 2020;29:231"


def _entries(**entries: object) -> Mapping[str, object]:
    return MappingProxyType(entries)


def _avoid(
    region: BodyRegion, patterns: list[str], wording: str, instead: str
) -> dict[str, object]:
    return {
        "kind": "avoid",
        "severity": "must_not",
        "body_region": region.value,
        "patterns": patterns,
        "wording": wording,
        "instead": instead,
    }


def _lift(measure: str, comparator: str, value: str, unit: str) -> dict[str, object]:
    return {
        "kind": "test",
        "measure": measure,
        "comparator": comparator,
        "value": value,
        "unit": unit,
    }


def _pain(region: BodyRegion) -> ProposedLimit:
    """The pain-monitoring model: up to 5 is acceptable, and it settles by the next morning."""
    return ProposedLimit(
        "pain",
        _entries(
            kind="pain_rule",
            severity="limit",
            body_region=region.value,
            comparator="le",
            value="5",
            unit="nprs",
            wording="Pain has to settle by the next morning and may not climb from week to week.",
            instead="Go back to the load at which it settled.",
            criteria=[{"kind": "pt_review"}],
        ),
        source=_PAIN_MODEL,
    )


_HOP = ProposedGate(
    "hop",
    measure="lsi_hop",
    comparator=Comparator.GT,
    value="90",
    unit=Unit.PCT,
    source=_BATTERY,
)
_STRENGTH = ProposedGate(
    "strength",
    measure="lsi_strength",
    comparator=Comparator.GT,
    value="90",
    unit=Unit.PCT,
    source=_BATTERY,
)
_CALM_PAIN = ProposedGate(
    "pain",
    measure="nprs",
    comparator=Comparator.LE,
    value="3",
    unit=Unit.POINTS,
    source=f"{_PAIN_MODEL}: 0 to 3 is safe",
)
_NO_SWELLING = ProposedGate("swelling", test="No swelling, or a trace at most", source=_RUNNING)

ACL: Final = Template(
    key="acl",
    name="After ACL reconstruction",
    regions=(BodyRegion.KNEE,),
    note=(
        "Few meet every gate: 3 % at six months and 11 % at nine (Welling and others,"
        " KSSTA 2018;26:3636). What the gates predict is uncertain."
    ),
    limits=(
        ProposedLimit(
            "pivot",
            _entries(
                **_avoid(
                    BodyRegion.KNEE,
                    ["change_of_direction", "sprint"],
                    "No cutting, twisting or sprinting on this leg.",
                    "Straight-line walking, cycling and strength work within the other limits.",
                ),
                criteria=[
                    _lift("Hop, side against side", "gt", "90", "pct"),
                    _lift("Strength, side against side", "gt", "90", "pct"),
                ],
            ),
            source=_BATTERY,
            wait=Wait(_NINE_MONTHS, months=9),
        ),
        ProposedLimit(
            "run",
            _entries(
                **_avoid(
                    BodyRegion.KNEE,
                    ["run"],
                    "No running yet.",
                    "Walking and cycling.",
                ),
                criteria=[
                    _lift("Pain while walking fast", "lt", "2", "nprs"),
                    _lift("Knee bend, side against side", "gt", "95", "pct"),
                    _lift("Strength, side against side", "gt", "70", "pct"),
                    _lift("Hop, side against side", "gt", "70", "pct"),
                ],
            ),
            source=_RUNNING,
        ),
        ProposedLimit(
            "land",
            _entries(
                kind="limit_impact",
                severity="limit",
                body_region="knee",
                patterns=["jump", "land"],
                comparator="le",
                unit="cm",
                wording="Landings on both legs, soft and quiet.",
                instead="Step-downs instead of jumps.",
                criteria=[_lift("Landing errors (LESS)", "lt", "5", "points")],
            ),
            source=_BATTERY,
            open=("value",),
        ),
        _pain(BodyRegion.KNEE),
    ),
    gates=(
        _HOP,
        _STRENGTH,
        ProposedGate(
            "ready",
            measure="acl_rsi",
            comparator=Comparator.GT,
            value="56",
            unit=Unit.POINTS,
            source=_BATTERY,
        ),
        ProposedGate(
            "landing",
            measure="less",
            comparator=Comparator.LT,
            value="5",
            unit=Unit.POINTS,
            source=_BATTERY,
        ),
        ProposedGate("time", test="Nine months or more since the operation", source=_NINE_MONTHS),
        _NO_SWELLING,
    ),
)

ROTATOR_CUFF: Final = Template(
    key="rotator_cuff",
    name="After rotator cuff repair",
    regions=(BodyRegion.SHOULDER,),
    note=(
        "The consensus puts progressive strengthening at week 12 and a return to athletic or heavy"
        " work in weeks 20 to 26; tear size and tissue change that. It gives no loads in kg."
    ),
    limits=(
        ProposedLimit(
            "overhead",
            _entries(
                **_avoid(
                    BodyRegion.SHOULDER,
                    ["push_vertical", "throw", "hang"],
                    "No loaded work overhead, no throwing, no hanging.",
                    "Rows and presses below shoulder height within the other limits.",
                ),
                criteria=[{"kind": "pt_review"}],
            ),
            wait=Wait(f"{_CUFF}: phase 4 begins at week 20", weeks=20),
        ),
        ProposedLimit(
            "load",
            _entries(
                kind="limit_load",
                severity="limit",
                body_region="shoulder",
                patterns=["push_horizontal", "pull_horizontal", "carry"],
                comparator="le",
                unit="kg",
                wording="Light loads, slow, elbow in front of the body.",
                instead="Bands and body weight against a wall.",
                criteria=[{"kind": "pt_review"}],
            ),
            open=("value",),
            wait=Wait(f"{_CUFF}: progressive strengthening from week 12", weeks=12),
        ),
        _pain(BodyRegion.SHOULDER),
    ),
    gates=(
        _CALM_PAIN,
        ProposedGate(
            "function",
            measure="quickdash",
            comparator=Comparator.LE,
            unit=Unit.POINTS,
        ),
        ProposedGate(
            "reach",
            test="Reach overhead without hitching the shoulder",
            is_sided=True,
        ),
        ProposedGate("time", test="Twenty weeks or more since the operation", source=_CUFF),
    ),
)

LOW_BACK: Final = Template(
    key="low_back",
    name="Low back pain",
    regions=(BodyRegion.LUMBAR, BodyRegion.SI_PELVIS, BodyRegion.CORE),
    note=(
        "The guideline asks for exercise (George and others,"
        " JOSPT 2021;51:CPG1). No load limit is taken from it: set one only where it is needed."
    ),
    limits=(
        ProposedLimit(
            "lift",
            _entries(
                kind="limit_load",
                severity="limit",
                body_region="lumbar",
                patterns=["hinge", "carry"],
                comparator="le",
                unit="kg",
                wording="Lift from a raised surface, load close to the body.",
                instead="Hip hinge without load, from blocks.",
                criteria=[{"kind": "pt_review"}],
            ),
            open=("value",),
        ),
        ProposedLimit(
            "bend",
            _entries(
                kind="precaution",
                severity="caution",
                body_region="lumbar",
                patterns=["hinge", "rotate"],
                wording="Begin bending and twisting without load and build up over sessions.",
                instead="Moving is welcome; long rest is not.",
                criteria=[{"kind": "pt_review"}],
            ),
        ),
        _pain(BodyRegion.LUMBAR),
    ),
    gates=(
        _CALM_PAIN,
        ProposedGate("function", measure="odi", comparator=Comparator.LE, unit=Unit.PCT),
        ProposedGate(
            "fear",
            measure="tsk11",
            comparator=Comparator.LE,
            value="22",
            unit=Unit.POINTS,
            source=_FEAR,
        ),
        ProposedGate(
            "morning", test="Back to usual the morning after training", source=_PAIN_MODEL
        ),
    ),
)

ANKLE_SPRAIN: Final = Template(
    key="ankle_sprain",
    name="Ankle sprain",
    regions=(BodyRegion.ANKLE, BodyRegion.FOOT),
    note=(
        "Experts agree on testing sport-specific movement and mostly on balance; no agreed"
        f" thresholds exist ({_ANKLE_RETURN}). The numbers are yours."
    ),
    limits=(
        ProposedLimit(
            "brace",
            _entries(
                kind="requires_equipment",
                severity="limit",
                body_region="ankle",
                patterns=["run", "jump", "land", "change_of_direction"],
                wording="Only with the ankle brace or tape.",
                instead="Walking and strength work need none.",
                criteria=[{"kind": "pt_review"}],
            ),
            source=_ANKLE,
        ),
        ProposedLimit(
            "cut",
            _entries(
                **_avoid(
                    BodyRegion.ANKLE,
                    ["change_of_direction", "land"],
                    "No cutting and no one-leg landings.",
                    "Straight-line running and balance on firm ground.",
                ),
                criteria=[
                    {"kind": "observation", "measure": "Steady on one leg, eyes open"},
                    {"kind": "observation", "measure": "Sport movements without giving way"},
                ],
            ),
        ),
        _pain(BodyRegion.ANKLE),
    ),
    gates=(
        ProposedGate("sport", test="Sport movements without giving way", source=_ANKLE_RETURN),
        ProposedGate("balance", test="Steady on one leg", source=_ANKLE_RETURN, is_sided=True),
        ProposedGate("hop", measure="lsi_hop", comparator=Comparator.GE, unit=Unit.PCT),
        ProposedGate("function", measure="lefs", comparator=Comparator.GE, unit=Unit.POINTS),
        _CALM_PAIN,
    ),
)

MENISCUS: Final = Template(
    key="meniscus",
    name="Meniscus, treated or repaired",
    regions=(BodyRegion.KNEE,),
    note=(
        "Time and depth depend on the tear and the repair, and the evidence is graded as low"
        " (Pujol and others, EU-US consensus of 2024, KSSTA 2025). Ask the surgeon."
    ),
    limits=(
        ProposedLimit(
            "depth",
            _entries(
                kind="limit_rom",
                severity="limit",
                body_region="knee",
                patterns=["squat", "lunge", "step_up"],
                joint_action="flexion",
                comparator="le",
                value="90",
                unit="deg",
                wording="Under load, not deeper than a right angle.",
                instead="Box squat, leg press and split squat above that depth.",
                criteria=[{"kind": "pt_review"}],
            ),
            source=_FLEXION,
        ),
        ProposedLimit(
            "twist",
            _entries(
                **_avoid(
                    BodyRegion.KNEE,
                    ["change_of_direction", "rotate"],
                    "No twisting on the bent, loaded knee.",
                    "Straight-line work.",
                ),
                criteria=[{"kind": "pt_review"}],
            ),
        ),
        ProposedLimit(
            "run",
            _entries(
                **_avoid(
                    BodyRegion.KNEE,
                    ["run", "jump", "land"],
                    "No running or jumping yet.",
                    "Cycling and walking.",
                ),
                criteria=[{"kind": "pt_review"}],
            ),
            wait=Wait(
                "Connecticut Orthopaedics, public rehabilitation protocol: running in weeks 12 to"
                " 16",
                weeks=12,
            ),
        ),
        _pain(BodyRegion.KNEE),
    ),
    gates=(
        ProposedGate("strength", measure="lsi_strength", comparator=Comparator.GE, unit=Unit.PCT),
        ProposedGate("hop", measure="lsi_hop", comparator=Comparator.GE, unit=Unit.PCT),
        ProposedGate("swelling", test="No swelling after training"),
        ProposedGate("locking", test="No locking and no giving way"),
        _CALM_PAIN,
    ),
)

HAMSTRING: Final = Template(
    key="hamstring",
    name="Hamstring strain",
    regions=(BodyRegion.HIP, BodyRegion.KNEE),
    note=(
        "The criteria are those experts agreed on in football; they are signs, not numbers"
        f" ({_HAMSTRING})."
    ),
    limits=(
        ProposedLimit(
            "speed",
            _entries(
                kind="limit_speed",
                severity="limit",
                body_region="hip",
                patterns=["run", "sprint"],
                comparator="le",
                unit="pct_max_speed",
                wording="Build up over sessions; no flat-out sprints.",
                instead="Tempo runs and strides.",
                criteria=[
                    {"kind": "observation", "measure": "No pain when pressed"},
                    {"kind": "observation", "measure": "No pain in strength and stretch tests"},
                ],
            ),
            source="",
            open=("value",),
        ),
        ProposedLimit(
            "stretch",
            _entries(
                kind="precaution",
                severity="caution",
                body_region="hip",
                patterns=["hinge", "mobility"],
                wording="No forced stretch at the end of the range.",
                instead="Slow lowering with rising load.",
                criteria=[{"kind": "pt_review"}],
            ),
        ),
        _pain(BodyRegion.HIP),
    ),
    gates=(
        ProposedGate("press", test="No pain when pressed", source=_HAMSTRING, is_sided=True),
        ProposedGate("tests", test="No pain in strength and stretch tests", source=_HAMSTRING),
        ProposedGate("strength", measure="lsi_strength", comparator=Comparator.GE, unit=Unit.PCT),
        ProposedGate("mind", test="Feels ready to run flat out"),
    ),
)

TEMPLATES: Final = (ACL, ROTATOR_CUFF, LOW_BACK, ANKLE_SPRAIN, MENISCUS, HAMSTRING)
