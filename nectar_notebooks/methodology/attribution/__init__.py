"""Attribution: charges find their meters, exact to the cent, each with its reason.

Downward: `attribute` (frames in, a frame out), `shares` (the rules, as arrays), `pools`, `reading` and `meters`. What a
line item says of itself is read in `methodology.charges`.
"""
