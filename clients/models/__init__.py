from clients.models.access_entry import AccessEntry
from clients.models.client import Client, ClientIdentifier
from clients.models.consent import Consent, ConsentEvent
from clients.models.credential import Credential
from clients.models.erasure import Erasure, RecordRetention
from clients.models.evidence import Evidence
from clients.models.guardian import Guardianship
from clients.models.invitation import Invitation
from clients.models.known_browser import KnownBrowser
from clients.models.practice import Practice
from clients.models.professional import Professional
from clients.models.user import User

__all__ = [
    "AccessEntry",
    "Client",
    "ClientIdentifier",
    "Consent",
    "ConsentEvent",
    "Credential",
    "Erasure",
    "Evidence",
    "Guardianship",
    "Invitation",
    "KnownBrowser",
    "Practice",
    "Professional",
    "RecordRetention",
    "User",
]
