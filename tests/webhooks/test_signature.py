"""Verification against the published vector, and against the official library as the other side."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from svix.webhooks import Webhook as Svix

from nectar_notebooks.clock import FrozenClock
from nectar_notebooks.errors import ConfigurationError, SignatureError
from nectar_notebooks.webhooks import sign, verify

# Published with the scheme.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
STAMP = "1614265330"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
OTHER = "whsec_" + base64.b64encode(b"another secret, as long as it").decode()

CLOCK = FrozenClock(datetime.fromtimestamp(int(STAMP), UTC))


def headers(prefix: str = "svix", **changed: str) -> dict[str, str]:
    values = {"id": ID, "timestamp": STAMP, "signature": SIGNATURE} | changed
    return {f"{prefix}-{name}": value for name, value in values.items()}


@pytest.mark.parametrize("prefix", ["svix", "webhook", "Svix", "WEBHOOK"])
def test_the_published_vector_is_accepted_under_both_spellings(prefix: str) -> None:
    delivery = verify(headers(prefix), BODY, SECRET, clock=CLOCK)
    assert (delivery.id, delivery.body) == (ID, BODY)
    assert delivery.timestamp == CLOCK.now()


def test_two_secrets_carry_a_rotation_on_the_receiver() -> None:
    assert verify(headers(), BODY, [OTHER, SECRET], clock=CLOCK).id == ID


def test_two_signatures_carry_a_rotation_at_the_sender() -> None:
    both = sign(ID, CLOCK.now(), BODY, [OTHER, SECRET])
    assert both.count("v1,") == 2
    for secret in (SECRET, OTHER):
        assert verify(headers(signature=both), BODY, secret, clock=CLOCK).id == ID


@pytest.mark.parametrize(
    ("changed", "body"),
    [
        ({}, BODY + b" "),
        ({"id": "msg_other"}, BODY),
        ({"timestamp": str(int(STAMP) + 1)}, BODY),
        ({"signature": SIGNATURE.replace("v1,", "v2,")}, BODY),
        ({"signature": SIGNATURE[:-4]}, BODY),
        ({"signature": "v1,"}, BODY),
        ({"signature": "v1," + "é" * 9}, BODY),
        ({"signature": " ".join(["v1,AAAA"] * 500 + [SIGNATURE])}, BODY),
        ({"timestamp": "0" + STAMP}, BODY),
        ({"timestamp": STAMP + ".0"}, BODY),
        ({"timestamp": "1e9"}, BODY),
        ({"timestamp": "999999999999"}, BODY),
        ({"timestamp": f"{STAMP}, {STAMP}"}, BODY),
        ({"id": f"{ID}, {ID}"}, BODY),
        ({"id": ""}, BODY),
        ({}, b"\xff\xfe"),
    ],
)
def test_anything_else_is_refused(changed: dict[str, str], body: bytes) -> None:
    with pytest.raises(SignatureError) as caught:
        verify(headers(**changed), body, SECRET, clock=CLOCK)
    assert "whsec" not in str(caught.value)
    assert SIGNATURE not in str(caught.value)


@pytest.mark.parametrize(("seconds", "accepted"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_five_minutes_to_either_side(seconds: int, accepted: bool) -> None:
    clock = FrozenClock(CLOCK.now() + timedelta(seconds=seconds))
    if accepted:
        assert verify(headers(), BODY, SECRET, clock=clock).id == ID
    else:
        with pytest.raises(SignatureError, match="tolerance"):
            verify(headers(), BODY, SECRET, clock=clock)


@given(payload=st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=4))
def test_what_the_official_library_signs_is_accepted_and_the_other_way_round(payload: dict[str, str]) -> None:
    body = json.dumps(payload, ensure_ascii=False)
    now = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251  # the official library reads the system's clock
    official = Svix(SECRET)
    stamp = str(int(now.timestamp()))
    theirs = headers(timestamp=stamp, signature=official.sign(ID, now, body))
    assert verify(theirs, body.encode(), SECRET, clock=FrozenClock(now)).id == ID
    official.verify(body, headers(timestamp=stamp, signature=sign(ID, now, body.encode(), SECRET)))


@given(
    given_headers=st.dictionaries(
        st.sampled_from([f"{p}-{n}" for p in ("svix", "webhook") for n in ("id", "timestamp", "signature")]),
        st.text(max_size=40) | st.sampled_from([ID, STAMP, SIGNATURE]),
        max_size=6,
    ),
    body=st.binary(max_size=60),
)
def test_junk_is_refused_and_nothing_else_happens(given_headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(SignatureError):
        verify(given_headers, body + b"?", SECRET, clock=CLOCK)


@pytest.mark.parametrize("secrets", [[], "", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_é", [SECRET, "no"]])
def test_a_secret_that_is_none_is_a_configuration_error_that_does_not_repeat_it(
    secrets: str | list[str],
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        verify(headers(), BODY, secrets, clock=CLOCK)
    assert "MfKQ9r8" not in str(caught.value)
