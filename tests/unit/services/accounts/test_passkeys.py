"""Passkeys: who may sign in with one, and who may not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import InputError, NotFound, NotPermitted, TooManyAttempts
from auria_bot.services.accounts import passkeys as passkeys_module
from auria_bot.services.accounts.accounts import Accounts
from auria_bot.services.accounts.passkeys import Passkeys
from auria_bot.testing import FakeClock
from tests.authenticator import Authenticator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SITE, HOST, CLOCK = "https://auria.example", "auria.example", FakeClock()


class Desk:
    """Two operators, and the time."""

    def __init__(self, folder: Path) -> None:
        self.now = 0.0
        self.noted: list[tuple[str, ...]] = []
        self.accounts = Accounts(file=folder / "operators.json", clock=CLOCK)
        for name in ("ada", "bob"):
            self.accounts.add(name, "a long password")
        self.passkeys = self.started()

    def started(self) -> Passkeys:
        """The same passkeys as another process has them."""
        return Passkeys(
            accounts=self.accounts,
            site=SITE,
            clock=CLOCK,
            seconds=lambda: self.now,
            note=lambda *what: self.noted.append(what),
        )

    def added(self, name: str, called: str = "phone") -> Authenticator:
        """A passkey of an operator."""
        device = Authenticator(origin=SITE, host=HOST)
        self.passkeys.add(name, device.made(self.passkeys.options_to_add(name)), called=called)
        return device

    def signed_in(self, answer: str) -> str:
        """Who is signed in with an answer."""
        session = self.accounts.session(self.passkeys.sign_in(answer, address="10.0.0.1"))
        return session.name if session else ""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with ada and bob."""
    return Desk(tmp_path)


def test_whoever_holds_the_passkey_is_signed_in(desk: Desk) -> None:
    """As the operator whose it is; when it was used last is known, and the journal says who added it."""
    phone, key = desk.added("ada"), desk.added("bob", "key")
    for device, name in ((phone, "ada"), (key, "bob"), (phone, "ada")):
        assert desk.signed_in(device.signed(desk.passkeys.options_to_sign_in())) == name
    (kept,) = desk.passkeys.list("ada")
    assert (kept.name, kept.used_at is not None) == ("phone", True)
    assert desk.noted == [("ada", "passkey add", "ada: phone"), ("bob", "passkey add", "bob: key")]


def test_an_answer_counts_once(desk: Desk) -> None:
    """Whoever records one can do nothing with it, at signing in as at adding."""
    phone = desk.added("ada")
    answer = phone.signed(desk.passkeys.options_to_sign_in())
    assert desk.signed_in(answer) == "ada"
    with pytest.raises(NotPermitted, match="used before"):
        desk.signed_in(answer)
    other = Authenticator(origin=SITE, host=HOST)
    made = other.made(desk.passkeys.options_to_add("ada"))
    added = desk.passkeys.add("ada", made, called="other")
    desk.passkeys.remove("ada", added.id)
    with pytest.raises(NotPermitted, match="used before"):
        desk.passkeys.add("ada", made, called="other")


def test_a_challenge_ends_after_five_minutes_and_with_the_process(desk: Desk) -> None:
    """And belongs to one purpose and one operator."""
    phone = desk.added("ada")
    late, foreign = desk.passkeys.options_to_sign_in(), desk.started().options_to_sign_in()
    for_bob = desk.passkeys.options_to_add("bob")
    with pytest.raises(NotPermitted, match="not accepted"):
        desk.passkeys.add("ada", phone.made(for_bob), called="other")
    with pytest.raises(NotPermitted, match="not accepted"):
        desk.signed_in(phone.signed({"challenge": for_bob["challenge"]}))
    with pytest.raises(NotPermitted, match="not accepted"):
        desk.signed_in(phone.signed(foreign))
    desk.now += 301
    with pytest.raises(NotPermitted, match="five minutes"):
        desk.passkeys.sign_in(phone.signed(late), address="10.0.0.2")


def _origin(device: Authenticator) -> None:
    device.origin = "https://auria.example.evil.example"


def _port(device: Authenticator) -> None:
    device.origin = "https://auria.example:8443"


def _host(device: Authenticator) -> None:
    device.host = "evil.example"


def _user(device: Authenticator) -> None:
    device.user = b"somebody else"


def _key(device: Authenticator) -> None:
    device.key = Authenticator(origin=SITE, host=HOST).key


def _id(device: Authenticator) -> None:
    device.id = b"unknown"


def _unverified(device: Authenticator) -> None:
    device.flags = device.flags.__class__.UP


@pytest.mark.parametrize("wrong", [_origin, _port, _host, _user, _key, _id, _unverified])
def test_what_proves_nothing_is_refused(desk: Desk, wrong: Callable[[Authenticator], None]) -> None:
    """Another site, another user or key, or a device that did not verify its user."""
    phone = desk.added("ada")
    wrong(phone)
    with pytest.raises(NotPermitted, match="not accepted"):
        desk.signed_in(phone.signed(desk.passkeys.options_to_sign_in()))


def test_the_passkey_of_another_operator_signs_nobody_else_in(desk: Desk) -> None:
    """Its answer with the id of another's is refused."""
    phone, key = desk.added("ada"), desk.added("bob")
    key.id = phone.id
    with pytest.raises(NotPermitted, match="not accepted"):
        desk.signed_in(key.signed(desk.passkeys.options_to_sign_in()))


def test_a_copied_passkey_is_noticed_by_its_counter(desk: Desk) -> None:
    """The journal says so; authenticators that do not count are accepted."""
    phone = desk.added("ada")
    for _ in range(3):
        desk.signed_in(phone.signed(desk.passkeys.options_to_sign_in()))
    phone.count = 1
    with pytest.raises(NotPermitted, match="copied"):
        desk.signed_in(phone.signed(desk.passkeys.options_to_sign_in()))
    assert desk.noted[-1][:2] == ("ada", "passkey refused")
    plain = desk.added("bob")
    for _ in range(2):
        plain.count = -1
        assert desk.signed_in(plain.signed(desk.passkeys.options_to_sign_in())) == "bob"


def test_failures_wait_together_with_those_of_passwords(desk: Desk) -> None:
    """By address; a right answer has to wait too."""
    phone = desk.added("ada")
    for _ in range(3):
        with pytest.raises(NotPermitted):
            desk.signed_in("{}")
    with pytest.raises(TooManyAttempts):
        desk.signed_in(phone.signed(desk.passkeys.options_to_sign_in()))
    with pytest.raises(TooManyAttempts):
        desk.accounts.sign_in("ada", "a long password", address="10.0.0.1")


@pytest.mark.parametrize("answer", ["", "null", "[]", '{"rawId": 5}', '{"rawId": "AA", "response": {}}', "[" * 9000])
def test_strange_answers_are_refused(desk: Desk, answer: str) -> None:
    """Whatever they are."""
    with pytest.raises(NotPermitted):
        desk.passkeys.sign_in(answer, address="10.0.0.1")
    with pytest.raises(NotPermitted):
        desk.passkeys.add("ada", answer, called="phone")


def test_answers_that_are_half_right_are_refused(desk: Desk) -> None:
    """Their challenge is one of this site, but the rest cannot be read."""
    phone = desk.added("ada")
    for part in ("authenticatorData", "signature"):
        answer = json.loads(phone.signed(desk.passkeys.options_to_sign_in()))
        answer["response"][part] = "AAAA"
        with pytest.raises(NotPermitted):
            desk.passkeys.sign_in(json.dumps(answer), address=part)
    answer = json.loads(Authenticator(origin=SITE, host=HOST).made(desk.passkeys.options_to_add("ada")))
    answer["response"]["attestationObject"] = "oA"
    with pytest.raises(NotPermitted):
        desk.passkeys.add("ada", json.dumps(answer), called="other")


def test_passkeys_are_named_renamed_and_removed(desk: Desk) -> None:
    """Each once; a removed one signs nobody in, and a new password from outside removes all."""
    phone = desk.added("ada", "  my   phone ")
    (kept,) = desk.passkeys.list("ada")
    assert kept.name == "my phone"
    again = phone.made(desk.passkeys.options_to_add("ada"))
    with pytest.raises(InputError, match="already"):
        desk.passkeys.add("ada", again, called="again")
    with pytest.raises(InputError, match="1 to 60"):
        desk.passkeys.rename("ada", kept.id, " ")
    desk.passkeys.rename("ada", kept.id, "old phone")
    assert [one.name for one in desk.passkeys.list("ada")] == ["old phone"]
    with pytest.raises(NotFound, match="no passkey"):
        desk.passkeys.remove("bob", kept.id)
    desk.passkeys.remove("ada", kept.id, by="ada")
    with pytest.raises(NotPermitted):
        desk.signed_in(phone.signed(desk.passkeys.options_to_sign_in()))
    desk.added("bob")
    desk.accounts.add("bob", "another password")
    assert desk.passkeys.list("bob") == ()
    with pytest.raises(NotFound, match="no operator"):
        desk.passkeys.list("eve")


@pytest.mark.parametrize(
    ("site", "is_available"),
    [
        ("https://auria.example", True),
        ("https://auria.example:8443", True),
        ("http://auria.example", False),
        ("https://192.0.2.1", False),
        ("https://[2001:db8::1]", False),
        ("http://127.0.0.1:8620", False),
        ("http://localhost:8620", True),
    ],
)
def test_passkeys_need_a_name_and_a_safe_connection(desk: Desk, site: str, *, is_available: bool) -> None:
    """Browsers refuse them elsewhere; localhost counts as safe."""
    assert Passkeys(accounts=desk.accounts, site=site, clock=CLOCK).is_available is is_available


def test_an_operator_has_ten_passkeys_at_the_most(desk: Desk) -> None:
    """Another one takes the place of one that is removed."""
    for number in range(passkeys_module._MOST):
        desk.added("ada", f"key {number}")
    with pytest.raises(InputError, match="which is the most; remove one first"):
        desk.added("ada", "one more")
    desk.passkeys.remove("ada", desk.passkeys.list("ada")[0].id)
    desk.added("ada", "one more")
