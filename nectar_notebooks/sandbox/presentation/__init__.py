"""Stored records as the API answers them: by version and switch, and as the bodies of events."""
