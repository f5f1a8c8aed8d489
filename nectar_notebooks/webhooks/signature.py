"""Is this delivery from Nectar? The Standard Webhooks scheme, as published by Svix.

The `standardwebhooks` library computes the signatures. This module adds what it leaves open: both spellings of the
headers, several secrets and signatures at once (a rotation without downtime), and a tolerance measured on the package's
own clock. It does not parse the body.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from nectar_notebooks.clock import Clock, SystemClock
from nectar_notebooks.errors import ConfigurationError, SignatureError

__all__ = ["TOLERANCE_SECONDS", "Delivery", "Secrets", "sign", "verify"]

TOLERANCE_SECONDS = 300
#: A rotation needs few signatures; more are an attempt to waste the receiver's time.
_MOST_SIGNATURES = 16
_SPELLINGS = ("svix", "webhook")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One verified delivery: its id, when it was signed, and the raw body."""

    id: str
    timestamp: datetime
    body: bytes


class Secrets:
    """The signing secrets of an endpoint, newest first; they do not print.

    Parameters
    ----------
    secrets : str or iterable of str
        Signing secrets (``whsec_...``) from the webhook portal. During a rotation there are two or more: a delivery
        signed with any of them is accepted.

    Raises
    ------
    ConfigurationError
        No secret, or one that is not a signing secret.
    """

    def __init__(self, secrets: str | Iterable[str]) -> None:
        listed = [secrets] if isinstance(secrets, str) else list(secrets)
        if not listed:
            raise ConfigurationError(
                "No webhook secret was given.",
                advice="Copy the signing secret (whsec_...) from the webhook portal.",
            )
        self._signers = tuple(self._signer(secret, place) for place, secret in enumerate(listed, 1))

    @staticmethod
    def _signer(secret: str, place: int) -> Webhook:
        if isinstance(secret, str) and secret.startswith("whsec_"):
            try:
                return Webhook(secret)
            except (ValueError, EmptyWebhookSecretError):
                pass
        raise ConfigurationError(
            f"Webhook secret {place} is not a signing secret.",
            advice="Copy the whole secret from the webhook portal: it begins with whsec_.",
        )

    def signatures(self, message_id: str, timestamp: datetime, body: str) -> list[str]:
        """Return one signature per secret, as ``v1,<base64>``."""
        return [signer.sign(message_id, timestamp, body) for signer in self._signers]

    def __repr__(self) -> str:
        return f"Secrets({len(self._signers)} hidden)"


def sign(message_id: str, timestamp: datetime, body: bytes, secrets: str | Iterable[str] | Secrets) -> str:
    """Return the signature header for a delivery: one signature per secret, separated by spaces.

    Examples
    --------
    >>> sign(
    ...     "msg_p5jXN8AQM9LWM0D4loKWxJek",
    ...     datetime.fromtimestamp(1614265330, UTC),
    ...     b'{"test": 2432232314}',
    ...     "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ... )
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    known = secrets if isinstance(secrets, Secrets) else Secrets(secrets)
    return " ".join(known.signatures(message_id, timestamp, body.decode()))


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secrets: str | Iterable[str] | Secrets,
    *,
    clock: Clock | None = None,
) -> Delivery:
    """Return the delivery if it was signed with one of `secrets` within the last five minutes.

    Parameters
    ----------
    headers : mapping of str to str
        The request's headers, in any case. Uses ``svix-id``, ``svix-timestamp`` and ``svix-signature``, or the same
        three beginning with ``webhook-``.
    body : bytes
        The body exactly as received: parsing and serializing it again changes the signature.
    secrets : str, iterable of str or Secrets
        The endpoint's signing secrets.
    clock : Clock, optional
        Default: the system's clock.

    Raises
    ------
    SignatureError
        A header is missing, the timestamp is out of tolerance, or no signature matches. The message says no more,
        since it may be shown to the sender of the request.
    ConfigurationError
        There are no secrets, or one is not a signing secret.
    """
    known = secrets if isinstance(secrets, Secrets) else Secrets(secrets)
    message_id, stamp, given = _read(headers)
    moment = _moment(stamp, clock or SystemClock())
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise SignatureError("The body is not UTF-8.") from None
    offered = [signature for signature in given.split() if signature.startswith("v1,")]
    if len(offered) > _MOST_SIGNATURES:
        raise SignatureError("The delivery has too many signatures.")
    expected = known.signatures(message_id, moment, text)
    # Compare every pair, so that timing does not reveal which one matches.
    fits = [
        hmac.compare_digest(one.encode(), other.encode(errors="backslashreplace"))
        for one in expected
        for other in offered
    ]
    if not any(fits):
        raise SignatureError("No signature fits.")
    return Delivery(message_id, moment, body)


def _read(headers: Mapping[str, str]) -> tuple[str, str, str]:
    found = {name.lower(): value for name, value in headers.items()}
    for spelling in _SPELLINGS:
        values = tuple(found.get(f"{spelling}-{part}", "") for part in ("id", "timestamp", "signature"))
        if all(values):
            message_id, stamp, signature = values
            if not re.fullmatch(r"[!-~]{1,256}", message_id):
                raise SignatureError("The delivery's id is malformed.")
            return message_id, stamp, signature
    raise SignatureError("The delivery lacks an id, a timestamp or a signature.")


def _moment(stamp: str, clock: Clock) -> datetime:
    # Only plain integers: another spelling of the same number is a different signed text.
    if not re.fullmatch(r"[1-9][0-9]{0,11}", stamp, re.ASCII):
        raise SignatureError("The delivery's timestamp is malformed.")
    moment = datetime.fromtimestamp(int(stamp), UTC) if int(stamp) < 253_402_300_800 else None
    if moment is None or abs((clock.now() - moment).total_seconds()) > TOLERANCE_SECONDS:
        raise SignatureError("The delivery's timestamp is out of tolerance.")
    return moment
