"""Templates per condition: limits and return gates to begin from. Proposals, never decisions.

Pure. Every number has a source beside it; a number nobody published a source for here is left to
the therapist. Nothing of a template is kept until a therapist has ticked it, and what is kept is a
draft like any other. The sources are public papers and guidelines, looked up when the table was
written; they inform a therapist and replace nobody.
"""

from referrals.starting_points.conditions import TEMPLATES
from referrals.starting_points.offers import (
    GateOffer,
    LimitOffer,
    Offer,
    Wish,
    chosen,
    fitting_first,
    offer,
)
from referrals.starting_points.shape import ProposedGate, ProposedLimit, Template, Wait

__all__ = [
    "TEMPLATES",
    "GateOffer",
    "LimitOffer",
    "Offer",
    "ProposedGate",
    "ProposedLimit",
    "Template",
    "Wait",
    "Wish",
    "chosen",
    "fitting_first",
    "offer",
]
