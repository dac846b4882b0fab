"""TLS for our clients: whom we trust and who we are."""

import ssl
from pathlib import Path


class CertificateError(Exception):
    """A certificate or key file that cannot be used; the message names the file."""


def client_context(
    ca_file: Path | None, certificate_file: Path | None = None, key_file: Path | None = None
) -> ssl.SSLContext:
    """A context that checks the server's certificate and host name; TLS 1.2 at least.

    Without `ca_file` the system's certificates are trusted. `key_file` may be left out when the certificate file holds
    the key, too. Reads the files now, so a renewed certificate is used by the next context. Raises CertificateError.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise CertificateError(f"cannot use the CA file {ca_file}: {_reason(error)}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate_file is not None:
        try:
            context.load_cert_chain(certificate_file, key_file, password=_no_password)
        except (OSError, ValueError) as error:
            files = f"{certificate_file} with key {key_file}" if key_file else str(certificate_file)
            raise CertificateError(f"cannot use the client certificate {files}: {_reason(error)}") from error
    return context


def _no_password() -> str:
    """An encrypted key is an error here; without this OpenSSL would ask on the terminal."""
    raise ValueError("the key is encrypted")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    return getattr(error, "strerror", None) or str(error)
