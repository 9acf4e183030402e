"""Addresses of the pages of therapists and assistants."""

from django.urls import path

from referrals.views import (
    caseload,
    discharge_flow,
    episodes,
    gates,
    handoff_choice,
    investment,
    limit_templates,
    measurements,
    people,
    refer_out,
    restriction_editor,
)

urlpatterns = [
    path("clients/", caseload.caseload, name="caseload"),
    path("clients/new/", people.client_new, name="client_new"),
    path("clients/<uuid:pk>/invite/", people.client_invite, name="client_invite"),
    path("clients/<uuid:pk>/guardian/", people.guardian_invite, name="guardian_invite"),
    path("clients/<uuid:pk>/episodes/new/", episodes.episode_new, name="episode_new"),
    path("episodes/<uuid:episode_id>/", episodes.episode, name="episode"),
    path("episodes/<uuid:episode_id>/edit/", episodes.episode_edit, name="episode_edit"),
    path("episodes/<uuid:episode_id>/addenda/", episodes.addendum, name="addendum"),
    path(
        "episodes/<uuid:episode_id>/measurements/", measurements.measurements, name="measurements"
    ),
    path(
        "episodes/<uuid:episode_id>/measurements/<uuid:measurement_id>/remove/",
        measurements.measurement_remove,
        name="measurement_remove",
    ),
    path("episodes/<uuid:episode_id>/coverage/", investment.coverage, name="coverage"),
    path("discharge/<uuid:episode_id>/", discharge_flow.discharge_note, name="discharge"),
    path("discharge/<uuid:episode_id>/save/", discharge_flow.discharge_save, name="discharge_save"),
    path("discharge/<uuid:episode_id>/sign/", discharge_flow.discharge_sign, name="discharge_sign"),
    path(
        "discharge/<uuid:episode_id>/handoff/",
        handoff_choice.discharge_handoff,
        name="discharge_handoff",
    ),
    path(
        "episodes/<uuid:episode_id>/return/",
        refer_out.return_to_training,
        name="return_to_training",
    ),
    path("episodes/<uuid:episode_id>/limits/", restriction_editor.limits, name="limits"),
    path(
        "episodes/<uuid:episode_id>/limits/template/",
        limit_templates.limit_template,
        name="limit_template",
    ),
    path("episodes/<uuid:episode_id>/gates/", gates.gates, name="gates"),
    path(
        "episodes/<uuid:episode_id>/gates/<uuid:gate_id>/remove/",
        gates.gate_remove,
        name="gate_remove",
    ),
    path("episodes/<uuid:episode_id>/recurrence/", episodes.recurrence, name="recurrence"),
    path("episodes/<uuid:episode_id>/limits/new/", restriction_editor.limit_new, name="limit_new"),
    path(
        "episodes/<uuid:episode_id>/limits/<uuid:restriction_id>/",
        restriction_editor.limit_change,
        name="limit_change",
    ),
    path(
        "episodes/<uuid:episode_id>/limits/<uuid:version_id>/remove/",
        restriction_editor.limit_remove,
        name="limit_remove",
    ),
    path("limits/<uuid:restriction_id>/", restriction_editor.limit_history, name="limit_history"),
    path(
        "limits/<uuid:restriction_id>/revise/",
        restriction_editor.limit_revise,
        name="limit_revise",
    ),
    path("limits/<uuid:restriction_id>/lift/", restriction_editor.limit_lift, name="limit_lift"),
]
