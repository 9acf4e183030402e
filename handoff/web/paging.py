"""Paging as pages use it; the mechanism is `handoff.core.paging`, shared with the API."""

from handoff.core.paging import Count, Page, capped_count, keyset_page

__all__ = ["Count", "Page", "capped_count", "keyset_page"]
