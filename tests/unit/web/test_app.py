"""The web application as a whole: headers, errors, static files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.exhibited import exhibited, visitor

if TYPE_CHECKING:
    from pathlib import Path


def test_every_answer_has_the_security_headers(tmp_path: Path) -> None:
    """Pages, pictures, errors and static files carry the policy, and none allows inline script."""
    browser = visitor(exhibited(tmp_path, 1))
    for path in ("/", "/nowhere", "/static/site.css", "/pictures/1/320.jpg", "/feed.xml"):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert len(headers["x-request-id"]) == 16
