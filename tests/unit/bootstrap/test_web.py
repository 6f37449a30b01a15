"""What the web interface is composed of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.bootstrap.application import build
from auria_bot.settings.schema import Settings
from auria_bot.settings.web import WebhookSettings, WebSettings
from tests.applications import fake_application

if TYPE_CHECKING:
    from pathlib import Path


def test_webhooks_have_their_settings_and_their_secrets(tmp_path: Path) -> None:
    """Each secret is kept under the name of its webhook."""
    application = fake_application(tmp_path)
    hook = WebhookSettings(url="https://example.org/hook", events=("post.sent",))
    application.settings = application.settings.model_copy(update={"web": WebSettings(webhooks={"mine": hook})})
    made = application.webhooks.hooks["mine"]
    assert (made.url, made.events, made.allow_private, made.secret()) == (hook.url, {"post.sent"}, False, None)
    application.secret_store("webhook-mine").store("secret", "whsec_x")
    assert made.secret() == "whsec_x"


def test_the_public_address_is_the_set_one_or_the_servers(tmp_path: Path) -> None:
    """Links in feeds begin with it; a slash at its end is left out."""
    assert build(Settings(home=tmp_path)).public_url == "http://127.0.0.1:8620"
    assert build(Settings(home=tmp_path, web={"url": "https://auria.example.org/"})).public_url == (
        "https://auria.example.org"
    )
