"""A page as somebody sees it: its texts, tables, links, and everything that it would load."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "hr", "input", "line", "path", "rect", "circle"}
LOADS = {"src", "href", "data", "srcset", "poster", "action", "xlink:href"}


@dataclass
class Page(HTMLParser):
    """What was parsed; ``problems`` are elements that were never closed, or closed out of turn."""

    problems: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    tables: list[list[list[str]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    """What figures are called for who can't see them."""
    tags: set[str] = field(default_factory=set)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def read(self, text: str) -> Page:
        self.feed(text)
        self.close()
        self.problems += [f"{each} is never closed" for each in self._open]
        return self

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loaded += [value or "" for name, value in attrs if name in LOADS]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag == "svg":
            self.named.append(dict(attrs).get("aria-label") or "")
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.tables[-1][-1].append("")
        elif tag in ("p", "h1", "h2", "pre"):
            self.texts.append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"</{tag}> is out of turn")

    def handle_data(self, data: str) -> None:
        inside = set(self._open)
        if inside & {"th", "td"}:
            self.tables[-1][-1][-1] += data
        elif inside & {"p", "h1", "h2", "pre"}:
            self.texts[-1] += data
