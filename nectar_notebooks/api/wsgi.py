"""A `requests` transport that calls a WSGI application in this process: no port, no socket.

The address of such an application can never resolve, so a request that misses the transport goes nowhere.
"""

from __future__ import annotations

from wsgiref.types import WSGIApplication

from requests.adapters import BaseAdapter

from nectar_notebooks.config import EMBEDDED_URL

__all__ = ["EMBEDDED_URL", "WSGIAdapter"]


class WSGIAdapter(BaseAdapter):
    """Sends requests to `app`; mount it with ``Session(EMBEDDED_URL, adapter=WSGIAdapter(app))``."""

    def __init__(self, app: WSGIApplication) -> None:
        super().__init__()
        self.app = app
