"""Who comes first: every rule alone, every pair of answers, and that nothing unclear ever helps."""

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals import triage
from referrals.triage import ASKED, CODES, RULES, SOURCES, WAYS, Level, Question, Topic
from referrals.triage.advising import Advice

STRICT = {"medical": 5, "physician": 4, "pt": 3, "handoff": 2, "trainer": 1}

# Written by hand from what the field says, and from none of our rules.
HEALTHY: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("chest", "saddle", "bladder_bowel", "weakness", "trauma", "fever", "cancer"),
            *("symptoms", "disease", "supervised", "pregnant", "over_69"),
            *("pain", "flares", "limited", "daily", "complex"),
        ),
        "no",
    ),
    "injury": "none",
    "goal": "stronger",
    "active": "yes",
    "effort": "easy",
}
ALONE: Mapping[tuple[tuple[str, str], ...], tuple[str, str]] = {
    (("chest", "yes"),): ("medical", "chest"),
    (("saddle", "yes"),): ("medical", "saddle"),
    (("bladder_bowel", "yes"),): ("medical", "bladder_bowel"),
    (("weakness", "yes"),): ("medical", "weakness"),
    (("trauma", "yes"),): ("medical", "trauma"),
    (("fever", "yes"),): ("medical", "fever"),
    (("cancer", "yes"),): ("medical", "cancer"),
    (("symptoms", "yes"),): ("physician", "symptoms"),
    (("supervised", "yes"),): ("physician", "supervised"),
    (("pregnant", "yes"),): ("physician", "pregnant"),
    (("disease", "yes"), ("active", "no")): ("physician", "disease_inactive"),
    (("disease", "yes"), ("effort", "hard")): ("physician", "disease_hard"),
    (("over_69", "yes"), ("active", "no")): ("physician", "over_69_inactive"),
    (("pain", "yes"), ("goal", "open")): ("pt", "pain"),
    (("flares", "yes"),): ("pt", "flares"),
    (("limited", "yes"),): ("pt", "limited"),
    (("daily", "yes"),): ("pt", "daily"),
    (("complex", "yes"),): ("pt", "complex"),
    (("injury", "treatment"),): ("pt", "in_treatment"),
    (("injury", "untreated"),): ("pt", "not_cleared"),
    (("goal", "relief"),): ("pt", "relief"),
    (("injury", "discharged"),): ("handoff", "discharged"),
    (("injury", "cleared"),): ("handoff", "cleared"),
    (): ("trainer", "nothing_found"),
    # What asks for nobody else by itself.
    (("disease", "yes"),): ("trainer", "nothing_found"),
    (("over_69", "yes"),): ("trainer", "nothing_found"),
    (("active", "no"),): ("trainer", "nothing_found"),
    (("effort", "hard"),): ("trainer", "nothing_found"),
    (("active", "no"), ("effort", "hard")): ("trainer", "nothing_found"),
    (("goal", "sport"),): ("trainer", "nothing_found"),
    (("goal", "daily"),): ("trainer", "nothing_found"),
    (("goal", "open"),): ("trainer", "nothing_found"),
}
UNCLEAR: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("chest", "saddle", "bladder_bowel", "weakness", "trauma", "fever", "cancer"),
        ("medical", "unsure_warning"),
    ),
    **dict.fromkeys(("symptoms", "supervised", "pregnant"), ("physician", "unsure_health")),
    **dict.fromkeys(("pain", "flares", "limited", "daily", "complex"), ("pt", "unsure_body")),
    "injury": ("pt", "unsure_injury"),
    "goal": ("pt", "unsure_goal"),
    # Only together with a condition do these say anything.
    **dict.fromkeys(("disease", "over_69", "active", "effort"), ("trainer", "nothing_found")),
}


def advice(*changes: tuple[str, str]) -> Advice:
    return triage.advise({**HEALTHY, **dict(changes)})


def strictness(found: Advice) -> int:
    return STRICT[found.level.value]


@pytest.mark.parametrize("said", ALONE, ids=lambda said: ", ".join(map("=".join, said)) or "well")
def test_each_rule_alone(said: tuple[tuple[str, str], ...]) -> None:
    found = advice(*said)
    level, code = ALONE[said]
    assert (found.level.value, found.codes) == (level, (code,))
    assert not found.reasons[0].unsure


def test_every_rule_and_every_answer_is_in_the_table() -> None:
    assert {code for _, code in ALONE.values()} | {"pain_before_goal"} == {
        rule.code for rule in RULES
    }
    assert set(HEALTHY) == {question.value for question in Question}
    asked = {(question.value, value) for question in Question for value in ASKED[question].options}
    here = {pair for said in ALONE for pair in said} | set(HEALTHY.items())
    assert asked - here - {(name, "unsure") for name in HEALTHY} == set()
    assert set(UNCLEAR) == set(HEALTHY)


@pytest.mark.parametrize("name", UNCLEAR)
def test_each_answer_missing_alone(name: str) -> None:
    level, code = UNCLEAR[name]
    for unclear in ({"unsure"}, {"?"}, {None}, {17}, {("yes",)}):
        found = triage.advise({**HEALTHY, name: unclear.pop()})
        assert (found.level.value, found.codes) == (level, (code,))
        assert found.reasons[0].unsure == code.startswith("unsure")
    left_out = {key: value for key, value in HEALTHY.items() if key != name}
    assert triage.advise(left_out).codes == (code,)


def test_pain_comes_before_the_wish_to_get_stronger() -> None:
    for goal in ("stronger", "sport"):
        found = advice(("pain", "yes"), ("goal", goal))
        assert found.level is Level.PT
        assert found.codes == ("pain", "pain_before_goal")
    for cleared in ("discharged", "cleared"):
        found = advice(("pain", "yes"), ("injury", cleared))
        assert found.level is Level.PT
        assert [reason.code for reason in found.further] == [cleared]


def test_a_doctor_comes_before_a_therapist_who_is_told_of_later() -> None:
    found = advice(("symptoms", "yes"), ("flares", "yes"), ("injury", "cleared"))
    assert found.level is Level.PHYSICIAN
    assert [reason.code for reason in found.reasons] == ["symptoms"]
    assert [reason.code for reason in found.further] == ["flares", "cleared"]


def test_a_topic_that_is_not_clear_is_named_once_and_beside_what_is() -> None:
    unclear = {question.value: "unsure" for question in Question}
    found = triage.advise(unclear)
    assert found.level is Level.MEDICAL
    assert found.codes == ("unsure_warning", *(f"unsure_{topic}" for topic in (
        "health", "body", "injury", "goal",
    )))  # fmt: skip
    assert triage.advise({}) == found
    mixed = advice(("pain", "yes"), ("flares", "unsure"), ("daily", "unsure"), ("goal", "open"))
    assert mixed.codes == ("pain", "unsure_body")
    for changed, code in (("active", "unsure_active"), ("effort", "unsure_effort")):
        assert advice(("disease", "yes"), (changed, "unsure")).codes == (code,)


DANGERS = [(question.value, value) for question in Question for value in ASKED[question].options]


@pytest.mark.parametrize("first", DANGERS, ids="=".join)
def test_of_two_answers_the_stricter_wins_and_no_second_one_makes_it_laxer(
    first: tuple[str, str],
) -> None:
    """All pairs. Being active, and saying how hard, may take back what a condition asked for; no
    other answer takes anything back."""
    alone = strictness(advice(first))
    for second in DANGERS:
        if second[0] == first[0]:
            continue
        together = strictness(advice(first, second))
        assert together >= alone
        assert together >= strictness(advice(second))


RED = [name for name, (level, _) in UNCLEAR.items() if level == "medical"]


def test_all_red_flags_together_and_every_number_of_them() -> None:
    for many in range(1, len(RED) + 1):
        for some in combinations(RED, many):
            found = advice(*((name, "yes") for name in some), ("pain", "yes"))
            assert found.level is Level.MEDICAL
            assert {reason.code for reason in found.reasons} == set(some)


def test_heart_health_by_current_activity_disease_symptoms_and_effort() -> None:
    """The whole product of what the guidance looks at, against that guidance written out."""
    yes_no_unsure = ("yes", "no", "unsure")
    efforts = ("easy", "hard", "unsure")
    for disease, symptoms, active, effort in product(
        yes_no_unsure, yes_no_unsure, yes_no_unsure, efforts
    ):
        found = advice(
            ("disease", disease), ("symptoms", symptoms), ("active", active), ("effort", effort)
        )
        may_be_ill = disease != "no"
        asks = symptoms != "no" or (may_be_ill and (active != "yes" or effort != "easy"))
        assert found.level is (Level.PHYSICIAN if asks else Level.TRAINER), found


answers = st.fixed_dictionaries(
    {question.value: st.sampled_from(list(ASKED[question].options)) for question in Question}
)


@given(answers, st.sampled_from(RED))
def test_a_red_flag_more_never_lowers_it(said: dict[str, str], flag: str) -> None:
    before, after = triage.advise(said), triage.advise({**said, flag: "yes"})
    assert strictness(after) >= strictness(before)
    assert after.level is Level.MEDICAL


@given(answers, st.sampled_from(list(Question)))
def test_an_answer_taken_back_never_makes_it_laxer(said: dict[str, str], name: Question) -> None:
    without = {key: value for key, value in said.items() if key != name.value}
    unclear = strictness(triage.advise(without))
    assert all(
        unclear >= strictness(triage.advise({**said, name.value: value}))
        for value in ASKED[name].options
    )


@given(answers)
def test_the_same_answers_give_the_same_advice_with_reasons(said: dict[str, str]) -> None:
    found = triage.advise(said)
    assert found == triage.advise(dict(reversed(said.items())))
    assert found.reasons
    assert set(found.codes) <= CODES
    assert len(set(found.codes)) == len(found.codes)
    for reason in found.reasons:
        assert reason.level is found.level
        assert reason.title
        assert reason.why
        assert reason.source_texts
    for reason in found.further:
        assert strictness(found) > STRICT[reason.level.value] > STRICT["trainer"]


@given(st.dictionaries(st.text(max_size=12), st.none() | st.text(max_size=8) | st.integers()))
def test_nonsense_is_answered_with_care(said: dict[str, object]) -> None:
    assert triage.advise(said).level is Level.MEDICAL


def test_codes_are_read_back_in_the_words_of_today() -> None:
    found = advice(("pain", "yes"), ("flares", "unsure"))
    again = [triage.reason_of(code, found.level) for code in found.codes]
    assert again == [*found.reasons, *found.further]
    assert triage.reason_of("gone", Level.PT) is None
    assert all(len(code) <= 24 and triage.reason_of(code, Level.PT) for code in CODES)


def test_every_level_leads_somewhere_and_none_books_for_an_emergency() -> None:
    assert set(WAYS) == set(Level)
    medical = WAYS[Level.MEDICAL]
    assert "911" in medical.lead
    assert medical.lead.index("emergency number") < medical.lead.index("clinic")
    assert medical.action is not None
    assert (medical.action.call, medical.action.page) == ("911", "")
    assert WAYS[Level.PHYSICIAN].action is None
    for level in (Level.PT, Level.HANDOFF, Level.TRAINER):
        action = WAYS[level].action
        assert action is not None
        assert (action.page, action.call) == ("directory", "")
    for rule in RULES:
        assert rule.sources
        assert set(rule.sources) <= set(SOURCES)
        assert {clause.question for clause in rule.clauses} <= set(ASKED)
        assert all(clause.values <= set(ASKED[clause.question].options) for clause in rule.clauses)


def test_it_never_names_a_diagnosis() -> None:
    said = " ".join(
        [f"{rule.title} {rule.why}" for rule in RULES]
        + [f"{way.title} {way.lead}" for way in WAYS.values()]
        + [asked.words for asked in ASKED.values()]
    ).lower()
    for word in ("diagnos", "you have ", "cauda", "angina", "fracture", "infection", "tumo"):
        assert word not in said


def test_the_questions_are_few() -> None:
    """Three lists to tick and four choices: within three minutes."""
    assert len(Topic) == 7
    assert len(Question) == 21
    assert sum(len(asked.words) for asked in ASKED.values()) < 1600


@pytest.mark.parametrize(
    ("level", "taken", "last"),
    [
        (Level.MEDICAL, date(2027, 1, 13), date(2027, 1, 13)),
        (Level.PHYSICIAN, date(2027, 1, 13), date(2028, 1, 13)),
        (Level.TRAINER, date(2027, 3, 1), date(2028, 3, 1)),
        (Level.TRAINER, date(2028, 2, 29), date(2029, 2, 28)),
    ],
)
def test_it_says_something_for_a_year_at_most(level: Level, taken: date, last: date) -> None:
    assert triage.valid_until(level, taken) == last
    assert last - taken <= timedelta(days=366)
