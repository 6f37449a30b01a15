"""A page that is used by keyboard alone: what a journey clicks, fills or chooses is reached by the Tab key first.

On the way, whatever has the focus must be seen to have it, and the Tab key must come to what is wanted.
"""

from __future__ import annotations

from typing import Any

__all__ = ["KeyboardPage"]

_MOST_STOPS = 300  # presses of Tab
_LOOKS = """() => {
  const now = document.activeElement;
  if (!now || now === document.body || now.id === "content") return "";
  if (!now.matches(":focus")) return ""; // a part of it has the focus, such as a date's calendar, which the browser rings
  const seen = [now, now.closest("label"), now.nextElementSibling].filter(one => one).some(one => {
    const style = getComputedStyle(one);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  });
  return seen ? "" : now.outerHTML.slice(0, 120);
}"""
_HAS_FOCUS = """element => {
  const now = document.activeElement, wanted = element.matches("label") ? element.control : element;
  return wanted === now || (wanted.type === "radio" && now.type === "radio" && wanted.name === now.name);
}"""
_WRAPPED = {"first", "nth", "locator", "get_by_label", "get_by_role", "get_by_text"}


class _Used:
    """Hands on to a page or a locator; what finds an element gives one that is used by keyboard."""

    def __init__(self, real: Any, page: Any) -> None:
        self._real, self._page = real, page

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name not in _WRAPPED:
            return found
        if not callable(found):
            return _Element(found, self._page)
        return lambda *values, **named: _Element(found(*values, **named), self._page)


class KeyboardPage(_Used):
    """A page of a browser."""

    def __init__(self, page: Any) -> None:
        super().__init__(page, page)


class _Element(_Used):
    """An element, used by keyboard."""

    def click(self) -> None:
        """Press it: Enter for links, buttons and summaries, arrows within radio buttons, blank for the rest."""
        self._reach()
        kind = self._real.evaluate("one => (one.matches('label') ? one.control : one).type ?? ''")
        if kind == "radio":
            chosen = "one => (one.matches('label') ? one.control : one).checked"
            self._page.keyboard.press("Space")
            for _ in range(20):
                if self._real.evaluate(chosen):
                    return
                self._page.keyboard.press("ArrowRight")
            raise AssertionError("the arrows do not come to the radio button")
        self._page.keyboard.press("Space" if kind == "checkbox" else "Enter")

    def check(self) -> None:
        """Check it, if it is not."""
        self._reach()
        if not self._real.is_checked():
            self._page.keyboard.press("Space")

    def fill(self, text: str) -> None:
        """Write into it, instead of what it holds; dates and times are parts, for which values are set."""
        self._reach()
        if self._real.get_attribute("type") in {"date", "time"}:
            self._real.fill(text)
            return
        self._page.keyboard.press("ControlOrMeta+a")
        self._page.keyboard.insert_text(text)

    def select_option(self, value: str) -> None:
        """Choose it by the arrows."""
        self._reach()
        self._page.keyboard.press("Home")
        for _ in range(60):
            if self._real.input_value() == value:
                return
            self._page.keyboard.press("ArrowDown")
        raise AssertionError(f"the arrows do not come to {value}")

    def set_input_files(self, file: str) -> None:
        """Reach it; the dialog for files is the system's."""
        self._reach()
        self._real.set_input_files(file)

    def _reach(self) -> None:
        self._real.wait_for(state="visible" if self._real.is_visible() else "attached")
        for _ in range(_MOST_STOPS):
            if self._real.evaluate(_HAS_FOCUS):
                return
            self._page.keyboard.press("Tab")
            if unseen := self._page.evaluate(_LOOKS):
                raise AssertionError(f"nothing shows that this has the focus: {unseen}")
        raise AssertionError(f"the Tab key does not come to {self._real}")
