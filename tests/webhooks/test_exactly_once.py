"""Events sent one to three times in random order to a receiver that is killed again and again."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from svix.webhooks import Webhook as Svix

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PROGRAM = Path(__file__).with_name("receiver_process.py")


class Killable:
    """A receiver's process, started again whenever it is gone."""

    def __init__(self, folder: Path) -> None:
        self.arguments = [sys.executable, str(PROGRAM), str(folder / "ledger.db"), str(folder / "effects.db"), SECRET]
        self.kills = 0
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.arguments, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.connection.close()
        self.kills += 1

    def post(self, body: bytes, headers: dict[str, str]) -> bool:
        """Send as the sender does: what is not answered 204 is sent again later."""
        try:
            self.connection.request("POST", "/", body, headers)
            answer = self.connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return False
        return answer.status == 204


@pytest.mark.fault
def test_every_event_takes_effect_exactly_once(tmp_path: Path, times: Callable[[int, int], int]) -> None:
    events, chance = times(400, 100_000), random.Random(7)
    numbers = [number for number in range(events) for _ in range(chance.randint(1, 3))]
    chance.shuffle(numbers)
    sends, told = len(numbers), 0
    receiver = Killable(tmp_path)
    official, timer = Svix(SECRET), None
    while numbers:
        done = (sends - len(numbers)) * 20 // sends
        if done > told and events > 1000:  # an hour without a word looks like one that hangs
            told = done
            print(f"webhooks: {done * 5} % sent, {receiver.kills:,} kills", flush=True)
        number = numbers.pop()
        now = datetime.now(UTC)  # noqa: TID251  # the receiver's process reads the system's clock
        body = json.dumps({"eventType": "document.created.v2", "id": f"bill-{number}", "amount": number + 1})
        headers = {
            "Content-Type": "application/json",
            "svix-id": f"msg_{number}",
            "svix-timestamp": str(int(now.timestamp())),
            "svix-signature": official.sign(f"msg_{number}", now, body),
        }
        if timer is None and chance.random() < 0.01:
            # The signal falls wherever the receiver just is: reading, writing its ledger, answering, handling.
            timer = threading.Timer(chance.random() * 0.02, os.kill, (receiver.process.pid, signal.SIGKILL))
            timer.start()
        if not receiver.post(body.encode(), headers):
            numbers.insert(chance.randint(0, len(numbers)), number)
        if timer is not None and not timer.is_alive():
            receiver.kill()
            receiver.start()
            timer = None
    if timer is not None:
        timer.join()
        receiver.kill()
        receiver.start()
    ledger = sqlite3.connect(tmp_path / "ledger.db", timeout=30)
    for _ in range(6000):
        (left,) = ledger.execute("SELECT count(*) FROM events WHERE state <> 'done'").fetchone()
        if not left:
            break
        threading.Event().wait(0.05)
    receiver.kill()
    ledger.close()
    effects = sqlite3.connect(tmp_path / "effects.db")
    assert effects.execute("SELECT count(*) FROM handled").fetchone() == (events,)
    assert effects.execute("SELECT amount FROM total").fetchone() == (events * (events + 1) // 2,)
    (calls,) = effects.execute("SELECT number FROM calls").fetchone()
    effects.close()
    assert receiver.kills > 1
    print(
        f"soak: webhooks: {events:,} events sent {sends:,} times, {receiver.kills:,} kills: each took effect once, "
        f"{calls - events:,} calls were repeated after a kill"
    )
