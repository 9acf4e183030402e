"""Every address that has to do with Ana, method by method: who may come in, and what is answered.

An address that is missing here and in `elsewhere` fails the suite. So does one that is here and
nowhere in the product.
"""

from tests.matrix.oracle import changing, reading
from tests.matrix.oracle.answers import (
    CLIENTS,
    ELSEWHERE,
    MAY,
    NOTHING_OF_HERS,
    PROFESSIONALS,
    THERAPY,
    TRAINERS,
    Route,
    Rule,
    always,
    api,
    entered,
    page,
)
from tests.matrix.oracle.consent import Part

V1 = "/api/v1/"
CLIENT = f"{V1}clients/<uuid:id>/"
CONSENT = f"{V1}consents/<uuid:id>/"
EPISODE = f"{V1}episodes/<uuid:id>/"
NOTE = f"{V1}discharge-notes/<uuid:id>/"
LIMIT = f"{V1}restrictions/<uuid:id>/"
REFERRAL = f"{V1}referrals/<uuid:id>/"
REMINDER = f"{V1}reminders/<uuid:id>/"


def get(address: str, rule: Rule, takes: str = "", shape: str = "", query: str = "") -> Route:
    return Route("GET", address, rule, takes, shape, query)


def post(address: str, rule: Rule, takes: str = "") -> Route:
    return Route("POST", address, rule, takes)


def change(method: str, address: str, rule: Rule, takes: str) -> Route:
    return Route(method, address, rule, takes)


API: tuple[Route, ...] = (
    get(f"{V1}access-log/", api(always(NOTHING_OF_HERS), *CLIENTS), shape="LOOKS"),
    # --- her, and her record
    get(f"{V1}clients/", api(reading.clients), shape="CLIENTS"),
    get(CLIENT, api(reading.herself), "client", "CLIENT"),
    get(f"{CLIENT}record/", api(reading.record), "client", "RECORD"),
    get(f"{CLIENT}timeline/", api(reading.what_happened), "client", "TIMELINE"),
    get(f"{CLIENT}invitations/", api(reading.her_invitations, *THERAPY), "client", "INVITATIONS"),
    post(f"{V1}clients/", api(always(MAY), *THERAPY)),
    change("PATCH", CLIENT, api(changing.corrects_her_details), "client"),
    post(f"{CLIENT}invitations/", api(changing.treats, *THERAPY), "client"),
    post(
        f"{CLIENT}invitations/<uuid:invitation>/cancel/",
        api(changing.treats, *THERAPY),
        "client",
    ),
    # --- what she agreed to
    get(f"{V1}consents/", api(reading.consents), shape="CONSENTS"),
    get(CONSENT, api(reading.consent), "consent", "CONSENT"),
    get(f"{CONSENT}preview/", api(reading.preview, *CLIENTS), "consent", "RECORD"),
    get(f"{CONSENT}receipt/", api(reading.receipt, *CLIENTS), "consent", "RECEIPT"),
    post(f"{V1}consents/", api(changing.asks_her)),
    get(f"{CONSENT}what-if/", api(reading.of_her_question, *CLIENTS), "consent", "WHAT_IF"),
    *(
        post(f"{CONSENT}{act}/", api(changing.decides, *CLIENTS), "consent")
        for act in ("grant", "decline", "narrow", "revoke", "renew")
    ),
    post(f"{CONSENT}object/", api(changing.objects, *CLIENTS), "consent"),
    # --- whom she would like
    get(f"{CLIENT}wishes/", api(reading.wishes), "client", "WISHES"),
    post(f"{CLIENT}wishes/", api(changing.decides, *CLIENTS), "client"),
    post(f"{V1}wishes/<uuid:id>/take-back/", api(changing.decides, *CLIENTS), "wish"),
    # --- letters from doctors, and everything as a file
    get(f"{CLIENT}letters/", api(reading.letters), "client", "LETTERS"),
    get(f"{V1}letters/<uuid:id>/file/", api(reading.letter_file), "letter", "LETTER_FILE"),
    post(f"{CLIENT}letters/", api(changing.hands_in_a_letter), "client"),
    post(f"{V1}letters/<uuid:id>/remove/", api(changing.added_the_letter), "letter"),
    # --- who comes first: the advice itself is for everybody, keeping it is hers
    get(f"{CLIENT}screenings/", api(reading.screenings, *CLIENTS), "client", "SCREENINGS"),
    post(f"{V1}triage/", api(changing.decides)),
    post(f"{V1}screenings/<uuid:id>/void/", api(changing.decides, *CLIENTS), "screening"),
    post(f"{V1}screenings/<uuid:id>/remove/", api(changing.decides, *CLIENTS), "screening"),
    Route("POST", f"{CLIENT}export/", api(reading.everything, *CLIENTS), "client", "EXPORT"),
    get(f"{CLIENT}erasure/", api(reading.hers, *CLIENTS), "client", "ERASURE"),
    post(f"{CLIENT}erasure/", api(changing.decides, *CLIENTS), "client"),
    post(f"{CLIENT}erasure/cancel/", api(changing.decides, *CLIENTS), "client"),
    # --- what it costs
    get(f"{EPISODE}coverage/", api(reading.coverage, *THERAPY), "episode", "COVERAGE"),
    get(f"{CLIENT}coverages/", api(reading.her_costs), "client", "COVERAGES"),
    get(f"{CLIENT}packages/", api(reading.her_costs), "client", "PACKAGES"),
    post(f"{EPISODE}coverage/", api(changing.signs, *THERAPY), "episode"),
    post(f"{CLIENT}packages/", api(changing.decides), "client"),
    post(f"{V1}packages/<uuid:id>/used/", api(changing.decides), "package"),
    post(f"{V1}packages/<uuid:id>/remove/", api(changing.decides), "package"),
    # --- her therapy
    get(f"{V1}episodes/", api(reading.episodes, *THERAPY), shape="EPISODES"),
    get(EPISODE, api(reading.episode), "episode", "EPISODE"),
    get(f"{EPISODE}measurements/", api(reading.one_of(Part.OUTCOMES)), "episode", "SCORES"),
    get(f"{EPISODE}gates/", api(reading.gates), "episode", "GATES"),
    get(f"{V1}measurements/", api(reading.one_of(Part.OUTCOMES)), "", "SCORES", "episode"),
    get(f"{V1}discharge-notes/", api(reading.notes), shape="NOTES"),
    get(NOTE, api(reading.one_of(Part.NOTE)), "note", "NOTE"),
    get(NOTE, api(reading.draft_of(Part.NOTE)), "draft note", "NOTE"),
    get(f"{V1}restrictions/", api(reading.limits_of_her), "", "LIMITS", "client"),
    get(LIMIT, api(reading.one_of(Part.RESTRICTIONS)), "restriction", "LIMIT"),
    get(LIMIT, api(reading.draft_of(Part.RESTRICTIONS)), "draft restriction", "LIMIT"),
    get(f"{LIMIT}history/", api(reading.one_of(Part.RESTRICTIONS)), "restriction", "VERSIONS"),
    post(f"{V1}episodes/", api(changing.signs, *THERAPY)),
    change("PATCH", EPISODE, api(changing.signs, *THERAPY), "running episode"),
    post(f"{EPISODE}measurements/", api(changing.treats, *THERAPY), "running episode"),
    post(f"{EPISODE}gates/", api(changing.signs, *THERAPY), "running episode"),
    post(f"{EPISODE}recurrence/", api(changing.signs, *THERAPY), "running episode"),
    change(
        "DELETE", f"{V1}gates/<uuid:id>/", api(changing.drafts_a_signed_thing, *THERAPY), "gate"
    ),
    post(f"{V1}measurements/", api(changing.treats, *THERAPY)),
    change(
        "DELETE",
        f"{V1}measurements/<uuid:id>/",
        api(changing.drafts_a_signed_thing, *THERAPY),
        "measurement",
    ),
    post(f"{V1}discharge-notes/", api(changing.treats, *THERAPY)),
    change("PATCH", NOTE, api(changing.treats, *THERAPY), "draft note"),
    post(f"{NOTE}sign/", api(changing.signs, *THERAPY), "draft note"),
    post(f"{NOTE}addenda/", api(changing.signs, *THERAPY), "note"),
    post(f"{V1}restrictions/", api(changing.treats, *THERAPY)),
    change("PATCH", LIMIT, api(changing.treats, *THERAPY), "draft restriction"),
    change("DELETE", LIMIT, api(changing.treats, *THERAPY), "draft restriction"),
    post(f"{LIMIT}revise/", api(changing.signs, *THERAPY), "restriction"),
    post(f"{LIMIT}lift/", api(changing.signs, *THERAPY), "restriction"),
    post(f"{LIMIT}acknowledge/", api(changing.reads_her_limits, *TRAINERS), "restriction"),
    post(f"{LIMIT}request-lift/", api(changing.reads_her_limits, *TRAINERS), "restriction"),
    # --- her handoffs
    get(f"{V1}referrals/", api(reading.handoffs), shape="REFERRALS"),
    get(REFERRAL, api(reading.handoff), "referral", "REFERRAL"),
    get(f"{REFERRAL}messages/", api(reading.messages, *PROFESSIONALS), "referral", "MESSAGES"),
    get(f"{REFERRAL}facts/", api(reading.facts_of_a_handoff), "referral"),
    change("PUT", f"{REFERRAL}facts/", api(changing.step("sender"), *TRAINERS), "referral"),
    post(f"{V1}referrals/", api(changing.treats, *PROFESSIONALS)),
    post(f"{REFERRAL}messages/", api(changing.writes_a_message, *PROFESSIONALS), "referral"),
    *(
        post(f"{REFERRAL}{verb}/", api(changing.step(*walkers)), "referral")
        for verb, walkers in (
            ("send", ["sender"]),
            ("ask", ["recipient"]),
            ("answer", ["sender"]),
            ("accept", ["recipient"]),
            ("decline", ["recipient"]),
            ("schedule", ["recipient", "client"]),
            ("no-show", ["recipient"]),
            ("cancel-appointment", ["recipient", "client"]),
            ("begin", ["recipient"]),
            ("hold", ["sender", "recipient"]),
            ("resume", ["sender", "recipient"]),
            ("report", ["recipient"]),
            ("complete", ["recipient"]),
            ("fail", ["recipient"]),
            ("cancel", ["sender", "client"]),
            ("confirm-cancel", ["recipient"]),
            ("discard", ["sender"]),
            ("enter-in-error", ["sender", "admin"]),
        )
    ),
    post(f"{REFERRAL}view/", api(changing.opens), "referral"),
    post(f"{REFERRAL}reroute/", api(changing.step("sender"), *PROFESSIONALS), "referral"),
    # --- reminders
    get(f"{V1}reminders/", api(always(NOTHING_OF_HERS)), shape="REMINDERS"),
    post(f"{REMINDER}done/", api(changing.owns), "reminder"),
    post(f"{REMINDER}snooze/", api(changing.owns), "reminder"),
)

EPISODE_PAGE = "/episodes/<uuid:episode_id>/"
NOTE_PAGE = "/discharge/<uuid:episode_id>/"
LIMIT_PAGE = "/limits/<uuid:restriction_id>/"
CONSENT_PAGE = "/consents/<uuid:pk>/"
HANDOFF_PAGE = "/referrals/<uuid:pk>/"

PAGES: tuple[Route, ...] = (
    get("/home/", page(reading.first_page)),
    get("/home/<slug:area>/", page(reading.first_page, *CLIENTS), "area"),
    get("/access/", page(always(NOTHING_OF_HERS), *CLIENTS)),
    get("/access/list.csv", page(always(NOTHING_OF_HERS), *CLIENTS)),
    # --- everything as a file, and an end to it
    get("/my-data/", page(reading.own_name)),
    Route(
        "POST",
        "/my-data/<uuid:pk>/everything.<slug:kind>",
        page(reading.everything_from_a_page, *CLIENTS),
        "client",
    ),
    get("/my-data/<uuid:pk>/erase/", page(reading.hers, *CLIENTS), "client"),
    post("/my-data/<uuid:pk>/erase/", page(changing.decides, *CLIENTS), "client"),
    post("/my-data/<uuid:pk>/keep/", page(changing.decides, *CLIENTS), "client"),
    # --- what it costs
    get("/clients/<uuid:pk>/costs/", page(reading.her_costs), "client"),
    post("/clients/<uuid:pk>/costs/", page(changing.decides), "client"),
    post("/packages/<uuid:pk>/used/", page(changing.decides), "package"),
    post("/packages/<uuid:pk>/remove/", page(changing.decides), "package"),
    get("/episodes/<uuid:episode_id>/coverage/", page(reading.coverage_page, *THERAPY), "episode"),
    post(
        "/episodes/<uuid:episode_id>/coverage/", page(entered(changing.signs), *THERAPY), "episode"
    ),
    # --- whom she would like
    post("/directory/<uuid:pk>/wish/", page(changing.decides, *CLIENTS), "listing"),
    post("/wishes/<uuid:pk>/take-back/", page(changing.decides, *CLIENTS), "wish"),
    # --- letters from doctors
    get("/clients/<uuid:pk>/letters/", page(reading.letters_page), "client"),
    get("/letters/<uuid:pk>/file/", page(reading.letter_file), "letter"),
    post("/clients/<uuid:pk>/letters/", page(changing.hands_in_a_letter), "client"),
    post("/letters/<uuid:pk>/remove/", page(changing.added_the_letter), "letter"),
    # --- who comes first, kept
    get("/clients/<uuid:pk>/screenings/", page(reading.screenings, *CLIENTS), "client"),
    post("/triage/save/", page(changing.decides, *CLIENTS)),
    post("/screenings/<uuid:pk>/void/", page(changing.decides, *CLIENTS), "screening"),
    post("/screenings/<uuid:pk>/remove/", page(changing.decides, *CLIENTS), "screening"),
    # --- asking for more
    get("/clients/<uuid:pk>/ask/", page(reading.asking, *PROFESSIONALS), "client"),
    post("/clients/<uuid:pk>/ask/", page(changing.asks_for_more, *PROFESSIONALS), "client"),
    get("/reminders/", page(always(NOTHING_OF_HERS))),
    post("/reminders/<uuid:pk>/done/", page(changing.owns), "reminder"),
    post("/reminders/<uuid:pk>/snooze/", page(changing.owns), "reminder"),
    # --- her record
    get("/clients/", page(reading.caseload, *PROFESSIONALS)),
    post("/clients/", page(reading.caseload, *PROFESSIONALS)),  # a search for her first name
    get("/clients/<uuid:pk>/", page(reading.record), "client"),
    get("/clients/<uuid:pk>/card/", page(reading.card), "client"),
    get("/clients/<uuid:pk>/timeline/", page(reading.way), "client"),
    post("/clients/<uuid:pk>/read/", page(changing.confirms_on_her_page, *TRAINERS), "client"),
    get(
        "/limits/<uuid:pk>/ask/", page(reading.one_of(Part.RESTRICTIONS), *TRAINERS), "restriction"
    ),
    post("/limits/<uuid:pk>/ask/", page(changing.asks_about_a_limit, *TRAINERS), "restriction"),
    # --- what she agreed to
    get("/consents/", page(reading.hers_or_empty, *CLIENTS)),
    get(CONSENT_PAGE, page(reading.consent_page, *CLIENTS), "consent"),
    post(CONSENT_PAGE, page(changing.decides, *CLIENTS), "consent"),
    *(
        get(f"{CONSENT_PAGE}{act}/", page(always(ELSEWHERE), *CLIENTS), "consent")
        for act in ("grant", "decline", "narrow", "again")
    ),
    *(
        get(f"{CONSENT_PAGE}{act}/", page(reading.leads_to_her_question, *CLIENTS), "consent")
        for act in ("object", "what-if")
    ),
    get(f"{CONSENT_PAGE}renew/", page(reading.renewing, *CLIENTS), "consent"),
    get(f"{CONSENT_PAGE}view-as/", page(reading.viewed_as_now, *CLIENTS), "consent"),
    Route("POST", f"{CONSENT_PAGE}view-as/", page(reading.viewed_as, *CLIENTS), "consent"),
    post(f"{CONSENT_PAGE}what-if/", page(changing.tries_out, *CLIENTS), "consent"),
    post(f"{CONSENT_PAGE}object/", page(changing.objects, *CLIENTS), "consent"),
    get(f"{CONSENT_PAGE}revoke/", page(reading.stop_page, *CLIENTS), "consent"),
    *(
        post(f"{CONSENT_PAGE}{act}/", page(changing.decides, *CLIENTS), "consent")
        for act in ("grant", "decline", "narrow", "revoke", "again", "renew")
    ),
    get(f"{CONSENT_PAGE}receipt/", page(reading.receipt, *CLIENTS), "consent"),
    get("/consents/<uuid:pk>/receipt.<slug:kind>", page(reading.receipt, *CLIENTS), "consent"),
    # --- her handoffs
    get("/referrals/", page(reading.handoffs_page, *PROFESSIONALS), query="box=open"),
    get(HANDOFF_PAGE, page(reading.handoff_page), "referral"),
    get(f"{HANDOFF_PAGE}facts/", page(reading.facts_of_a_handoff, *TRAINERS), "referral"),
    post(f"{HANDOFF_PAGE}facts/", page(reading.facts_of_a_handoff, *TRAINERS), "referral"),
    get("/clients/<uuid:pk>/refer-out/", page(reading.referring_back, *TRAINERS), "client"),
    post("/clients/<uuid:pk>/refer-out/", page(changing.refers_back, *TRAINERS), "client"),
    get(f"{HANDOFF_PAGE}<slug:verb>/", page(reading.handoff_page), "referral"),
    post(
        f"{HANDOFF_PAGE}<slug:verb>/", page(entered(changing.step("sender", "client"))), "referral"
    ),
    # --- her therapy, for those who treat her
    get("/clients/new/", page(always(NOTHING_OF_HERS), *THERAPY)),
    post("/clients/new/", page(always(MAY), *THERAPY)),
    *(
        route
        for address, rule in (
            ("invite", changing.treats),
            ("guardian", changing.treats),
            ("episodes/new", changing.signs),
        )
        for route in (
            get(f"/clients/<uuid:pk>/{address}/", page(reading.names_her, *THERAPY), "client"),
            post(f"/clients/<uuid:pk>/{address}/", page(rule, *THERAPY), "client"),
        )
    ),
    get(
        EPISODE_PAGE,
        page(
            reading.workspace(
                Part.CLEARANCE, Part.RESTRICTIONS, Part.HISTORY, Part.OUTCOMES, Part.NOTE
            ),
            *THERAPY,
        ),
        "episode",
    ),
    get(f"{EPISODE_PAGE}edit/", page(reading.signing(ELSEWHERE), *THERAPY), "episode"),
    post(f"{EPISODE_PAGE}edit/", page(entered(changing.signs), *THERAPY), "episode"),
    post(f"{EPISODE_PAGE}addenda/", page(entered(changing.signs), *THERAPY), "episode"),
    get(f"{EPISODE_PAGE}measurements/", page(reading.score_page, *THERAPY), "episode"),
    post(
        f"{EPISODE_PAGE}measurements/", page(entered(changing.treats), *THERAPY), "running episode"
    ),
    post(
        f"{EPISODE_PAGE}measurements/<uuid:measurement_id>/remove/",
        page(entered(changing.drafts_a_signed_thing), *THERAPY),
        "episode",
    ),
    get(f"{EPISODE_PAGE}gates/", page(reading.score_page, *THERAPY), "episode"),
    post(f"{EPISODE_PAGE}gates/", page(entered(changing.signs), *THERAPY), "running episode"),
    post(
        f"{EPISODE_PAGE}gates/<uuid:gate_id>/remove/",
        page(entered(changing.drafts_a_signed_thing), *THERAPY),
        "episode",
    ),
    get(
        f"{EPISODE_PAGE}recurrence/",
        page(entered(reading.signing(ELSEWHERE)), *THERAPY),
        "running episode",
    ),
    post(f"{EPISODE_PAGE}recurrence/", page(entered(changing.signs), *THERAPY), "running episode"),
    get(NOTE_PAGE, page(reading.workspace(unsigned=True), *THERAPY), "running episode"),
    post(NOTE_PAGE, page(entered(changing.treats), *THERAPY), "running episode"),
    post(f"{NOTE_PAGE}save/", page(entered(changing.treats), *THERAPY), "running episode"),
    get(f"{NOTE_PAGE}sign/", page(reading.treating(ELSEWHERE), *THERAPY), "running episode"),
    post(f"{NOTE_PAGE}sign/", page(entered(changing.signs), *THERAPY), "running episode"),
    get(f"{EPISODE_PAGE}return/", page(entered(reading.sending_back), *THERAPY), "running episode"),
    post(f"{EPISODE_PAGE}return/", page(entered(changing.sends_back), *THERAPY), "running episode"),
    get(f"{NOTE_PAGE}handoff/", page(reading.treating(ELSEWHERE), *THERAPY), "running episode"),
    post(f"{NOTE_PAGE}handoff/", page(entered(changing.treats), *THERAPY), "running episode"),
    get(f"{EPISODE_PAGE}limits/", page(reading.treating(ELSEWHERE), *THERAPY), "running episode"),
    get(
        f"{EPISODE_PAGE}limits/template/",
        page(entered(reading.names_her), *THERAPY),
        "running episode",
    ),
    post(
        f"{EPISODE_PAGE}limits/template/",
        page(entered(changing.treats), *THERAPY),
        "running episode",
    ),
    get(
        f"{EPISODE_PAGE}limits/new/", page(entered(reading.names_her), *THERAPY), "running episode"
    ),
    post(f"{EPISODE_PAGE}limits/new/", page(entered(changing.treats), *THERAPY), "running episode"),
    get(
        f"{EPISODE_PAGE}limits/<uuid:restriction_id>/",
        page(reading.drafted_limit, *THERAPY),
        "running episode",
    ),
    post(
        f"{EPISODE_PAGE}limits/<uuid:restriction_id>/",
        page(entered(changing.treats), *THERAPY),
        "running episode",
    ),
    post(
        f"{EPISODE_PAGE}limits/<uuid:version_id>/remove/",
        page(entered(changing.treats), *THERAPY),
        "running episode",
    ),
    get(LIMIT_PAGE, page(reading.limit_history, *THERAPY), "restriction"),
    get(f"{LIMIT_PAGE}revise/", page(reading.revising, *THERAPY), "restriction"),
    post(f"{LIMIT_PAGE}revise/", page(entered(changing.signs), *THERAPY), "restriction"),
    get(f"{LIMIT_PAGE}lift/", page(reading.lifting, *THERAPY), "restriction"),
    post(f"{LIMIT_PAGE}lift/", page(entered(changing.signs), *THERAPY), "restriction"),
)

PARTS: dict[str, Rule] = {
    f"{EPISODE_PAGE}limits/": page(reading.drafted_limits, *THERAPY),
}
"""Addresses that lead elsewhere in a browser, and answer htmx with a part of a page."""
