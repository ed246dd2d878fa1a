"""Sanity: editors write what a shop says of its products."""

from __future__ import annotations

from velella.core.plugins import Options, Plugin


class SanityOptions(Options):
    project: str
    """Its id: abc12345."""
    dataset: str = "production"
    token: str
    """Of a robot that may read and write (role Editor)."""
    webhook_secret: str
    """That of the webhook, by which it is known to come from Sanity."""
    document_type: str = "product"
    """The `_type` of the documents."""
    timeout: float = 5.0
    """Seconds for one request; storefronts wait for `storefront_timeout`."""
    storefront_timeout: float = 1.0
    fresh_seconds: float = 10.0
    """How long a storefront is shown what was read, before Sanity is asked again."""
    api_base: str | None = None
    """In place of Sanity's own addresses: for tests."""


plugin = Plugin(__name__, SanityOptions)
