"""TLS for the sockets between nodes: both sides show a certificate of the cluster's own authority."""

from __future__ import annotations

import ssl
from pathlib import Path

from ...core.errors import Misconfigured
from ...core.settings import Settings


def server_tls(settings: Settings) -> ssl.SSLContext | None:
    """For the listening side; None if the settings name no certificate."""
    return _context(settings, ssl.Purpose.CLIENT_AUTH)


def client_tls(settings: Settings) -> ssl.SSLContext | None:
    """For the connecting side. Host names aren't compared: nodes are known by addresses, and members by the authority and the cluster's
    token."""
    return _context(settings, ssl.Purpose.SERVER_AUTH)


def _context(settings: Settings, purpose: ssl.Purpose) -> ssl.SSLContext | None:
    files = (settings.tls_certificate, settings.tls_key, settings.tls_ca)
    if not any(files):
        return None
    certificate, key, authority = files
    if certificate is None or key is None or authority is None:
        raise Misconfigured("TLS needs three files.", hint="Set tls_certificate, tls_key and tls_ca, at the same paths on every node.")
    for file in (certificate, key, authority):
        _must_be_readable(file)
    try:
        context = ssl.create_default_context(purpose, cafile=authority)
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        raise Misconfigured(f"The certificate {certificate} can't be used: {error.reason or error}.", hint="PEM, with its key.") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _must_be_readable(file: Path) -> None:
    try:
        file.open("rb").close()
    except OSError as error:
        raise Misconfigured(f"{file} can't be read: {error.strerror}.", hint="It has to be there on every node.") from None
