"""The section of the web interface."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from auria_bot.settings.web import EVENTS, WebhookSettings


@pytest.mark.parametrize(
    "url", ["http://example.org/hook", "https://", "https://me@example.org", "ftp://example.org", "", "https://a b"]
)
def test_a_webhook_has_an_https_address(url: str) -> None:
    """Of the form that a program can be reached at."""
    with pytest.raises(ValidationError, match="must look like"):
        WebhookSettings(url=url)


def test_a_private_webhook_may_use_http() -> None:
    """And is told of everything unless said otherwise."""
    assert WebhookSettings(url="http://localhost:9/hook", allow_private=True).events == EVENTS
    assert WebhookSettings(url="https://example.org?key=1", events=("post.sent",)).events == ("post.sent",)
