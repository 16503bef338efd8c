"""Time stamps (RFC 3161) of a text: asked for, and verified. No Odoo here."""

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"


class StampError(ValueError):
    """No time stamp, or one of something else, or of somebody else: what the program says."""


def make_request(text: str):
    """The request for a time stamp of ``text``: to be sent, and to verify the answer with."""
    builder = TimestampRequestBuilder().data(text.encode()).hash_algorithm(HashAlgorithm.SHA256)
    return builder.nonce(nonce=True).cert_request(cert_request=True).build()


def verify(answer: bytes, text: str, roots: str, request=None):
    """When ``text`` was stamped (an aware datetime), and the stamp's serial number.

    :param answer: of the authority, DER
    :param roots: certificates that are trusted, PEM: of the authority or of who certifies it
    :param request: that was sent, for its nonce
    :raise StampError: it is no stamp of this text by them
    """
    try:
        response = decode_timestamp_response(answer)
        builder = VerifierBuilder.from_request(request) if request else VerifierBuilder()
        for certificate in x509.load_pem_x509_certificates(roots.encode()):
            builder = builder.add_root_certificate(certificate)
        builder.build().verify_message(response, text.encode())
        stamped = response.tst_info
    except (VerificationError, ValueError) as error:
        raise StampError(" ".join(str(error).split())[:300] or type(error).__name__) from error
    return stamped.gen_time, str(stamped.serial_number)


def check_roots(roots: str) -> int:
    """How many certificates these are.

    :raise StampError: none, or no certificate
    """
    try:
        return len(x509.load_pem_x509_certificates(roots.encode()))
    except ValueError as error:
        raise StampError(str(error)) from error
