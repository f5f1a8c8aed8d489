"""Nectar's webhooks beside a Django project: the receiver is mounted in ``wsgi.py``, before Django reads the body.

In a project of your own, keep the settings where they are, and change ``wsgi.py`` as the last lines here do.
Register ``https://your.host/webhooks`` in the webhook portal. No CSRF exemption is needed: Django never sees it.
"""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from nectar_notebooks.webhooks import Event, Receiver


def handle(event: Event) -> None:
    """Do your work here, keyed by ``event.id``: after a crash the same event may come once more."""
    print(event.type, event.id)


receiver = Receiver(
    os.environ["NECTAR_WEBHOOK_SECRET"].split(","), os.environ.get("NECTAR_WEBHOOK_LEDGER", "webhooks.db"), handle
)
receiver.start()  # what an earlier process left open is handled first


def health(_: HttpRequest) -> JsonResponse:
    """Show what came in and what became of it."""
    return JsonResponse(receiver.metrics())


urlpatterns = [path("health", health)]

if not settings.configured:  # your project has a settings module instead
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1", "localhost"], USE_TZ=True)

django = get_wsgi_application()


def application(environ, start_response):
    """Give ``/webhooks`` to the receiver and everything else to Django."""
    webhook = environ["PATH_INFO"].rstrip("/") == "/webhooks"
    return receiver(environ, start_response) if webhook else django(environ, start_response)
