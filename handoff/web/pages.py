"""The door of every page: who may come in, how, and what a refusal looks like.

Each view is `@page(Policy.X)`. The decorator leaves the policy on the view, where a test that walks
every URL finds it, and turns the domain's four refusals into HTTP in this one place.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, cast
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget

from handoff.core import attempts
from handoff.core.actors import Actor
from handoff.core.errors import DomainError, Invalid, NotAllowed, NotVisible, Stale
from handoff.core.policy import Policy
from handoff.web import confirming
from handoff.web.requests import PageRequest, actor_of, is_fragment

P = ParamSpec("P")

# Where a refusal lands when htmx asked for a fragment: base.html always has it, and it is live.
NOTICES = "#notices"


class PolicyView(Protocol):
    """A view that says whom it is for, and how it may be asked."""

    policy: Policy
    methods: tuple[str, ...]


def page(
    policy: Policy,
    *,
    methods: tuple[str, ...] = ("GET",),
    confirmed: Sequence[str] = (),
    limit: str = "",
) -> Callable[
    [Callable[Concatenate[PageRequest, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """Open a view to the people of `policy`, for `methods` (HEAD comes with GET).

    With a method of `confirmed` somebody first proves anew that it is them (`confirming`). Forms
    sent count towards `limit`, together with what the API counts under that name.

    Somebody not signed in is sent to the login page; somebody signed in whom the policy does not
    admit is told that nothing is here.
    """
    allowed = (*methods, "HEAD") if "GET" in methods else methods

    def decorate(
        view: Callable[Concatenate[PageRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            try:
                actor = actor_of(request)
                if not policy.admits(actor):
                    if actor.user_id is None:
                        return _to_login(request)
                    raise NotVisible
                if request.method not in allowed:
                    return HttpResponseNotAllowed(allowed)
                if (
                    limit
                    and request.method == "POST"
                    and not attempts.take(limit, _who(request, actor))
                ):
                    return too_many(request)
                if request.method in confirmed:
                    confirming.require(request)
                return view(cast("PageRequest", request), *args, **kwargs)
            except Http404:
                return refusal(request, NotVisible())
            except PermissionDenied as denied:
                return refusal(request, NotAllowed(str(denied)))
            except confirming.Unconfirmed as unconfirmed:
                return confirming.ask(request, unconfirmed)
            except DomainError as error:
                return refusal(request, error)

        declared = cast("PolicyView", guarded)
        declared.policy, declared.methods = policy, methods
        return cast("Callable[Concatenate[HttpRequest, P], HttpResponseBase]", guarded)

    return decorate


def too_many(request: HttpRequest) -> HttpResponse:
    """Too often in too short a time. What was typed into a part of a page stays there."""
    context = {"status": 429, "message": "Too many tries. Wait a while, then try again."}
    if is_fragment(request):
        answer = render(request, "components/refusal.html", context, status=429)
        return reswap(retarget(answer, NOTICES), "innerHTML")
    return render(request, "429.html", context, status=429)


def _who(request: HttpRequest, actor: Actor) -> str:
    """The account that asks, or the address of somebody without one; as the API counts them."""
    if actor.user_id is not None:
        return str(actor.user_id)
    return attempts.network(get_adapter().get_client_ip(request))


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The one place where a domain error becomes an HTTP answer of the pages."""
    match error:
        case NotVisible():
            status = 404
        case NotAllowed():
            status = 403
        case Stale():
            status = 409
        case Invalid():
            status = 422
        case _:
            raise error
    context = {
        "status": status,
        "message": str(error),
        "errors": error.errors if isinstance(error, Invalid) else {},
        "back": page_before(request),
    }
    if is_fragment(request):
        answer = render(request, "components/refusal.html", context, status=status)
        return reswap(retarget(answer, NOTICES), "innerHTML")
    return render(request, f"{status}.html", context, status=status)


def panel(
    request: HttpRequest,
    fragment: str,
    context: Mapping[str, Any] | None = None,
    *,
    page: str,
    status: int = 200,
) -> HttpResponse:
    """Answer with `fragment` for htmx and with the whole `page`, which includes it, otherwise.

    Both get the same context, so a view has one answer whether or not a script runs.
    """
    template = fragment if is_fragment(request) else page
    return render(request, template, dict(context or {}), status=status)


def redirect_or_swap(request: HttpRequest, to: Any, *args: Any, **kwargs: Any) -> HttpResponse:
    """After a successful act, go to `to` (a URL, a view name with arguments, or an object)."""
    url = resolve_url(to, *args, **kwargs)
    if is_fragment(request):
        return HttpResponseClientRedirect(url)
    return HttpResponse(status=303, headers={"Location": url})


def page_before(request: HttpRequest, default: str = "/") -> str:
    """The path on this site the person came from, or `default`; never another site's address."""
    htmx: Any = getattr(request, "htmx", None)
    address = (htmx.current_url if htmx else None) or request.META.get("HTTP_REFERER", "")
    hosts = {request.get_host()}
    if not address or not url_has_allowed_host_and_scheme(
        address, allowed_hosts=hosts, require_https=request.is_secure()
    ):
        return default
    parts = urlsplit(address)
    # A path that begins with two slashes would be another site's address.
    path = "/" + parts.path.lstrip("/\\") if parts.path else default
    return f"{path}?{parts.query}" if parts.query else path


def _to_login(request: HttpRequest) -> HttpResponse:
    if request.method in ("GET", "HEAD") and not is_fragment(request):
        return redirect_to_login(request.get_full_path())
    # A form or a fragment has no page of its own to come back to: come back to the one around it.
    answer = redirect_to_login(page_before(request))
    return HttpResponseClientRedirect(answer["Location"]) if is_fragment(request) else answer
