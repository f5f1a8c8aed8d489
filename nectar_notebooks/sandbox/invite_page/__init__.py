"""The page that an invitation opens: who may open it, its steps, what each step shows.

On Nectar it stands at ``dash.nectarclimate.com/p/i/{token}``; it is no part of the API. What a login entered there
makes is decided in `connections`.
"""
