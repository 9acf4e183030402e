"""What the API's tests share: the clock at noon, people, and clients that check every answer."""

from collections.abc import Iterator

import pytest
import time_machine

from tests.api.client import Api
from tests.factories import NOON, ClientFactory
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

    def others(self) -> list[Api]:
        """Signed in, and without any connection to the client."""
        return [self.other_pt_api, self.stranger_api]


@pytest.fixture
def world(db: None) -> World:
    return World()
