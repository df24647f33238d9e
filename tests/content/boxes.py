"""What a browser would send of a page."""

from html.parser import HTMLParser

from django.test import Client


class Boxes(HTMLParser):
    """Collects the boxes of a page's forms, with what stands in them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.typed: dict[str, str | list[str]] = {}
        self._inside: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        name, value = named.get("name"), named.get("value") or ""
        match tag:
            case "input" if name and named.get("type") in ("checkbox", "radio"):
                if "checked" in named:
                    self._tick(name, value or "on")
            case "input" if name and named.get("type") not in ("submit", "button"):
                self.typed[name] = value
            case "textarea" | "select" if name:
                self._inside = name
                self.typed[name] = ""
            case "option" if self._inside and "selected" in named:
                self.typed[self._inside] = value

    def handle_data(self, text: str) -> None:
        if self._inside and self.get_starttag_text() and self._is_text:
            self.typed[self._inside] = text.removeprefix("\n").replace("\n", "\r\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "select"):
            self._inside = None

    @property
    def _is_text(self) -> bool:
        return (self.get_starttag_text() or "").startswith("<textarea")

    def _tick(self, name: str, value: str) -> None:
        ticked = self.typed.setdefault(name, [])
        assert isinstance(ticked, list)
        ticked.append(value)


def boxes_on(client: Client, address: str) -> dict[str, str | list[str]]:
    response = client.get(address)
    assert response.status_code == 200
    return Boxes(response.content.decode()).typed
