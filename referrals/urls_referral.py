"""Addresses of the referral pages and of a client's page."""

from django.urls import path

from referrals.views import client_page, refer_out, referral
from referrals.views.asking import client_ask
from referrals.views.timeline import client_timeline

urlpatterns = [
    path("referrals/", referral.referrals, name="referrals"),
    path("referrals/<uuid:pk>/", referral.referral, name="referral"),
    path("referrals/<uuid:pk>/facts/", refer_out.refer_out_facts, name="refer_out_facts"),
    path("clients/<uuid:pk>/refer-out/", refer_out.refer_out, name="refer_out"),
    path("referrals/<uuid:pk>/<slug:verb>/", referral.referral_step, name="referral_step"),
    path("clients/<uuid:pk>/", client_page.client, name="client"),
    path("clients/<uuid:pk>/ask/", client_ask, name="client_ask"),
    path("clients/<uuid:pk>/timeline/", client_timeline, name="client_timeline"),
    path("clients/<uuid:pk>/card/", client_page.client_card, name="client_card"),
    path("clients/<uuid:pk>/read/", client_page.acknowledge, name="acknowledge"),
    path("limits/<uuid:pk>/ask/", client_page.limit_ask, name="limit_ask"),
]
