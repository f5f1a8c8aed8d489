"""The data model: tables, value sets, statuses and the portfolio that holds a company's frames.

Nothing here reads the API or computes; `tables` builds frames from this, `methodology` computes on them.
"""
