"""Pages by key: nothing twice, nothing lost, whatever arrives meanwhile."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from clients.models import User
from handoff.core.errors import Invalid
from handoff.web.paging import Count, Page, capped_count, keyset_page

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 1, 9, 0, 0, 123456, tzinfo=UTC)
ORDER = ("-date_joined", "-id")


def people(count: int, *, per_moment: int = 1) -> list[User]:
    """`count` accounts; `per_moment` of them share a time, so that only the id tells them apart."""
    return User.objects.bulk_create(
        User(email=f"p{n}@example.org", date_joined=START + timedelta(microseconds=n // per_moment))
        for n in range(count)
    )


def walk(cursor: str | None = None, *, way: str = "next", size: int = 3, **kw: Any) -> list[User]:
    order = kw.get("order", ORDER)
    rows: list[User] = []
    while True:
        page = keyset_page(User.objects.all(), order=order, cursor=cursor, size=size)
        rows = rows + page.items if way == "next" else page.items + rows
        cursor = getattr(page, way)
        if cursor is None:
            return rows


@pytest.mark.parametrize("per_moment", [1, 2, 10])
@pytest.mark.parametrize(
    "order", [ORDER, ("date_joined", "id"), ("-date_joined", "id"), ("email",), ("-pk",)]
)
def test_walk_meets_everybody_once_in_order(order: tuple[str, ...], per_moment: int) -> None:
    people(10, per_moment=per_moment)
    assert walk(order=order) == list(User.objects.order_by(*order))


def test_walk_back_meets_the_same_pages() -> None:
    people(10, per_moment=2)
    pages: list[Page[User]] = []
    cursor = None
    while True:
        pages.append(keyset_page(User.objects.all(), order=ORDER, cursor=cursor, size=3))
        cursor = pages[-1].next
        if cursor is None:
            break
    back = pages[-1]
    for earlier in reversed(pages[:-1]):
        back = keyset_page(User.objects.all(), order=ORDER, cursor=back.previous, size=3)
        assert back.items == earlier.items
    assert back.previous is None


def test_rows_that_arrive_meanwhile_shift_nothing() -> None:
    people(6)
    first = keyset_page(User.objects.all(), order=ORDER, size=3)
    User.objects.create(email="new@example.org", date_joined=START + timedelta(days=1))
    second = keyset_page(User.objects.all(), order=ORDER, cursor=first.next, size=3)
    assert not set(first.items) & set(second.items)
    assert len(second.items) == 3


def test_row_that_leaves_is_no_loss_for_the_others() -> None:
    people(6)
    first = keyset_page(User.objects.all(), order=ORDER, size=3)
    expected = list(User.objects.order_by(*ORDER))[3:]
    first.items[-1].delete()  # the very row the cursor stands on
    assert keyset_page(User.objects.all(), order=ORDER, cursor=first.next, size=3).items == expected


def test_way_back_to_a_short_first_page_is_the_full_first_page() -> None:
    people(6)
    first = keyset_page(User.objects.all(), order=ORDER, size=3)
    second = keyset_page(User.objects.all(), order=ORDER, cursor=first.next, size=3)
    first.items[0].delete()
    back = keyset_page(User.objects.all(), order=ORDER, cursor=second.previous, size=3)
    assert len(back.items) == 3
    assert back.previous is None


def test_empty_list_has_no_neighbours() -> None:
    page = keyset_page(User.objects.none(), order=ORDER)
    assert (page.items, page.next, page.previous, page.has_neighbours) == ([], None, None, False)


def test_exactly_one_page_has_no_next() -> None:
    people(3)
    assert not keyset_page(User.objects.all(), order=ORDER, size=3).has_neighbours


def test_cursor_does_not_show_what_it_holds() -> None:
    people(4)
    cursor = keyset_page(User.objects.all(), order=("email",), size=3).next
    assert cursor is not None
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
    assert "example" not in cursor
    assert keyset_page(User.objects.all(), order=("email",), size=3).next != cursor


@pytest.mark.parametrize("cursor", ["x", "gAAAAAB", "é", "../../etc/passwd", "A" * 5000, "\x00"])
def test_forged_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid):
        keyset_page(User.objects.all(), order=ORDER, cursor=cursor)


def test_cursor_of_another_order_is_refused() -> None:
    people(4)
    cursor = keyset_page(User.objects.all(), order=("email",), size=3).next
    with pytest.raises(Invalid, match="another order"):
        keyset_page(User.objects.all(), order=ORDER, cursor=cursor)


def test_cursor_survives_the_change_of_the_secret() -> None:
    people(4)
    old = "old-" * 20
    with override_settings(SECRET_KEY=old):
        cursor = keyset_page(User.objects.all(), order=ORDER, size=3).next
    with override_settings(SECRET_KEY_FALLBACKS=[old]):
        assert len(keyset_page(User.objects.all(), order=ORDER, cursor=cursor, size=3).items) == 1
    with pytest.raises(Invalid):
        keyset_page(User.objects.all(), order=ORDER, cursor=cursor, size=3)


def test_cursor_never_widens_what_may_be_seen() -> None:
    mine, *_ = people(6)
    cursor = keyset_page(User.objects.all(), order=("id",), size=1).next
    allowed = User.objects.filter(pk=mine.pk)
    assert set(keyset_page(allowed, order=("id",), cursor=cursor, size=3).items) <= {mine}


def test_every_page_takes_one_query_and_counts_nothing() -> None:
    people(20)
    first = keyset_page(User.objects.all(), order=ORDER, size=5)
    for cursor in (None, first.next):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            keyset_page(User.objects.all(), order=ORDER, cursor=cursor, size=5)
        assert len(asked) == 1
        assert "COUNT" not in asked[0]["sql"]
        assert "OFFSET" not in asked[0]["sql"]


def test_count_stops_where_nobody_needs_to_know_more() -> None:
    people(7)
    assert str(capped_count(User.objects.all(), up_to=10)) == "7"
    assert str(capped_count(User.objects.order_by("email"), up_to=7)) == "7"
    assert capped_count(User.objects.all(), up_to=5) == Count(value=5, capped=True)
    assert str(Count(value=1000, capped=True)) == "1,000+"


def test_column_that_can_be_null_is_a_bug_in_the_page() -> None:
    people(4)
    with pytest.raises(ValueError, match="last_login"):
        keyset_page(User.objects.all(), order=("last_login", "id"), size=3)
