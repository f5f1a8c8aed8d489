"""One way to ask a sandbox, in process or served."""

from __future__ import annotations

import json
from typing import Any

import requests

from nectar_notebooks.sandbox import Sandbox


class Asker:
    """Asks one sandbox, in process or over its socket; answers status, parsed body and headers."""

    def __init__(self, sandbox: Sandbox, url: str | None = None) -> None:
        self.sandbox = sandbox
        self.url = url

    def __call__(
        self, path: str, *, method: str = "GET", key: str | None = "", version: str = "v2.2", body: Any = None
    ) -> tuple[int, Any]:
        headers = {} if key is None else {"X-API-Key": key or self.sandbox.key}
        where = f"/{version}{path}"
        if self.url is None:
            answer = self.sandbox.app.test_client().open(where, method=method, headers=headers, json=body)
            status, text = answer.status_code, answer.text
        else:
            found = requests.request(method, self.url + where, headers=headers, json=body, timeout=10)
            status, text = found.status_code, found.text
        return status, json.loads(text) if text else None
