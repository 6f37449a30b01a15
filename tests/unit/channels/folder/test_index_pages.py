"""The plain pages that list a folder's posts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

from auria_bot.channels.folder.index_pages import PER_PAGE, ListedPost, pages

START = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def exhibit(number: int = 1, **changes: object) -> ListedPost:
    """A post as the pages list it."""
    values = {
        "name": f"key{number}",
        "at": START - timedelta(days=number),
        "text": f"first {number}\nsecond\nthird\n\n— Auria\n#haiku #rain",
        "alt_text": "A lake. It is in the manner of “The Wave” by G. Courbet, 1870. It was painted for this haiku: x.",
        "picture": f"posts/key{number}/picture.jpg",
        "width": 1080,
        "height": 1350,
        **changes,
    }
    return ListedPost(**values)


class Reader(HTMLParser):
    """What a browser would find."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "br", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def show(*exhibits: ListedPost) -> tuple[str, Reader]:
    """The first page, and what a browser finds in it."""
    page = pages(exhibits, title="Auria", subtitle="Haiku & paintings", language="en")["index.html"]
    return page, Reader(page)


def test_a_page_has_what_everyone_needs() -> None:
    """Language, headings in order, alt text and size of every picture, the poem, the day, both themes."""
    page, found = show(exhibit(1), exhibit(2))
    assert found.open == []
    assert found.all("html")[0]["lang"] == "en"
    assert [tag for tag, _ in found.tags if tag in {"h1", "h2"}] == ["h1", "h2", "h2"]
    assert all(image["alt"] and image["width"] and image["height"] for image in found.all("img"))
    words = " ".join(" ".join(found.words).split())
    assert "first 1 second third" in words
    assert "#haiku #rain" in words
    assert found.all("time")[0]["datetime"] == "2026-11-20T09:30:00+00:00"
    assert 'content="light dark"' in page
    assert [one["id"] for one in found.all("article")] == ["key1", "key2"]


def test_nothing_runs_and_nothing_is_fetched_from_elsewhere() -> None:
    """The page has no script and no external address, and a policy that forbids both."""
    page, found = show(exhibit())
    assert not found.all("script")
    assert "http://" not in page
    assert "https://" not in page
    assert "default-src 'none'" in page


def test_everything_of_a_post_is_escaped() -> None:
    """Words that look like markup are words."""
    evil = '<script>alert(1)</script>\n"><img src=x onerror=y>\n&amp;\n\n<b>— & \n#<i>'
    _, found = show(exhibit(text=evil, alt_text=f'" onload="{evil}', name='"><x'))
    assert found.open == []
    assert not found.all("script")
    assert not found.all("b")
    assert len(found.all("img")) == 1
    assert set(found.all("img")[0]) <= {"src", "alt", "width", "height", "loading"}
    assert "<script>alert(1)</script>" in "".join(found.words)


def test_many_posts_are_parted_into_pages() -> None:
    """The newest come first, every page leads to its neighbours, and no post is lost."""
    made = pages([exhibit(number) for number in range(2 * PER_PAGE + 1)], title="Auria", subtitle="", language="en")
    assert list(made) == ["index.html", "page-2.html", "page-3.html"]
    assert [page.count("<article") for page in made.values()] == [PER_PAGE, PER_PAGE, 1]
    second = Reader(made["page-2.html"])
    assert [(link["rel"], link["href"]) for link in second.all("a") if "rel" in link] == [
        ("prev", "index.html"),
        ("next", "page-3.html"),
    ]


def test_an_empty_folder_says_so() -> None:
    """It is a page too."""
    _, found = show()
    assert "No pictures yet" in "".join(found.words)


def test_the_same_posts_give_the_same_bytes() -> None:
    """Rebuilding changes nothing."""
    assert show(exhibit())[0] == show(exhibit())[0]


def test_a_picture_of_unknown_size_and_a_text_without_hashtags() -> None:
    """What is not known is left out."""
    _, found = show(exhibit(width=0, height=0, text="one line only", alt_text="No credit."))
    assert "width" not in found.all("img")[0]
    assert "one line only" in "".join(found.words)
