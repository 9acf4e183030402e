"""Who leads, from what the client's side may know. Every combination has an answer."""

from datetime import UTC, date, datetime
from itertools import product
from uuid import uuid4

import pytest

from referrals.journey import Phase, current, phase_of
from referrals.models import Episode, Referral
from referrals.packets import ClearanceView, HistoryView
from referrals.states import OPEN, State
from referrals.vocabulary import ClearanceLevel

BEGUN = datetime(2027, 1, 13, 17, tzinfo=UTC)


def episode(status: str, started: date = date(2026, 9, 1)) -> HistoryView:
    return HistoryView(
        episode_id=uuid4(),
        condition="x",
        icd10_code="",
        body_region="Knee",
        laterality="Left",
        onset_on=None,
        mechanism="",
        surgery="",
        surgery_on=None,
        started_on=started,
        ended_on=None,
        status=status,
        pt_name="Priya",
    )


def cleared(level: str) -> ClearanceView:
    return ClearanceView(
        episode_id=uuid4(),
        level=level,
        level_label="",
        discharged_on=date(2027, 1, 12),
        set_by="Priya",
        flare_up_plan="",
        return_criteria="",
    )


def referral(state: State) -> Referral:
    return Referral(state=state, created_at=BEGUN)


ACTIVE, FINISHED = Episode.Status.ACTIVE, Episode.Status.FINISHED
FULL = ClearanceLevel.CLEARED_FULL
LIMITED = ClearanceLevel.CLEARED_WITH_RESTRICTIONS


@pytest.mark.parametrize(
    ("episodes", "levels", "state", "limits", "phase"),
    [
        ((), (), None, 0, Phase.REHAB),
        ((ACTIVE,), (), None, 0, Phase.REHAB),
        ((FINISHED,), (LIMITED,), None, 2, Phase.HANDOFF),
        ((FINISHED,), (LIMITED,), None, 0, Phase.HANDOFF),
        ((FINISHED,), (FULL,), None, 0, Phase.RETURNED),
        ((FINISHED,), (FULL,), None, 1, Phase.HANDOFF),
        ((FINISHED,), (LIMITED,), State.AWAITING_CONSENT, 1, Phase.HANDOFF),
        ((FINISHED,), (LIMITED,), State.SCHEDULED, 1, Phase.HANDOFF),
        ((FINISHED,), (LIMITED,), State.IN_PROGRESS, 1, Phase.TRAINING),
        ((FINISHED,), (LIMITED,), State.ON_HOLD, 1, Phase.TRAINING),
        ((FINISHED,), (LIMITED,), State.COMPLETED, 1, Phase.TRAINING),
        ((FINISHED,), (LIMITED,), State.COMPLETED, 0, Phase.RETURNED),
        ((FINISHED,), (LIMITED,), State.DECLINED, 1, Phase.HANDOFF),
        ((ACTIVE, FINISHED), (LIMITED,), State.COMPLETED, 0, Phase.REHAB),
    ],
)
def test_who_leads(
    episodes: tuple[str, ...],
    levels: tuple[str, ...],
    state: State | None,
    limits: int,
    phase: Phase,
) -> None:
    found = phase_of(
        [episode(each) for each in episodes],
        [cleared(each) for each in levels],
        referral(state) if state else None,
        limits=limits,
    )
    assert found is phase


def test_back_in_therapy_the_therapist_leads_again() -> None:
    again = episode(ACTIVE, date(2027, 2, 1))
    found = phase_of([again], [cleared(LIMITED)], referral(State.IN_PROGRESS), limits=1)
    assert found is Phase.REHAB


def test_every_state_has_an_answer_and_limits_never_vanish() -> None:
    for state, limits, status in product(State, (0, 1), Episode.Status):
        found = phase_of([episode(status)], [cleared(FULL)], referral(state), limits=limits)
        assert not (limits and found is Phase.RETURNED)


def test_the_open_one_matters_before_the_newest() -> None:
    newest, running = referral(State.DECLINED), referral(State.IN_PROGRESS)
    assert current([newest, running]) is running
    assert current([newest]) is newest
    assert current([]) is None
    assert running.state in OPEN
