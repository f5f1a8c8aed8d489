"""The invited person: the page that an invitation opens, and what becomes of what they type there.

`using` decides who may come in and what a login makes, in one call; the page asks for the same in steps. `walk` takes
a step, `visits` remembers how far somebody is, `pages` says what they see (`markup` how it looks), and `door` is where
requests come in. The page is no part of the API: on Nectar it stands at ``dash.nectarclimate.com/p/i/{token}``.
"""

from nectar_notebooks.sandbox.guests.using import use

__all__ = ["use"]
