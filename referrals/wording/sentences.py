"""What a restriction says: sentence, headline and plate."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import assert_never

from referrals.measures import number
from referrals.vocabulary import (
    BodyRegion,
    Comparator,
    JointAction,
    Laterality,
    RestrictionKind,
    RestrictionSpec,
    Unit,
    WeightBearing,
    weight_bearing_of,
)
from referrals.wording.words import (
    ACTION,
    ACTION_OF,
    CAPTION,
    COMPARED,
    PATTERN,
    PLATE_WEIGHT,
    PLATE_WORD,
    REGION,
    SHORT_UNIT,
    SIGN,
    SINGULAR,
    UNIT,
)

# --- parts --------------------------------------------------------------------------------------


def site(region: BodyRegion, laterality: Laterality | None) -> str:
    """ "left knee", "both knees", "lower back, left side", "whole body"."""
    singular, plural = REGION[region]
    paired = singular != plural
    match laterality:
        case Laterality.LEFT | Laterality.RIGHT:
            side = laterality.value
            return f"{side} {singular}" if paired else f"{singular}, {side} side"
        case Laterality.BILATERAL:
            return f"both {plural}" if paired else f"{singular}, both sides"
        case Laterality.MIDLINE | Laterality.NOT_APPLICABLE | None:
            return singular
        case _:
            assert_never(laterality)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _listed(words: Sequence[str], last: str) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def _action(spec: RestrictionSpec, action: JointAction) -> tuple[str, str, str]:
    return ACTION_OF.get((spec.body_region, action), ACTION[action])


def _activities(spec: RestrictionSpec) -> list[str]:
    return [PATTERN[pattern] for pattern in spec.patterns]


def limit_text(
    comparator: Comparator, value: Decimal, unit: Unit, value_high: Decimal | None = None
) -> str:
    """ "at most 90°", "heart rate less than 140 beats a minute", "between 2 and 4 sets"."""
    lead, tail = UNIT[unit]
    if comparator is Comparator.BETWEEN and value_high is not None:
        # The sign belongs to both ends, a word only to the last.
        first_tail = tail if tail == "°" else ""
        return f"{lead}between {number(value)}{first_tail} and {number(value_high)}{tail}"
    if value == 1:
        tail = SINGULAR.get(unit, tail)
    return f"{lead}{COMPARED[comparator]} {number(value)}{tail}"


def _limit_of(spec: RestrictionSpec) -> str:
    """The limit in words, or "" for a restriction without a whole number."""
    if spec.comparator is None or spec.value is None or spec.unit is None:
        return ""
    return limit_text(spec.comparator, spec.value, spec.unit, spec.value_high)


def _what(spec: RestrictionSpec) -> str:
    """ "squatting and lunging, left knee"; just the site when no movement is named."""
    where = site(spec.body_region, spec.laterality)
    doing = _listed(_activities(spec), "and")
    return f"{doing}, {where}" if doing else where


# --- the sentence -------------------------------------------------------------------------------


def sentence(spec: RestrictionSpec) -> str:
    """The restriction in one plain sentence, without a full stop: "Left knee bends at most 90°"."""
    return _capital(_sentence(spec))


def _sentence(spec: RestrictionSpec) -> str:
    limit = _limit_of(spec)
    text = spec.wording.strip().rstrip(".")
    match spec.kind:
        case RestrictionKind.AVOID:
            return _avoid(spec)
        case RestrictionKind.LIMIT_ROM:
            return _rom(spec, limit)
        case (
            RestrictionKind.LIMIT_LOAD
            | RestrictionKind.LIMIT_VOLUME
            | RestrictionKind.LIMIT_DURATION
            | RestrictionKind.LIMIT_IMPACT
            | RestrictionKind.LIMIT_SPEED
            | RestrictionKind.LIMIT_INTENSITY
        ):
            return _colon(_what(spec), limit)
        case RestrictionKind.PAIN_RULE:
            return _colon(_what(spec), f"keep {limit}, else stop" if limit else "")
        case RestrictionKind.LIMIT_POSITION:
            return _colon(_what(spec), ", ".join(part for part in (text, limit) if part))
        case RestrictionKind.REQUIRES_SUPERVISION:
            return _colon(_what(spec), "only with someone watching")
        case RestrictionKind.REQUIRES_EQUIPMENT:
            return _colon(_what(spec), f"only with {text or 'the right gear'}")
        case RestrictionKind.WEIGHT_BEARING:
            return _weight(spec, limit)
        case RestrictionKind.PRECAUTION:
            return _colon(_what(spec), text)
        case _:
            assert_never(spec.kind)


def _colon(what: str, limit: str) -> str:
    return f"{what}: {limit}" if limit else what


def _avoid(spec: RestrictionSpec) -> str:
    where = site(spec.body_region, spec.laterality)
    doing = _activities(spec)
    if spec.joint_action is not None:
        moving = _action(spec, spec.joint_action)[2]
        if not doing:
            return f"no {moving}, {where}"
        return f"no {_listed(doing, 'or')} with {moving}, {where}"
    return f"no {_listed(doing, 'or') or 'use'}, {where}"


def _rom(spec: RestrictionSpec, limit: str) -> str:
    where = site(spec.body_region, spec.laterality)
    moves = "moves"
    if spec.joint_action is not None:
        one, many, _ing = _action(spec, spec.joint_action)
        moves = many if where.startswith("both ") else one
    doing = _listed(_activities(spec), "and")
    return f"{doing}: {where} {moves} {limit}" if doing else f"{where} {moves} {limit}"


def _weight(spec: RestrictionSpec, limit: str) -> str:
    status = weight_bearing_of(spec)
    match status:
        case WeightBearing.NWB:
            allowed = f"no weight through it ({limit})" if limit else "no weight through it"
        case WeightBearing.TTWB:
            allowed = "touch the floor for balance only" + (f", {limit}" if limit else "")
        case WeightBearing.PWB | None:
            allowed = f"put {limit} through it" if limit else "put only part of the weight on it"
        case WeightBearing.WBAT:
            allowed = "as much weight as is comfortable"
        case WeightBearing.FWB:
            allowed = f"full weight ({limit})" if limit else "full weight"
        case _:
            assert_never(status)
    return _colon(_what(spec), allowed)


def headline(spec: RestrictionSpec) -> str:
    """The title of its row: what and where, without the number. "Squatting, left knee"."""
    what = _what(spec)
    if spec.joint_action is not None:
        moving = _action(spec, spec.joint_action)[2]
        where = site(spec.body_region, spec.laterality)
        doing = _listed(_activities(spec), "and")
        what = f"{doing} with {moving}, {where}" if doing else f"{moving}, {where}"
    return _capital(what)


# --- the plate ----------------------------------------------------------------------------------


def plate_text(spec: RestrictionSpec) -> str:
    """The few signs on the plate: "≤ 90°", "2-4 sets", "No jumping", "No weight"."""
    status = weight_bearing_of(spec)
    if status is not None and status in PLATE_WEIGHT:
        return PLATE_WEIGHT[status]
    if spec.comparator is not None and spec.value is not None and spec.unit is not None:
        tail = SHORT_UNIT[spec.unit]
        if spec.comparator is Comparator.BETWEEN and spec.value_high is not None:
            return f"{number(spec.value)}-{number(spec.value_high)}{tail}"
        lead = "Pain " if spec.unit is Unit.NPRS else ""
        return f"{lead}{SIGN[spec.comparator]}{number(spec.value)}{tail}"
    if spec.kind is RestrictionKind.AVOID:
        doing = _activities(spec)
        if not doing and spec.joint_action is not None:
            doing = [_action(spec, spec.joint_action)[2]]
        more = f" +{len(doing) - 1}" if len(doing) > 1 else ""
        return f"No {doing[0] if doing else 'use'}{more}"
    return PLATE_WORD[spec.kind]


def plate_caption(spec: RestrictionSpec) -> str:
    """The small line under the plate's number: "knee bending", "load", "sessions"; "" where the
    plate says it all."""
    if spec.value is None or weight_bearing_of(spec) in PLATE_WEIGHT:
        return ""
    if spec.joint_action is not None:
        return f"{REGION[spec.body_region][0]} {_action(spec, spec.joint_action)[2]}"
    return CAPTION.get(spec.kind, "")
