"""The demo cast as the start page and the login page show it. Everybody here is fictional."""

from dataclasses import dataclass

from django.conf import settings

PASSWORD = "handoff-demo"  # noqa: S105 public by design, and only loaded in demo mode


@dataclass(frozen=True, slots=True)
class DemoLogin:
    email: str
    name: str
    role: str
    what: str


LOGINS = (
    DemoLogin("pt@example.org", "Priya Raman", "pt", "Physical therapist, licence valid"),
    DemoLogin("trainer@example.org", "Tom Okafor", "trainer", "Certified trainer, CPR valid"),
    DemoLogin("client@example.org", "Ana Duarte", "client", "Client, just discharged"),
    DemoLogin("client2@example.org", "Jonas Weber", "client", "Client, still in rehab"),
    DemoLogin(
        "client3@example.org",
        "Mira Castellano",
        "client",
        "Client in training, has agreed to share",
    ),
    DemoLogin("guardian@example.org", "Ines Brandt", "guardian", "Parent of a client who is 17"),
    DemoLogin("minor@example.org", "Leo Brandt", "client", "Client, 17 years old"),
    DemoLogin("pt2@example.org", "Marek Nowak", "pt", "Physical therapist at another clinic"),
    DemoLogin("pt-expired@example.org", "Helen Voss", "pt", "Physical therapist, licence expired"),
    DemoLogin("trainer2@example.org", "Uma Lindgren", "trainer", "Trainer at another gym"),
    DemoLogin("trainer-lapsed@example.org", "Ravi Mehta", "trainer", "Trainer, certificate lapsed"),
    DemoLogin("admin@example.org", "Sam Keller", "admin", "Administrator of the site"),
)


def logins() -> tuple[DemoLogin, ...]:
    """The demo logins in demo mode, and nothing anywhere else."""
    return LOGINS if settings.DEMO else ()
