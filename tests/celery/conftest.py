from collections.abc import Iterator

import pytest
import redis
from django.conf import settings


@pytest.fixture
def broker() -> Iterator["redis.Redis"]:
    """The test's Redis, empty before and after."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.flushdb()
    try:
        yield client
    finally:
        client.flushdb()
        client.close()
