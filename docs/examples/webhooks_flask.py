"""Nectar's webhooks in a Flask application: the receiver is mounted beside it and reads the raw body itself.

Put the portal's signing secret into ``NECTAR_WEBHOOK_SECRET`` and run ``flask --app webhooks_flask run``; register
``https://your.host/webhooks`` in the webhook portal.
"""

import os

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from nectar_notebooks.webhooks import Event, Receiver

app = Flask(__name__)


def handle(event: Event) -> None:
    """Do your work here, keyed by ``event.id``: after a crash the same event may come once more."""
    print(event.type, event.id)


receiver = Receiver(
    os.environ["NECTAR_WEBHOOK_SECRET"].split(","), os.environ.get("NECTAR_WEBHOOK_LEDGER", "webhooks.db"), handle
)
receiver.start()  # what an earlier process left open is handled first


@app.get("/health")
def health() -> dict[str, object]:
    """Show what came in and what became of it."""
    return receiver.metrics()


app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/webhooks": receiver})
