"""Addresses of the pages of clients, guardians and everybody's first page."""

from django.urls import path

from referrals.views import consents as views
from referrals.views import investment, letters, my_data, my_reminders, triage
from referrals.views.directory import (
    directory_entry,
    directory_page,
    wish_make,
    wish_take_back,
)
from referrals.views.home import home
from referrals.views.invitations import invitation, invitation_open

urlpatterns = [
    path("home/", home, name="home"),
    path("home/<slug:area>/", home, name="home_area"),
    path("consents/", views.consents, name="consents"),
    path("consents/<uuid:pk>/", views.consent, name="consent"),
    path("consents/<uuid:pk>/grant/", views.consent_grant, name="consent_grant"),
    path("consents/<uuid:pk>/decline/", views.consent_decline, name="consent_decline"),
    path("consents/<uuid:pk>/narrow/", views.consent_narrow, name="consent_narrow"),
    path("consents/<uuid:pk>/revoke/", views.consent_revoke, name="consent_revoke"),
    path("consents/<uuid:pk>/object/", views.consent_object, name="consent_object"),
    path("consents/<uuid:pk>/renew/", views.consent_renew, name="consent_renew"),
    path("consents/<uuid:pk>/what-if/", views.consent_what_if, name="consent_what_if"),
    path("consents/<uuid:pk>/view-as/", views.consent_view_as, name="consent_view_as"),
    path("consents/<uuid:pk>/again/", views.consent_again, name="consent_again"),
    path("consents/<uuid:pk>/receipt/", views.consent_receipt, name="consent_receipt"),
    path(
        "consents/<uuid:pk>/receipt.<slug:kind>",
        views.consent_receipt_file,
        name="consent_receipt_file",
    ),
    path("my-data/", my_data.my_data, name="my_data"),
    path("my-data/account.json", my_data.account_file, name="my_data_account"),
    path("my-data/<uuid:pk>/everything.<slug:kind>", my_data.record_file, name="my_data_file"),
    path("my-data/<uuid:pk>/erase/", my_data.erase, name="my_data_erase"),
    path("my-data/<uuid:pk>/keep/", my_data.keep, name="my_data_keep"),
    path("clients/<uuid:pk>/costs/", investment.costs, name="costs"),
    path("packages/<uuid:pk>/used/", investment.package_used, name="package_used"),
    path("packages/<uuid:pk>/remove/", investment.package_remove, name="package_remove"),
    path("clients/<uuid:pk>/letters/", letters.letters, name="letters"),
    path("letters/<uuid:pk>/file/", letters.letter_file, name="letter_file"),
    path("letters/<uuid:pk>/remove/", letters.letter_remove, name="letter_remove"),
    path("directory/", directory_page, name="directory"),
    path("directory/<uuid:pk>/", directory_entry, name="directory_entry"),
    path("directory/<uuid:pk>/wish/", wish_make, name="wish_make"),
    path("wishes/<uuid:pk>/take-back/", wish_take_back, name="wish_take_back"),
    path("triage/", triage.triage, name="triage"),
    path("triage/save/", triage.triage_save, name="triage_save"),
    path("clients/<uuid:pk>/screenings/", triage.screenings, name="screenings"),
    path("screenings/<uuid:pk>/void/", triage.screening_void, name="screening_void"),
    path("screenings/<uuid:pk>/remove/", triage.screening_remove, name="screening_remove"),
    path("reminders/", my_reminders.reminders, name="reminders"),
    path("reminders/<uuid:pk>/done/", my_reminders.reminder_done, name="reminder_done"),
    path("reminders/<uuid:pk>/snooze/", my_reminders.reminder_snooze, name="reminder_snooze"),
    path("invitations/open/", invitation_open, name="invitation_open"),
    path("invitations/<str:token>/", invitation, name="invitation"),
]
