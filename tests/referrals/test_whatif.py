"""What changes when other parts are shared: every part, each way, and no word too many."""

from hypothesis import given
from hypothesis import strategies as st

from clients.scopes import Scope, notice
from referrals.whatif import Effect, changes, without

some = st.frozensets(st.sampled_from(list(Scope)))
NAMES = {"recipient": "Tom", "discloser": "Priya"}


@given(before=some, after=some)
def test_every_part_is_told_by_whether_it_was_and_will_be_shared(
    before: frozenset[Scope], after: frozenset[Scope]
) -> None:
    found = changes(before, after, **NAMES)
    assert [each.scope for each in found] == list(notice().scopes)
    by_effect = {
        effect: {each.scope for each in found if each.effect is effect} for effect in Effect
    }
    assert by_effect == {
        Effect.GAINS: after - before,
        Effect.LOSES: before - after,
        Effect.KEEPS: before & after,
        Effect.STAYS_PRIVATE: frozenset(Scope) - before - after,
    }
    for each in found:
        assert bool(each.meaning) is (each.effect in (Effect.GAINS, Effect.LOSES))
        assert "{" not in each.meaning


def test_limits_out_of_sight_are_not_lifted() -> None:
    words = without(Scope.RESTRICTIONS, **NAMES)
    assert "They still hold: Tom must not" in words
    assert "train you against limits they cannot see" in words


def test_what_flows_back_is_lost_to_the_therapist() -> None:
    assert without(Scope.TRAINING_FEEDBACK, **NAMES).startswith("Priya no longer reads what Tom")
