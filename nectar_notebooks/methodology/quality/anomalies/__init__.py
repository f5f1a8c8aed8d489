"""Anomalies: what is unusual on bills that may be right.

Downward: `find` (the function `anomalies`), `series` and `bills` (what is looked at), `prices` and `seasons`, `table`.
"""
