"""The page that describes the REST interface for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.web.pages.reference import operations_of
from tests.exhibited import exhibited, visitor

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient


@pytest.fixture
def browser(tmp_path: Path) -> TestClient:
    """A visitor of a site with one artwork."""
    return visitor(exhibited(tmp_path, 1))


def test_every_operation_of_the_document_is_on_the_page(browser: TestClient) -> None:
    """With its scope, its fields and its answers; nothing is loaded from elsewhere."""
    page, document = browser.get("/api"), browser.get("/api/v1/openapi.json").json()
    assert page.status_code == 200
    for path, item in document["paths"].items():
        assert f"<code>{path}</code>" in page.text
        for operation in item.values():
            assert f'id="{operation["operationId"]}"' in page.text
    for expected in ("scope <code>decide</code>", "Last-Event-ID", "application/octet-stream", "no key needed"):
        assert expected in page.text
    assert "<script" not in page.text
    assert 'href="/api"' in browser.get("/").text


def test_its_language_is_chosen_in_the_footer(browser: TestClient) -> None:
    """The links that the page offers are answered as everywhere."""
    assert 'href="?lang=de"' in browser.get("/api").text
    assert browser.get("/api?lang=de").headers["location"] == "/api"
    assert '<html lang="de">' in browser.get("/api").text


def test_a_body_of_several_forms_is_told_by_its_fields(browser: TestClient) -> None:
    """Each once, with what it may be in any of them, and required where it is in all."""
    found = {one.name: one for one in operations_of(browser.get("/api/v1/openapi.json").json())}
    fields = {field.name: field for field in found["decide"].fields}
    assert (fields["action"].kind, fields["action"].is_required) == (
        "approve | reject | edit | undo | restyle | repaint",
        True,
    )
    assert (fields["reason"].kind, fields["reason"].is_required) == ("string", False)
    assert fields["channels"].kind == "list of string"
    assert fields["draft_id"].place == "path"
    assert found["list_artworks"].scopes == ()
    assert found["make_artwork"].scopes == ("make",)


def test_marks_of_the_descriptions_become_html_and_nothing_else_does() -> None:
    """Code and emphasis; other markup is escaped."""
    document = {
        "paths": {"/x": {"get": {"operationId": "x", "tags": ["t"], "summary": "`a<b` and **c** <d>", "responses": {}}}}
    }
    (one,) = operations_of(document)
    assert one.summary == "<code>a&lt;b</code> and <strong>c</strong> &lt;d&gt;"
