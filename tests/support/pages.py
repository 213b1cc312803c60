"""Pages, read with a parser, as a browser would."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """What a page has: its title, the names that links can lead to, the links, and the images with their texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.title, self.ids, self.links, self.images, self.inside = "", set(), [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        of = dict(attrs)
        self.inside = tag
        self.ids |= {of[name] for name in ("id", "name") if of.get(name)}
        if tag == "a" and "href" in of:
            self.links.append(of["href"])
        if tag == "img":
            self.images.append((of.get("src", ""), of.get("alt", "")))

    def handle_data(self, data):
        if self.inside == "title" and not self.title:
            self.title = data.strip()


def images(text: str) -> list[tuple[str, str]]:
    """Each image of a page: where it lies, and its alternative text."""
    return Page(text).images
