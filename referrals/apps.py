from django.apps import AppConfig
from django.db.models.signals import post_migrate

GUARDED = (
    *("referrals_episode", "referrals_measurement", "referrals_dischargenote", "referrals_goal"),
    *("referrals_addendum", "referrals_restriction", "referrals_restrictionversion"),
    *("referrals_acknowledgement", "referrals_referral", "referrals_referralevent"),
    *("referrals_referralmessage", "referrals_loopreport", "referrals_letter"),
    *("referrals_coverage", "referrals_package", "referrals_wish", "referrals_screening"),
    "referrals_referoutfacts",
    "referrals_gate",
)
"""The tables under row-level security; a test compares them with the database."""


class ReferralsConfig(AppConfig):
    name = "referrals"
    verbose_name = "Care and handoffs"

    def ready(self) -> None:
        # Models can be imported only now that all apps are loaded.
        from clients import consequences  # noqa: PLC0415
        from handoff.core import subjects  # noqa: PLC0415
        from handoff.web import bell  # noqa: PLC0415
        from referrals import reference, reminders  # noqa: PLC0415

        subjects.guard(*GUARDED)
        post_migrate.connect(reference.load_after_migrate, sender=self)
        bell.count_with(reminders.open_count)
        consequences.credential_changed.follow(
            lambda credential, at: reminders.credential_changed(credential, at=at)
        )
        consequences.deciders_changed.follow(
            lambda client, at: reminders.people_changed(client.pk, at=at)
        )
        consequences.zone_changed.follow(lambda user, at: reminders.zone_changed(user, at=at))
