"""What the API's tests share: the clock at noon, people, and clients that check every answer."""

from collections.abc import Iterator
from functools import cached_property

import pytest
import time_machine

from clients.models import Client
from referrals.models import Restriction
from tests.api.client import Api
from tests.factories import NOON, ClientFactory, RestrictionFactory
from tests.referrals.scenes import Therapy


@pytest.fixture(autouse=True)
def noon() -> Iterator[time_machine.Traveller]:
    """The API has no `at`: the clock itself stands at the scene's moment, and runs."""
    with time_machine.travel(NOON) as traveller:
        yield traveller


class World(Therapy):
    """The scene, and a client of the API for each of its people."""

    def __init__(self) -> None:
        super().__init__()
        self.stranger = ClientFactory.create()
        self.pt_api = Api(self.pt)
        self.pta_api = Api(self.pta)
        self.other_pt_api = Api(self.other_pt)
        self.trainer_api = Api(self.trainer)
        self.client_api = Api(self.client)
        self.stranger_api = Api(self.stranger)
        self.nobody_api = Api()

    @cached_property
    def newcomer(self) -> Client:
        """A record that nobody has taken up yet."""
        return ClientFactory.create(user=None, created_by=self.pt)

    @cached_property
    def limit(self) -> Restriction:
        """A limit of its own, without any version yet."""
        return RestrictionFactory.create(episode=self.episode)

    def others(self) -> list[Api]:
        """Signed in, and without any connection to the client."""
        return [self.other_pt_api, self.stranger_api]


@pytest.fixture
def world(db: None) -> World:
    return World()
