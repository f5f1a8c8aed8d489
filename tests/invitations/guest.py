"""A person without JavaScript on the invited page: opens, types, presses, over a real socket."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class _Reader(HTMLParser):
    """What a page holds: hidden fields, labelled fields, headings, text, and the word for programs."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.fields: dict[str, dict[str, str | None]] = {}
        self.labels: set[str] = set()
        self.state = ""
        self.words: list[str] = []
        self.headings: list[str] = []
        self.tags: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        marks = dict(attrs)
        self.tags.append(tag)
        if tag == "input" and marks.get("type") == "hidden":
            self.hidden[str(marks["name"])] = str(marks["value"])
        elif tag == "input" and marks.get("type") != "checkbox":
            self.fields[str(marks["name"])] = marks
        elif tag == "label" and "for" in marks:
            self.labels.add(str(marks["for"]))
        elif tag == "meta" and marks.get("name") == "nectar-invitation":
            self.state = str(marks["content"])
        if tag not in ("input", "meta"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self.words.append(data)
        if "h1" in self._open:
            self.headings.append(data)


class Guest:
    """Somebody with a link."""

    def __init__(self, url: str, *, headers: dict[str, str] | None = None) -> None:
        self._session = requests.Session()
        self._headers = headers or {}
        self.url = url

    def open(self) -> Guest:
        return self._read(self._session.get(self.url, timeout=10))

    def press(self, **typed: object) -> Guest:
        """Send the form that is seen, with what was typed."""
        form = {**self.page.hidden, **typed}
        return self._read(self._session.post(self.url, data=form, headers=self._headers, timeout=10))

    def _read(self, answer: requests.Response) -> Guest:
        self.answer, self.status, self.source = answer, answer.status_code, answer.text
        self.url = urljoin(self.url, answer.url)
        self.page = _Reader()
        self.page.feed(answer.text)
        self.heading = "".join(self.page.headings)
        self.text = " ".join(" ".join(self.page.words).split())
        self.state = self.page.state
        self._session.close()
        return self
