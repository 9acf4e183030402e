"""What tests of pages share."""

from typing import Any

import pytest

from tests.factories import NOON


@pytest.fixture
def at_noon(time_machine: Any) -> Any:
    """The factories live around NOON, and so do the pages that ask for this; the clock to move."""
    time_machine.move_to(NOON, tick=False)
    return time_machine
