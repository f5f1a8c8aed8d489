"""Is this delivery from Nectar? The Standard Webhooks scheme, as Svix publishes it.

The signature itself is made by the maintained `standardwebhooks` library. What is decided here is what that
library leaves open: both header spellings, several secrets and several signatures at once (a rotation without
downtime), and a tolerance measured on the package's own clock. Nothing of the body is parsed.
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
#: More signatures than a rotation needs are an attempt to make the receiver work.
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
        ``whsec_...`` texts from the webhook portal. Two or more carry a rotation: a delivery signed with any
        of them is accepted.

    Raises
    ------
    ConfigurationError
        No secret, or one that is not a ``whsec_`` text.
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
            advice="Copy it whole from the webhook portal: it begins with whsec_.",
        )

    def signatures(self, message_id: str, timestamp: datetime, body: str) -> list[str]:
        """Return the signature that each secret gives, as ``v1,<base64>``."""
        return [signer.sign(message_id, timestamp, body) for signer in self._signers]

    def __repr__(self) -> str:
        return f"Secrets({len(self._signers)} hidden)"


def sign(message_id: str, timestamp: datetime, body: bytes, secrets: str | Iterable[str] | Secrets) -> str:
    """Return the signature header for a delivery: one signature a secret, separated by spaces.

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
        The request's headers, any capitals. ``svix-id``, ``svix-timestamp`` and ``svix-signature`` are read,
        or the same three beginning with ``webhook-``.
    body : bytes
        The body exactly as it arrived: a body that was parsed and written again has another signature.
    secrets : str, iterable of str or Secrets
        The endpoint's signing secrets.
    clock : Clock, optional
        Where now comes from; the system's clock unless given.

    Raises
    ------
    SignatureError
        A header is missing, the timestamp is out of tolerance, or no signature fits. The message says no more
        than that, since it may be shown to whoever sent the request.
    ConfigurationError
        `secrets` holds none, or one that is not a signing secret.
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
        raise SignatureError("The delivery carries too many signatures.")
    expected = known.signatures(message_id, moment, text)
    # Every pair is compared, so that the time taken does not tell which one fits.
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
                raise SignatureError("The delivery's id is not readable.")
            return message_id, stamp, signature
    raise SignatureError("The delivery lacks an id, a timestamp or a signature.")


def _moment(stamp: str, clock: Clock) -> datetime:
    # Only plain seconds: other spellings of a number would be signed as another text.
    if not re.fullmatch(r"[1-9][0-9]{0,11}", stamp, re.ASCII):
        raise SignatureError("The delivery's timestamp is not readable.")
    moment = datetime.fromtimestamp(int(stamp), UTC) if int(stamp) < 253_402_300_800 else None
    if moment is None or abs((clock.now() - moment).total_seconds()) > TOLERANCE_SECONDS:
        raise SignatureError("The delivery's timestamp is out of tolerance.")
    return moment
