"""What answers each operation of the API, one file a resource; `request` is what a handler is given."""
