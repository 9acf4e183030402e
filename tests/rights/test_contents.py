"""Every personal or clinical field is in somebody's file, or left out for a reason that is said."""

from collections.abc import Iterable

import pytest
from django.db import models

from handoff.core.sensitivity import Sensitivity, fields_of
from referrals.rights.contents import ACCOUNT, LEFT_OUT, RECORD, Section
from tests.guards.test_sensitivity import own_models

OWN = (Sensitivity.PERSONAL, Sensitivity.CLINICAL)


def own_fields(model: type[models.Model]) -> set[tuple[type[models.Model], str]]:
    return {(model, name) for level in OWN for name in fields_of(model, level)}


def given(sections: Iterable[Section]) -> set[tuple[type[models.Model], str]]:
    return {(part.model, name) for part in sections for name in part.fields}


@pytest.mark.parametrize("model", own_models(), ids=lambda model: str(model.__name__))
def test_every_field_of_somebody_is_in_their_file_or_left_out_for_a_reason(
    model: type[models.Model],
) -> None:
    told = given([*RECORD, *ACCOUNT]) | set(LEFT_OUT)
    assert own_fields(model) - told == set()


def test_nothing_is_left_out_that_is_there_or_that_does_not_exist() -> None:
    everywhere = {field for model in own_models() for field in own_fields(model)}
    assert set(LEFT_OUT) - everywhere == set()
    # What one file leaves out because the other has it, both say.
    assert set(LEFT_OUT) & given(RECORD) == set()
    assert all(reason.strip() for reason in LEFT_OUT.values())


def test_no_secret_is_in_any_file() -> None:
    for part in (*RECORD, *ACCOUNT):
        assert not set(part.fields) & set(fields_of(part.model, Sensitivity.SECRET)), part.key


def test_a_new_field_would_be_noticed() -> None:
    """The guard above, with one field of one section taken away."""
    without = given(part for part in RECORD if part.key != "goals") | set(LEFT_OUT)
    goals = next(part.model for part in RECORD if part.key == "goals")
    assert own_fields(goals) - without
