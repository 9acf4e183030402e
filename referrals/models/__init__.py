from referrals.models.episode import Episode
from referrals.models.facts import RedSign, ReferOutFacts
from referrals.models.gate import Gate
from referrals.models.investment import Coverage, Package
from referrals.models.letter import Letter
from referrals.models.measure import ImportantChange, Measure, Measurement
from referrals.models.note import Addendum, DischargeNote, Goal
from referrals.models.referral import LoopReport, Referral, ReferralEvent, ReferralMessage
from referrals.models.reminder import Holiday, Reminder, ReminderRule
from referrals.models.restriction import Acknowledgement, Restriction, RestrictionVersion
from referrals.models.screening import Screening
from referrals.models.wish import Wish

__all__ = [
    "Acknowledgement",
    "Addendum",
    "Coverage",
    "DischargeNote",
    "Episode",
    "Gate",
    "Goal",
    "Holiday",
    "ImportantChange",
    "Letter",
    "LoopReport",
    "Measure",
    "Measurement",
    "Package",
    "RedSign",
    "ReferOutFacts",
    "Referral",
    "ReferralEvent",
    "ReferralMessage",
    "Reminder",
    "ReminderRule",
    "Restriction",
    "RestrictionVersion",
    "Screening",
    "Wish",
]
