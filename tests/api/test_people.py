"""Me, the directory, the access log, the timeline and my reminders."""

from datetime import timedelta

from clients.models import Credential, Professional
from clients.scopes import Scope
from referrals.models import Reminder
from referrals.states import State
from tests.api.client import Api
from tests.api.conftest import World
from tests.api.test_lists import reminder
from tests.api.test_main_job import discharged, ok
from tests.factories import (
    NOON,
    CredentialFactory,
    GuardianshipFactory,
    ProfessionalFactory,
    certified_trainer,
    licensed_pt,
)


def test_me_says_what_i_may_do_now(world: World) -> None:
    pt = ok(world.pt_api.get("me/"))
    assert (pt["roles"], pt["client"], pt["acts_for"]) == (["pt"], None, [])
    work = pt["professionals"][0]
    assert (work["role"], work["may_sign_in"], work["may_accept"]) == ("pt", ["NY"], True)
    assert work["practice"]["state"] == "NY"
    pta = ok(world.pta_api.get("me/"))["professionals"][0]
    assert (pta["may_sign_in"], pta["may_accept"]) == ([], False)
    assert pta["against_accepting"] == ["An assistant cannot take referrals."]
    Credential.objects.filter(user=world.trainer.user, kind="cpr_aed").update(
        expires_on=NOON.date() - timedelta(days=1)
    )
    trainer = ok(world.trainer_api.get("me/"))["professionals"][0]
    assert trainer["may_accept"] is False
    assert [each["kind"] for each in trainer["credentials"]] == ["trainer_certification"]
    client = ok(world.client_api.get("me/"))
    assert (client["roles"], client["client"]["id"]) == (["client"], str(world.client.pk))
    guardianship = GuardianshipFactory.create()
    guardian = ok(Api(guardianship.user).get("me/"))
    assert (guardian["roles"], guardian["client"]) == (["guardian"], None)
    assert [each["id"] for each in guardian["acts_for"]] == [str(guardianship.client_id)]


def test_everybody_keeps_their_own_name_and_zone(world: World) -> None:
    guardian = Api(GuardianshipFactory.create().user)
    for api in (world.pt_api, world.trainer_api, world.client_api, guardian):
        mine = ok(api.patch("me/", {"first_name": " Robin ", "time_zone": "America/Denver"}))
        assert mine["name"].startswith("Robin ")
        assert mine == ok(api.get("me/")) | {"time_zone": "America/Denver"}
    ok(world.client_api.patch("me/", {"phone": "555-0142"}))
    world.client.refresh_from_db()
    assert (world.client.first_name, world.client.phone) == ("Robin", "555-0142")
    for wrong in ({"phone": "1"}, {"time_zone": "Mars/Olympus"}, {"email": "x@example.org"}):
        refused = world.pt_api.patch("me/", wrong)
        assert (refused.status_code, list(refused.json()["errors"])) == (400, list(wrong))
    assert world.nobody_api.patch("me/", {"first_name": "X"}).status_code == 401


def test_somebody_with_two_roles_is_both(world: World) -> None:
    ProfessionalFactory.create(user=world.pt.user, trainer=True)
    me = ok(world.pt_api.get("me/"))
    assert me["roles"] == ["pt", "trainer"]
    assert [each["role"] for each in me["professionals"]] == ["pt", "trainer"]


def directory(api: Api, query: str = "") -> set[str]:
    return {each["id"] for each in ok(api.get(f"professionals/?page_size=100&{query}"))["results"]}


def test_the_directory_lists_whose_papers_are_checked_and_valid_today(world: World) -> None:
    unverified = ProfessionalFactory.create()
    CredentialFactory.create(user=unverified.user, unverified=True)
    expired = licensed_pt()
    Credential.objects.filter(user=expired.user).update(expires_on=NOON.date() - timedelta(days=1))
    withdrawn = licensed_pt()
    Credential.objects.filter(user=withdrawn.user).update(
        withdrawn_at=NOON, withdrawn_by=world.pt.user
    )
    gone = licensed_pt(left_at=NOON)
    off = licensed_pt()
    off.user.is_active = False
    off.user.save()
    last_day = licensed_pt()
    Credential.objects.filter(user=last_day.user).update(expires_on=NOON.date())
    uncertified = ProfessionalFactory.create(trainer=True)
    found = directory(world.client_api)
    listed = {world.pt, world.other_pt, world.trainer, last_day}
    hidden = {unverified, expired, withdrawn, gone, off, uncertified, world.pta}
    assert {str(each.pk) for each in listed} <= found
    assert not {str(each.pk) for each in hidden} & found


def test_the_day_a_licence_ends_is_the_day_at_its_practice(world: World) -> None:
    """At 17:00 UTC it is already tomorrow in Auckland, and still yesterday nowhere in the US."""
    ended = licensed_pt()
    ended.practice.time_zone = "Pacific/Auckland"
    ended.practice.save()
    Credential.objects.filter(user=ended.user).update(expires_on=NOON.date())
    assert str(ended.pk) not in directory(world.client_api)
    ended.practice.time_zone = "America/New_York"
    ended.practice.save()
    assert str(ended.pk) in directory(world.client_api)


def test_directory_filters(world: World) -> None:
    trainer = certified_trainer(specialties=["running", "older_adults"])
    trainer.user.first_name, trainer.user.last_name = "Uma", "Lindgren"
    trainer.user.save()
    api = world.client_api
    mine = {str(trainer.pk)}
    assert directory(api, "q=uma") == directory(api, "q=lindgren%20uma") == mine
    assert directory(api, "q=uma%20springfield") == mine
    assert directory(api, "q=uma%20elsewhere") == set()
    assert directory(api, "specialty=running") == mine
    assert mine <= directory(api, "role=trainer")
    assert not mine & directory(api, "role=pt")
    assert mine <= directory(api, "accepting=1")
    Professional.objects.filter(pk=trainer.pk).update(accepts_referrals=False)
    assert not mine & directory(api, "accepting=1")
    Professional.objects.filter(pk=trainer.pk).update(accepts_referrals=True)
    Credential.objects.filter(user=trainer.user, kind="cpr_aed").delete()
    assert mine <= directory(api)
    assert not mine & directory(api, "accepting=1")
    assert api.get("professionals/?role=pta").status_code == 400
    assert api.get("professionals/?q=%25").status_code == 200


def test_searching_has_a_limit(world: World) -> None:
    statuses = [world.stranger_api.get("professionals/").status_code for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    assert world.client_api.get("professionals/").status_code == 200


def test_the_access_log_tells_the_client_who_looked_and_who_was_refused(world: World) -> None:
    discharged(world)
    world.share(Scope.RESTRICTIONS)
    record = f"clients/{world.client.pk}/record/"
    ok(world.trainer_api.get(record))
    assert world.other_pt_api.get(record).status_code == 404
    assert world.stranger_api.get(record).status_code == 404
    log = ok(world.client_api.get("access-log/?others=1"))["results"]
    stranger, other, trainer = log[0], log[1], log[2]
    assert (trainer["who"]["name"], trainer["shown"]) == (world.trainer.name, ["restrictions"])
    assert trainer["who"]["practice"] == world.trainer.practice.name
    assert len(trainer["withheld"]) == 6
    assert (trainer["action"], trainer["refused"], trainer["channel"]) == ("read", False, "api")
    assert trainer["consents"] == [str(world.consent.pk)]
    assert (other["who"]["name"], other["refused"]) == (world.other_pt.name, True)
    assert stranger["refused"] is True
    assert world.stranger.name not in str(stranger)
    assert world.episode.condition not in str(log)
    own = ok(world.client_api.get(record))
    assert own["standpoint"] == "client"
    newest = ok(world.client_api.get("access-log/"))["results"][0]
    assert (newest["who"]["is_me"], set(newest["shown"])) == (True, {each.value for each in Scope})


def test_a_guardian_reads_the_log_of_the_minor(world: World) -> None:
    guardianship = GuardianshipFactory.create()
    guardian = Api(guardianship.user)
    ok(guardian.get(f"clients/{guardianship.client_id}/record/"))
    address = f"access-log/?client_id={guardianship.client_id}"
    assert ok(guardian.get(address))["results"][0]["who"]["is_me"] is True
    assert guardian.get(f"access-log/?client_id={world.client.pk}").status_code == 404
    assert world.client_api.get(address).status_code == 404


def test_the_timeline_tells_each_side_what_it_may_know(world: World) -> None:
    discharged(world)
    draft = {
        "client": str(world.client.pk),
        "episode": str(world.episode.pk),
        "recipient": str(world.trainer.pk),
    }
    pk = ok(world.pt_api.post("referrals/", draft), 201)["id"]
    question = ok(world.pt_api.post(f"referrals/{pk}/send/"))["consent"]
    address = f"clients/{world.client.pk}/timeline/"
    assert world.trainer_api.get(address).status_code == 404
    body = {"classes": ["clearance"], "expires_on": "2027-07-01"}
    ok(world.client_api.post(f"consents/{question}/grant/", body))
    ok(world.trainer_api.post(f"referrals/{pk}/accept/"))
    ok(world.client_api.post(f"consents/{question}/revoke/"))

    def told(api: Api) -> list[tuple[str, str]]:
        found = ok(api.get(address))["results"]
        assert [each["at"] for each in found] == sorted(
            (each["at"] for each in found), reverse=True
        )
        return [(each["subject"], each["what"]) for each in reversed(found)]

    shared = [("consent", "requested"), ("consent", "granted"), ("referral", "sent")]
    shared.append(("referral", "accepted"))
    assert set(told(world.client_api)) == {*shared, ("consent", "revoked")}
    as_pt = {*shared, ("referral", "awaiting_consent"), ("consent", "ended")}
    assert set(told(world.pt_api)) == set(told(world.pta_api)) | as_pt
    assert set(told(world.trainer_api)) == {*shared, ("consent", "ended")}
    assert "revoked" not in str(told(world.trainer_api))
    for api in world.others():
        assert api.get(address).status_code == 404


def test_my_reminders_are_ticked_off_and_put_off(world: World) -> None:
    world.share(Scope.CLEARANCE, state=State.SENT)
    Reminder.objects.all().delete()
    mine = reminder(world, world.referral)
    listed = ok(world.trainer_api.get("reminders/"))["results"]
    assert [each["id"] for each in listed] == [str(mine.pk)]
    assert listed[0]["path"].startswith("/referrals/")
    assert world.client.last_name not in listed[0]["title"]
    address = f"reminders/{mine.pk}/"
    later = (NOON + timedelta(days=2)).isoformat()
    far = (NOON + timedelta(days=31)).isoformat()
    assert list(world.trainer_api.post(f"{address}snooze/", {"until": far}).json()["errors"]) == [
        "until"
    ]
    assert ok(world.trainer_api.post(f"{address}snooze/", {"until": later}))["snoozed_until"]
    assert ok(world.trainer_api.get("reminders/"))["results"] == []
    assert ok(world.trainer_api.post(f"{address}done/"))["done_at"]
    for api in (world.pt_api, world.stranger_api):
        assert api.post(f"{address}done/").status_code == 404
        assert api.post(f"{address}snooze/", {"until": later}).status_code == 404


def test_one_professional_as_in_the_list(world: World) -> None:
    trainer = certified_trainer(specialties=["running"], languages=["es"], open_places=0)
    answer = world.client_api.get(f"professionals/{trainer.pk}/").json()
    listed = world.client_api.get("professionals/?language=es&state=NY").json()["results"]
    assert listed == [answer]
    assert (answer["availability"], answer["accepting"]) == ("full", False)
    assert "open_places" not in answer
    assert any("wrong with you" in each for each in answer["may_not"])
    assert world.client_api.get("professionals/?language=xx").status_code == 400
    Professional.objects.filter(pk=trainer.pk).update(in_directory=False)
    assert world.client_api.get(f"professionals/{trainer.pk}/").status_code == 404
    assert str(trainer.pk) not in directory(world.client_api)


def test_a_professional_says_what_stands_in_the_directory(world: World) -> None:
    address = f"professionals/{world.trainer.pk}/listing/"
    body = {"open_places": 2, "specialties": ["running"], "in_directory": True}
    assert world.trainer_api.patch(address, body).json()["open_places"] == 2
    assert world.trainer_api.get(address).json()["specialties"] == ["running"]
    assert world.trainer_api.patch(address, {"role": "pt"}).status_code == 400
    assert world.trainer_api.patch(address, {"languages": ["xx"]}).status_code == 400
    assert world.pt_api.get(address).status_code == 404
    assert world.pt_api.patch(address, body).status_code == 404
    assert world.client_api.get(address).status_code == 403


def test_a_wish_is_made_read_by_who_treats_and_taken_back(world: World) -> None:
    address = f"clients/{world.client.pk}/wishes/"
    body = {"professional_id": str(world.trainer.pk)}
    made = world.client_api.post(address, body)
    assert made.status_code == 201
    assert made.json()["professional"]["id"] == str(world.trainer.pk)
    assert world.client_api.get(address).json() == {"wishes": [made.json()]}
    assert world.pt_api.get(address).json() == {"wishes": [made.json()]}
    for api in (world.trainer_api, world.other_pt_api, world.stranger_api):
        assert api.get(address).status_code == 404
    assert world.pt_api.post(address, body).status_code == 403
    back = f"wishes/{made.json()['id']}/take-back/"
    assert world.stranger_api.post(back).status_code == 404
    assert world.client_api.post(back).status_code == 204
    assert world.client_api.post(back).status_code == 409
    assert world.pt_api.get(address).json() == {"wishes": []}
