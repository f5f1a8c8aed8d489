"""What a caller sends along: JSON, a form or multipart, read as one mapping and the uploaded files.

Only the form of it is read here; whether the fields are right is the contract's question, whether they fit the state
that of the handler.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from werkzeug.exceptions import RequestEntityTooLarge

from nectar_notebooks.sandbox.contract import read_form
from nectar_notebooks.sandbox.handlers.request import Body, Upload
from nectar_notebooks.sandbox.model import ProblemError, bad_field

if TYPE_CHECKING:
    from flask import Request
    from werkzeug.datastructures import FileStorage

__all__ = ["read", "read_json"]

_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
#: The one field of the API that is a file.
_FILE: Final = "document"


def read(request: Request, method: str, path: str) -> Body:
    """Return the body of a request, or raise the 400 that says why it cannot be read."""
    try:
        return _read(request, method, path)
    except RequestEntityTooLarge:
        uploads = path.startswith("/job/") and request.mimetype == "multipart/form-data"
        raise bad_field("document" if uploads else "body", "is too large.") from None


def _read(request: Request, method: str, path: str) -> Body:
    if request.mimetype in _FORMS:
        twice = [name for name, sent in request.files.lists() if len(sent) > 1]
        if twice:
            raise bad_field(twice[0] or "body", "may be one file, not several.")
        files = {name: _taken(file) for name, file in request.files.items()}
        if None in files or None in request.form:
            raise ProblemError(400, "The body cannot be read: a part of it has no name.")
        if not files and not request.form and _holds_something(request):
            raise ProblemError(400, "The body cannot be read: its parts have no heads.")
        fields = read_form(method, path, {**request.form.to_dict(flat=False), **_names(files)})
        fields |= {name: {} for name in files if name != _FILE}  # no text: the contract says what it should be
        return Body(fields, files)
    return Body(read_json(request))


def read_json(request: Request) -> Any:
    """Return the JSON of a request, None where it has no body; a body of ``null`` is one, and is refused."""
    data = request.get_data()
    if not data:
        return None
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise ProblemError(400, "The body cannot be read: send JSON, a form or multipart.") from None
    if found is None:
        raise ProblemError(400, "The body is null: send an object, or no body.")
    return found


def _holds_something(request: Request) -> bool:
    """Say whether a multipart body that was read as empty is longer than its closing line."""
    closing = f"--{request.mimetype_params.get('boundary', '')}--"
    return request.mimetype == "multipart/form-data" and (request.content_length or 0) > len(closing) + 2 * len("\r\n")


def _taken(file: FileStorage) -> Upload:
    """Return an uploaded file; a large one lies in a temporary file until then, which is closed."""
    with file.stream:
        return Upload(file.filename or "", file.stream.read())


def _names(files: dict[str, Upload]) -> dict[str, list[str]]:
    """Return an uploaded file as a field: its name stands for it where the contract is asked."""
    return {name: [file.name] for name, file in files.items()}
