"""The everyday words for the vocabulary: regions, movements, joint actions, units.

English only; another language gets tables of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from referrals.vocabulary import (
    BodyRegion,
    Comparator,
    JointAction,
    Pattern,
    RestrictionKind,
    Unit,
    WeightBearing,
)

MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)

COMPARED: Final[Mapping[Comparator, str]] = MappingProxyType(
    {
        Comparator.LE: "at most",
        Comparator.LT: "less than",
        Comparator.GE: "at least",
        Comparator.GT: "more than",
        Comparator.EQ: "exactly",
        Comparator.BETWEEN: "between",
    }
)

# Singular and plural as they read in the middle of a sentence.
REGION: Final[Mapping[BodyRegion, tuple[str, str]]] = MappingProxyType(
    {
        BodyRegion.CERVICAL: ("neck", "neck"),
        BodyRegion.THORACIC: ("upper back", "upper back"),
        BodyRegion.LUMBAR: ("lower back", "lower back"),
        BodyRegion.SI_PELVIS: ("pelvis", "pelvis"),
        BodyRegion.SHOULDER: ("shoulder", "shoulders"),
        BodyRegion.ELBOW: ("elbow", "elbows"),
        BodyRegion.WRIST: ("wrist", "wrists"),
        BodyRegion.HAND: ("hand", "hands"),
        BodyRegion.HIP: ("hip", "hips"),
        BodyRegion.KNEE: ("knee", "knees"),
        BodyRegion.ANKLE: ("ankle", "ankles"),
        BodyRegion.FOOT: ("foot", "feet"),
        BodyRegion.CORE: ("trunk", "trunk"),
        BodyRegion.CARDIORESPIRATORY: ("heart and breathing", "heart and breathing"),
        BodyRegion.WHOLE_BODY: ("whole body", "whole body"),
    }
)

# What one does, said as an activity: "No …", "…: at most 20 kg".
PATTERN: Final[Mapping[Pattern, str]] = MappingProxyType(
    {
        Pattern.SQUAT: "squatting",
        Pattern.HINGE: "bending at the hips",
        Pattern.LUNGE: "lunging",
        Pattern.STEP_UP: "stepping up",
        Pattern.PUSH_HORIZONTAL: "pushing forward",
        Pattern.PUSH_VERTICAL: "pushing overhead",
        Pattern.PULL_HORIZONTAL: "rowing",
        Pattern.PULL_VERTICAL: "pulling down from above",
        Pattern.CARRY: "carrying",
        Pattern.ROTATE: "twisting",
        Pattern.ANTI_ROTATE: "holding against a twist",
        Pattern.GAIT: "walking",
        Pattern.RUN: "running",
        Pattern.SPRINT: "sprinting",
        Pattern.CHANGE_OF_DIRECTION: "changing direction",
        Pattern.JUMP: "jumping",
        Pattern.LAND: "landing and hopping",
        Pattern.THROW: "throwing",
        Pattern.OVERHEAD_REACH: "reaching overhead",
        Pattern.CRAWL: "putting weight on the hands",
        Pattern.HANG: "hanging",
        Pattern.KNEEL: "kneeling",
        Pattern.BALANCE: "balancing on one leg",
        Pattern.ISOMETRIC_HOLD: "holding still",
        Pattern.MOBILITY: "stretching",
    }
)

# (it …, they …, the …ing of it)
BENDS: Final = ("bends", "bend", "bending")
STRAIGHTENS: Final = ("straightens", "straighten", "straightening")
ACTION: Final[Mapping[JointAction, tuple[str, str, str]]] = MappingProxyType(
    {
        JointAction.FLEXION: BENDS,
        JointAction.EXTENSION: STRAIGHTENS,
        JointAction.ABDUCTION: ("moves out to the side", "move out to the side", "moving out"),
        JointAction.ADDUCTION: ("moves across the body", "move across the body", "moving across"),
        JointAction.INTERNAL_ROTATION: ("turns inward", "turn inward", "turning inward"),
        JointAction.EXTERNAL_ROTATION: ("turns outward", "turn outward", "turning outward"),
        JointAction.PRONATION: ("turns palm down", "turn palm down", "turning palm down"),
        JointAction.SUPINATION: ("turns palm up", "turn palm up", "turning palm up"),
        JointAction.DORSIFLEXION: ("pulls the toes up", "pull the toes up", "pulling toes up"),
        JointAction.PLANTARFLEXION: (
            "points the toes down",
            "point the toes down",
            "pointing toes down",
        ),
        JointAction.SIDE_BEND: ("bends to the side", "bend to the side", "bending to the side"),
        JointAction.ROTATION: ("turns", "turn", "turning"),
        JointAction.RADIAL_DEVIATION: (
            "tilts toward the thumb",
            "tilt toward the thumb",
            "tilting toward the thumb",
        ),
        JointAction.ULNAR_DEVIATION: (
            "tilts toward the little finger",
            "tilt toward the little finger",
            "tilting toward the little finger",
        ),
        JointAction.INVERSION: ("rolls inward", "roll inward", "rolling inward"),
        JointAction.EVERSION: ("rolls outward", "roll outward", "rolling outward"),
    }
)
ARCHES: Final = ("bends backward", "bend backward", "bending backward")
# Where the everyday word depends on the joint.
ACTION_OF: Final[Mapping[tuple[BodyRegion, JointAction], tuple[str, str, str]]] = MappingProxyType(
    {
        (BodyRegion.SHOULDER, JointAction.FLEXION): (
            "lifts to the front",
            "lift to the front",
            "lifting to the front",
        ),
        (BodyRegion.SHOULDER, JointAction.ABDUCTION): (
            "lifts to the side",
            "lift to the side",
            "lifting to the side",
        ),
        (BodyRegion.SHOULDER, JointAction.EXTENSION): (
            "moves back behind the body",
            "move back behind the body",
            "moving back",
        ),
        (BodyRegion.HIP, JointAction.EXTENSION): (
            "moves back behind the body",
            "move back behind the body",
            "moving back",
        ),
        (BodyRegion.WRIST, JointAction.EXTENSION): ARCHES,
        (BodyRegion.CERVICAL, JointAction.FLEXION): (
            "bends forward",
            "bend forward",
            "bending forward",
        ),
        (BodyRegion.CERVICAL, JointAction.EXTENSION): ARCHES,
        (BodyRegion.THORACIC, JointAction.EXTENSION): ARCHES,
        (BodyRegion.LUMBAR, JointAction.EXTENSION): ARCHES,
        (BodyRegion.CORE, JointAction.EXTENSION): ARCHES,
    }
)

# Around a number in a sentence: what comes before the comparison, what follows the number.
UNIT: Final[Mapping[Unit, tuple[str, str]]] = MappingProxyType(
    {
        Unit.DEG: ("", "°"),
        Unit.KG: ("", " kg"),
        Unit.LB: ("", " lb"),
        Unit.PCT_1RM: ("", "% of the one-rep max"),
        Unit.PCT_BW: ("", "% of body weight"),
        Unit.RPE: ("effort ", " of 10"),
        Unit.REPS: ("", " reps"),
        Unit.SETS: ("", " sets"),
        Unit.SESSIONS_WEEK: ("", " sessions a week"),
        Unit.MIN: ("", " minutes"),
        Unit.SEC: ("", " seconds"),
        Unit.M: ("", " m"),
        Unit.CM: ("", " cm high"),
        Unit.BPM: ("heart rate ", " beats a minute"),
        Unit.PCT_HRMAX: ("heart rate ", "% of its highest"),
        Unit.NPRS: ("pain ", " of 10"),
        Unit.KMH: ("", " km/h"),
        Unit.MPH: ("", " mph"),
        Unit.PCT_MAX_SPEED: ("", "% of top speed"),
        Unit.PCT: ("", "%"),
        Unit.POINTS: ("", " points"),
    }
)
# On the plate there is room for a few signs only.
SHORT_UNIT: Final[Mapping[Unit, str]] = MappingProxyType(
    {
        Unit.DEG: "°",
        Unit.KG: " kg",
        Unit.LB: " lb",
        Unit.PCT_1RM: "% max",
        Unit.PCT_BW: "% weight",
        Unit.RPE: "/10",
        Unit.REPS: " reps",
        Unit.SETS: " sets",
        Unit.SESSIONS_WEEK: " / wk",
        Unit.MIN: " min",
        Unit.SEC: " s",
        Unit.M: " m",
        Unit.CM: " cm",
        Unit.BPM: " bpm",
        Unit.PCT_HRMAX: "% HR",
        Unit.NPRS: "/10",
        Unit.KMH: " km/h",
        Unit.MPH: " mph",
        Unit.PCT_MAX_SPEED: "% speed",
        Unit.PCT: "%",
        Unit.POINTS: " pts",
    }
)
SINGULAR: Final[Mapping[Unit, str]] = MappingProxyType(
    {
        Unit.REPS: " rep",
        Unit.SETS: " set",
        Unit.SESSIONS_WEEK: " session a week",
        Unit.MIN: " minute",
        Unit.SEC: " second",
        Unit.POINTS: " point",
    }
)
SIGN: Final[Mapping[Comparator, str]] = MappingProxyType(
    {
        Comparator.LE: "≤ ",
        Comparator.LT: "< ",
        Comparator.GE: "≥ ",
        Comparator.GT: "> ",
        Comparator.EQ: "",
        Comparator.BETWEEN: "",
    }
)

# What a plate says when there is no number.
PLATE_WEIGHT: Final[Mapping[WeightBearing, str]] = MappingProxyType(
    {
        WeightBearing.NWB: "No weight",
        WeightBearing.TTWB: "Touch only",
        WeightBearing.WBAT: "As comfortable",
        WeightBearing.FWB: "Full weight",
    }
)
PLATE_WORD: Final[Mapping[RestrictionKind, str]] = MappingProxyType(
    {
        **{kind: "Limit" for kind in RestrictionKind},
        RestrictionKind.LIMIT_POSITION: "Position",
        RestrictionKind.REQUIRES_SUPERVISION: "Watched",
        RestrictionKind.REQUIRES_EQUIPMENT: "With gear",
        RestrictionKind.WEIGHT_BEARING: "Part weight",
        RestrictionKind.PRECAUTION: "Take care",
    }
)

# The small line under a plate's number.
CAPTION: Final[Mapping[RestrictionKind, str]] = MappingProxyType(
    {
        RestrictionKind.LIMIT_LOAD: "load",
        RestrictionKind.LIMIT_VOLUME: "volume",
        RestrictionKind.LIMIT_DURATION: "time",
        RestrictionKind.LIMIT_IMPACT: "impact",
        RestrictionKind.LIMIT_SPEED: "speed",
        RestrictionKind.LIMIT_INTENSITY: "effort",
        RestrictionKind.LIMIT_POSITION: "position",
        RestrictionKind.WEIGHT_BEARING: "on this side",
    }
)
