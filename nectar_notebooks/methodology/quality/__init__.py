"""Quality: what is missing, what is wrong, what stands out, and what the data are fit for.

`expectation` holds the one definition of missing; `completeness`, `fill`, `issues` and `readiness` read it.
"""
