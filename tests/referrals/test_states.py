"""The table of states, against a second copy of it written by hand from the specification."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError
from itertools import product
from pathlib import Path

import pytest

from handoff.core.actors import Role
from handoff.core.errors import NotAllowed, Stale
from referrals import states
from referrals.reasons import SystemReason
from referrals.statechart import markdown, mermaid
from referrals.states import (
    EDGES,
    ENDS,
    INITIAL,
    OPEN,
    REASONS,
    RECIPIENT_MAY_READ,
    RECIPIENT_SEES_ENVELOPE,
    REROUTABLE,
    STANDINGS,
    TERMINAL,
    WAITING_ON,
    Edge,
    Kind,
    Party,
    State,
    Verb,
    edge,
    edges_from,
    may_reroute,
    reason_label,
)

ROOT = Path(__file__).resolve().parents[2]

# source verb target parties reason; reason: - none, ? asked for, = kept, or the fixed code
SPECIFIED = """
draft send sent sender -
draft await-consent awaiting_consent sender -
draft discard discarded sender -
draft cancel discarded sender -
draft supersede discarded system superseded
awaiting_consent consent-granted sent client,system -
awaiting_consent send sent sender -
awaiting_consent consent-declined cancelled client,system not_shared
awaiting_consent expire cancelled system not_shared
awaiting_consent cancel cancelled sender,client ?
awaiting_consent supersede cancelled system superseded
awaiting_consent enter-in-error entered_in_error sender,admin ?
sent view viewed recipient -
sent ask info_requested recipient -
sent accept accepted recipient -
sent decline declined recipient ?
sent expire expired system timeout
sent cancel cancelled sender,client ?
sent supersede cancelled system superseded
sent enter-in-error entered_in_error sender,admin ?
viewed ask info_requested recipient -
viewed accept accepted recipient -
viewed decline declined recipient ?
viewed expire expired system timeout
viewed cancel cancelled sender,client ?
viewed supersede cancelled system superseded
viewed enter-in-error entered_in_error sender,admin ?
info_requested answer viewed sender -
info_requested decline declined recipient ?
info_requested expire expired system timeout
info_requested cancel cancelled sender,client ?
info_requested supersede cancelled system superseded
info_requested enter-in-error entered_in_error sender,admin ?
accepted schedule scheduled recipient,client -
accepted begin in_progress recipient -
accepted decline declined recipient ?
accepted cancel cancel_requested sender,client ?
accepted supersede cancelled system superseded
accepted enter-in-error entered_in_error sender,admin ?
scheduled begin in_progress recipient -
scheduled no-show no_show recipient -
scheduled cancel-appointment appt_cancelled recipient,client -
scheduled cancel cancel_requested sender,client ?
scheduled supersede cancelled system superseded
scheduled enter-in-error entered_in_error sender,admin ?
no_show schedule scheduled recipient,client -
no_show fail failed recipient ?
no_show cancel cancel_requested sender,client ?
no_show supersede cancelled system superseded
no_show enter-in-error entered_in_error sender,admin ?
appt_cancelled schedule scheduled recipient,client -
appt_cancelled fail failed recipient ?
appt_cancelled cancel cancel_requested sender,client ?
appt_cancelled supersede cancelled system superseded
appt_cancelled enter-in-error entered_in_error sender,admin ?
in_progress report in_progress recipient -
in_progress hold on_hold sender,recipient,system ?
in_progress complete completed recipient -
in_progress fail failed recipient ?
in_progress cancel cancel_requested sender,client ?
in_progress supersede cancelled system superseded
in_progress enter-in-error entered_in_error sender,admin ?
on_hold resume in_progress sender,recipient -
on_hold fail failed recipient ?
on_hold cancel cancel_requested sender,client ?
on_hold supersede cancelled system superseded
on_hold enter-in-error entered_in_error sender,admin ?
cancel_requested confirm-cancel cancelled recipient,system =
cancel_requested complete completed recipient -
cancel_requested supersede cancelled system superseded
cancel_requested enter-in-error entered_in_error sender,admin ?
"""

# The "Leaves to" column of the specification, without the ways into states that no row names.
LEAVES_TO = {
    "draft": "awaiting_consent sent discarded",
    "awaiting_consent": "sent cancelled",
    "sent": "viewed accepted declined cancelled expired",
    "viewed": "accepted declined cancelled expired",
    "info_requested": "viewed declined cancelled expired",
    "accepted": "scheduled in_progress declined cancel_requested",
    "declined": "",
    "scheduled": "in_progress no_show appt_cancelled cancel_requested",
    "no_show": "scheduled failed cancel_requested",
    "appt_cancelled": "scheduled failed cancel_requested",
    "in_progress": "on_hold completed failed cancel_requested",
    "on_hold": "in_progress failed cancel_requested",
    "cancel_requested": "cancelled completed",
    "cancelled": "",
    "completed": "",
    "failed": "",
    "expired": "",
    "entered_in_error": "",
    "discarded": "",
}
# Added on purpose, each with its reason in states.py.
BEYOND = {
    ("sent", "info_requested"),
    ("viewed", "info_requested"),
    ("in_progress", "in_progress"),
}


def _specified() -> dict[tuple[State, Verb], tuple[State, frozenset[Party], str]]:
    rows = {}
    for line in SPECIFIED.split("\n"):
        if line:
            source, verb, target, parties, reason = line.split()
            key = State(source), Verb(verb)
            assert key not in rows
            rows[key] = State(target), frozenset(map(Party, parties.split(","))), reason
    return rows


TABLE = _specified()


def _reason_of(step: Edge) -> str:
    if step.needs_reason:
        return "?"
    return "=" if step.keeps_reason else step.fixed_reason or "-"


def test_table_is_the_specified_one() -> None:
    built = {
        (step.source, step.verb): (step.target, step.parties, _reason_of(step)) for step in EDGES
    }
    assert len(built) == len(EDGES), "one verb leads to one state"
    assert built == TABLE


def test_table_keeps_the_leaves_to_column() -> None:
    stays_open = {state.value for state in OPEN}
    for source, row in LEAVES_TO.items():
        built = {step.target.value for step in EDGES if step.source == source}
        added = built - set(row.split())
        superseded_or_wrong = {"cancelled", "entered_in_error"} if source in stays_open else set()
        explained = {target for origin, target in BEYOND if origin == source}
        assert set(row.split()) <= built, source
        assert added <= superseded_or_wrong | explained, source


@pytest.mark.parametrize("source", State)
def test_every_verb_of_every_party_from_every_state(source: State) -> None:
    for verb, party in product(Verb, Party):
        row = TABLE.get((source, verb))
        if row is None:
            with pytest.raises(Stale):
                edge(source=source, verb=verb, party=party)
        elif party not in row[1]:
            with pytest.raises(NotAllowed):
                edge(source=source, verb=verb, party=party)
        else:
            step = edge(source=source, verb=verb, party=party)
            assert (step.source, step.verb, step.target) == (source, verb, row[0])


@pytest.mark.parametrize("source", State)
def test_every_target_for_every_party_from_every_state(source: State) -> None:
    for target, party in product(State, Party):
        ways = [row for (origin, _), row in TABLE.items() if (origin, row[0]) == (source, target)]
        if not ways:
            with pytest.raises(Stale):
                edge(source=source, target=target, party=party)
        elif not any(party in parties for _, parties, _ in ways):
            with pytest.raises(NotAllowed):
                edge(source=source, target=target, party=party)
        else:
            step = edge(source=source, target=target, party=party)
            assert step.target == target
            assert party in step.parties


def test_the_table_cannot_be_edited() -> None:
    with pytest.raises(FrozenInstanceError):
        EDGES[0].target = State.COMPLETED  # type: ignore[misc]  # refused, as it should be
    with pytest.raises(TypeError):
        STANDINGS[State.SENT] = STANDINGS[State.DRAFT]  # type: ignore[index]  # same


def test_edge_needs_a_verb_or_a_target() -> None:
    with pytest.raises(TypeError):
        edge(source=State.SENT, party=Party.RECIPIENT)


def test_edge_takes_verb_and_target_together() -> None:
    step = edge(source=State.DRAFT, verb=Verb.CANCEL, target=State.DISCARDED, party=Party.SENDER)
    assert step.verb is Verb.CANCEL
    with pytest.raises(Stale):
        edge(source=State.DRAFT, verb=Verb.CANCEL, target=State.CANCELLED, party=Party.SENDER)


def test_edge_finds_the_party_that_may_among_several() -> None:
    both = frozenset({Party.CLIENT, Party.SENDER})
    assert edge(source=State.DRAFT, verb=Verb.SEND, party=both).target is State.SENT
    with pytest.raises(NotAllowed) as refused:
        edge(source=State.SENT, verb=Verb.ACCEPT, party=both)
    assert refused.value.reason
    with pytest.raises(NotAllowed):
        edge(source=State.SENT, verb=Verb.ACCEPT, party=frozenset[Party]())


@pytest.mark.parametrize("party", Party)
@pytest.mark.parametrize("state", State)
def test_edges_from_offers_what_edge_allows(state: State, party: Party) -> None:
    offered = edges_from(state, party)
    assert [step.verb for step in offered] == [
        step.verb for step in EDGES if step.source == state and party in step.parties
    ]
    assert offered == edges_from(state, frozenset({party}))
    for step in offered:
        assert edge(source=state, verb=step.verb, party=party) == step


def test_terminal_has_no_exit_and_everything_else_has_one() -> None:
    assert set(State) == TERMINAL | OPEN
    assert not TERMINAL & OPEN
    left = {step.source for step in EDGES if step.target != step.source}
    assert left == OPEN


def _reachable(start: State, steps: tuple[Edge, ...]) -> set[State]:
    seen, queue = {start}, [start]
    while queue:
        here = queue.pop()
        for step in steps:
            if step.source == here and step.target not in seen:
                seen.add(step.target)
                queue.append(step.target)
    return seen


def test_every_state_can_be_reached_and_every_open_one_can_end_well_or_badly() -> None:
    assert _reachable(INITIAL, EDGES) == set(State)
    for state in OPEN:
        assert _reachable(state, EDGES) & TERMINAL
        if state is not State.CANCEL_REQUESTED:
            assert State.COMPLETED in _reachable(state, EDGES)


def test_no_wait_depends_on_the_system_alone() -> None:
    for state in OPEN:
        people = {party for step in EDGES if step.source == state for party in step.parties}
        assert people - {Party.SYSTEM}, state


def test_recipient_reads_only_behind_an_accept_of_their_own() -> None:
    without = tuple(step for step in EDGES if step.verb is not Verb.ACCEPT)
    assert not _reachable(INITIAL, without) & RECIPIENT_MAY_READ
    for step in EDGES:
        if step.verb is Verb.ACCEPT:
            assert step.parties == {Party.RECIPIENT}


def test_what_was_refused_or_withdrawn_is_not_readable() -> None:
    assert not RECIPIENT_MAY_READ & {
        State.DECLINED,
        State.CANCELLED,
        State.EXPIRED,
        State.FAILED,
        State.ENTERED_IN_ERROR,
        State.DISCARDED,
    }
    assert State.COMPLETED in RECIPIENT_MAY_READ
    assert State.CANCEL_REQUESTED in RECIPIENT_MAY_READ
    assert not RECIPIENT_MAY_READ & RECIPIENT_SEES_ENVELOPE
    assert {State.DRAFT, State.AWAITING_CONSENT}.isdisjoint(
        RECIPIENT_MAY_READ | RECIPIENT_SEES_ENVELOPE
    )


def test_before_acceptance_cancelling_needs_nobody_else() -> None:
    for state in (State.AWAITING_CONSENT, State.SENT, State.VIEWED, State.INFO_REQUESTED):
        for party in (Party.SENDER, Party.CLIENT):
            step = edge(source=state, verb=Verb.CANCEL, party=party)
            assert step.target is State.CANCELLED
    for state in RECIPIENT_MAY_READ & OPEN - {State.CANCEL_REQUESTED}:
        step = edge(source=state, verb=Verb.CANCEL, party=Party.SENDER)
        assert step.target is State.CANCEL_REQUESTED


def test_superseding_closes_every_open_referral_and_only_by_the_system() -> None:
    steps = [step for step in EDGES if step.verb is Verb.SUPERSEDE]
    assert {step.source for step in steps} == OPEN
    assert all(step.parties == {Party.SYSTEM} for step in steps)
    assert all(step.target in TERMINAL for step in steps)


@pytest.mark.parametrize("step", EDGES, ids=lambda s: f"{s.source}-{s.verb}")
def test_a_state_that_needs_a_reason_always_gets_one(step: Edge) -> None:
    ways = [step.needs_reason, bool(step.fixed_reason), step.keeps_reason]
    assert sum(ways) <= 1
    assert step.meaning
    if step.target in REASONS:
        assert any(ways)
    if step.needs_reason:
        assert step.target in REASONS
    if step.fixed_reason:
        assert step.fixed_reason in SystemReason.values
        assert step.parties <= {Party.SYSTEM, Party.CLIENT}


def test_reason_codes_have_words_and_unknown_ones_none() -> None:
    for target, choices in REASONS.items():
        for code in choices.values:
            assert reason_label(code, target)
    assert reason_label("superseded", State.DISCARDED) == "Replaced by a newer referral"
    assert reason_label("timeout", State.EXPIRED) == "No answer in time"
    assert reason_label("not_shared", State.CANCELLED) == "Not shared"
    assert reason_label("", State.DECLINED) == ""
    assert reason_label("no_capacity", State.SENT) == ""


def test_no_reason_says_why_consent_was_missing() -> None:
    declined = edge(source=State.AWAITING_CONSENT, verb=Verb.CONSENT_DECLINED, party=Party.CLIENT)
    silent = edge(source=State.AWAITING_CONSENT, verb=Verb.EXPIRE, party=Party.SYSTEM)
    assert declined.fixed_reason == silent.fixed_reason == "not_shared"


def test_whoever_is_waited_for_can_move_it() -> None:
    for state, party in WAITING_ON.items():
        if state in TERMINAL:
            assert party is None
        else:
            assert party is not None
            assert edges_from(state, party), state


def test_rerouting_belongs_to_the_sender_of_what_ended_unanswered() -> None:
    assert {State.DECLINED, State.FAILED, State.EXPIRED} == REROUTABLE
    assert REROUTABLE < TERMINAL
    for state, party in product(State, Party):
        assert may_reroute(state, party) == (state in REROUTABLE and party is Party.SENDER)
    assert may_reroute(State.EXPIRED, frozenset({Party.CLIENT, Party.SENDER}))
    assert {step.verb for step in EDGES} == set(Verb) - {Verb.REROUTE}


def test_ends_name_who_sends_and_who_receives_each_kind() -> None:
    assert set(ENDS) == set(Kind)
    assert ENDS[Kind.DISCHARGE_HANDOFF].sender == {Role.PT}
    assert ENDS[Kind.DISCHARGE_HANDOFF].recipient == {Role.TRAINER}
    assert ENDS[Kind.REFER_OUT].sender == {Role.TRAINER}
    assert ENDS[Kind.REFER_OUT].recipient == {Role.PT}
    assert ENDS[Kind.RETURN_TO_TRAINING] == ENDS[Kind.DISCHARGE_HANDOFF]
    assert ENDS[Kind.SELF_START].sender == {Role.CLIENT, Role.GUARDIAN}
    assert ENDS[Kind.SELF_START].recipient == {Role.PT, Role.TRAINER}


# --- names outside ------------------------------------------------------------------------------

# state: FHIR Task.status, BSeR business status, ServiceRequest.status
OUTSIDE = """
draft draft - draft
awaiting_consent draft - draft
sent requested 2.0 active
viewed received 2.0 active
info_requested received 2.0 active
accepted accepted 3.0 active
declined rejected 4.0 active
scheduled in-progress 5.1.1 active
no_show in-progress 5.1.2 active
appt_cancelled in-progress 5.1.3 active
in_progress in-progress 5.1 active
on_hold on-hold 5.1 on-hold
cancel_requested in-progress 5.2 active
cancelled cancelled 6.0 revoked
completed completed 7.0 completed
failed failed - active
expired cancelled - active
entered_in_error entered-in-error - entered-in-error
discarded cancelled - revoked
"""
# Value sets of FHIR R4.
TASK_CODES = {"draft", "requested", "received", "accepted", "rejected", "ready", "cancelled"} | {
    *("in-progress", "on-hold", "failed", "completed", "entered-in-error")
}
REQUEST_CODES = {"draft", "active", "on-hold", "revoked", "completed", "entered-in-error"}


def test_names_outside_are_the_specified_ones() -> None:
    rows = {}
    for line in OUTSIDE.split("\n"):
        if line:
            state, task, business, request = line.split()
            rows[State(state)] = (task, business.replace("-", ""), request)
    built = {
        state: (standing.task, standing.business, standing.service_request)
        for state, standing in STANDINGS.items()
    }
    assert built == rows
    for state in State:
        assert states.TASK_STATUS[state] == rows[state][0]
        assert states.BUSINESS_STATUS[state] == rows[state][1]
        assert states.SERVICE_REQUEST_STATUS[state] == rows[state][2]


def test_names_outside_exist_in_the_standards() -> None:
    for standing in STANDINGS.values():
        assert standing.task in TASK_CODES
        assert standing.service_request in REQUEST_CODES
        assert standing.business == "" or standing.business in states.BUSINESS_STATUS_NAMES
    assert states.INTERIM_BUSINESS_STATUS in states.BUSINESS_STATUS_NAMES


# --- the drawing --------------------------------------------------------------------------------


def test_docs_hold_the_drawing_of_this_table() -> None:
    assert (ROOT / "docs" / "states.md").read_text() == markdown()


def test_the_drawing_shows_every_state_and_every_step() -> None:
    drawn = mermaid()
    arrows = set(re.findall(r"^    (\w+) --> (\w+): (.+)$", drawn, re.MULTILINE))
    assert {(source, target) for source, target, _ in arrows} == {
        (step.source.value, step.target.value) for step in EDGES
    }
    for step in EDGES:
        label = next(
            text
            for source, target, text in arrows
            if (source, target) == (step.source, step.target)
        )
        assert f"{step.verb} (" in label
    for state in TERMINAL:
        assert f"    {state.value} --> [*]" in drawn
    assert f"[*] --> {INITIAL.value}" in drawn
