"""Logins at providers: what credentials are worth, which status follows, and invitations to enter them."""
