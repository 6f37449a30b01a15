"""Operators, their passwords and sessions."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import (
    InputError,
    InvalidTransition,
    NotFound,
    NotPermitted,
    SettingsError,
    TooManyAttempts,
    UnknownName,
)
from auria_bot.services.accounts import accounts as module
from auria_bot.services.accounts.accounts import Accounts
from tests.overtaken import OvertakenLock

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.testing import FakeClock

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody


class Seconds:
    """Seconds that pass when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    """Seconds for waiting."""
    return Seconds()


@pytest.fixture
def accounts(tmp_path: Path, clock: FakeClock, seconds: Seconds) -> Accounts:
    """Accounts with an editor named ada."""
    made = Accounts(file=tmp_path / "secrets" / "operators.json", clock=clock, seconds=seconds)
    made.add("ada", PASSWORD, role="editor")
    return made


def test_a_session_is_begun_with_the_password_and_ends(accounts: Accounts) -> None:
    """Its token leads to it until the operator signs out."""
    token = accounts.sign_in("ada", PASSWORD, address="::1", agent="Firefox")
    session = accounts.session(token)
    assert session is not None
    assert (session.name, session.role, session.may_decide, session.agent) == ("ada", "editor", True, "Firefox")
    assert accounts.session(token + "x") is None
    accounts.sign_out(token)
    assert accounts.session(token) is None


def test_neither_passwords_nor_tokens_are_in_the_file(accounts: Accounts, tmp_path: Path) -> None:
    """Only hashes are, and nobody else may read the file."""
    token = accounts.sign_in("ada", PASSWORD, address="::1")
    file = tmp_path / "secrets" / "operators.json"
    text = file.read_text(encoding="utf-8")
    assert PASSWORD not in text
    assert token not in text
    assert json.loads(text)["operators"]["ada"]["hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong"), ("eve", PASSWORD), ("", ""), ("ada", "x" * 5000)])
def test_a_wrong_name_and_a_wrong_password_look_alike(accounts: Accounts, name: str, password: str) -> None:
    """The message says which of them is wrong in neither case."""
    with pytest.raises(NotPermitted, match="the name or the password is wrong"):
        accounts.sign_in(name, password, address="::1")


def test_failures_make_the_next_attempt_wait_longer_each_time(accounts: Accounts, seconds: Seconds) -> None:
    """By name and by address; the right password has to wait too, and then clears the count."""
    waits = []
    for number in range(8):
        for _ in range(2):
            try:
                accounts.sign_in("ada", "wrong", address=f"10.0.0.{number}")
            except TooManyAttempts as error:
                waits.append(error.seconds)
                seconds.now += error.seconds
            except NotPermitted:
                pass
    assert waits[0] < waits[-1] <= 900
    assert waits == sorted(waits)
    with pytest.raises(NotPermitted):
        accounts.sign_in("ada", "wrong", address="10.0.0.1")
    with pytest.raises(TooManyAttempts):
        accounts.sign_in("ada", PASSWORD, address="10.9.9.9")
    seconds.now += 900
    assert accounts.sign_in("ada", PASSWORD, address="10.9.9.9")
    with pytest.raises(NotPermitted, match="wrong"):
        accounts.sign_in("ada", "wrong", address="10.9.9.9")


def test_the_first_operator_is_an_owner_and_later_ones_are_editors(tmp_path: Path, clock: FakeClock) -> None:
    """A new password keeps the role; whoever is the only owner stays one."""
    accounts = Accounts(file=tmp_path / "first.json", clock=clock)
    roles = [accounts.add(name, PASSWORD).role for name in ("ada", "bob", "ada")]
    assert roles == ["owner", "editor", "owner"]
    with pytest.raises(InvalidTransition, match="only owner"):
        accounts.set_role("ada", "editor")
    with pytest.raises(InvalidTransition, match="only owner"):
        accounts.remove("ada", by="ada")
    with pytest.raises(InputError, match="already"):
        accounts.add("bob", PASSWORD, is_new=True)
    session = accounts.session(accounts.sign_in("bob", PASSWORD, address="::1"))
    assert session is not None
    assert not session.may_manage
    accounts.set_role("bob", "owner")
    session = accounts.session(accounts.sign_in("bob", PASSWORD, address="::1"))
    assert session is not None
    assert session.may_manage
    accounts.remove("ada", by="bob")
    assert [one.name for one in accounts.operators()] == ["bob"]
    with pytest.raises(UnknownName, match="owner, editor, viewer"):
        accounts.set_role("bob", "king")


def test_changes_are_noted_with_who_made_them(tmp_path: Path, clock: FakeClock) -> None:
    """Every change of an account, and no password."""
    notes: list[tuple[str, str, str]] = []
    accounts = Accounts(file=tmp_path / "noted.json", clock=clock, note=lambda *note: notes.append(note))
    accounts.add("ada", PASSWORD)
    accounts.add("bob", PASSWORD, role="viewer", by="ada")
    accounts.set_role("bob", "editor", by="ada")
    token = accounts.sign_in("bob", PASSWORD, address="")
    accounts.change_password(token, PASSWORD, "another long one")
    assert accounts.end_sessions("bob", by="ada") == 1
    accounts.remove("bob", by="ada")
    assert notes == [
        ("", "operator add", "ada: owner"),
        ("ada", "operator add", "bob: viewer"),
        ("ada", "operator role", "bob: editor"),
        ("bob", "operator password", "bob"),
        ("ada", "operator sessions", "bob: 1 ended"),
        ("ada", "operator remove", "bob"),
    ]


def test_the_present_password_is_asked_for_and_guesses_are_slowed(accounts: Accounts) -> None:
    """A session that was left open is not enough to take an account over."""
    token = accounts.sign_in("ada", PASSWORD, address="")
    for _ in range(3):
        with pytest.raises(NotPermitted, match="present password"):
            accounts.change_password(token, "guess", "another long one")
    with pytest.raises(TooManyAttempts):
        accounts.change_password(token, PASSWORD, "another long one")
    with pytest.raises(NotPermitted, match="ended"):
        accounts.change_password("no token", PASSWORD, "another long one")


def test_a_change_of_the_password_forgets_earlier_mistakes(accounts: Accounts) -> None:
    """So the next mistakes are not slowed for them."""
    token = accounts.sign_in("ada", PASSWORD, address="")

    def mistake() -> None:
        with pytest.raises(NotPermitted, match="present password"):
            accounts.change_password(token, "guess", PASSWORD)

    mistake()
    mistake()
    accounts.change_password(token, PASSWORD, PASSWORD)
    mistake()
    mistake()


def test_strangers_do_not_keep_an_operator_out(accounts: Accounts) -> None:
    """Where the operator has signed in before, only failures at that address count."""
    accounts.sign_in("ada", PASSWORD, address="10.0.0.1")
    for number in range(2, 5):
        with pytest.raises(NotPermitted, match="wrong"):
            accounts.sign_in("ada", "guessed", address=f"10.0.0.{number}")
    with pytest.raises(TooManyAttempts):
        accounts.sign_in("ada", PASSWORD, address="10.0.0.9")
    assert accounts.sign_in("ada", PASSWORD, address="10.0.0.1")
    with pytest.raises(TooManyAttempts):
        accounts.sign_in("ada", PASSWORD, address="10.0.0.9")
    for _ in range(3):
        with pytest.raises(NotPermitted, match="wrong"):
            accounts.sign_in("ada", "guessed", address="10.0.0.1")
    with pytest.raises(TooManyAttempts):
        accounts.sign_in("ada", PASSWORD, address="10.0.0.1")


def test_an_unknown_name_is_compared_with_a_hash_of_the_same_cost(accounts: Accounts, tmp_path: Path) -> None:
    """It is refused as a mismatch, not as a damaged hash, which would take no time and tell which names exist."""
    from argon2 import extract_parameters
    from argon2.exceptions import VerifyMismatchError

    from auria_bot.services.accounts.accounts import _UNKNOWN, _hasher

    file = tmp_path / "secrets" / "operators.json"
    known = json.loads(file.read_text(encoding="utf-8"))["operators"]["ada"]["hash"]
    costs = ("type", "version", "time_cost", "memory_cost", "parallelism", "hash_len")
    for cost in costs:
        assert getattr(extract_parameters(_UNKNOWN), cost) == getattr(extract_parameters(known), cost)
    with pytest.raises(VerifyMismatchError):
        _hasher().verify(_UNKNOWN, PASSWORD)


def test_one_address_cannot_try_many_names(accounts: Accounts) -> None:
    """After three failures it waits, whatever name it tries."""
    for name in ("a", "b", "c"):
        with pytest.raises(NotPermitted, match="wrong"):
            accounts.sign_in(name, "x", address="10.0.0.1")
    with pytest.raises(TooManyAttempts):
        accounts.sign_in("ada", PASSWORD, address="10.0.0.1")


def test_few_passwords_are_checked_at_once(accounts: Accounts) -> None:
    """Whoever comes while enough are being checked is told to come back; guesses at once count one after the other."""
    results, entered = list[object](), threading.Barrier(4)

    def guess(number: int) -> None:
        entered.wait()
        try:
            accounts.sign_in("ada", "a wrong password", address=f"192.0.2.{number}")
        except NotPermitted as error:
            results.append(getattr(error, "seconds", 0))

    with accounts._hashing:
        threads = [threading.Thread(target=guess, args=(number,)) for number in range(3)]
        for one in threads:
            one.start()
        entered.wait()
        while accounts._attempts._value:
            threading.Event().wait(0.01)
        with pytest.raises(TooManyAttempts, match="at once"):
            accounts.sign_in("ada", PASSWORD, address="192.0.2.9")
    for one in threads:
        one.join()
    assert results == [0, 0, 0]
    with pytest.raises(TooManyAttempts, match="failed"):
        accounts.sign_in("ada", PASSWORD, address="192.0.2.9")


def test_a_new_password_ends_the_sessions_and_so_does_removal(accounts: Accounts) -> None:
    """Whoever knew the old one is out."""
    token = accounts.sign_in("ada", PASSWORD, address="::1")
    accounts.add("ada", "another password", role="viewer")
    assert accounts.session(token) is None
    token = accounts.sign_in("ada", "another password", address="::1")
    session = accounts.session(token)
    assert session is not None
    assert not session.may_decide
    accounts.remove("ada")
    assert accounts.session(token) is None
    assert accounts.operators() == ()
    with pytest.raises(NotFound, match="no operator 'ada'"):
        accounts.remove("ada")


def test_sessions_end_when_they_are_not_used(accounts: Accounts, clock: FakeClock) -> None:
    """Thirty days after the last use, and not before."""
    token = accounts.sign_in("ada", PASSWORD, address="::1")
    clock.now += timedelta(days=29)
    assert accounts.session(token)
    clock.now += timedelta(days=29)
    assert accounts.session(token)
    clock.now += timedelta(days=31)
    assert accounts.session(token) is None


def test_a_session_that_ends_while_its_use_is_written_stays_ended(
    accounts: Accounts, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noting the use does not bring it back."""
    token = accounts.sign_in("ada", PASSWORD, address="::1")
    clock.now += timedelta(days=1)
    monkeypatch.setattr(module, "file_lock", OvertakenLock(lambda: accounts.sign_out(token)))
    assert accounts.session(token) is not None
    assert accounts.session(token) is None
    assert accounts.sessions("ada") == ()


def test_an_operator_can_end_another_session_of_theirs(accounts: Accounts) -> None:
    """Only of their own."""
    accounts.add("eve", PASSWORD)
    one, two = (accounts.sign_in("ada", PASSWORD, address="::1") for _ in range(2))
    other = accounts.session(one)
    assert other is not None
    with pytest.raises(NotFound):
        accounts.end_session("eve", other.id)
    accounts.end_session("ada", other.id)
    assert accounts.session(one) is None
    assert [session.id for session in accounts.sessions("ada")] == [accounts.session(two).id]  # type: ignore[union-attr]


def test_what_cannot_be_an_account_is_refused(accounts: Accounts) -> None:
    """A name with a slash, a short password, an unknown role."""
    with pytest.raises(InputError, match="cannot be a name"):
        accounts.add("a/b", PASSWORD)
    with pytest.raises(InputError, match="10 to 200"):
        accounts.add("bob", "short")
    with pytest.raises(UnknownName, match="editor, viewer"):
        accounts.add("bob", PASSWORD, role="king")


def test_a_damaged_file_is_named(accounts: Accounts, tmp_path: Path) -> None:
    """It is not overwritten."""
    (tmp_path / "secrets" / "operators.json").write_text("{}")
    with pytest.raises(SettingsError, match="damaged"):
        accounts.add("bob", PASSWORD)
