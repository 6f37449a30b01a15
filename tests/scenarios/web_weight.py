"""What every page weighs and how it settles: bytes without pictures, other hosts, layout shift, the first picture on 3G."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from PIL import Image, ImageFilter

from tests.exhibited import publish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auria_bot.bootstrap.application import Application

__all__ = ["THREE_G", "Weight", "first_picture", "hang_a_painting", "weigh"]

THREE_G = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
"""What browsers' developer tools and Lighthouse call slow 4G or fast 3G: 150 ms, 1.6 Mbit/s down."""

_WATCH = """
window.shift = 0; window.painted = 0;
new PerformanceObserver(list => { for (const one of list.getEntries()) if (!one.hadRecentInput) window.shift += one.value; })
  .observe({ type: "layout-shift", buffered: true });
new PerformanceObserver(list => { for (const one of list.getEntries())
  if (one.element && one.element.tagName === "IMG") window.painted = Math.max(window.painted, one.renderTime || one.loadTime); })
  .observe({ type: "largest-contentful-paint", buffered: true });
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """A page as a browser loads it for the first time."""

    path: str
    size: int  # bytes over the wire, heads of answers included, pictures not
    others: tuple[str, ...]  # hosts that are asked besides the site
    shift: float  # cumulative layout shift


def hang_a_painting(application: Application, number: int = 80) -> str:
    """Publish an artwork whose picture weighs what a painting weighs; the path of its page."""
    noise = Image.effect_noise((1080, 1350), 90).filter(ImageFilter.GaussianBlur(2.5))
    tones = Image.merge("RGB", (noise, noise.rotate(180), noise.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    sky = Image.linear_gradient("L").resize((1080, 1350)).convert("RGB")
    found = publish(application, number, channel="elsewhere", picture=Image.blend(tones, sky, 0.35))
    return f"/artworks/{found}-old-pond-number-{number}"


def weigh(page: Any, site: str, paths: Sequence[str]) -> list[Weight]:
    """Load each page as for the first time, in a page of a browser that is signed in where it must be."""
    found = []
    page.add_init_script(_WATCH)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.route("**/*.woff2", _late)  # so that what moves when the font comes is seen on every machine
    requests = list[Any]()
    page.on("requestfinished", lambda request: requests.append(request))  # noqa: PLW0108 - it sets attributes of it
    for path in paths:
        requests.clear()
        page.goto(site + path, wait_until="load")
        page.wait_for_timeout(800)
        sizes = [one.sizes() for one in list(requests) if one.resource_type not in {"image", "eventsource", "media"}]
        hosts = {urlsplit(one.url).netloc for one in requests} - {urlsplit(site).netloc, ""}
        size = sum(one["responseBodySize"] + one["responseHeadersSize"] for one in sizes)
        shift = float(page.evaluate("window.shift"))
        found.append(Weight(path=path, size=size, others=tuple(sorted(hosts)), shift=shift))
    return found


def _late(route: Any) -> None:
    time.sleep(0.3)
    route.continue_()


def first_picture(chromium: Any, site: str, path: str) -> float:
    """Seconds from the request for an artwork's page to its painted picture, on a phone with 3G and an empty cache."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=2)
    page = context.new_page()
    page.add_init_script(_WATCH)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", THREE_G)
    page.goto(site + path, wait_until="load")
    while not (painted := float(page.evaluate("window.painted"))):
        page.wait_for_timeout(50)
    seconds = painted / 1000
    context.close()
    return seconds
