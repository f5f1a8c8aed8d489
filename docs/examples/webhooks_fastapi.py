"""Nectar's webhooks in a FastAPI application: the receiver is mounted through a2wsgi and reads the raw body itself.

Needs ``pip install fastapi a2wsgi uvicorn``. Put the portal's signing secret into ``NECTAR_WEBHOOK_SECRET`` and run
``uvicorn webhooks_fastapi:app``; register ``https://your.host/webhooks/`` in the webhook portal.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from a2wsgi import WSGIMiddleware
from fastapi import FastAPI

from nectar_notebooks.webhooks import Event, Receiver


def handle(event: Event) -> None:
    """Do your work here, keyed by ``event.id``: after a crash the same event may come once more."""
    print(event.type, event.id)


receiver = Receiver(
    os.environ["NECTAR_WEBHOOK_SECRET"].split(","), os.environ.get("NECTAR_WEBHOOK_LEDGER", "webhooks.db"), handle
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Handle what an earlier process left open; let running handlers end."""
    receiver.start()
    yield
    receiver.close()


app = FastAPI(lifespan=lifespan)


@app.get("/health")
def health() -> dict[str, object]:
    """Show what came in and what became of it."""
    return receiver.metrics()


app.mount("/webhooks", WSGIMiddleware(receiver))
