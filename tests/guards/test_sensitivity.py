"""Every stored field of ours says how sensitive it is."""

import pytest
from django.apps import apps
from django.db import models

from handoff.core.sensitivity import Sensitivity, classify, fields_of, unclassified

OURS = ("core", "clients", "referrals", "handoff")


def own_models() -> list[type[models.Model]]:
    return [model for label in OURS for model in apps.get_app_config(label).get_models()]


@pytest.mark.parametrize("model", own_models(), ids=lambda model: str(model.__name__))
def test_every_field_is_classified(model: type[models.Model]) -> None:
    assert unclassified(model) == []


def test_there_is_something_to_classify() -> None:
    assert len(own_models()) > 25
    assert any(fields_of(model, Sensitivity.CLINICAL) for model in own_models())


def test_the_guard_can_fail() -> None:
    class Forgotten(models.Model):
        text = models.TextField()

        class Meta:
            app_label = "tests"
            managed = False

        def __str__(self) -> str:
            return ""

    assert unclassified(Forgotten) == ["id", "text"]
    with pytest.raises(ValueError, match="twice"):
        classify(Forgotten, public=("id",), clinical=("id",))
    with pytest.raises(ValueError, match="no field"):
        classify(Forgotten, public=("nothing",))
