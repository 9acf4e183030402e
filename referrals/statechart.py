"""Draws the table of `referrals.states` as text: the diagram and tables of `docs/states.md`."""

from __future__ import annotations

from referrals.states import EDGES, INITIAL, STANDINGS, TERMINAL, Edge, Party, State


def mermaid() -> str:
    """The table as a Mermaid state diagram; `docs/states.md` holds it and a test compares."""
    lines = ["stateDiagram-v2", f"    [*] --> {INITIAL.value}"]
    joined: dict[tuple[State, State], list[str]] = {}
    for step in EDGES:
        by = "/".join(party.value for party in Party if party in step.parties)
        joined.setdefault((step.source, step.target), []).append(f"{step.verb} ({by})")
    for (source, target), labels in joined.items():
        lines.append(f"    {source.value} --> {target.value}: {', '.join(labels)}")
    lines += [f"    {state.value} --> [*]" for state in State if state in TERMINAL]
    return "\n".join(lines) + "\n"


def markdown() -> str:
    """The whole of `docs/states.md`: diagram, edges and the names outside."""
    edges = [
        f"| {step.source.value} | {step.verb} | {step.target.value} |"
        f" {', '.join(party.value for party in Party if party in step.parties)} |"
        f" {_reason_text(step)} | {step.meaning} |"
        for step in EDGES
    ]
    standings = [
        f"| {state.value} | {standing.waiting_on or ''} | {standing.task} |"
        f" {standing.business} | {standing.service_request} |"
        for state, standing in STANDINGS.items()
    ]
    return "\n".join(
        [
            "# The life of a referral",
            "",
            "Drawn from `referrals/states.py`; a test compares the two.",
            "",
            "```mermaid",
            mermaid().rstrip(),
            "```",
            "",
            "## Steps",
            "",
            "| From | Verb | To | Who | Reason | Meaning |",
            "| --- | --- | --- | --- | --- | --- |",
            *edges,
            "",
            "## Whose turn, and names outside",
            "",
            "| State | Waits for | FHIR Task | BSeR | FHIR ServiceRequest |",
            "| --- | --- | --- | --- | --- |",
            *standings,
            "",
        ]
    )


def _reason_text(step: Edge) -> str:
    if step.needs_reason:
        return "asked for"
    return step.fixed_reason or ("as given before" if step.keeps_reason else "")
