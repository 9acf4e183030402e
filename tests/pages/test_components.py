"""The components: the right word, icon and wiring, whatever somebody typed."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.forms import formset_factory
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils import timezone

from handoff.web import dates, look
from handoff.web.bodymap import VIEWS, draw, figure, region_at, sites_of, strictest
from handoff.web.paging import Page
from handoff.web.templatetags import ui
from handoff.web.templatetags.ui import icon_names
from referrals.vocabulary import BodyRegion, Laterality, Severity

HOSTILE = '<script>alert("x")</script>'


def show(source: str, **context: Any) -> str:
    return Template("{% load ui %}" + source).render(Context(context))


class SampleForm(forms.Form):
    value = forms.DecimalField(label="At most", help_text="From the test", max_value=180)
    day = forms.DateField(label="Review on", initial=date(2027, 1, 12))
    side = forms.ChoiceField(
        label="Side", choices=[("left", "Left"), ("right", "Right")], widget=forms.RadioSelect
    )
    severity = forms.ChoiceField(
        label="How strict",
        choices=[("must_not", "Avoid"), ("caution", "Caution")],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(label="Note", widget=forms.Textarea, required=False)
    share = forms.BooleanField(label="Test results", required=False)
    trace = forms.CharField(widget=forms.HiddenInput, required=False)


# --- icons and words ------------------------------------------------------------------------------


def test_icon_beside_words_is_silent() -> None:
    html = show('{% icon "flag" %}')
    assert 'aria-hidden="true"' in html
    assert "#i-flag" in html


def test_icon_alone_speaks() -> None:
    html = show("{% icon 'edit' label=label %}", label=HOSTILE)
    assert 'role="img"' in html
    assert "<script>" not in html


def test_icon_that_does_not_exist_is_an_error_in_the_page() -> None:
    with pytest.raises(TemplateSyntaxError, match="no icon named 'unicorn'"):
        show('{% icon "unicorn" %}')


def test_every_icon_a_tone_wears_is_in_the_sprite() -> None:
    assert {tone.icon for tone in look.STRICTEST_FIRST} <= icon_names()


@pytest.mark.parametrize(
    ("value", "word", "verdict"),
    [
        ("must_not", "Avoid", "Blocked"),
        ("limit", "Modify", "Adjust"),
        ("caution", "Caution", "Watch"),
        ("none", "Can do", "Fits"),
        ("untagged", "Not checked", "Not checked"),
        ("anything else", "Not checked", "Not checked"),
        (None, "Not checked", "Not checked"),
    ],
)
def test_severity_has_its_fixed_word(value: object, word: str, verdict: str) -> None:
    assert word in show("{% severity value %}", value=value)
    assert verdict in show("{% severity value 'plan' %}", value=value)


def test_every_stored_severity_has_a_look_of_its_own() -> None:
    looks = [look.tone_of(severity) for severity in Severity]
    assert look.UNCHECKED not in looks
    assert len(set(looks)) == len(looks)


def test_severity_is_never_colour_alone() -> None:
    for severity in Severity:
        html = show("{% severity value %}", value=severity)
        assert "<use href=" in html
        assert look.tone_of(severity).word in html


# --- the rail -------------------------------------------------------------------------------------


@pytest.mark.parametrize("current", ["rehab", "handoff", "training", "returned"])
def test_rail_gives_the_baton_to_exactly_one(current: str) -> None:
    html = show("{% rail current %}", current=current)
    assert html.count('aria-current="step"') == 1
    done = list(look.PHASES).index(current)
    assert html.count("is-done") == done
    assert html.count("Not yet") == 3 - done


def test_rail_with_an_unknown_phase_is_an_error() -> None:
    with pytest.raises(ValueError, match="lost"):
        show('{% rail "lost" %}')
    with pytest.raises(TemplateSyntaxError, match="no step gym"):
        show('{% rail "rehab" gym="x" %}')


# --- people, withheld, messages -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Priya Raman", "PR"), ("Ana", "A"), ("Ana Maria de Sousa", "AS"), ("", "?"), ("  ", "?")],
)
def test_initials(name: str, expected: str) -> None:
    assert look.initials(name) == expected


def test_person_escapes_what_people_typed() -> None:
    html = show("{% person name 'pt' detail %}", name=HOSTILE, detail=HOSTILE)
    assert "<script>" not in html
    assert "is-rehab" in html


def test_withheld_says_not_shared_and_not_empty() -> None:
    html = show("{% withheld scope who=who %}", scope="Test results", who=HOSTILE)
    assert "Not shared" in html
    assert "does not mean there is nothing" in html
    assert "<script>" not in html


def test_withheld_takes_a_share_class() -> None:
    class Scope:
        label = "Closing note"

    assert "Closing note" in show("{% withheld scope %}", scope=Scope())


def test_blocks_escape_variables_inside_them() -> None:
    html = show(
        "{% alert 'info' title %}<p>{{ text }}</p>{% endalert %}", title=HOSTILE, text=HOSTILE
    )
    assert "<script>" not in html
    assert "<p>&lt;script&gt;" in html
    html = show("{% empty title %}{{ text }}{% endempty %}", title=HOSTILE, text=HOSTILE)
    assert "<script>" not in html


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36",
            "Chrome on Linux",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/150.0 Safari/537.36 Edg/150.0", "Edge on Windows"),
        ("curl/8", "Another browser"),
        (HOSTILE, "Another browser"),
    ],
)
def test_browser_name(agent: str, name: str) -> None:
    assert show("{{ agent|browser_name }}", agent=agent) == name


# --- time -----------------------------------------------------------------------------------------


def test_day_is_unmistakable() -> None:
    html = show("{% day value %}", value=date(2027, 1, 12))
    assert html == '<time datetime="2027-01-12">12 Jan 2027</time>'
    assert show("{% day value %}{% moment value %}{% distance value %}", value=None) == ""


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "today"),
        (1, "tomorrow"),
        (-1, "yesterday"),
        (50, "in 50 days"),
        (-3, "3 days ago"),
        (180, "in 6 months"),
        (-1100, "3 years ago"),
    ],
)
def test_distance(days: int, words: str) -> None:
    today = date(2026, 11, 23)
    assert dates.distance_text(today + timedelta(days=days), today=today) == words


def test_day_is_the_readers_day() -> None:
    """23:30 in New York is the next day in UTC; the person reads their own calendar."""
    late = datetime(2027, 1, 12, 23, 30, tzinfo=ZoneInfo("America/New_York"))
    with timezone.override(ZoneInfo("America/New_York")):
        assert dates.day_text(late) == "12 Jan 2027"
    with timezone.override(ZoneInfo("UTC")):
        assert dates.day_text(late) == "13 Jan 2027"


def test_moment_names_today_and_yesterday() -> None:
    with timezone.override(ZoneInfo("UTC")):
        at = datetime(2027, 1, 12, 18, 4, tzinfo=ZoneInfo("UTC"))
        assert dates.moment_text(at, today=date(2027, 1, 12)) == "Today, 18:04"
        assert dates.moment_text(at, today=date(2027, 1, 13)) == "Yesterday, 18:04"
        assert dates.moment_text(at, today=date(2027, 3, 1)) == "12 Jan 2027, 18:04"


def test_what_is_kept_or_printed_never_says_today() -> None:
    with timezone.override(ZoneInfo("UTC")):
        at = datetime(2027, 1, 12, 18, 4, tzinfo=ZoneInfo("UTC"))
        today = date(2027, 1, 12)
        assert dates.moment_text(at, today=today, exact=True) == "12 Jan 2027, 18:04"
        assert "12 Jan 2027, 18:04" in ui.moment(at, exact=True)


def test_the_last_day_of_what_ends_at_midnight() -> None:
    with timezone.override(ZoneInfo("America/New_York")):
        midnight = datetime(2027, 5, 26, tzinfo=ZoneInfo("America/New_York"))
        assert "25 May 2027" in ui.day(midnight, last=True)
        assert "26 May 2027" in ui.day(midnight)
        assert "25 May 2027" in ui.day(date(2027, 5, 25), last=True)


def test_names_between_backticks_are_code_and_nothing_gets_through() -> None:
    assert ui.coded("From `next` <b>") == "From <code>next</code> &lt;b&gt;"
    assert ui.coded("`<i>`") == "<code>&lt;i&gt;</code>"
    assert ui.coded("one ` only <b>") == "one ` only &lt;b&gt;"


def test_timeline_takes_mappings_and_objects() -> None:
    class Event:
        title = "Signed"
        at = date(2027, 1, 12)
        phase = "rehab"

    events = [Event(), {"title": HOSTILE, "at": timezone.now(), "when": "now", "text": HOSTILE}]
    html = show("{% timeline events %}", events=events)
    assert "12 Jan 2027" in html
    assert html.count('aria-current="step"') == 1
    assert "is-rehab" in html
    assert "<script>" not in html


# --- forms ----------------------------------------------------------------------------------------


def test_field_ties_hint_and_error_to_the_control() -> None:
    form = SampleForm({"value": "900"})
    html = show("{% field form.value unit='degrees' %}", form=form)
    assert 'aria-describedby="id_value_helptext id_value_error"' in html
    assert 'id="id_value_helptext"' in html
    assert 'id="id_value_error"' in html
    assert 'aria-invalid="true"' in html
    assert "degrees" in html
    assert html.count("aria-describedby") == 1


def test_field_escapes_what_was_typed() -> None:
    form = SampleForm({"note": HOSTILE, "value": HOSTILE})
    html = show("{% field form.note %}{% field form.value %}{% error_summary form %}", form=form)
    assert "<script>" not in html


def test_field_asks_for_dates_in_the_browsers_way() -> None:
    html = show("{% field form.day %}", form=SampleForm())
    assert 'type="date"' in html
    assert 'value="2027-01-12"' in html


def test_field_marks_what_is_optional_rather_than_what_is_not() -> None:
    form = SampleForm()
    assert "(optional)" in show("{% field form.note %}", form=form)
    assert "(optional)" not in show("{% field form.value %}", form=form)


def test_field_groups_choices_under_their_question() -> None:
    form = SampleForm({"side": "left"})
    html = show("{% field form.side look='seg' %}", form=form)
    assert "<fieldset" in html
    assert "<legend" in html
    assert html.count('type="radio"') == 2
    assert html.count("checked") == 1


def test_field_colours_severity_choices() -> None:
    html = show("{% field form.severity look='severity' %}", form=SampleForm())
    assert "is-avoid" in html
    assert "is-caution" in html
    assert "#i-avoid" in html


def test_switch_says_its_state_in_words() -> None:
    html = show(
        "{% field form.share look='switch' on='Tom sees it' off='Private' %}", form=SampleForm()
    )
    assert 'role="switch"' in html
    assert "Tom sees it" in html
    assert "Private" in html
    assert "checked" not in html


def test_hidden_field_is_only_its_control() -> None:
    html = show("{% field form.trace %}", form=SampleForm()).strip()
    assert html.startswith("<input")
    assert "label" not in html


def test_missing_answers_are_said_as_something_to_do() -> None:
    form = SampleForm({})
    html = show("{% field form.value %}{% field form.side %}", form=form)
    assert "Fill this in" in html
    assert "Choose one" in html
    assert "required." not in html


def test_error_summary_links_to_every_field() -> None:
    form = SampleForm({"value": "900"})
    form.add_error(None, "The two dates do not fit together")
    html = show("{% error_summary form %}", form=form)
    assert 'role="alert"' in html
    assert 'href="#id_value"' in html
    assert 'href="#id_side_0"' in html  # the first of a group of choices
    assert "5 things need another look" in html
    assert "The two dates do not fit together" in html
    rendered = show("{% field form.value %}{% field form.side %}", form=form)
    assert 'id="id_value"' in rendered
    assert 'id="id_side_0"' in rendered


def test_error_summary_reads_formsets_and_says_nothing_without_need() -> None:
    many = formset_factory(SampleForm, extra=0)
    data = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-value": "900"}
    assert 'href="#id_form-0-value"' in show("{% error_summary formset %}", formset=many(data))
    assert show("{% error_summary form %}", form=SampleForm()) == ""


# --- the body -------------------------------------------------------------------------------------


def test_every_stored_region_is_drawn_or_known_to_be_undrawable() -> None:
    drawn = {region.site for view in VIEWS for region in figure(view).regions}
    for region in BodyRegion:
        for side in Laterality:
            assert set(sites_of(region, side)) <= drawn
    undrawn = {region for region in BodyRegion if not sites_of(region, Laterality.LEFT)}
    assert undrawn == {BodyRegion.CARDIORESPIRATORY, BodyRegion.WHOLE_BODY}


def test_a_tap_chooses_only_regions_that_can_be_stored() -> None:
    stored = {region_at(region.site) for view in VIEWS for region in figure(view).regions}
    for region, side in stored - {("", "")}:
        assert region in BodyRegion.values
        assert side in Laterality.values
        assert sites_of(region, side)


def test_one_side_is_one_side() -> None:
    assert sites_of(BodyRegion.KNEE, Laterality.LEFT) == ("left-knee",)
    assert sites_of(BodyRegion.KNEE, Laterality.BILATERAL) == ("left-knee", "right-knee")


def test_strictest_wins_where_limits_meet() -> None:
    marks = [("left-knee", "caution"), ("left-knee", "must_not"), ("left-knee", "limit")]
    assert strictest(marks) == {"left-knee": look.AVOID}
    assert strictest(reversed(marks)) == {"left-knee": look.AVOID}


def test_bodymap_says_what_it_shows() -> None:
    html = show("{% bodymap 'front' marks %}", marks={"left-knee": "must_not"})
    assert 'role="img"' in html
    assert "Left knee: avoid" in html
    assert html.count("is-avoid") == 1
    assert "Nothing is marked" in show("{% bodymap 'back' %}")


def test_bodymap_draws_what_is_selected_last_so_that_it_lies_on_top() -> None:
    regions = draw("front", selected="head").regions
    assert [region.region.site for region in regions if region.selected] == ["head"]
    assert regions[-1].selected


def test_bodymap_carries_no_colour_of_its_own() -> None:
    html = show("{% bodymap 'front' marks %}{% bodymap 'back' %}", marks={"left-knee": "limit"})
    assert 'fill="#' not in html
    assert 'stroke="#' not in html
    assert "style=" not in html


def test_bodymap_picker_names_its_fields() -> None:
    html = show("{% bodymap 'front' pick='body_region' pick_side='laterality' %}")
    assert 'data-pick="body_region"' in html
    assert 'data-stored="knee" data-side="left"' in html


def test_legend_names_the_marked_regions() -> None:
    html = show("{% bodymap_legend marks %}", marks={"left-knee": "must_not"})
    assert "Avoid: Left knee" in html
    assert "Modify" not in html


# --- lists ----------------------------------------------------------------------------------------


def test_pages_keeps_the_rest_of_the_address() -> None:
    request = RequestFactory().get("/clients/?q=ana&cursor=old")
    page: Page[Any] = Page(items=[], next="a b", previous=None)
    html = show("{% pages page %}", page=page, request=request)
    assert "?q=ana&amp;cursor=a+b" in html
    assert 'rel="prev"' not in html
    assert show("{% pages page %}", page=Page([], None, None), request=request).strip() == ""


def test_plate_shows_the_number_or_else_the_sign() -> None:
    html = show("{% plate 'limit' number='≤ 90°' words='knee bend' %}")
    assert "≤ 90°" in html
    assert "<use" not in html
    assert "#i-avoid" in show("{% plate 'must_not' words='No jumps' %}")
