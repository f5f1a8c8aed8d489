"""The records in SQLite: tables, rows in and out, pages of lists, API keys, the outbox."""
