from django.db import migrations

from handoff.core.immutable import append_only, frozen_once, sealed_with


class Migration(migrations.Migration):
    dependencies = [("referrals", "0001_initial"), ("core", "0002_keep_entries")]

    operations = [
        frozen_once("referrals_dischargenote", "signed_at"),
        sealed_with(
            "referrals_goal", parent="referrals_dischargenote", link="note_id", column="signed_at"
        ),
        frozen_once("referrals_restrictionversion", "signed_at"),
        append_only("referrals_addendum"),
        append_only("referrals_acknowledgement"),
        append_only("referrals_referralevent"),
        append_only("referrals_referralmessage"),
        append_only("referrals_loopreport"),
    ]
