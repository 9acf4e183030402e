"""Everything about oneself, as a file for programs or for paper.

Handed out through the disclosure door, which enters it in the access ledger as downloaded and
counts there how often: the file is the whole record, and whoever is signed in as somebody for a
minute should not carry it off again and again.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from reportlab.lib.units import mm
from reportlab.platypus import Spacer

from clients.models import Client, User
from handoff.core import audit, ledger
from handoff.core.actors import Actor
from handoff.core.audit import AuditEntry
from handoff.core.errors import NotAllowed, NotVisible
from referrals import disclosure, paper
from referrals.packets import Whole, WholePart
from referrals.permits import Permit, Standpoint
from referrals.rights import contents, reading
from referrals.rights.contents import Whose

FORMAT: Final = "handoff-everything-1"
A_DAY: Final = 5
VERB: Final = "account.exported"
PAPER_ROWS: Final = 300
"""The newest of each section on paper; all of them are in the other file."""


def of_record(*, actor: Actor, client_id: UUID, at: datetime | None = None) -> Whole:
    """All that is kept about a client, for themselves or a guardian; one access entry.

    Raises NotVisible for anybody else and NotAllowed after five in a day. A guardian gets the
    record without what belongs to the minor's account.
    """
    return disclosure.disclose_whole(
        actor=actor,
        client_id=client_id,
        most_a_day=A_DAY,
        read=lambda client, allowed, moment: _record(actor, client, allowed, moment),
        at=at,
    )


def of_account(*, actor: Actor, at: datetime | None = None) -> Whole:
    """What belongs to one's own account: details, work, licences, keys. Nothing of any client.

    Raises NotVisible for nobody and NotAllowed after five in a day; entered in the audit ledger.
    """
    user = User.objects.filter(pk=actor.user_id).first() if actor.user_id else None
    if user is None:
        raise NotVisible
    moment = at or timezone.now()
    whose = Whose((), user.pk, is_self=True)
    parts = tuple(reading.section(each, whose, user.time_zone) for each in contents.ACCOUNT)
    with transaction.atomic():
        ledger.lock(AuditEntry.CHAIN)
        recent = AuditEntry.objects.filter(
            object_type=User._meta.label_lower,
            object_id=str(user.pk),
            verb=VERB,
            at__gt=moment - timedelta(days=1),
        )
        if recent.count() >= A_DAY:
            raise NotAllowed(disclosure.TOO_OFTEN)
        audit.record(actor, VERB, user, at=at)
    return Whole(user.pk, user.name, "account", moment, user.time_zone, "en", parts)


def _record(actor: Actor, client: Client, allowed: Permit, at: datetime) -> Whole:
    if actor.user_id is None:  # pragma: no cover  # the door lets nobody in without an account
        raise NotVisible
    joined = Client.objects.filter(merged_into=client).values_list("pk", flat=True)
    is_self = allowed.standpoint is Standpoint.SELF
    whose = Whose((client.pk, *joined), actor.user_id, is_self)
    wanted = [each for each in contents.RECORD if is_self or not each.own_only]
    if is_self:
        wanted += contents.ACCOUNT
    zone = client.time_zone
    return Whole(
        subject_id=client.pk,
        name=client.name,
        standpoint=allowed.standpoint.value,
        as_of=at,
        zone=zone,
        language=client.language,
        parts=(
            *(reading.section(each, whose, zone) for each in wanted),
            reading.looks_at(client, actor, zone),
        ),
    )


def as_data(whole: Whole) -> dict[str, Any]:
    """The file for programs: one list of rows for each section, described in docs/rights.md."""
    return {
        "format": FORMAT,
        "subject": str(whole.subject_id),
        "name": whole.name,
        "taken_by": whole.standpoint,
        "as_of": paper.instant(whole.as_of),
        "sections": [
            {
                "section": part.key,
                "title": part.title,
                "rows": [{cell.name: cell.value for cell in row} for row in part.rows],
                "older_left_out": part.left_out,
            }
            for part in whole.parts
        ],
    }


def as_pdf(whole: Whole) -> bytes:
    """The same on paper, with times in the client's own zone; empty fields are left out."""
    title = paper.style("title", 18, paper.BOLD, leading=24, after=2)
    head = paper.style("head", 12, paper.BOLD, leading=16, before=12, after=3)
    text = paper.style("text", 9.5, paper.TEXT, leading=13, after=1)
    soft = paper.style("soft", 8, paper.TEXT, leading=11, colour=paper.SOFT)
    story: list[Any] = [
        paper.paragraph("Everything about you", title),
        paper.paragraph(f"{whole.name}, {paper.moment(whole.as_of, whole.zone)}", text),
        paper.paragraph(f"{FORMAT}, {whole.subject_id}", soft),
    ]
    for part in whole.parts:
        story.append(paper.paragraph(part.title, head))
        story += _rows(part, text, soft)
    return paper.print_out(story, title="Everything about you", language=whole.language)


def _rows(part: WholePart, text: Any, soft: Any) -> list[Any]:
    if not part.rows:
        return [paper.paragraph("Nothing is kept.", soft)]
    shown = part.rows[-PAPER_ROWS:]
    older = len(part.rows) - len(shown) + part.left_out
    story: list[Any] = []
    if older:
        story.append(paper.paragraph(f"{older} older ones are not on this paper.", soft))
    for row in shown:
        lines = [f"{cell.label}: {cell.shown}" for cell in row if cell.shown]
        story += [paper.paragraph(line, text) for line in lines]
        story.append(Spacer(1, 2 * mm))
    return story
