"""How a file that somebody handed in is sent to somebody else: as a thing to save, never to run."""

from collections.abc import Mapping

from handoff.core.files.kinds import Kind


def inert_headers(kind: Kind, name: str) -> Mapping[str, str]:
    """For the answer that carries it. `name` is ours: what it was called went with the original."""
    return {
        "Content-Type": kind.media_type,
        "Content-Disposition": f'attachment; filename="{name}.{kind.ending}"',
        "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
    }
