"""What professionals say of themselves: who may say it, and what is taken."""

from typing import Any

import pytest

from clients import listing
from clients.languages import LANGUAGES
from clients.models import Professional
from clients.specialties import SPECIALTIES
from handoff.core.audit import AuditEntry
from handoff.core.errors import Invalid, NotVisible
from tests.factories import (
    NOON,
    ProfessionalFactory,
    acting,
    certified_trainer,
    licensed_pt,
)

pytestmark = pytest.mark.django_db


def change(row: Professional, by: Professional | None = None, **values: Any) -> Professional:
    return listing.change(actor=acting(by or row), professional_id=row.pk, values=values, at=NOON)


def test_what_is_said_is_kept_and_what_is_not_said_stays() -> None:
    trainer = certified_trainer(in_directory=False)
    change(
        trainer,
        specialties=["running", "knee", "knee"],
        languages=["es", "en"],
        introduction="  I   run.\r\n\r\nA lot.  ",
        in_directory=True,
    )
    change(trainer, open_places=3)
    trainer.refresh_from_db()
    assert trainer.specialties == ["knee", "running"]
    assert trainer.languages == ["en", "es"]
    assert trainer.introduction == "I run.\n\nA lot."
    assert (trainer.in_directory, trainer.open_places) == (True, 3)
    change(trainer, open_places=None)
    trainer.refresh_from_db()
    assert trainer.open_places is None
    assert AuditEntry.objects.filter(verb="listing.changed").count() == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("specialties", ["knee", "dancing"]),
        ("specialties", list(SPECIALTIES)[:9]),
        ("languages", ["xx"]),
        ("languages", list(LANGUAGES)[:11]),
        ("introduction", "x" * 601),
        ("open_places", -1),
        ("open_places", 51),
        ("role", "pt"),
        ("practice", "elsewhere"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(field: str, value: Any) -> None:
    trainer = certified_trainer(introduction="Before.")
    with pytest.raises(Invalid) as refused:
        change(trainer, **{"in_directory": False, field: value})
    assert set(refused.value.errors) == {field}
    trainer.refresh_from_db()
    assert (trainer.introduction, trainer.in_directory) == ("Before.", True)


def test_nobody_speaks_for_somebody_else() -> None:
    trainer, other = certified_trainer(), licensed_pt()
    with pytest.raises(NotVisible):
        change(trainer, other, open_places=0)
    change(trainer, open_places=0)


def test_an_assistant_and_who_has_left_have_nothing_to_say() -> None:
    pta = ProfessionalFactory.create(role=Professional.Role.PTA)
    assert listing.own(acting(pta)) == []
    with pytest.raises(NotVisible):
        change(pta, open_places=1)
    trainer = certified_trainer()
    before = acting(trainer)
    Professional.objects.filter(pk=trainer.pk).update(left_at=NOON)
    with pytest.raises(NotVisible):
        listing.change(actor=before, professional_id=trainer.pk, values={"open_places": 1})


def test_who_leaves_in_that_moment_has_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = certified_trainer(left_at=NOON)
    monkeypatch.setattr(listing, "own_one", lambda *_: trainer)
    with pytest.raises(NotVisible):
        change(trainer, open_places=1)
