"""The wire: sessions that keep the key at home, retries, limits, endpoints as a table, walks over pages.

Nothing here knows frames: rows leave as the dictionaries the API sent. Caching is left to `cache`.
"""

from nectar_notebooks.api.answers import AnswerTime, oldest
from nectar_notebooks.api.endpoints import ENDPOINTS, Endpoint
from nectar_notebooks.api.retry import RetryPolicy
from nectar_notebooks.api.session import Answer, Session
from nectar_notebooks.api.walk import Page, Row, Walked, fetch, walk
from nectar_notebooks.api.wsgi import EMBEDDED_URL, WSGIAdapter

__all__ = [
    "EMBEDDED_URL",
    "ENDPOINTS",
    "Answer",
    "AnswerTime",
    "Endpoint",
    "Page",
    "RetryPolicy",
    "Row",
    "Session",
    "WSGIAdapter",
    "Walked",
    "fetch",
    "oldest",
    "walk",
]
