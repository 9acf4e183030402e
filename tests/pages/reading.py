"""Reading a page as a test does: by what stands in it, not by how it looks."""

from html.parser import HTMLParser
from typing import Any

from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from clients.models import Client, Professional, User


def as_(somebody: User | Professional | Client | None) -> Browser:
    """A browser in which `somebody` is signed in."""
    browser = Browser()
    if somebody is not None:
        account = somebody if isinstance(somebody, User) else somebody.user
        assert account is not None
        browser.force_login(account)
    return browser


def get(browser: Browser, path: str, status: int = 200) -> str:
    answer = browser.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return answer.content.decode()


def post(browser: Browser, path: str, data: dict[str, Any] | None = None, status: int = 303) -> str:
    answer = browser.post(path, data or {})
    assert answer.status_code == status, (path, answer.status_code, answer.content.decode()[:500])
    return answer.content.decode()


def part(
    browser: Browser,
    path: str,
    data: dict[str, Any] | None = None,
    *,
    status: int = 200,
    on: str = "/",
) -> str:
    """What htmx gets from the page `on`: with `data` for a post, without for a look."""
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{on}"}
    answer = (
        browser.get(path, headers=headers)
        if data is None
        else browser.post(path, data, headers=headers)
    )
    assert answer.status_code == status, (path, answer.status_code, answer.content.decode()[:500])
    return answer.content.decode()


def leads(browser: Browser, path: str, data: dict[str, Any], *, htmx: bool = False) -> str:
    """The address that a successful post goes on to, by the browser or by htmx."""
    if htmx:
        answer = browser.post(path, data, headers={"HX-Request": "true"})
        assert answer.status_code == 200, (path, answer.status_code, answer.content.decode()[:500])
        return str(answer["HX-Redirect"])
    answer = browser.post(path, data)
    assert answer.status_code == 303, (path, answer.status_code, answer.content.decode()[:500])
    return str(answer["Location"])


def kept(browser: Browser) -> str:
    """Everything that outlives a request: the session, messages in it, and the cookies."""
    return f"{dict(browser.session.items())} {browser.cookies.output()}"


def queries_of(browser: Browser, path: str) -> int:
    """How many queries a page takes, its session and frame included."""
    with CaptureQueriesContext(connection) as queries:
        get(browser, path)
    return len(queries)


class _Switches(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, bool] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        if tag == "input" and held.get("name") == "classes":
            self.found[str(held.get("value"))] = "checked" in held


def switches(text: str) -> dict[str, bool]:
    """The switches of a page about sharing: class name to whether it is on."""
    parser = _Switches()
    parser.feed(text)
    return parser.found


def submit(
    browser: Browser, path: str, data: dict[str, Any] | None = None, *, htmx: bool = False
) -> str:
    """Send a form that is taken, as a browser or as htmx does; where the answer leads."""
    answer = browser.post(path, data or {}, headers={"HX-Request": "true"} if htmx else {})
    status, header = (200, "HX-Redirect") if htmx else (303, "Location")
    assert answer.status_code == status, (path, answer.status_code, answer.content.decode()[:500])
    return str(answer[header])


def refused(
    browser: Browser,
    path: str,
    status: int,
    data: dict[str, Any] | None = None,
    *,
    htmx: bool = False,
) -> str:
    """Send a form that is refused; htmx gets a part of the page, a browser the whole of one."""
    answer = browser.post(path, data or {}, headers={"HX-Request": "true"} if htmx else {})
    text = answer.content.decode()
    assert answer.status_code == status, (path, answer.status_code, text[:500])
    assert ("<html" in text) is not htmx
    return text
