"""The one letter about reminders says nothing, whatever is on record."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest
from django.core.mail import EmailMultiAlternatives

from handoff.core import mail
from referrals import reminders
from tests.factories import NOON, UserFactory, certified_trainer, licensed_pt
from tests.mailserver import mail_server, text_of
from tests.referrals.reminder_scenes import DAY, HOUR, due_row, scene

pytestmark = pytest.mark.django_db  # whether the house is held stands in the database

# Words that would give away that this is about care, whose, or what.
TELLING = (
    *("physical", "therap", "rehab", "injur", "trainer", "training", "clinic", "gym", "patient"),
    *("health", "care", "medical", "doctor", "treatment", "discharge", "restriction", "consent"),
    *("referral", "session", "exercise", "pain", "score", "diagnos", "surgery", "insurance"),
    *("shoulder", "knee", "hip", "back ", "rotator", "cuff", "tear", "m75", "overhead"),
)
REFERENCE = UUID(int=7)


def letter(first_name: str = "Ana") -> mail.Letter:
    return mail.update_waiting(
        to="ana@example.org", first_name=first_name, path="/reminders/", reference=REFERENCE
    )


def test_the_letter_as_it_is() -> None:
    assert letter().text == (
        "Hello Ana,\n\n"
        "You have an update waiting. Sign in to see it.\n\n"
        "Sign in:\nhttp://localhost:8000/reminders/\n\n"
        "The link opens the sign-in page. It does not work without your account.\n\n"
        "For your privacy this message leaves out all details."
        " You get it because you have an account with us.\n"
        "Handoff\n"
    )
    assert letter("").text.startswith("Hello,\n")


def test_two_letters_differ_in_name_and_id_only() -> None:
    ana, other = letter(), letter("Bo")
    assert ana.text.replace("Ana", "Bo") == other.text
    assert ana.html.replace("Ana", "Bo") == other.html
    assert (ana.subject, ana.message_id) == (other.subject, other.message_id)


def test_the_same_reminder_always_has_the_same_id() -> None:
    assert letter().message_id == f"<{REFERENCE.hex}@localhost>"


@pytest.mark.parametrize("name", ["A\r\nBcc: x@example.org", "Ana\n\nOther text", "A" * 10_000])
def test_a_name_stays_a_name(name: str) -> None:
    text = letter(name).text
    assert text.splitlines()[0].startswith("Hello A")
    assert text.splitlines()[1] == ""
    assert len(text.splitlines()[0]) < 100


def test_a_name_is_not_markup() -> None:
    html = letter("<img src=x>").html
    assert "<img" not in html
    assert "&lt;img" in html


class _Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


def test_the_page_of_the_letter_loads_nothing_and_leads_to_the_list_only() -> None:
    seen = _Seen(letter().html)
    assert seen.links == ["http://localhost:8000/reminders/"]
    assert not seen.tags & {"img", "script", "link", "iframe", "form"}
    assert "url(" not in letter().html


@pytest.mark.django_db
def test_what_goes_out_names_the_product_and_nothing_else(
    mailoutbox: list[EmailMultiAlternatives], settings: Any
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Berg Physical Therapy Clinic <office@example.org>"
    row = due_row()
    reminders.sweep(at=NOON)
    (message,) = mailoutbox
    sent = message.message()
    assert str(sent["From"]) == "Handoff <office@example.org>"
    assert str(sent["To"]) == row.recipient.email
    assert str(sent["Subject"]) == "You have an update"
    assert str(sent["Auto-Submitted"]) == "auto-generated"
    assert sent["List-Unsubscribe"] is None
    assert sent["Cc"] is None
    assert sent["Reply-To"] is None
    assert [part.get_content_type() for part in sent.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


@pytest.mark.django_db
def test_no_letter_of_a_whole_journey_tells_anything(
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    UserFactory.create(is_staff=True, first_name="Clerk", last_name="Stone")
    found = scene(
        pt=licensed_pt(user__first_name="Paula", user__last_name="Berg"),
        trainer=certified_trainer(user__first_name="Tom", user__last_name="Field"),
        client__first_name="Ana",
        client__last_name="Lopez-Ruiz",
    ).send()
    for at in (NOON, NOON + 2 * DAY):
        reminders.sweep(at=at)
    at = NOON + 3 * DAY
    found.grant(at).accept(at).schedule(at + 3 * DAY, at)
    for hours in range(0, 24 * 10, 6):
        reminders.sweep(at=at + hours * HOUR)
    found.revoke(at + 10 * DAY)
    for day in range(10, 90):
        reminders.sweep(at=at + day * DAY + 4 * HOUR)
    assert len(mailoutbox) > 15
    assert len({message.to[0] for message in mailoutbox}) >= 4
    names = {"ana", "paula", "tom", "clerk"}
    for message in mailoutbox:
        sent = message_from_bytes(message.message().as_bytes(), policy=policy.default)
        assert isinstance(sent, EmailMessage)
        text = text_of(sent).lower().replace(message.to[0].lower(), "")
        assert [word for word in TELLING if word in text] == []
        assert "lopez" not in text
        assert "berg" not in text
        assert "field" not in text
        greeting = text.partition("hello")[2].partition(",")[0].strip()
        assert {name for name in names if f" {name}" in text} <= {greeting}


# --- the post -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backend", "code"),
    [("BackendThatTimesOut", "timeout"), ("BackendWithABug", "unexpected")],
)
def test_failures_without_an_answer_are_worth_another_try(
    settings: Any, backend: str, code: str
) -> None:
    settings.EMAIL_BACKEND = f"tests.mailserver.{backend}"
    with mail.Post() as post, pytest.raises(mail.NotSent) as failure:
        _post(post)
    assert (failure.value.fate, failure.value.code) == (mail.Fate.LATER, code)
    assert "ana" not in str(failure.value)


def _post(post: mail.Post) -> None:
    post.open()
    post.send(letter())


def test_a_letter_to_nobody_is_not_tried_again(settings: Any) -> None:
    nobody = mail.update_waiting(to="", first_name="", path="/", reference=REFERENCE)
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        with mail.Post() as post, pytest.raises(mail.NotSent) as failure:
            post.send(nobody)
        assert server.letters == []
    assert (failure.value.fate, failure.value.code) == (mail.Fate.NEVER, "no_recipient")
