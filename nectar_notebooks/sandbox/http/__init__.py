"""The embedded sandbox over HTTP: application, routes, what a request carries, serving, its own paths."""
