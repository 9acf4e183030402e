"""Ways to break what the policy modules refuse. Each one must make a test fail.

A change is one piece of text of one module, which must stand there exactly once, and what takes
its place. `make mutants` applies them one at a time; tests/guards/test_mutants.py keeps them from
going stale.
"""

from typing import NamedTuple


class Change(NamedTuple):
    """One way to break a module: what would go wrong, where, and how."""

    wrong: str
    before: str
    after: str


class Module(NamedTuple):
    """The changes to one file, and the tests that have to notice."""

    path: str
    tests: tuple[str, ...]
    changes: tuple[Change, ...]


ASSURANCE = Module(
    "clients/assurance.py",
    ("tests/clients/test_assurance.py",),
    (
        Change(
            "administrators need no second factor",
            "PROFESSIONAL_ROLES | {Role.ADMIN}",
            "PROFESSIONAL_ROLES",
        ),
        Change(
            "professionals need no second factor",
            "PROFESSIONAL_ROLES | {Role.ADMIN}",
            "frozenset({Role.ADMIN})",
        ),
        Change(
            "anything shown is a second factor",
            "bool(SECOND_FACTORS.intersection(factors))",
            "bool(factors)",
        ),
        Change(
            "nobody is asked",
            "    return demo or not is_demanded(roles)",
            "    return True or not is_demanded(roles)",
        ),
        Change(
            "an older session adds a factor of its own",
            "            return Way.PROVE if account_has_factor else Way.OPEN\n",
            "            return Way.OPEN\n",
        ),
        Change(
            "clients are open without it",
            "            return Way.PROVE if account_has_factor else Way.ENROL\n",
            "            return Way.OPEN\n",
        ),
        Change(
            "who has a factor sets up another instead of showing it",
            "            return Way.PROVE if account_has_factor else Way.ENROL\n",
            "            return Way.ENROL\n",
        ),
        Change(
            "one's own account is as open as the start page",
            "        case Place.PUBLIC | Place.WAY_OUT:\n",
            "        case Place.PUBLIC | Place.WAY_OUT | Place.OWN_ACCOUNT:\n",
        ),
    ),
)

SESSION_LIMITS = Module(
    "clients/session_limits.py",
    ("tests/clients/test_session_limits.py",),
    (
        Change(
            "a session outlives its last hour by an instant",
            "if at - began >= limits.absolute:",
            "if at - began > limits.absolute:",
        ),
        Change("a session never grows old", "if at - began >= limits.absolute:", "if False:"),
        Change(
            "idle is one instant late",
            "if at - used >= limits.idle:",
            "if at - used > limits.idle:",
        ),
        Change("nobody is signed out", "if at - used >= limits.idle:", "if False:"),
        Change(
            "professionals stay signed in like clients",
            "    return STRICT if assurance.is_demanded(roles) else OWN_RECORD",
            "    return OWN_RECORD",
        ),
    ),
)

ATTEMPTS = Module(
    "handoff/core/attempts.py",
    ("tests/core/test_attempts.py",),
    (
        Change(
            "one try too many",
            "if len(row.moments) >= rate.most:",
            "if len(row.moments) > rate.most:",
        ),
        Change(
            "an old try counts for an instant longer",
            "if moment > at - rate.within]",
            "if moment >= at - rate.within]",
        ),
        Change(
            "signing in goes on when nothing can be counted",
            "        if name not in OPEN_WHEN_UNCOUNTED:\n            raise\n",
            "",
        ),
        Change(
            "all count as one",
            "salted_hmac('handoff.attempts', who, algorithm='sha256')",
            "salted_hmac('handoff.attempts', '', algorithm='sha256')",
        ),
        Change(
            "each of a household's addresses has tries of its own",
            "ipaddress.ip_network((known, 64), strict=False).network_address",
            "known",
        ),
    ),
)

SIGN_IN = Module(
    "clients/middleware.py",
    ("tests/pages/test_second_factor.py", "tests/pages/test_sign_in_limits.py"),
    (
        Change(
            "what nobody thought of is one's own account",
            "    return Place.REST\n",
            "    return Place.OWN_ACCOUNT\n",
        ),
        Change(
            "what the page asks by itself keeps it open",
            "is_use=BACKGROUND not in request.headers,",
            "is_use=True,",
        ),
        Change(
            "a session that is over goes on",
            "            if why is not None:\n",
            "            if False:\n",
        ),
    ),
)

CONFIRMING = Module(
    "handoff/web/confirming.py",
    ("tests/pages/test_confirming.py",),
    (
        Change(
            "a proof lasts an instant longer",
            "timezone.now() - proved < FRESH",
            "timezone.now() - proved <= FRESH",
        ),
        Change(
            "a proof from the future is taken",
            "timedelta() <= timezone.now() - proved < FRESH",
            "timezone.now() - proved < FRESH",
        ),
        Change("any password does", "    if not right:\n        raise Unconfirmed(_WRONG)\n", ""),
    ),
)

CONSENT = Module(
    "clients/consent.py",
    (
        "tests/referrals/test_refer_out.py",
        "tests/clients/test_consent.py",
        "tests/clients/test_consent_in_time.py",
        "tests/referrals/test_disclosure.py",
    ),
    (
        Change(
            "a trainer shares what a therapist wrote",
            "    if tells and not classes <= {Scope.TRAINING_FEEDBACK}:\n",
            "    if False:\n",
        ),
        Change(
            "renewing can make it end earlier",
            "if now.expires_at is None or expires_at <= now.expires_at:",
            "if now.expires_at is None:",
        ),
        Change(
            "an old yes goes on under new words",
            "if consent.notice_version != _words_of_now(consent.discloser):",
            "if consent.notice_version is None:",
        ),
        Change(
            "renewing brings back what was asked for",
            "            now.classes,\n            valid_from=at,",
            "            frozenset(Scope(each) for each in consent.classes_asked),\n"
            "            valid_from=at,",
        ),
        Change(
            "what is over is renewed",
            "now = _require(consent, at, ConsentState.ACTIVE)\n        if now.expires_at is None",
            "now = standing(consent, at)\n        if now.expires_at is None",
        ),
        Change(
            "an objection to an open question shares",
            "    Kind.OBJECTED: ConsentState.REQUESTED,",
            "    Kind.OBJECTED: ConsentState.ACTIVE,",
        ),
        Change(
            "a guardian objects in the minor's name",
            "if signer.guardianship is not None or not guardians.is_minor(consent.client, at):",
            "if not guardians.is_minor(consent.client, at):",
        ),
        Change(
            "an adult's no is written down as an objection",
            "if signer.guardianship is not None or not guardians.is_minor(consent.client, at):",
            "if signer.guardianship is not None:",
        ),
        Change(
            "sharing goes on over an objection",
            "        if not is_open:\n            _sign(consent, Kind.REVOKED",
            "        if is_open:\n            _sign(consent, Kind.REVOKED",
        ),
        Change(
            "the end of training ends what was agreed until a day",
            "if each.until_training_ends and each.state in _REPLACEABLE",
            "if each.state in _REPLACEABLE",
        ),
        Change(
            "the end of training reaches another pair",
            "        found = _between(client_id, discloser_id, recipient_id, at)\n"
            "        return [each",
            "        found = standings(Consent.objects.filter(client_id=client_id), at).values()\n"
            "        return [each",
        ),
        Change(
            "narrowing forgets that it ends with the training",
            "            until_training_ends=now.until_training_ends,\n"
            "        )\n    return consent\n\n\ndef revoke(",
            "        )\n    return consent\n\n\ndef revoke(",
        ),
        Change(
            "a guardian's old agreement is left as it was at majority",
            "asked | agreed & Q(expires_at__gt=at),",
            "asked,",
        ),
        Change(
            "what a guardian's agreement was is asked again after it ended",
            "asked | agreed & Q(expires_at__gt=at),",
            "asked | agreed,",
        ),
        Change(
            "minors are asked as if they were of age",
            "        and not guardians.is_minor(each.consent.client, at)\n    ]",
            "    ]",
        ),
        Change(
            "an event nobody knows shares",
            "return _UNSHARED.get(facts.kind, ConsentState.SUSPENDED), NOTHING",
            "return _UNSHARED.get(facts.kind, ConsentState.SUSPENDED), facts.classes",
        ),
        Change(
            "expiry is one instant late",
            "facts.expires_at is None or at >= facts.expires_at",
            "facts.expires_at is None or at > facts.expires_at",
        ),
        Change(
            "no expiry means for ever",
            "facts.expires_at is None or at >= facts.expires_at",
            "facts.expires_at is not None and at >= facts.expires_at",
        ),
        Change(
            "sharing begins before it was agreed",
            "facts.valid_from is None or at < facts.valid_from",
            "facts.valid_from is None",
        ),
        Change(
            "a guardian's authority is not looked at",
            "if not facts.authority_stands or not facts.accounts_stand:",
            "if not facts.accounts_stand:",
        ),
        Change(
            "closed accounts go on reading",
            "if not facts.authority_stands or not facts.accounts_stand:",
            "if not facts.authority_stands:",
        ),
        Change(
            "an empty list of recipients means any",
            "if recipient_ids is not None:",
            "if recipient_ids:",
        ),
        Change(
            "an empty list of disclosers means any",
            "if discloser_ids is not None:",
            "if discloser_ids:",
        ),
        Change(
            "the oldest event rules, not the newest",
            '.order_by("consent_id", "-number")',
            '.order_by("consent_id", "number")',
        ),
        Change(
            "consents that are not active count as live",
            "(each for each in standings(consents, at).values() if each.is_active)",
            "(each for each in standings(consents, at).values())",
        ),
        Change(
            "somebody else's signature stands for the client's",
            "        and client.user_id == event.by_id\n",
            "",
        ),
        Change(
            "narrowing may widen",
            "if not remaining < now.classes:",
            "if not remaining:",
        ),
        Change(
            "narrowing to the same is taken",
            "if not remaining < now.classes:",
            "if not remaining <= now.classes:",
        ),
        Change(
            "what was declined can be agreed to later",
            "        _require(consent, at, ConsentState.REQUESTED)\n        for other",
            "        for other",
        ),
        Change(
            "the earlier consent goes on beside the new one",
            "if other.consent_id != consent.pk and other.state in _REPLACEABLE:",
            "if other.consent_id != consent.pk and other.state not in _REPLACEABLE:",
        ),
        Change(
            "a professional decides for the client",
            "if actor.user_id in sides and actor.user_id != consent.client.user_id:",
            "if False:",
        ),
        Change(
            "no part at all can be agreed to",
            "    if not chosen:\n",
            "    if chosen is None:\n",
        ),
        Change(
            "sharing ends a day late",
            "return datetime.combine(day + timedelta(days=1), time(0, 0), tzinfo=zone)",
            "return datetime.combine(day + timedelta(days=2), time(0, 0), tzinfo=zone)",
        ),
        Change(
            "sharing ends by the server's midnight",
            "time(0, 0), tzinfo=zone).astimezone(UTC)",
            "time(0, 0), tzinfo=UTC)",
        ),
        Change(
            "anybody lapses a question",
            "    if not actor.is_system:\n        raise NotAllowed\n",
            "",
        ),
    ),
)

GUARDIANS = Module(
    "clients/guardians.py",
    ("tests/clients/test_guardians.py",),
    (
        Change(
            "an unverified guardian decides",
            "guardianship.verified_at is not None\n        and ",
            "",
        ),
        Change(
            "a guardianship that has ended goes on",
            "(guardianship.ended_at is None or at < guardianship.ended_at)",
            "True",
        ),
        Change(
            "a guardian's closed account decides",
            "        and guardianship.user.is_active\n",
            "",
        ),
        Change(
            "a guardian decides for an adult",
            "        and is_minor(client, at)\n",
            "",
        ),
        Change(
            "majority is one instant late",
            "return at < majority_instant(",
            "return at <= majority_instant(",
        ),
        Change(
            "majority is the same age everywhere",
            "MAJORITY_AGE_BY_STATE.get(state, DEFAULT_MAJORITY_AGE)",
            "DEFAULT_MAJORITY_AGE",
        ),
        Change(
            "majority begins by the server's midnight",
            "tzinfo=ZoneInfo(zone)).astimezone(UTC)",
            "tzinfo=UTC)",
        ),
        Change(
            "a minor agrees for themselves",
            "        if is_minor(client, at):\n            raise NotAllowed",
            "        if False:\n            raise NotAllowed",
        ),
        Change(
            "a stranger signs",
            "    if guardianship is None:\n        raise NotVisible\n",
            "",
        ),
    ),
)

LICENSING = Module(
    "clients/licensing.py",
    ("tests/clients/test_licensing.py",),
    (
        Change(
            "assistants sign",
            "    if role != Professional.Role.PT:\n",
            "    if role == Professional.Role.TRAINER:\n",
        ),
        Change(
            "a licence counts in every state",
            "if held.kind in LICENCE_KINDS and held.state == state), None",
            "if held.kind in LICENCE_KINDS), None",
        ),
        Change(
            "a trainer without a certification accepts",
            "if Credential.Kind.TRAINER_CERTIFICATION not in kinds:",
            "if False:",
        ),
        Change(
            "a trainer without CPR/AED accepts",
            "if Credential.Kind.CPR_AED not in kinds:",
            "if False:",
        ),
        Change(
            "somebody who left accepts",
            "        if not professional.is_current:\n            against",
            "        if False:\n            against",
        ),
        Change(
            "somebody who left signs",
            "    if not professional.is_current:\n        missing",
            "    if False:\n        missing",
        ),
        Change(
            "credentials end by the server's day",
            "return at.astimezone(ZoneInfo(professional.practice.time_zone)).date()",
            "return at.date()",
        ),
    ),
)

PERMITS = Module(
    "referrals/permits.py",
    ("tests/referrals/test_permits.py",),
    (
        Change(
            "consent alone opens the record, before acceptance",
            "if grant.recipient_id in grounds.own_ids and pair in grounds.accepted_from:",
            "if grant.recipient_id in grounds.own_ids:",
        ),
        Change(
            "somebody else's consent opens the record",
            "if grant.recipient_id in grounds.own_ids and pair in grounds.accepted_from:",
            "if pair in grounds.accepted_from:",
        ),
        Change(
            "the other therapist's content is opened",
            "(scope, {grant.recipient_id if scope is back else grant.discloser_id})",
            "(scope, {grant.discloser_id if scope is back else grant.recipient_id})",
        ),
        Change(
            "one class opens all",
            "        for scope in grant.classes\n",
            "        for scope in Scope\n",
        ),
        Change(
            "a class without a source counts as covered",
            "return self.everything or bool(self.sources.get(scope))",
            "return self.everything or scope in Scope",
        ),
        Change(
            "feedback reaches a sender it is not shared with",
            "            Scope.TRAINING_FEEDBACK in grant.classes\n            and ",
            "            ",
        ),
        Change(
            "feedback reaches a therapist who did not send",
            "            and grant.discloser_id in grounds.treats_as\n",
            "",
        ),
        Change(
            "treating opens what training reported",
            "if scope is not Scope.TRAINING_FEEDBACK and grounds.treats_as:",
            "if grounds.treats_as:",
        ),
        Change(
            "a stranger counts as a recipient",
            "    elif received_as:\n",
            "    elif True:\n",
        ),
        Change(
            "an acceptance from one therapist opens another's content",
            "if grant.recipient_id in grounds.own_ids and pair in grounds.accepted_from:",
            "if grant.recipient_id in grounds.own_ids and grounds.accepted_from:",
        ),
        Change(
            "somebody else's acceptance makes a recipient",
            "grounds.own_ids & {recipient for _, recipient in grounds.accepted_from}",
            "frozenset(recipient for _, recipient in grounds.accepted_from)",
        ),
        Change(
            "any professional reads everything",
            "if grounds.is_self or grounds.is_guardian:",
            "if grounds.is_self or grounds.is_guardian or grounds.own_ids:",
        ),
        Change(
            "feedback flows before anybody accepted",
            "            and grant.discloser_id in grounds.treats_as\n"
            "            and pair in grounds.accepted_from\n",
            "            and grant.discloser_id in grounds.treats_as\n",
        ),
        Change(
            "a trainer shows a therapist what others wrote",
            "    if grant.reported_by_discloser:\n",
            "    if False:\n",
        ),
        Change(
            "what a trainer tells is told without being named",
            "if back in grant.classes else []",
            "if True else []",
        ),
        Change(
            "what a trainer tells one therapist flows on to another",
            "            and not grant.reported_by_discloser\n",
            "",
        ),
        Change(
            "a therapist's own reports reach whoever shares with a trainer",
            "if (grant.recipient_id, grant.discloser_id) in grounds.accepted_from:",
            "if True:",
        ),
        Change(
            "an entry does not name the consent it rests on",
            "update(source)\n                consents.add(grant.consent_id)\n",
            "update(source)\n",
        ),
    ),
)

ACCESS = Module(
    "referrals/access.py",
    ("tests/referrals/test_disclosure.py", "tests/referrals/test_lifecycle.py"),
    (
        Change(
            "an assistant stands on every practice's side",
            "                practice_id__in=practices, role=",
            "                role=",
        ),
        Change(
            "a colleague's episodes are visible",
            "return Episode.objects.filter(pt_id__in=treating_ids(actor))",
            "return Episode.objects.all()",
        ),
        Change(
            "referrals of any state open the record",
            "Referral.objects.filter(client=client, state__in=list(RECIPIENT_MAY_READ))",
            "Referral.objects.filter(client=client)",
        ),
        Change(
            "a recipient sees what was never sent",
            "Q(recipient_id__in=actor.professional_ids, sent_at__isnull=False)",
            "Q(recipient_id__in=actor.professional_ids)",
        ),
        Change(
            "a recipient sees what was entered in error",
            "        & ~Q(state__in=HIDDEN_FROM_RECIPIENT)\n",
            "",
        ),
        Change(
            "a client sees drafts",
            "Q(client_id__in=own) & ~Q(state__in=HIDDEN_FROM_CLIENT)",
            "Q(client_id__in=own)",
        ),
        Change(
            "a client who is a stranger's is found",
            "if client is None or permit_for(actor, client, at or timezone.now()).is_empty:",
            "if client is None:",
        ),
        Change(
            "the envelope can be opened after a no",
            "        and referral.state in RECIPIENT_SEES_ENVELOPE\n",
            "",
        ),
        Change(
            "a trainer stands on the treating side",
            "ids = {pk for role, pk in actor.professionals if role == Role.PT}",
            "ids = {pk for role, pk in actor.professionals}",
        ),
        Change(
            "who has not accepted lists the client",
            "        state__in=list(RECIPIENT_MAY_READ),\n        client__erased_at=None,\n",
            "        client__erased_at=None,\n",
        ),
        Change(
            "anybody acts on any limit",
            "if allowed.everything or restriction.episode.pt_id in "
            "sources(allowed, Scope.RESTRICTIONS):",
            "if True:",
        ),
        Change(
            "a colleague's notes can be changed",
            "DischargeNote.objects.filter(episode__pt_id__in=treating_ids(actor)).select_related(",
            "DischargeNote.objects.select_related(",
        ),
    ),
)

DISCLOSURE = Module(
    "referrals/disclosure.py",
    (
        "tests/referrals/test_disclosure.py",
        "tests/referrals/test_refer_out.py",
        "tests/api/test_refused_tries.py",
        "tests/pages/test_refused_tries.py",
    ),
    (
        Change(
            "a therapist reads a trainer's facts before accepting",
            "    return accepted and referral.sender_id in access.sources(allowed, "
            "Scope.TRAINING_FEEDBACK)",
            "    return referral.sender_id in access.sources(allowed, Scope.TRAINING_FEEDBACK)",
        ),
        Change(
            "a therapist reads a trainer's facts without consent",
            "    return accepted and referral.sender_id in access.sources(allowed, "
            "Scope.TRAINING_FEEDBACK)",
            "    return accepted",
        ),
        Change(
            "what was withdrawn while it was gathered is sent",
            "            if judge(found) == verdict:\n",
            "            if True:\n",
        ),
        Change(
            "the grounds are not read again under the lock",
            "            found = grounds.read(actor, client.pk, at)\n            if judge(found)",
            "            if judge(found)",
        ),
        Change(
            "what is narrowed while it was gathered is refused and not gathered anew",
            "TRIES: Final = 3",
            "TRIES: Final = 1",
        ),
        Change(
            "what is gathered at last is not judged",
            "        found = grounds.read(actor, client.pk, at)\n"
            "        if (verdict := judge(found)) is None:\n            return None\n",
            "",
        ),
        Change(
            "what is gathered at last is not entered",
            "        if (row := entry(verdict, shown)) is not None:\n"
            "            row.append(at=found.entered_at, head=head)\n",
            "",
        ),
        Change(
            "one thing that is not shared is shown",
            "        covered = _covers(allowed, scope, source_id) and only_if(found.grounds)",
            "        covered = only_if(found.grounds)",
        ),
        Change(
            "the envelope stays open after the answer",
            "        if not waits or referral.recipient_id not in actor.professional_ids:",
            "        if referral.recipient_id not in actor.professional_ids:",
        ),
        Change(
            "the envelope opens for others",
            "        if not waits or referral.recipient_id not in actor.professional_ids:",
            "        if not waits:",
        ),
        Change(
            "a refused attempt leaves no trace",
            "        _refuse(actor, client, purpose, asked, at)\n        raise NotVisible\n",
            "        raise NotVisible\n",
        ),
        Change(
            "a try at the page of an episode leaves no trace",
            "        _refuse_all(actor, whose.clients_behind(episodes=[episode_id]),"
            ' "episode", WORKED_ON, at)\n',
            "",
        ),
        Change(
            "a try at the page of a limit leaves no trace",
            '        _refuse_all(actor, found, "restriction", (Scope.RESTRICTIONS,), at)\n',
            "",
        ),
        Change(
            "a try at a handoff leaves no trace",
            "        _refuse_all(actor, whose.clients_behind(referrals=[referral_id]),"
            ' "referral", (), at)\n',
            "",
        ),
        Change(
            "a line in their own list tells a client of a draft",
            "if actor.user_id is None or people.is_own(actor, client, at):",
            "if actor.user_id is None:",
        ),
        Change(
            "a class that is not shared is shown",
            "shown = scope in asked and allowed.covers(scope)",
            "shown = scope in asked",
        ),
        Change(
            "every therapist's content is shown",
            "return None if allowed.everything else allowed.sources.get(scope, frozenset())",
            "return None",
        ),
        Change(
            "the envelope tells the clearance that is not shared",
            "    if Scope.CLEARANCE not in granted:\n",
            "    if False:\n",
        ),
        Change(
            "the envelope tells of limits that are not shared",
            "    if Scope.RESTRICTIONS not in granted:\n",
            "    if False:\n",
        ),
        Change(
            "anybody previews",
            "        guardians.signer_for(actor, consent.client, at)\n    return consent",
            "        pass\n    return consent",
        ),
        Change(
            "messages stay readable when nothing is shared",
            "return runs and _is_shared(referral, found)",
            "return runs",
        ),
        Change(
            "the way to the client's answer is told",
            "        hidden = frozenset({State.DRAFT, State.AWAITING_CONSENT})\n",
            "        hidden = frozenset()\n",
        ),
        Change(
            "the goal stays readable when nothing is shared",
            "in RECIPIENT_MAY_READ and _is_shared(referral, found)",
            "in RECIPIENT_MAY_READ",
        ),
        Change(
            "the envelope tells the goal when nothing is shared",
            "goal=referral.goal if granted else None",
            "goal=referral.goal",
        ),
        Change(
            "the whole name stands on the envelope",
            'return f"{client.first_name} {client.last_name[:1]}.".strip()',
            "return client.name",
        ),
        Change(
            "an assistant or a client reads the messages",
            "    if referral.recipient_id not in actor.professional_ids:\n"
            "        return False\n"
            "    runs",
            "    runs",
        ),
        Change(
            "an agreement opens the preview without asking anybody",
            "    if consent is None or actor.user_id is None:\n",
            "    if consent is None:\n",
        ),
    ),
)

IN_THE_MATRIX = (
    "tests/matrix/test_matrix.py::test_everybody_gets_what_the_oracle_says[reads-ACTIVE]"
)
"""Everybody's looks in one state of consent: the tests of what has no closer ones."""

POLICY = Module(
    "handoff/core/policy.py",
    ("tests/guards/test_routes.py", IN_THE_MATRIX),
    (
        Change(
            "nobody counts as somebody",
            "        if actor.user_id is None:\n            return False\n",
            "",
        ),
        Change(
            "a route is open to every role",
            "return bool(actor.roles & _ROLES[self])",
            "return True",
        ),
        Change(
            "a client's routes are open to professionals",
            "Policy.CLIENT: frozenset({Role.CLIENT, Role.GUARDIAN}),",
            "Policy.CLIENT: frozenset(Role),",
        ),
        Change(
            "a therapist's routes are open to trainers",
            "Policy.PT: frozenset({Role.PT, Role.PTA}),",
            "Policy.PT: PROFESSIONAL_ROLES,",
        ),
    ),
)

PEOPLE = Module(
    "clients/access.py",
    ("tests/clients/test_access.py", "tests/clients/test_guardians.py", IN_THE_MATRIX),
    (
        Change(
            "a closed account keeps its roles",
            "if user is None or not user.is_active:",
            "if user is None:",
        ),
        Change(
            "who has left keeps the role",
            "Professional.objects.filter(user=user, left_at__isnull=True)",
            "Professional.objects.filter(user=user)",
        ),
        Change(
            "a guardian without authority sees the child",
            "    return own + [row.client for row in rows if "
            "guardians.authority_stands(row, row.client, at)]",
            "    return own + [row.client for row in rows]",
        ),
        Change(
            "any own client stands for the one asked for",
            "    if client is None or not is_own(actor, client, at):\n",
            "    if client is None or not own_clients(actor, at):\n",
        ),
    ),
)

PARTICULARS = Module(
    "referrals/particulars.py",
    (
        "tests/api/test_refused_tries.py",
        "tests/api/test_care.py",
        "tests/api/test_restrictions.py",
        "tests/pages/test_limit_pages.py",
        "tests/referrals/test_disclosure.py",
        IN_THE_MATRIX,
    ),
    (
        Change(
            "a client reads a note nobody signed",
            "        is_signed=row.is_signed,\n",
            "",
        ),
        Change(
            "a client reads a limit nobody signed",
            '"restriction", read, at, is_signed=_is_signed(row)',
            '"restriction", read, at',
        ),
        Change(
            "a recipient learns that a limit is being written",
            'is_signed = "restriction history", _is_signed(row)',
            'is_signed = "restriction history", True',
        ),
        Change(
            "what should never have existed is shared",
            "is_shareable = is_signed and episode.status != Episode.Status.ENTERED_IN_ERROR",
            "is_shareable = is_signed",
        ),
        Change(
            "a stranger's try at one thing leaves no trace",
            "    with subjects.among(clients):\n        row = ",
            "    if True:\n        row = ",
        ),
        Change(
            "a recipient reads how often the client came",
            "sees_plan = allowed.everything or _treats(actor, row)",
            "sees_plan = True",
        ),
        Change(
            "a recipient reads the therapist's reason",
            "sees_reason = allowed.everything or _treats(actor, row.episode)",
            "sees_reason = True",
        ),
    ),
)

STANDPOINTS = Module(
    "referrals/standpoints.py",
    ("tests/api/test_consents.py",),
    (
        Change(
            "professionals are told that it was a no",
            "return state.value if side is Side.CLIENT else _STATES[state].value",
            "return state.value",
        ),
        Change(
            "professionals are told each answer in its own words",
            "    if side is Side.CLIENT:\n        return kind",
            "    if True:\n        return kind",
        ),
    ),
)

CLIENT_ANSWERS = Module(
    "referrals/api/clients.py",
    ("tests/api/test_clients.py", IN_THE_MATRIX),
    (
        Change(
            "a recipient gets the client's address and birthday",
            '"details": None if standpoint is Standpoint.RECIPIENT else _details(client),',
            '"details": _details(client),',
        ),
    ),
)

REFERRAL_ANSWERS = Module(
    "referrals/api/referral_answers.py",
    ("tests/api/test_referrals.py", IN_THE_MATRIX),
    (
        Change(
            "the client's id is told before acceptance",
            'client_brief(row.client) if reads else {"id": None, "name": name}',
            "client_brief(row.client)",
        ),
        Change(
            "the consent is told before acceptance",
            "row.consent_id if sends or reads or Party.CLIENT in parties else None",
            "row.consent_id",
        ),
        Change(
            "how sharing stands is told before acceptance",
            '"sharing": _sharing(row, at) if sends or reads else None,',
            '"sharing": _sharing(row, at),',
        ),
    ),
)

GROUNDS = Module(
    "referrals/grounds.py",
    ("tests/referrals/test_grounds.py",),
    (
        Change(
            "the first event of a consent rules",
            "            ORDER BY number DESC\n",
            "            ORDER BY number\n",
        ),
        Change(
            "consents of other clients count",
            "        WHERE consent.client_id = %(client)s\n            AND event.kind",
            "        WHERE event.kind",
        ),
        Change(
            "consents between others count",
            "            AND (\n                consent.discloser_id IN (SELECT id FROM sides)\n"
            "                OR consent.recipient_id IN (SELECT id FROM sides)\n            )\n",
            "",
        ),
        Change("what is not active counts", "        if each.is_active\n", ""),
        Change(
            "any referral opens the record",
            "                if state in RECIPIENT_MAY_READ\n",
            "",
        ),
        Change(
            "every guardian acts for every minor",
            "guardianship.client_id = %(client)s AND guardianship.user_id",
            "guardianship.user_id",
        ),
        Change(
            "anybody acts for a minor who has a guardian",
            "guardianship.client_id = %(client)s AND guardianship.user_id = %(user)s",
            "guardianship.client_id = %(client)s",
        ),
        Change(
            "a guardian's authority is not looked at",
            "    return any(guardians.authority_stands(_guardianship(each), client, at)",
            "    return any(each",
        ),
        Change(
            "assistants stand beside every therapist",
            "ON mate.practice_id = mine.practice_id",
            "ON true",
        ),
        Change(
            "assistants stand beside therapists who have left",
            "mate.role = 'pt' AND mate.left_at IS NULL",
            "mate.role = 'pt'",
        ),
        Change(
            "assistants stand beside trainers",
            "AND mate.role = 'pt' AND mate.left_at",
            "AND mate.left_at",
        ),
        Change(
            "therapists treat every client",
            "WHERE client_id = %(client)s AND pt_id IN (SELECT id FROM treating)",
            "WHERE pt_id IN (SELECT id FROM treating)",
        ),
        Change(
            "whoever treats a client, treats them for everybody",
            "WHERE client_id = %(client)s AND pt_id IN (SELECT id FROM treating)",
            "WHERE client_id = %(client)s",
        ),
        Change(
            "a record that was joined with another is still one's own",
            "is_own=is_guardian or (is_self and is_standing)",
            "is_own=is_guardian or is_self",
        ),
        Change(
            "a guardian acts for a record that was joined with another",
            "is_guardian = not is_self and is_standing and _acts",
            "is_guardian = not is_self and _acts",
        ),
        Change(
            "an account without a client is everybody's",
            "is_self = actor.user_id is not None and client.user_id == actor.user_id",
            "is_self = client.user_id == actor.user_id",
        ),
        Change(
            "of two professionals, consent to others counts",
            "                if (each.discloser_id, each.recipient_id) == pair\n",
            "",
        ),
    ),
)

STATES = Module(
    "referrals/states.py",
    ("tests/referrals/test_states.py",),
    (
        Change(
            "a step belongs to everybody",
            "        if step.parties & parties:\n            return step\n",
            "        return step\n",
        ),
        Change(
            "the sender accepts for the recipient",
            's.ACCEPTED, recipient, "The recipient takes it on"',
            's.ACCEPTED, sender, "The recipient takes it on"',
        ),
        Change(
            "a no needs no reason",
            'recipient, "The recipient says no", reason=True)',
            'recipient, "The recipient says no")',
        ),
        Change(
            "an accepted one is called off without asking",
            "add(v.CANCEL, taken, s.CANCEL_REQUESTED, asked_off,",
            "add(v.CANCEL, taken, s.CANCELLED, asked_off,",
        ),
        Change(
            "a referral that came to nothing can be read",
            "        State.COMPLETED,\n    }\n)\n# Where the recipient",
            "        State.COMPLETED,\n        State.FAILED,\n    }\n)\n# Where the recipient",
        ),
        Change(
            "what was completed can be sent to somebody else",
            "frozenset({State.DECLINED, State.FAILED, State.EXPIRED})",
            "frozenset({State.DECLINED, State.FAILED, State.EXPIRED, State.COMPLETED})",
        ),
    ),
)

LIFECYCLE = Module(
    "referrals/lifecycle.py",
    (
        "tests/referrals/test_lifecycle.py",
        "tests/referrals/test_refer_out.py",
        "tests/referrals/test_return_to_training.py",
    ),
    (
        Change(
            "a handoff goes out unsigned",
            '    if note is None:\n        raise NotAllowed("Sign the discharge note first.")\n',
            "",
        ),
        Change(
            "it goes out to a lapsed trainer",
            "    licensing.require_acceptor(referral.recipient, at=at, "
            "state=licence_place(referral))\n",
            "",
        ),
        Change(
            "it goes out to a full trainer",
            "    if no_room and referral.kind == Kind.DISCHARGE_HANDOFF:\n"
            "        raise NotAllowed(no_room)\n",
            "",
        ),
        Change(
            "accepting uses no place",
            'open_places=F("open_places") - 1',
            'open_places=F("open_places")',
        ),
        Change(
            "a lapsed trainer accepts",
            "        licensing.require_acceptor(referral.recipient, at=now, "
            "state=licence_place(referral))\n",
            "        pass\n",
        ),
        Change(
            "training begins before the limits were read",
            "        if view.unacknowledged:\n",
            "        if False:\n",
        ),
        Change(
            "any consent is enough to send",
            "standing.state is ConsentState.ACTIVE and least in standing.classes",
            "standing.state is ConsentState.ACTIVE",
        ),
        Change(
            "a consent that ended is enough to send",
            "standing.state is ConsentState.ACTIVE and least in standing.classes",
            "least in standing.agreed",
        ),
        Change(
            "somebody who is no trainer refers out",
            "    if Role.TRAINER not in actor.roles:\n        raise NotAllowed(",
            "    if False:\n        raise NotAllowed(",
        ),
        Change(
            "a trainer refers out whom they do not have",
            '    if not newest:\n        raise NotAllowed("Take the client on first.")\n',
            "",
        ),
        Change(
            "a therapist without a licence there is asked",
            '    if against:\n        raise Invalid({"recipient": list(against)})\n',
            "",
        ),
        Change(
            "any licence is enough to take a client back",
            'return referral.client.state if referral.kind == Kind.REFER_OUT else ""',
            'return ""',
        ),
        Change(
            "what is red is not urgent",
            "                if seen.is_red:\n",
            "                if False:\n",
        ),
        Change(
            "facts are written anew after the client was asked",
            "if referral.kind != Kind.REFER_OUT or referral.state != State.DRAFT:",
            "if referral.kind != Kind.REFER_OUT:",
        ),
        Change(
            "training goes on while the therapist is waited for",
            "    pausing = training_to_pause([referral])\n    return _go_out(SYSTEM",
            "    pausing = training_to_pause([])\n    return _go_out(SYSTEM",
        ),
        Change(
            "a client is sent back to a trainer who never had them",
            "    if not took_on(client_id, trainer.pk):\n",
            "    if False:\n",
        ),
        Change(
            "a return answers any referral",
            '        raise Invalid({"previous": '
            '["Choose a referral of this trainer that you accepted."]})',
            "        pass",
        ),
        Change(
            "a return leaves the earlier training open",
            "    if referral.kind != Kind.RETURN_TO_TRAINING:\n        return\n",
            "    return\n",
        ),
        Change(
            "what flows back to one therapist is enough for a trainer's other sender",
            "    if referral.kind == Kind.REFER_OUT and took_on(",
            "    if took_on(",
        ),
        Change(
            "a reason is made up",
            "    if code not in choices.values:\n",
            "    if False:\n",
        ),
        Change(
            "somebody did not come before the hour",
            "if referral.first_session_at is not None and now < referral.first_session_at:",
            "if False:",
        ),
        Change(
            "opening it restarts the wait for an answer",
            "    if verb is not Verb.VIEW:",
            "    if True:",
        ),
    ),
)

SHARING = Module(
    "referrals/sharing.py",
    (
        "tests/referrals/test_refer_out.py",
        "tests/referrals/test_lifecycle.py",
        "tests/referrals/test_disclosure.py",
        "tests/referrals/test_sharing_in_time.py",
        "tests/pages/test_consent_pages.py",
    ),
    (
        Change(
            "a guardian agrees without having read the objection",
            "            not knows_objection\n            and consent.client.user_id",
            "            False\n            and consent.client.user_id",
        ),
        Change(
            "sharing waits for the end of a training that is none",
            "if until_training_ends and not _training_goes_on(known):",
            "if until_training_ends and False:",
        ),
        Change(
            "who stops sharing leaves the reminders that rested on it",
            "        consent = verb(actor=actor, consent_id=consent_id, at=at)\n"
            "        reminders.consent_changed(consent, at=at)\n",
            "        consent = verb(actor=actor, consent_id=consent_id, at=at)\n",
        ),
        Change(
            "a professional asks as often as they like",
            "        if not own:\n            shared =",
            "        if False:\n            shared =",
        ),
        Change(
            "asking for more asks to give up what is shared",
            "            wanted |= shared\n",
            "",
        ),
        Change(
            "a handoff goes on waiting for the guardian",
            "                    referral.consent = anew\n",
            "                    pass\n",
        ),
        Change(
            "one trainer is asked to tell another",
            "        case Professional.Role.TRAINER if recipient.role == Professional.Role.PT:\n",
            "        case Professional.Role.TRAINER:\n",
        ),
        Change(
            "a professional asks about somebody they do not treat",
            "    if not readable_pair(client_id, sides[discloser_id], sides[recipient_id]):\n"
            "        raise NotVisible\n",
            "",
        ),
        Change(
            "a stranger opens a question",
            "    if not people.is_own(actor, consent.client, at):\n"
            "        raise NotVisible\n    return consent\n",
            "    return consent\n",
        ),
        Change(
            "agreeing leaves the handoff waiting",
            "            lifecycle.consent_given(referral=referral, at=at)\n",
            "            pass\n",
        ),
        Change(
            "a no leaves the handoff waiting",
            "            lifecycle.consent_refused(referral=referral, at=at)\n",
            "            pass\n",
        ),
    ),
)

ASKING = Module(
    "referrals/asking.py",
    ("tests/referrals/test_asking.py",),
    (
        Change(
            "a recipient replaces an open question",
            "if asked.is_recipient and asked.question_is_open:",
            "if False:",
        ),
        Change(
            "one client is asked without end",
            "if asked.of_this_client >= MOST_OF_ONE_CLIENT:",
            "if asked.of_this_client > MOST_OF_ONE_CLIENT:",
        ),
        Change(
            "all clients are asked without end",
            "if asked.of_anybody >= MOST_OF_ANYBODY:",
            "if asked.of_anybody > MOST_OF_ANYBODY:",
        ),
    ),
)

WHATIF = Module(
    "referrals/whatif.py",
    ("tests/referrals/test_whatif.py",),
    (
        Change(
            "a loss is shown as a gain",
            "                effect, text = Effect.LOSES, words.lost",
            "                effect, text = Effect.GAINS, words.gained",
        ),
        Change(
            "limits out of sight look lifted",
            "They still hold: {recipient} must not ",
            "{recipient} need not ",
        ),
    ),
)

CHECKS = Module(
    "referrals/reminders/checks.py",
    ("tests/referrals/test_reminder_checks.py", "tests/referrals/test_reminder_delivery.py"),
    (
        Change(
            "a rule that is off still sends",
            "    if not reminder.rule.in_use:\n        return Stop.RULE_OFF\n",
            "",
        ),
        Change(
            "a closed account is written to",
            "    if not reminder.recipient.is_active:\n        return Stop.ACCOUNT_CLOSED\n",
            "",
        ),
        Change(
            "what has been answered is asked again",
            "wait.rule == reminder.rule_id and wait.holds_at(at) for wait",
            "wait.rule == reminder.rule_id for wait",
        ),
        Change(
            "somebody who is no longer concerned is written to",
            "    if case.is_in(reminder.audience, reminder.recipient_id):\n        return None\n",
            "    return None\n",
        ),
        Change(
            "an older reminder goes out beside the newer one",
            "    if overtaken:\n",
            "    if False:\n",
        ),
        Change(
            "what is of no use any more is sent",
            "    if at >= reminder.useful_until:\n",
            "    if False:\n",
        ),
        Change(
            "it never gives up",
            "    if reminder.attempts > MAX_ATTEMPTS:\n",
            "    if False:\n",
        ),
        Change(
            "it sends at night",
            "        if allowed > at:\n            return Verdict(Next.HOLD",
            "        if False:\n            return Verdict(Next.HOLD",
        ),
        Change(
            "a flood of mail",
            "    if mailed_today >= MAILS_A_DAY:\n",
            "    if mailed_today > MAILS_A_DAY:\n",
        ),
    ),
)

DELIVERY = Module(
    "referrals/reminders/delivery.py",
    ("tests/referrals/test_reminder_delivery.py", "tests/referrals/test_reminder_races.py"),
    (
        Change(
            "a claim that is somebody else's is mailed",
            "            return Outcome.LOST\n",
            "            pass\n",
        ),
        Change(
            "what a lost worker left behind stays there",
            "        Q(state__in=Reminder.WAITING) & waits | left_behind\n",
            "        Q(state__in=Reminder.WAITING) & waits\n",
        ),
        Change(
            "a lease that ran out still holds",
            "        .filter(lease_until__gt=now)\n        .update(data_started_at",
            "        .update(data_started_at",
        ),
        Change(
            "what is due later goes out now",
            "return Q(state__in=UNSETTLED, due_at__lte=now) & (",
            "return Q(state__in=UNSETTLED) & (",
        ),
    ),
)

ERASED = Module(
    "referrals/access.py",
    ("tests/rights/test_erasure.py",),
    (
        Change(
            "what is held of an erased client is open to whoever knew them",
            "    if client.erased_at is not None:\n        return Grounds(treats_as=treats_as)\n",
            "",
        ),
        Change(
            "a recipient still finds the handoff of an erased client",
            "kept = Q(client__erased_at=None) | Q(sender_id__in=treating_ids(actor))",
            "kept = Q()",
        ),
        Change(
            "a recipient still finds an erased client in their list",
            "        state__in=list(RECIPIENT_MAY_READ),\n        client__erased_at=None,\n",
            "        state__in=list(RECIPIENT_MAY_READ),\n",
        ),
    ),
)

LETTERS = Module(
    "referrals/letters.py",
    ("tests/referrals/test_letters.py",),
    (
        Change(
            "whoever shares history shares letters",
            "only_if=lambda grounds: _is_own(grounds) or row.pt_id in grounds.treats_as,",
            "only_if=lambda grounds: True,",
        ),
        Change(
            "a second therapist lists the first one's letters",
            "rows = rows.filter(pt_id__in=access.grounds_for(actor, client, moment).treats_as)",
            "rows = rows.all()",
        ),
        Change(
            "whoever reads a letter may destroy it",
            "if row.added_by_id != actor.user_id:",
            "if False:",
        ),
    ),
)

TRIAGE = Module(
    "referrals/triage/advising.py",
    ("tests/referrals/test_triage.py",),
    (
        Change(
            "the laxest advice wins",
            "level = max((rule.level for rule in held)",
            "level = min((rule.level for rule in held)",
        ),
        Change(
            "an answer that is missing counts as no",
            "said[each.question] in (*each.values, UNSURE)",
            "said[each.question] in each.values",
        ),
        Change(
            "one of several clauses is enough",
            "    return all(said[each.question]",
            "    return any(said[each.question]",
        ),
        Change(
            "an unclear answer is told as a clear one",
            "        if topic is None:\n",
            "        if topic is None or topic:\n",
        ),
        Change(
            "what sends to medical care holds for a year",
            "    if level is Level.MEDICAL:\n        return taken_on\n",
            "",
        ),
        Change(
            "what decides is not told apart from what does not",
            "if each.level is level),",
            "if each.level is not Level.TRAINER),",
        ),
    ),
)

TRIAGE_RULES = Module(
    "referrals/triage/rules.py",
    ("tests/referrals/test_triage.py",),
    (
        Change(
            "a red flag leads to a therapist",
            'Rule("fever", Level.MEDICAL,',
            'Rule("fever", Level.PT,',
        ),
        Change(
            "pain is trained through",
            '        "pain",\n        Level.PT,\n',
            '        "pain",\n        Level.HANDOFF,\n',
        ),
        Change(
            "a condition asks for no doctor before hard training",
            '_is(Question.EFFORT, "hard")',
            '_is(Question.EFFORT, "none")',
        ),
        Change(
            "an injury that nobody cleared goes to a trainer",
            '(_is(Question.INJURY, "untreated"),),',
            '(_is(Question.INJURY, "none of them"),),',
        ),
    ),
)

SCREENINGS = Module(
    "referrals/screenings.py",
    ("tests/referrals/test_screenings.py",),
    (
        Change(
            "whoever is shared history reads the results",
            "only_if=lambda grounds: grounds.is_self or grounds.is_guardian,",
            "only_if=lambda grounds: True,",
        ),
        Change(
            "anybody keeps a result for anybody",
            "if client is None or not people.is_own(actor, client, at):",
            "if client is None:",
        ),
        Change(
            "a result is kept about somebody who was erased",
            "        people.require_kept(client)\n",
            "",
        ),
        Change(
            "a void result goes on holding",
            "is_valid=row.voided_at is None and today <= row.valid_until,",
            "is_valid=today <= row.valid_until,",
        ),
        Change(
            "a result holds without end",
            "is_valid=row.voided_at is None and today <= row.valid_until,",
            "is_valid=row.voided_at is None,",
        ),
        Change(
            "a result is voided twice",
            "        if row.voided_at is not None:\n            raise Stale\n",
            "",
        ),
    ),
)

DIRECTORY = Module(
    "clients/directory.py",
    ("tests/clients/test_directory.py",),
    (
        Change(
            "whoever has valid papers is public, asked or not",
            "rows = verified(at, role=role, words=words, accepting=accepting)"
            ".filter(in_directory=True)",
            "rows = verified(at, role=role, words=words, accepting=accepting)",
        ),
        Change(
            "a full one counts as somebody with a place",
            "Q(open_places=None) | Q(open_places__gt=0), accepts_referrals=True",
            "accepts_referrals=True",
        ),
        Change(
            "a full one can be sent a handoff",
            "return Availability.FULL if row.open_places == 0 else Availability.OPEN",
            "return Availability.OPEN",
        ),
    ),
)

LISTING = Module(
    "clients/listing.py",
    ("tests/clients/test_listing.py",),
    (
        Change(
            "anybody speaks for anybody",
            "        pk__in=actor.professional_ids, role__in=LISTED_ROLES, left_at__isnull=True\n",
            "        role__in=LISTED_ROLES, left_at__isnull=True\n",
        ),
    ),
)

WISHES = Module(
    "referrals/wishes.py",
    ("tests/referrals/test_wishes.py",),
    (
        Change(
            "a wish is said for anybody",
            "    own_client(actor, client_id, at)\n",
            "",
        ),
        Change(
            "somebody who is in no directory is wished for",
            "chosen = directory.listed(at).filter(pk=professional_id).first()",
            "chosen = directory.verified(at).filter(pk=professional_id).first()",
        ),
        Change(
            "anybody takes a wish back",
            "if row is None or not is_own(actor, row.client, at):",
            "if row is None:",
        ),
        Change(
            "a recipient learns whom the client would like",
            "        if not access.grounds_for(actor, client, at).treats_as:\n"
            "            raise NotVisible\n",
            "",
        ),
        Change(
            "a second therapist learns that it is them",
            "        rows = rows.exclude(professional__in=actor.professional_ids)\n",
            "",
        ),
    ),
)

ERASURE = Module(
    "referrals/rights/erasure.py",
    ("tests/rights/test_erasure.py", "tests/restoring/test_erasures.py"),
    (
        Change(
            "a backup brings back who was erased",
            "            _tell(TOLD_ERASED, request, at, joined=subject.client_ids[1:])\n",
            "            pass\n",
        ),
        Change(
            "a backup brings back a record that was held and went",
            "            _tell(TOLD_FINISHED, request, at,"
            " joined=_subject(client).client_ids[1:])\n",
            "            pass\n",
        ),
        Change(
            "after a restore somebody is erased who called it off",
            "        _tell(TOLD_CANCELLED, row, at)\n",
            "",
        ),
        Change(
            "a night that failed outlives that it was called off",
            ' or _is_called_off(facts["erasure"]):',
            ":",
        ),
        Change(
            "a restored house erases before it knows who stays",
            "    if hold.is_held():\n        return 0\n",
            "",
        ),
        Change(
            "a joined record is left when its client is erased again",
            "        _erase_again(draft, facts, at)\n",
            "        pass\n",
        ),
        Change(
            "erasing leaves sharing as it is",
            "        consents.end_for_erased(actor=SYSTEM, client=client, at=at)\n",
            "",
        ),
        Change(
            "a minor asks for themselves",
            "        guardians.signer_for(actor, client, at)\n        return _ask",
            "        return _ask",
        ),
        Change(
            "the days of grace are none",
            "        if request.due_at > at:\n",
            "        if False:\n",
        ),
        Change(
            "an account stays open",
            "    user.is_active = False\n",
            "",
        ),
        Change(
            "somebody who works here loses their account",
            "        or Professional.objects.filter(user=user).exists()\n",
            "",
        ),
    ),
)

WHOLE = Module(
    "referrals/disclosure.py",
    ("tests/rights/test_export.py",),
    (
        Change(
            "a therapist takes the whole record away",
            "        if not allowed.everything:\n            return None\n        _require_fewer",
            "        if allowed.is_empty:\n            return None\n        _require_fewer",
        ),
        Change(
            "there is no end to taking it",
            "    if taken.count() >= most:\n",
            "    if False:\n",
        ),
        Change(
            "taking it is counted over all time",
            "        at__gt=at - timedelta(days=1),\n",
            "",
        ),
    ),
)

PAPERS = Module(
    "clients/papers.py",
    ("tests/pages/test_uploads.py",),
    (
        Change(
            "anybody sees anybody's scans",
            "if evidence.credential.user_id != actor.user_id and Role.ADMIN not in actor.roles:",
            "if False:",
        ),
    ),
)

GATES = Module(
    "referrals/gates.py",
    ("tests/referrals/test_gates.py",),
    (
        Change("an assistant names gates", "    require_treating(actor, episode)\n", ""),
        Change(
            "gates are named once the note is signed",
            "    return require_running(episode)\n",
            "    return episode\n",
        ),
    ),
)

GATE_RULES = Module(
    "referrals/gate_rules.py",
    ("tests/referrals/test_gate_rules.py",),
    (
        Change(
            "the other side meets a gate",
            "if not side or each.side == side]",
            "if not side or each.side == side or not each.side]",
        ),
        Change(
            "an old value decides",
            "    newest = max(enumerate(fitting)",
            "    newest = min(enumerate(fitting)",
        ),
        Change(
            "not measured counts as met",
            "    met = sum(each is Standing.MET for each in standings)",
            "    met = sum(each is not Standing.UNMET for each in standings)",
        ),
    ),
)

RETURNING = Module(
    "referrals/returning.py",
    ("tests/referrals/test_recurrence.py",),
    (
        Change(
            "an assistant says what came back", "        require_treating(actor, episode)\n", ""
        ),
        Change("it is said of an ended episode", "        require_running(episode)\n", ""),
    ),
)

STARTING = Module(
    "referrals/starting.py",
    ("tests/referrals/test_gates.py",),
    (
        Change(
            "what is not ticked is added",
            "limits = [each for each in offer.limits if each.key in wish.limits]",
            "limits = list(offer.limits)",
        ),
        Change("half of it is kept", "            raise Invalid(errors)\n", "            pass\n"),
    ),
)

MODULES = (
    ASSURANCE,
    SESSION_LIMITS,
    ATTEMPTS,
    SIGN_IN,
    CONFIRMING,
    CONSENT,
    GUARDIANS,
    LICENSING,
    PERMITS,
    ACCESS,
    DISCLOSURE,
    GROUNDS,
    POLICY,
    PEOPLE,
    PARTICULARS,
    GATES,
    GATE_RULES,
    RETURNING,
    STARTING,
    STANDPOINTS,
    CLIENT_ANSWERS,
    REFERRAL_ANSWERS,
    STATES,
    LIFECYCLE,
    SHARING,
    ASKING,
    WHATIF,
    CHECKS,
    DELIVERY,
    ERASED,
    ERASURE,
    WHOLE,
    LETTERS,
    TRIAGE,
    TRIAGE_RULES,
    SCREENINGS,
    PAPERS,
    DIRECTORY,
    LISTING,
    WISHES,
)
