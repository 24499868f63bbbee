"""Reads a page as a browser does: elements, attributes, text. What is wrong with a junit.xml."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

_VOID = frozenset({"meta", "input", "br", "img", "link", "rect", "line", "circle", "polyline"})


@dataclass
class Element:
    """One element with its text, that of elements inside it included, but no script and no style."""

    tag: str
    attributes: dict[str, str | None]
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class Page(HTMLParser):
    """A parsed page: its elements, and where they do not nest."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.unbalanced: list[str] = []
        self._open: list[Element] = []
        self.feed(source)
        self.close()
        self.unbalanced += [f"<{element.tag}> stays open" for element in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1].tag == tag:
            self._open.pop()
        elif tag not in _VOID:
            self.unbalanced.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        inside = self._open[-1:] if self._open and self._open[-1].tag in ("script", "style") else self._open
        for element in inside:
            element.pieces.append(data)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements of a tag with the given attributes; ``_`` in a name stands for ``-``."""
        wanted = {(name.replace("_", "-").removesuffix("-"), value) for name, value in attributes.items()}
        return [each for each in self.elements if each.tag == tag and wanted <= each.attributes.items()]

    def one(self, identifier: str) -> Element:
        """The element with an id."""
        (found,) = (each for each in self.elements if each.attributes.get("id") == identifier)
        return found


#: What Jenkins' junit-10.xsd allows: children, required and optional attributes of an element.
_RULES = {
    "testsuites": ("testsuite", "", "name time tests failures errors"),
    "testsuite": (
        "testsuite properties testcase system-out system-err",
        "name tests failures errors",
        "group time skipped timestamp hostname id package file log url version",
    ),
    "properties": ("property", "", ""),
    "property": ("", "name value", ""),
    "testcase": ("skipped error failure system-out system-err", "name", "time classname group"),
    **dict.fromkeys(("failure", "error", "skipped"), ("", "", "type message")),
    **dict.fromkeys(("system-out", "system-err"), ("", "", "")),
}


def junit_faults(path: Path) -> list[str]:
    """Where a junit.xml breaks the xUnit2 schema."""
    found = []
    for node in ElementTree.parse(path).iter():
        children, required, optional = (set(names.split()) for names in _RULES.get(node.tag, ("", "", "")))
        wrong = [*(required - node.attrib.keys()), *(node.attrib.keys() - required - optional)]
        wrong += [child.tag for child in node if child.tag not in children]
        found += [f"{node.tag}: {name}" for name in wrong]
    return found
