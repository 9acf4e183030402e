"""API addresses of care and of what passes between professionals."""

from django.urls import path

from referrals.api import steps
from referrals.api.clients import CancelInvitation, Clients, Invitations, OneClient
from referrals.api.consents import (
    Consents,
    DeclineConsent,
    GrantConsent,
    NarrowConsent,
    ObjectToConsent,
    OneConsent,
    PreviewConsent,
    RenewConsent,
    RevokeConsent,
    WhatIfConsent,
)
from referrals.api.episodes import Episodes, LabelRecurrence, OneEpisode
from referrals.api.facts import Facts
from referrals.api.gates import EpisodeGates, OneGate, Templates
from referrals.api.investment import (
    Coverages,
    EpisodeCoverage,
    Packages,
    RemovePackage,
    UsePackage,
)
from referrals.api.letters import Letters, OneLetterFile, RemoveLetter
from referrals.api.notes import Addenda, Notes, OneNote, SignNote
from referrals.api.receipts import ConsentReceipt
from referrals.api.record import Record
from referrals.api.referrals import Messages, OneReferral, Referrals
from referrals.api.reminders import ReminderDone, Reminders, ReminderSnooze
from referrals.api.restrictions import (
    AcknowledgeRestriction,
    LiftRestriction,
    OneRestriction,
    RequestLift,
    RestrictionHistory,
    Restrictions,
    ReviseRestriction,
)
from referrals.api.rights import EraseRecord, ExportAccount, ExportRecord, KeepRecord
from referrals.api.scores import EpisodeMeasurements, Measurements, Measures, OneMeasurement
from referrals.api.timeline import Timeline
from referrals.api.triage import RemoveScreening, Screenings, Triage, VoidScreening
from referrals.api.wishes import TakeBackWish, Wishes

urlpatterns = [
    path("clients/", Clients.as_view()),
    path("clients/<uuid:id>/", OneClient.as_view()),
    path("clients/<uuid:id>/record/", Record.as_view()),
    path("clients/<uuid:id>/export/", ExportRecord.as_view()),
    path("clients/<uuid:id>/erasure/", EraseRecord.as_view()),
    path("clients/<uuid:id>/erasure/cancel/", KeepRecord.as_view()),
    path("me/export/", ExportAccount.as_view()),
    path("clients/<uuid:id>/letters/", Letters.as_view()),
    path("letters/<uuid:id>/file/", OneLetterFile.as_view()),
    path("letters/<uuid:id>/remove/", RemoveLetter.as_view()),
    path("clients/<uuid:id>/coverages/", Coverages.as_view()),
    path("clients/<uuid:id>/packages/", Packages.as_view()),
    path("packages/<uuid:id>/used/", UsePackage.as_view()),
    path("packages/<uuid:id>/remove/", RemovePackage.as_view()),
    path("clients/<uuid:id>/wishes/", Wishes.as_view()),
    path("wishes/<uuid:id>/take-back/", TakeBackWish.as_view()),
    path("triage/", Triage.as_view()),
    path("clients/<uuid:id>/screenings/", Screenings.as_view()),
    path("screenings/<uuid:id>/void/", VoidScreening.as_view()),
    path("screenings/<uuid:id>/remove/", RemoveScreening.as_view()),
    path("clients/<uuid:id>/timeline/", Timeline.as_view()),
    path("clients/<uuid:id>/invitations/", Invitations.as_view()),
    path("clients/<uuid:id>/invitations/<uuid:invitation>/cancel/", CancelInvitation.as_view()),
    path("consents/", Consents.as_view()),
    path("consents/<uuid:id>/", OneConsent.as_view()),
    path("consents/<uuid:id>/grant/", GrantConsent.as_view()),
    path("consents/<uuid:id>/decline/", DeclineConsent.as_view()),
    path("consents/<uuid:id>/narrow/", NarrowConsent.as_view()),
    path("consents/<uuid:id>/revoke/", RevokeConsent.as_view()),
    path("consents/<uuid:id>/renew/", RenewConsent.as_view()),
    path("consents/<uuid:id>/object/", ObjectToConsent.as_view()),
    path("consents/<uuid:id>/what-if/", WhatIfConsent.as_view()),
    path("consents/<uuid:id>/preview/", PreviewConsent.as_view()),
    path("consents/<uuid:id>/receipt/", ConsentReceipt.as_view()),
    path("episodes/", Episodes.as_view()),
    path("episodes/<uuid:id>/", OneEpisode.as_view()),
    path("episodes/<uuid:id>/coverage/", EpisodeCoverage.as_view()),
    path("episodes/<uuid:id>/measurements/", EpisodeMeasurements.as_view()),
    path("episodes/<uuid:id>/gates/", EpisodeGates.as_view()),
    path("episodes/<uuid:id>/recurrence/", LabelRecurrence.as_view()),
    path("gates/<uuid:id>/", OneGate.as_view()),
    path("restriction-templates/", Templates.as_view()),
    path("measurements/", Measurements.as_view()),
    path("measurements/<uuid:id>/", OneMeasurement.as_view()),
    path("measures/", Measures.as_view()),
    path("discharge-notes/", Notes.as_view()),
    path("discharge-notes/<uuid:id>/", OneNote.as_view()),
    path("discharge-notes/<uuid:id>/sign/", SignNote.as_view()),
    path("discharge-notes/<uuid:id>/addenda/", Addenda.as_view()),
    path("restrictions/", Restrictions.as_view()),
    path("restrictions/<uuid:id>/", OneRestriction.as_view()),
    path("restrictions/<uuid:id>/revise/", ReviseRestriction.as_view()),
    path("restrictions/<uuid:id>/lift/", LiftRestriction.as_view()),
    path("restrictions/<uuid:id>/acknowledge/", AcknowledgeRestriction.as_view()),
    path("restrictions/<uuid:id>/request-lift/", RequestLift.as_view()),
    path("restrictions/<uuid:id>/history/", RestrictionHistory.as_view()),
    path("referrals/", Referrals.as_view()),
    path("referrals/<uuid:id>/", OneReferral.as_view()),
    path("referrals/<uuid:id>/messages/", Messages.as_view()),
    path("referrals/<uuid:id>/facts/", Facts.as_view()),
    *steps.urlpatterns,
    path("reminders/", Reminders.as_view()),
    path("reminders/<uuid:id>/done/", ReminderDone.as_view()),
    path("reminders/<uuid:id>/snooze/", ReminderSnooze.as_view()),
]
