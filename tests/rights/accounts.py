"""What tests of rights share."""

from clients.models import Client, User


def account_of(client: Client) -> User:
    """The account a client signs in with."""
    assert client.user is not None
    return client.user
