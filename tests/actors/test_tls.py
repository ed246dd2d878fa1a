"""TLS between nodes: members have a certificate of the cluster's authority, others don't get in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from velella.core.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from .conftest import Colony


def certificate(
    folder: Path, name: str, issuer: tuple[x509.Name, ec.EllipticCurvePrivateKey] | None
) -> tuple[x509.Name, ec.EllipticCurvePrivateKey]:
    """Write `name`.pem and `name`.key, signed by the issuer or, without one, an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer, signing_key = issuer or (subject, key)
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .sign(signing_key, SHA256())
    )
    (folder / f"{name}.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / f"{name}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return subject, key


def tls(folder: Path, name: str, authority: str) -> dict[str, Path]:
    return {"tls_certificate": folder / f"{name}.pem", "tls_key": folder / f"{name}.key", "tls_ca": folder / f"{authority}.pem"}


async def test_only_members_with_a_certificate_of_the_authority_talk(
    colony: Colony, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("velella.actors.messaging.router.PATIENCE_SECONDS", 0.5)
    ours, theirs = certificate(tmp_path, "ours", None), certificate(tmp_path, "theirs", None)
    certificate(tmp_path, "node", ours)
    certificate(tmp_path, "stranger", theirs)
    colony.settings = colony.settings.model_copy(update=tls(tmp_path, "node", "ours"))
    await colony.process(0, listen="127.0.0.1", only_tcp=True)
    member = await colony.connect()
    assert await member.echo("secret") == "secret"
    plain = await colony.connect(tls_certificate=None, tls_key=None, tls_ca=None)
    with pytest.raises(Unavailable):
        await plain.echo(1)
    stranger = await colony.connect(**tls(tmp_path, "stranger", "ours"))  # knows the token, trusts our authority, isn't of it
    with pytest.raises(Unavailable):
        await stranger.echo(1)
    with pytest.raises(Misconfigured, match="three files"):
        await colony.connect(tls_ca=None)
