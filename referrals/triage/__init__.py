"""Who should I see first? Answers in, advice out; no person, no database, nothing kept.

`questions` what is asked, `rules` who comes first and why, `advising` the one function, `steps`
what is offered then.
"""

from referrals.triage.advising import CODES, Advice, Reason, advise, reason_of, valid_until
from referrals.triage.questions import ASKED, NO, UNSURE, YES, Question, Topic
from referrals.triage.rules import RULES, SOURCES, VERSION, Level, Rule, Source
from referrals.triage.steps import WAYS, Action, Step, Way

__all__ = [
    "ASKED",
    "CODES",
    "NO",
    "RULES",
    "SOURCES",
    "UNSURE",
    "VERSION",
    "WAYS",
    "YES",
    "Action",
    "Advice",
    "Level",
    "Question",
    "Reason",
    "Rule",
    "Source",
    "Step",
    "Topic",
    "Way",
    "advise",
    "reason_of",
    "valid_until",
]
