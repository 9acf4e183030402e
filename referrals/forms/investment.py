"""What care and training cost."""

from referrals.forms.pt_entries import EntryForm, day, number, words


class CoverageForm(EntryForm):
    payer = words("Who pays", hint="An insurer, a programme, or the client.")
    visits_authorized = number(
        "Visits authorised", required=False, hint="Leave it empty where there is no limit."
    )
    visits_used = number("Visits used", required=False)
    authorized_until = day(
        "Authorised until", required=False, hint="You are reminded two weeks before."
    )
    cost_per_visit = number("Own part for a visit, in dollars", required=False, whole=False)


class PackageForm(EntryForm):
    provider = words("With whom", hint="A trainer or a gym.")
    sessions_bought = number("Sessions paid for")
    sessions_used = number("Used so far", required=False)
    price = number("Price of all, in dollars", required=False, whole=False)
    bought_on = day("Bought on")
    valid_until = day("Valid until", required=False)
