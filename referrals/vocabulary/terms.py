"""The words a restriction and a discharge note are made of. Closed lists, stored by value.

Values are part of the API and of stored rows: add, never rename. Labels are plain words.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class RestrictionKind(TextChoices):
    AVOID = "avoid", _("Do not do it")
    LIMIT_LOAD = "limit_load", _("Limit the load")
    LIMIT_ROM = "limit_rom", _("Limit how far the joint moves")
    LIMIT_VOLUME = "limit_volume", _("Limit how much (sets, reps, sessions)")
    LIMIT_DURATION = "limit_duration", _("Limit how long")
    LIMIT_IMPACT = "limit_impact", _("Limit the impact")
    LIMIT_SPEED = "limit_speed", _("Limit the speed")
    LIMIT_INTENSITY = "limit_intensity", _("Limit the effort")
    LIMIT_POSITION = "limit_position", _("Limit a position")
    REQUIRES_SUPERVISION = "requires_supervision", _("Only with someone watching")
    REQUIRES_EQUIPMENT = "requires_equipment", _("Only with a brace or other gear")
    WEIGHT_BEARING = "weight_bearing", _("Limit the weight through it")
    PAIN_RULE = "pain_rule", _("Stop at this much pain")
    PRECAUTION = "precaution", _("Good to know")


class Severity(TextChoices):
    """How strict. The labels are fixed words of the product (never invent a fifth)."""

    MUST_NOT = "must_not", _("Avoid")
    LIMIT = "limit", _("Modify")
    CAUTION = "caution", _("Caution")


class Authority(TextChoices):
    """Whose limit it is. A surgeon's order is written down by the PT, with name and date."""

    PT = "pt", _("Physical therapist")
    SURGEON_ORDER = "surgeon_order", _("Surgeon's order")


class BodyRegion(TextChoices):
    CERVICAL = "cervical", _("Neck")
    THORACIC = "thoracic", _("Upper back")
    LUMBAR = "lumbar", _("Lower back")
    SI_PELVIS = "si_pelvis", _("Pelvis")
    SHOULDER = "shoulder", _("Shoulder")
    ELBOW = "elbow", _("Elbow")
    WRIST = "wrist", _("Wrist")
    HAND = "hand", _("Hand")
    HIP = "hip", _("Hip")
    KNEE = "knee", _("Knee")
    ANKLE = "ankle", _("Ankle")
    FOOT = "foot", _("Foot")
    CORE = "core", _("Trunk and core")
    CARDIORESPIRATORY = "cardiorespiratory", _("Heart and breathing")
    WHOLE_BODY = "whole_body", _("Whole body")


class Laterality(TextChoices):
    LEFT = "left", _("Left")
    RIGHT = "right", _("Right")
    BILATERAL = "bilateral", _("Both sides")
    MIDLINE = "midline", _("Middle")
    NOT_APPLICABLE = "not_applicable", _("No side")


class Pattern(TextChoices):
    """Movement patterns: what a trainer programmes, whatever the exercise is called."""

    SQUAT = "squat", _("Squat")
    HINGE = "hinge", _("Hip hinge")
    LUNGE = "lunge", _("Lunge or split squat")
    STEP_UP = "step_up", _("Step-up")
    PUSH_HORIZONTAL = "push_horizontal", _("Push forward")
    PUSH_VERTICAL = "push_vertical", _("Push overhead")
    PULL_HORIZONTAL = "pull_horizontal", _("Row")
    PULL_VERTICAL = "pull_vertical", _("Pull down or pull up")
    CARRY = "carry", _("Carry")
    ROTATE = "rotate", _("Twist")
    ANTI_ROTATE = "anti_rotate", _("Hold against a twist")
    GAIT = "gait", _("Walk")
    RUN = "run", _("Run")
    SPRINT = "sprint", _("Sprint")
    CHANGE_OF_DIRECTION = "change_of_direction", _("Change direction")
    JUMP = "jump", _("Jump")
    LAND = "land", _("Land or hop")
    THROW = "throw", _("Throw")
    OVERHEAD_REACH = "overhead_reach", _("Reach overhead")
    CRAWL = "crawl", _("Crawl or weight on hands")
    HANG = "hang", _("Hang")
    KNEEL = "kneel", _("Kneel")
    BALANCE = "balance", _("Single-leg balance")
    ISOMETRIC_HOLD = "isometric_hold", _("Still hold")
    MOBILITY = "mobility", _("Stretch or mobility")


class JointAction(TextChoices):
    """Which way a joint moves. The last four are beyond the base list: the table of normal
    movement covers wrist and ankle in those directions, so a limit must be able to name them."""

    FLEXION = "flexion", _("Flexion")
    EXTENSION = "extension", _("Extension")
    ABDUCTION = "abduction", _("Abduction")
    ADDUCTION = "adduction", _("Adduction")
    INTERNAL_ROTATION = "internal_rotation", _("Internal rotation")
    EXTERNAL_ROTATION = "external_rotation", _("External rotation")
    PRONATION = "pronation", _("Pronation")
    SUPINATION = "supination", _("Supination")
    DORSIFLEXION = "dorsiflexion", _("Dorsiflexion")
    PLANTARFLEXION = "plantarflexion", _("Plantarflexion")
    SIDE_BEND = "side_bend", _("Side-bend")
    ROTATION = "rotation", _("Rotation")
    RADIAL_DEVIATION = "radial_deviation", _("Radial deviation")
    ULNAR_DEVIATION = "ulnar_deviation", _("Ulnar deviation")
    INVERSION = "inversion", _("Inversion")
    EVERSION = "eversion", _("Eversion")


class Comparator(TextChoices):
    LE = "le", _("at most")
    LT = "lt", _("less than")
    GE = "ge", _("at least")
    GT = "gt", _("more than")
    EQ = "eq", _("exactly")
    BETWEEN = "between", _("between")


class Unit(TextChoices):
    """Units of limits and of lift criteria. Speeds, seconds, plain percent and points are beyond
    the base list: without them `limit_speed`, still holds and test scores could not be written."""

    DEG = "deg", _("degrees")
    KG = "kg", _("kg")
    LB = "lb", _("lb")
    PCT_1RM = "pct_1rm", _("% of one-rep max")
    PCT_BW = "pct_bw", _("% of body weight")
    RPE = "rpe", _("effort 0-10")
    REPS = "reps", _("reps")
    SETS = "sets", _("sets")
    SESSIONS_WEEK = "sessions_week", _("sessions a week")
    MIN = "min", _("minutes")
    SEC = "sec", _("seconds")
    M = "m", _("metres")
    CM = "cm", _("cm")
    BPM = "bpm", _("heartbeats a minute")
    PCT_HRMAX = "pct_hrmax", _("% of highest heart rate")
    NPRS = "nprs", _("pain 0-10")
    KMH = "kmh", _("km/h")
    MPH = "mph", _("mph")
    PCT_MAX_SPEED = "pct_max_speed", _("% of top speed")
    PCT = "pct", _("%")
    POINTS = "points", _("points")


class WeightBearing(TextChoices):
    """How much weight a leg or arm may carry, strictest first. Shares of body weight are those
    of Physiopedia's page on weight bearing: toe-touch is ill defined, often up to 20 %; partial
    needs a number, commonly 30-50 %."""

    NWB = "nwb", _("No weight")
    TTWB = "ttwb", _("Touch for balance only")
    PWB = "pwb", _("Part of body weight")
    WBAT = "wbat", _("As much as is comfortable")
    FWB = "fwb", _("Full weight")


class CriterionKind(TextChoices):
    """What must be shown before a limit is lifted. `pt_review` means: the PT decides."""

    MEASURE = "measure", _("Score")
    TEST = "test", _("Test")
    OBSERVATION = "observation", _("What you see")
    PT_REVIEW = "pt_review", _("PT review")


class ClearanceLevel(TextChoices):
    """Always set by a PT's signature, never worked out from numbers."""

    NOT_CLEARED = "not_cleared", _("Not cleared for training")
    CLEARED_WITH_RESTRICTIONS = "cleared_with_restrictions", _("Cleared, with limits")
    CLEARED_GENERAL = "cleared_general", _("Cleared for general training, no sport")
    CLEARED_FULL = "cleared_full", _("Fully cleared")


class DischargeReason(TextChoices):
    GOALS_MET = "goals_met", _("Goals met")
    PLATEAU = "plateau", _("No further progress expected")
    CLIENT_CHOICE = "client_choice", _("Client chose to stop")
    DID_NOT_RETURN = "did_not_return", _("Client did not return")
    BENEFIT_EXHAUSTED = "benefit_exhausted", _("Covered visits used up")
    MOVED_PROVIDER = "moved_provider", _("Moved to another provider")
    MEDICAL = "medical", _("Medical reasons")


class DischargeType(TextChoices):
    """`quick` may leave out final measures but says why and keeps the last known ones."""

    FULL = "full", _("Full")
    QUICK = "quick", _("Quick")


class RecurrenceKind(TextChoices):
    """How something that came back relates to what was treated before, as the consensus on injury
    definitions has it (Fuller and others 2006, 2007). Only a PT says which it is."""

    EARLY = "early", _("Early recurrence")
    LATE = "late", _("Late recurrence")
    DELAYED = "delayed", _("Delayed recurrence")
    EXACERBATION = "exacerbation", _("Exacerbation, worse before it was over")


class GoalOutcome(TextChoices):
    MET = "met", _("Met")
    PARTLY = "partly", _("Partly met")
    NOT_MET = "not_met", _("Not met")
