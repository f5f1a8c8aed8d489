"""The embedded sandbox's webhooks: endpoints and messages, their queue, one signed delivery, the portal's page."""
