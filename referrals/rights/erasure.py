"""Erasing what is kept about a client, as far as the law lets us, and saying so beforehand.

A client asks; for some days they can call it off. Then everything goes that may go: the account,
addresses, questions and answers between professionals, whatever nobody signed. All sharing ends in
the same transaction. The record of treatment is kept until the last day the law asks for, by those
who treated the client and for nobody else; the nightly task erases it the day after.

Rows that are otherwise kept as they were written are deleted by one function of the database
(`handoff_erase`), which looks at the request, the days of grace and the hold by itself.

The revocation journal hears of each step before it is taken. A backup that is restored knows the
client again; `again` erases them once more before anybody can look.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import structlog
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from clients import access as people
from clients import consent as consents
from clients import guardians
from clients.models import (
    AccessEntry,
    Client,
    ClientIdentifier,
    Consent,
    ConsentEvent,
    Credential,
    Erasure,
    Guardianship,
    Invitation,
    KnownBrowser,
    Professional,
    User,
)
from handoff.core import audit, hold, journal, subjects
from handoff.core.actors import SYSTEM, Actor
from handoff.core.errors import Stale
from handoff.core.files import storing
from handoff.core.files.storing import StoredFile
from handoff.core.idempotency import IdempotentRequest
from handoff.core.tokens import ApiToken
from referrals import reminders
from referrals.models import (
    Acknowledgement,
    Addendum,
    Coverage,
    DischargeNote,
    Episode,
    Gate,
    Goal,
    Letter,
    LoopReport,
    Measurement,
    Package,
    ReferOutFacts,
    Referral,
    ReferralEvent,
    ReferralMessage,
    Reminder,
    Restriction,
    RestrictionVersion,
    Screening,
    Wish,
)

log = structlog.get_logger(__name__)

GRACE: Final = timedelta(days=7)
ERASED: Final = "Erased"
BORN: Final = date(1900, 1, 1)
"""What stands where a name and a date of birth were: the columns cannot be empty."""
BATCH: Final = 50
TOLD_ERASED: Final = "erasure.done"
TOLD_FINISHED: Final = "erasure.finished"
TOLD_CANCELLED: Final = "erasure.cancelled"
KINDS: Final = (TOLD_ERASED, TOLD_FINISHED, TOLD_CANCELLED)
"""The lines of the revocation journal that `again` can bring about."""


class Fate(StrEnum):
    """What becomes of rows."""

    GOES = "goes"
    """Erased once the days of grace are over."""
    HELD = "held"
    """Kept by those who treated the client until the last day the law asks for, then erased."""
    NAMELESS = "nameless"
    """The row stays and names nobody any more."""
    KEPT = "kept"
    """Kept as proof of what was allowed and seen: numbers, times and ids, no content."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What becomes of the rows of one table, or of some of them."""

    what: str
    model: type[Model]
    rows: Callable[["Subject"], Q]
    fate: Fate


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose rows."""

    client_ids: tuple[UUID, ...]
    user_id: UUID | None
    account_goes: bool
    """False for somebody who also works here, acts for another or administers."""


def _of_account(field: str) -> Callable[[Subject], Q]:
    def rows(subject: Subject) -> Q:
        if subject.user_id is None or not subject.account_goes:
            return Q(pk__in=())
        return Q(**{field: subject.user_id})

    return rows


def _of_client(path: str) -> Callable[[Subject], Q]:
    return lambda subject: Q(**{f"{path}__in": subject.client_ids})


_NOTE, _LIMIT = "note__episode__client", "restriction__episode__client"

FATES: Final[tuple[Kept, ...]] = (
    Kept("account", User, _of_account("pk"), Fate.NAMELESS),
    Kept("e-mail addresses", EmailAddress, _of_account("user"), Fate.GOES),
    Kept("second steps when signing in", Authenticator, _of_account("user"), Fate.GOES),
    Kept("devices", UserSession, _of_account("user"), Fate.GOES),
    Kept("browsers", KnownBrowser, _of_account("user"), Fate.GOES),
    Kept("keys to the API", ApiToken, _of_account("user"), Fate.GOES),
    Kept("repeated requests", IdempotentRequest, _of_account("user"), Fate.GOES),
    Kept("name and contact details", Client, _of_client("pk"), Fate.NAMELESS),
    Kept("numbers of other systems", ClientIdentifier, _of_client("client"), Fate.HELD),
    Kept("invitations", Invitation, _of_client("client"), Fate.GOES),
    Kept("who could act for you", Guardianship, _of_client("client"), Fate.KEPT),
    Kept("whom you would like", Wish, _of_client("client"), Fate.GOES),
    Kept("results of who comes first", Screening, _of_client("client"), Fate.GOES),
    Kept("questions and answers", ReferralMessage, _of_client("referral__client"), Fate.GOES),
    Kept(
        "unsigned closing notes",
        DischargeNote,
        lambda subject: Q(episode__client__in=subject.client_ids, signed_at=None),
        Fate.GOES,
    ),
    Kept(
        "unsigned limits",
        RestrictionVersion,
        lambda subject: Q(restriction__episode__client__in=subject.client_ids, signed_at=None),
        Fate.GOES,
    ),
    Kept("therapies", Episode, _of_client("client"), Fate.HELD),
    Kept("who paid for therapies", Coverage, _of_client("client"), Fate.HELD),
    Kept("sessions you noted", Package, _of_client("client"), Fate.GOES),
    Kept("letters from doctors", Letter, _of_client("client"), Fate.HELD),
    Kept("files of your account", StoredFile, _of_account("owner"), Fate.HELD),
    Kept("what to reach", Gate, _of_client("client"), Fate.HELD),
    Kept("test results", Measurement, _of_client("episode__client"), Fate.HELD),
    Kept(
        "signed closing notes",
        DischargeNote,
        lambda subject: Q(episode__client__in=subject.client_ids, signed_at__isnull=False),
        Fate.HELD,
    ),
    Kept(
        "goals",
        Goal,
        lambda subject: Q(
            note__episode__client__in=subject.client_ids, note__signed_at__isnull=False
        ),
        Fate.HELD,
    ),
    Kept("additions to closing notes", Addendum, _of_client(_NOTE), Fate.HELD),
    Kept(
        "limits",
        Restriction,
        lambda subject: Q(
            episode__client__in=subject.client_ids,
            pk__in=RestrictionVersion.objects.filter(signed_at__isnull=False).values("restriction"),
        ),
        Fate.HELD,
    ),
    Kept(
        "what each limit said",
        RestrictionVersion,
        lambda subject: Q(
            restriction__episode__client__in=subject.client_ids, signed_at__isnull=False
        ),
        Fate.HELD,
    ),
    Kept("limits confirmed", Acknowledgement, _of_client(f"version__{_LIMIT}"), Fate.HELD),
    Kept("handoffs", Referral, _of_client("client"), Fate.HELD),
    Kept("steps of handoffs", ReferralEvent, _of_client("referral__client"), Fate.HELD),
    Kept("reports on handoffs", LoopReport, _of_client("referral__client"), Fate.HELD),
    Kept("what trainers saw", ReferOutFacts, _of_client("client"), Fate.HELD),
    Kept(
        "reminders",
        Reminder,
        lambda subject: (
            Q(referral__client__in=subject.client_ids)
            | Q(consent__client__in=subject.client_ids)
            | Q(episode__client__in=subject.client_ids)
            | Q(restriction__episode__client__in=subject.client_ids)
        ),
        Fate.HELD,
    ),
    Kept("questions about sharing", Consent, _of_client("client"), Fate.KEPT),
    Kept("what was agreed to", ConsentEvent, _of_client("consent__client"), Fate.KEPT),
    Kept("who looked", AccessEntry, _of_client("client"), Fate.KEPT),
    Kept("requests to erase", Erasure, _of_client("client"), Fate.KEPT),
)
"""Every table that names a client, or an account that goes. A test finds those that are missing."""


@dataclass(frozen=True, slots=True)
class Line:
    """So many rows, and what becomes of them."""

    what: str
    table: str
    count: int
    fate: Fate


@dataclass(frozen=True, slots=True)
class Outlook:
    """What erasing would do, without doing it."""

    lines: tuple[Line, ...]
    held_until: date | None
    """None where there is no record of treatment, and so nothing to keep."""
    holders: tuple[str, ...]
    """Who keeps the record: the practices that treated the client."""
    account_goes: bool


# --- asking -----------------------------------------------------------------------------------


def outlook(client: Client) -> Outlook:
    """What would be erased, kept and made nameless. Writes nothing.

    Whoever shows it has checked that it may be.
    """
    subject = _subject(client)
    with subjects.among(subject.client_ids):
        treated = Episode.objects.filter(client=client).select_related("pt__practice")
        holders = tuple(dict.fromkeys(each.pt.practice.name for each in treated))
        lines = tuple(
            Line(kept.what, kept.model._meta.db_table, _rows(kept, subject).count(), kept.fate)
            for kept in FATES
        )
    return Outlook(
        lines=lines,
        held_until=held_until(client),
        holders=holders,
        account_goes=subject.account_goes and subject.user_id is not None,
    )


def asked(client: Client) -> Erasure | None:
    """The request that stands for this client, done or not."""
    return Erasure.objects.filter(client=client, cancelled_at=None).first()


def all_asked(clients: Iterable[Client]) -> dict[UUID, Erasure]:
    """Client -> the request that stands, for those who have one. One query."""
    found = Erasure.objects.filter(client__in=list(clients), cancelled_at=None)
    return {row.client_id: row for row in found}


def ask(*, actor: Actor, client_id: UUID, at: datetime | None = None) -> Erasure:
    """Ask for everything to be erased. For the client, or a minor's guardian.

    Raises NotVisible, NotAllowed for a minor themselves, Stale when it was asked already.
    """
    at = at or timezone.now()
    with transaction.atomic():
        client = _own(actor, client_id, at)
        guardians.signer_for(actor, client, at)
        return _ask(actor, client, at)


def ask_on_paper(*, client_id: UUID, at: datetime | None = None) -> Erasure:
    """The same for somebody who asked outside the product; for the command line."""
    at = at or timezone.now()
    with transaction.atomic():
        client = Client.objects.select_for_update(no_key=True).get(pk=client_id)
        return _ask(SYSTEM, client, at)


def cancel(*, actor: Actor, client_id: UUID, at: datetime | None = None) -> Erasure:
    """Call it off. The client may always, also a minor; a guardian for them.

    Raises NotVisible, and Stale when nothing was asked or it is done.
    """
    at = at or timezone.now()
    with transaction.atomic():
        client = _own(actor, client_id, at)
        request = Erasure.objects.select_for_update().filter(client=client, cancelled_at=None)
        row = request.first()
        if row is None or row.done_at is not None:
            raise Stale
        _tell(TOLD_CANCELLED, row, at)
        _cancel(actor, row, client, at)
    return row


def _cancel(actor: Actor, row: Erasure, client: Client, at: datetime) -> None:
    row.cancelled_at = at
    row.save(update_fields=["cancelled_at"])
    audit.record(actor, "erasure.cancelled", client, at=at, facts={"erasure": str(row.pk)})


def held_until(client: Client) -> date | None:
    """The last day the record must be kept by the law of the states concerned; None without any."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT handoff_held_until(%s)", [client.pk])
        found: date | None = cursor.fetchone()[0]
    return found


# --- doing ------------------------------------------------------------------------------------


def erase(*, client_id: UUID, at: datetime | None = None) -> Erasure:
    """Erase what may go, end all sharing, and put the record out of everybody's reach but the
    holder's; where nothing has to be kept, all of it. The clock of the database decides whether
    the days of grace are over.

    Doing it again changes nothing. Raises Stale without a request that can be done.
    """
    return _erase(client_id, at or timezone.now())


def _erase(client_id: UUID, at: datetime, *, is_told: bool = False) -> Erasure:
    """`is_told`: the journal has it already."""
    with subjects.of(client_id), transaction.atomic():
        request = _locked(client_id)
        if request.done_at is not None:
            return request
        if request.due_at > at:
            raise Stale("The days in which it can be called off are not over.")
        client = Client.objects.select_for_update(no_key=True).get(pk=client_id)
        subject = _subject(client)
        # Before anything goes: a hold is a matter of what is there now.
        request.held_until = held_until(client)
        if not is_told:
            _tell(TOLD_ERASED, request, at, joined=subject.client_ids[1:])
        consents.end_for_erased(actor=SYSTEM, client=client, at=at)
        if subject.user_id is not None and subject.account_goes:
            _close_account(request, subject.user_id)
        client.erased_at = at
        client.user = None
        client.email = client.phone = ""
        client.save(update_fields=["erased_at", "user", "email", "phone"])
        reminders.client_erased(client.pk, at=at)
        gone = _delete(request, finish=False)
        Invitation.objects.filter(client__in=subject.client_ids).delete()
        Package.objects.filter(client=client).delete()
        Wish.objects.filter(client=client).delete()  # joined records keep none of their own
        Screening.objects.filter(client=client).delete()
        Client.objects.filter(merged_into=client).update(
            **_nobody(), email="", phone="", erased_at=at
        )
        Guardianship.objects.filter(client=client, ended_at=None).update(ended_at=at)
        request.done_at = at
        request.save(update_fields=["held_until", "done_at"])
        facts: dict[str, str | int | None] = {
            "erasure": str(request.pk),
            "held_until": request.held_until.isoformat() if request.held_until else None,
        }
        audit.record(SYSTEM, "client.erased", client, at=at, facts=facts | gone)
    if request.held_until is None:
        return _finish(client_id, at, is_told=is_told)
    return request


def finish(*, client_id: UUID, at: datetime | None = None) -> Erasure:
    """Erase what was held, once the database says that the hold is over.

    Doing it again changes nothing. Raises Stale while it must be kept, or nothing was erased.
    """
    return _finish(client_id, at or timezone.now())


def _finish(client_id: UUID, at: datetime, *, is_told: bool = False) -> Erasure:
    with subjects.of(client_id), transaction.atomic():
        request = _locked(client_id)
        if request.finished_at is not None:
            return request
        client = Client.objects.select_for_update(no_key=True).get(pk=client_id)
        if request.done_at is None or not _is_over(request, client, at):
            raise Stale("The record must still be kept.")
        if not is_told:
            _tell(TOLD_FINISHED, request, at, joined=_subject(client).client_ids[1:])
        Coverage.objects.filter(client=client).delete()
        gone = _delete(request, finish=True)
        _destroy_letters(client, at)
        ClientIdentifier.objects.filter(client=client).delete()
        Client.objects.filter(pk=client.pk).update(**_nobody(), created_by=None)
        request.finished_at = at
        request.save(update_fields=["finished_at"])
        facts: dict[str, str | int | None] = {"erasure": str(request.pk)}
        audit.record(SYSTEM, "client.erasure_finished", client, at=at, facts=facts | gone)
    return request


def _destroy_letters(client: Client, at: datetime) -> None:
    """The key goes with the letter, and without it the bytes in old backups open no more."""
    letters = Letter.objects.filter(client=client)
    files = list(letters.values_list("file_id", flat=True))
    letters.delete()
    for file_id in files:
        storing.erase(file_id, at=at)
    StoredFile.objects.filter(pk__in=files).delete()


def erase_due(*, at: datetime | None = None, limit: int = BATCH) -> int:
    """Do what is due: requests whose days of grace are over, and holds that have ended; how many.

    Each in its own transaction, so one that fails holds up no other. Safe to run twice at once.
    None while the house is held: a restored one does not know yet what was called off since.
    """
    if hold.is_held():
        return 0
    moment = at or timezone.now()
    open_ones = Erasure.objects.filter(cancelled_at=None, finished_at=None, due_at__lte=moment)
    waiting = open_ones.filter(
        Q(done_at=None) | Q(held_until=None) | Q(held_until__lt=moment.date())
    )
    done = 0
    for client_id, erased in list(
        waiting.order_by("due_at", "id").values_list("client_id", "done_at")[:limit]
    ):
        try:
            if erased is None:
                erase(client_id=client_id, at=at)
            else:
                finish(client_id=client_id, at=at)
            done += 1
        except Stale:
            continue  # the record grew, or somebody was quicker
        except Exception:
            log.exception("erasure.failed", client=str(client_id))
    return done


# --- doing it once more -----------------------------------------------------------------------


def again(facts: Mapping[str, Any], kind: str, *, at: datetime) -> str:
    """Bring about once more what the journal tells; answers what was done. In a transaction.

    Raises Stale where that cannot be done. A client who called it off stays, whatever the journal
    tells before that: a line may stand there for a night that failed.
    """
    client = Client.objects.filter(pk=facts["client"]).first()
    row = Erasure.objects.select_for_update().filter(pk=facts["erasure"]).first()
    if client is None:
        return "unknown here"
    if kind == TOLD_CANCELLED:
        if row is None:
            return "unknown here"
        if row.cancelled_at is not None or row.done_at is not None:
            return "erased already" if row.done_at is not None else "called off already"
        _cancel(SYSTEM, row, client, at)
        return "called off"
    if (row is not None and row.cancelled_at is not None) or _is_called_off(facts["erasure"]):
        return "called off"
    done = _erase_again(client, facts, at)
    for draft in Client.objects.filter(pk__in=facts["joined"], merged_into=None):
        # Joined with this client since the backup; here it is a record of its own once more.
        _erase_again(draft, facts, at)
    return _finish_again(client, at) if kind == TOLD_FINISHED else done


def _erase_again(client: Client, facts: Mapping[str, Any], at: datetime) -> str:
    standing = asked(client)
    if standing is None:
        _ask_again(client, facts)
    elif standing.done_at is not None:
        return "erased already"
    _erase(client.pk, at, is_told=True)
    return "erased"


def _ask_again(client: Client, facts: Mapping[str, Any]) -> None:
    """The request as it stood, which this database never saw. Where the person it came from is not
    here either, nobody is named."""
    row = Erasure(
        client=client,
        asked_by=User.objects.filter(pk=facts["asked_by"]).first(),
        asked_at=datetime.fromisoformat(facts["asked_at"]),
        due_at=datetime.fromisoformat(facts["due_at"]),
    )
    if str(client.pk) == facts["client"]:
        row.pk = UUID(facts["erasure"])
    row.save(force_insert=True)


def _finish_again(client: Client, at: datetime) -> str:
    """Where this database asks for a longer hold, the night after it does the rest."""
    request = asked(client)
    if request is not None and request.finished_at is not None:
        return "erased already"
    try:
        with transaction.atomic():
            _finish(client.pk, at, is_told=True)
    except Stale:
        return "still held"
    return "erased"


def _is_called_off(erasure_id: str) -> bool:
    return any(
        line.body.get("kind") == TOLD_CANCELLED and line.body["facts"]["erasure"] == erasure_id
        for line in journal.file().lines()
    )


def _tell(kind: str, request: Erasure, at: datetime, *, joined: Iterable[UUID] = ()) -> None:
    """Note outside the database what is about to happen. Ids and moments, nothing of the record."""
    facts = {
        "client": str(request.client_id),
        "erasure": str(request.pk),
        "asked_by": str(request.asked_by_id) if request.asked_by_id else None,
        "asked_at": request.asked_at.isoformat(),
        "due_at": request.due_at.isoformat(),
        "joined": [str(pk) for pk in joined],
    }
    journal.write(kind, facts, at=at)


# --- parts ------------------------------------------------------------------------------------


def _own(actor: Actor, client_id: UUID, at: datetime) -> Client:
    found = people.own_client(actor, client_id, at)
    return Client.objects.select_for_update(no_key=True).get(pk=found.pk)


def _ask(actor: Actor, client: Client, at: datetime) -> Erasure:
    if asked(client) is not None:
        raise Stale("It was asked for already.")
    row = Erasure.objects.create(
        client=client, asked_by_id=actor.user_id, asked_at=at, due_at=at + GRACE
    )
    audit.record(actor, "erasure.asked", client, at=at, facts={"erasure": str(row.pk)})
    return row


def _locked(client_id: UUID) -> Erasure:
    rows = Erasure.objects.select_for_update().filter(client=client_id, cancelled_at=None)
    row = rows.first()
    if row is None:
        raise Stale("Nobody asked for this to be erased.")
    return row


def _is_over(request: Erasure, client: Client, at: datetime) -> bool:
    """The record may have grown since, or a period become longer."""
    ends = [day for day in (request.held_until, held_until(client)) if day is not None]
    return all(at.astimezone(UTC).date() > day for day in ends)


def _delete(request: Erasure, *, finish: bool) -> dict[str, str | int | None]:
    """Table -> how many rows the database's own function deleted."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, value::bigint FROM jsonb_each_text(handoff_erase(%s, %s))",
            [request.pk, finish],
        )
        return {str(table): int(count) for table, count in cursor.fetchall() if count}


def _subject(client: Client) -> Subject:
    joined = Client.objects.filter(merged_into=client).values_list("pk", flat=True)
    user = client.user
    goes = user is not None and not (
        user.is_staff
        or user.is_superuser
        or Professional.objects.filter(user=user).exists()
        or Credential.objects.filter(user=user).exists()
        or Guardianship.objects.filter(user=user).exists()
    )
    return Subject((client.pk, *joined), client.user_id, goes)


def _rows(kept: Kept, subject: Subject) -> QuerySet[Any]:
    return kept.model._default_manager.filter(kept.rows(subject))


def _nobody() -> dict[str, Any]:
    return {"first_name": ERASED, "last_name": "", "birth_date": BORN}


def _close_account(request: Erasure, user_id: UUID) -> None:
    """The row stays, because ledgers name its id; it opens nothing and names nobody."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT handoff_close_account(%s)", [request.pk])
    sessions = UserSession.objects.filter(user=user_id)
    Session.objects.filter(session_key__in=sessions.values("session_key")).delete()
    for model in (UserSession, KnownBrowser, ApiToken, IdempotentRequest):
        model._default_manager.filter(user=user_id).delete()
    user = User.objects.select_for_update(no_key=True).get(pk=user_id)
    user.email = f"{user.pk}@erased.invalid"
    user.first_name, user.last_name = ERASED, ""
    user.is_active = False
    user.last_login = None
    user.set_unusable_password()
    user.save()
