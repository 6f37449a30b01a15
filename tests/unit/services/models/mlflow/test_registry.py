"""A registry on a server: what is here goes on while it is away, and is what was registered; the contract is in test_versions."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from auria_bot.art import checkpoint
from auria_bot.errors import InvalidTransition, ModelCorrupt, NotFound, RegistryAway, SettingsError
from auria_bot.secret_store import SecretStore
from auria_bot.services.models.experiments import ExperimentLog
from auria_bot.services.models.mlflow.client import MlflowClient
from auria_bot.services.models.mlflow.registry import MlflowRegistry, replay
from auria_bot.services.models.versions import INSTALLED
from tests.factories import NOW
from tests.platforms.http_server import HttpServer
from tests.platforms.mlflow import MlflowStandIn
from tests.unit.services.models.test_versions import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server() -> Iterator[MlflowStandIn]:
    """A stand-in."""
    with MlflowStandIn() as started:
        yield started


@pytest.fixture
def place(server: MlflowStandIn, tmp_path: Path) -> Place:
    """Machines that use it."""
    return Place(tmp_path=tmp_path, address=server.address)


def test_changes_that_come_too_late_have_no_effect():
    """Of two that expect the same the first counts; a removed version is not promoted, one in force not removed or doubled."""
    changes = [
        {"action": "promote", "version": "v1", "instead_of": "installed"},
        {"action": "promote", "version": "v1"},
        {"action": "promote", "version": "v2", "instead_of": "installed"},
        {"action": "promote", "version": "v3", "instead_of": None},
        {"action": "remove", "version": "v3"},
        {"action": "remove", "version": "v2"},
        {"action": "promote", "version": "v2"},
        {"action": "rollback", "version": "v1"},
        {"action": "rollback", "version": "v3"},
        {"action": "unknown", "version": "v3"},
    ]
    state = replay(enumerate(changes, 1))
    assert (state.now, state.promotions, state.removed) == ("v1", ["v1"], {"v2"})
    assert state.void == {3, 5, 7, 8, 10}


def test_service_goes_on_while_the_server_is_away(place: Place, server: MlflowStandIn):
    """What is promoted, its files and what is known stay; changes are refused, and nothing is half done."""
    place.trained("one")
    place.trained("two")
    place.registry().promote("captioner", "v1")
    server.is_away = True
    registry = place.registry()
    registry.refresh()
    assert (registry.promoted("captioner"), place.served(), registry.models()) == ("v1", "one", ("captioner",))
    assert [one.name for one in registry.versions("captioner")] == ["v2", "v1", INSTALLED]
    for change in (
        lambda: registry.promote("captioner", "v2"),
        lambda: registry.rollback("captioner"),
        lambda: registry.remove("captioner", "v2"),
        lambda: place.trained("three"),
    ):
        with pytest.raises(RegistryAway, match=r"refuses \(503\)"):
            change()
    server.is_away = False
    assert registry.promote("captioner", "v2").is_promoted
    assert place.served() == "two"


def test_files_that_were_changed_on_the_server_are_not_served(place: Place, server: MlflowStandIn):
    """Their hash is that of the registration, for ever; another machine keeps what it has."""
    place.trained("one")
    for name in server.files:
        if name.endswith("/weights"):
            server.files[name] = b"changed"
    with pytest.raises(ModelCorrupt):
        place.registry("b").promote("captioner", "v1")
    place.registry().promote("captioner", "v1")  # it has the right files
    other = place.registry("b")
    other.refresh()
    assert (other.promoted("captioner"), place.served(machine="b")) == (INSTALLED, "installed")


def test_files_that_were_changed_here_are_not_promoted(place: Place):
    """Though they match checksums that were changed with them."""
    version = place.trained("one")
    folder = place.registry().folder("captioner", version.name)
    (folder / "weights").write_text("changed")
    checkpoint.write_checksums(folder)
    with pytest.raises(ModelCorrupt, match="are not those that were registered"):
        place.registry().promote("captioner", version.name)
    assert place.served() == "installed"


@pytest.mark.parametrize(
    ("meanwhile", "error", "message"),
    [
        (lambda other: other.remove("captioner", "v2"), NotFound, "no files of version v2"),
        (lambda other: other.promote("captioner", "v3"), InvalidTransition, "compare with it first"),
    ],
)
def test_a_promotion_that_comes_too_late_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch, meanwhile: Any, error: type[Exception], message: str
):
    """Another machine removed the version, or promoted another, after this one had looked."""
    for content in ("one", "two", "three"):
        place.trained(content)
    place.registry().promote("captioner", "v1")
    late, change = place.registry("b"), MlflowRegistry._change

    def overtaken(registry: MlflowRegistry, model: str, **asked: Any) -> Any:
        if registry is late:
            meanwhile(place.registry())
        return change(registry, model, **asked)

    late.refresh()
    assert isinstance(late, MlflowRegistry)
    late._fetch("captioner", "v2")
    monkeypatch.setattr(MlflowRegistry, "_change", overtaken)
    with pytest.raises(error, match=message):
        late.promote("captioner", "v2", instead_of="v1")


def test_a_rollback_that_comes_too_late_is_told(place: Place, monkeypatch: pytest.MonkeyPatch):
    """Another machine rolled back already; one call goes back by one version."""
    for content in ("one", "two"):
        place.registry().promote("captioner", place.trained(content).name)
    late, change = place.registry("b"), MlflowRegistry._change
    late.refresh()

    def overtaken(registry: MlflowRegistry, model: str, **asked: Any) -> Any:
        if registry is late:
            place.registry().rollback("captioner")
        return change(registry, model, **asked)

    late._fetch("captioner", "v1")  # type: ignore[attr-defined]
    monkeypatch.setattr(MlflowRegistry, "_change", overtaken)
    with pytest.raises(InvalidTransition):
        late.rollback("captioner")
    assert place.registry().promoted("captioner") == "v1"


def test_what_somebody_else_made_in_mlflow_is_passed_over(place: Place, server: MlflowStandIn):
    """A version without a tag of this program is none of its own."""
    place.trained("one")
    MlflowClient(server.address).create_version("auria-captioner", run="x", source="s3://elsewhere", tags={})
    other = place.registry("b")
    other.refresh()
    assert [one.name for one in other.versions("captioner")] == ["v1", INSTALLED]


def test_the_alias_is_that_of_the_last_of_two_changes(
    place: Place, server: MlflowStandIn, monkeypatch: pytest.MonkeyPatch
):
    """Though the later change was shown first."""
    for content in ("one", "two"):
        place.trained(content)
    registry, set_alias, others = place.registry(), MlflowClient.set_alias, [place.registry()]

    def overtaken(client: MlflowClient, model: str, alias: str, version: int) -> None:
        if others:
            others.pop().promote("captioner", "v2")
        set_alias(client, model, alias, version)

    monkeypatch.setattr(MlflowClient, "set_alias", overtaken)
    registry.promote("captioner", "v1", instead_of=INSTALLED)
    assert (place.registry().promoted("captioner"), place.served()) == ("v2", "two")
    assert server.aliases == {("auria-captioner", "promoted"): "2"}


def test_a_training_is_shown_by_mlflow(place: Place, server: MlflowStandIn):
    """As a run with its figures, curves, settings and files; the alias leads to what is in force."""
    settings = place.settings()
    records = ExperimentLog(settings.home, clock=lambda: NOW)
    (place.tmp_path / "run").mkdir()
    (place.tmp_path / "run" / "log.jsonl").write_text('{"step": 7, "loss": 0.5}\n')
    (place.tmp_path / "model").mkdir()
    (place.tmp_path / "model" / "weights").write_text("one")
    with records.record("poet", data=place.tmp_path / "model", run=place.tmp_path / "run", settings={}) as experiment:
        pass
    place.registry().register(
        "poet", place.tmp_path / "model", metrics={"perplexity": 30.0}, data="haiku", record=experiment.folder
    )
    place.registry().promote("poet", "v1")
    run = server.runs["run0"]
    assert {(one["key"], one["value"], one["step"]) for one in run["metrics"]} == {
        ("training.loss", 0.5, 7),
        ("perplexity", 30.0, 0),
    }
    assert {"key": "data", "value": "haiku"} in run["params"]
    assert run["status"] == "FINISHED"
    assert any(name.endswith("experiment/experiment.json") for name in server.files)
    assert server.aliases == {("auria-poet", "promoted"): "1"}


@pytest.mark.parametrize(("refused", "expected"), [(1, {("auria-captioner", "promoted"): "1"}), (9, {})])
def test_a_promotion_counts_without_its_alias(
    place: Place, server: MlflowStandIn, refused: int, expected: dict[str, str]
):
    """MLflow refuses one of two that set it at once: it is tried again, and the promotion stands in any case."""
    place.trained("one")
    server.refused_aliases = refused
    place.registry().promote("captioner", "v1")
    assert (place.served(), server.aliases) == ("one", expected)


def test_the_alias_goes_with_the_last_promotion(place: Place, server: MlflowStandIn):
    """Of the installed model there is no version that it could lead to."""
    place.trained("one")
    place.registry().promote("captioner", "v1")
    place.registry().rollback("captioner")
    assert server.aliases == {}


def test_it_looks_at_the_server_once_in_a_while(place: Place, monkeypatch: pytest.MonkeyPatch):
    """Between two looks nothing is asked, so that a model server may ask what is in force each second."""
    place.trained("one")
    now, registry = [0.0], place.registry("b")
    monkeypatch.setattr(registry, "_every", 30.0)
    monkeypatch.setattr("auria_bot.services.models.mlflow.registry.time", SimpleNamespace(monotonic=lambda: now[0]))
    assert registry.promoted("captioner") == INSTALLED
    place.registry().promote("captioner", "v1")
    assert registry.promoted("captioner") == INSTALLED
    now[0] = 31.0
    assert registry.promoted("captioner") == "v1"


def test_the_token_is_sent_over_https_or_on_this_machine_only(tmp_path: Path, server: MlflowStandIn):
    """As the server's own clients send it."""
    secrets = SecretStore(tmp_path, "registry", environment={"AURIA_SECRET_REGISTRY_TOKEN": "s3cret-token"})
    assert MlflowClient(server.address, secrets=secrets).models("auria-") == []
    assert server.authorizations == {"Bearer s3cret-token"}
    named = {"AURIA_SECRET_REGISTRY_USERNAME": "auria", "AURIA_SECRET_REGISTRY_PASSWORD": "s3cret-pass"}
    MlflowClient(server.address, secrets=SecretStore(tmp_path, "registry", environment=named)).models("auria-")
    assert "Basic YXVyaWE6czNjcmV0LXBhc3M=" in server.authorizations
    with pytest.raises(SettingsError, match="use https"):
        MlflowClient("http://mlflow.example.org", secrets=secrets).models("auria-")


def test_half_of_a_password_is_not_sent(tmp_path: Path, server: MlflowStandIn):
    """A name without a password says nothing of who asks."""
    named = {"AURIA_SECRET_REGISTRY_USERNAME": "auria"}
    assert MlflowClient(server.address, secrets=SecretStore(tmp_path, "registry", environment=named)).models("a") == []
    assert server.authorizations == {""}


def test_a_redirect_is_not_followed(tmp_path: Path, server: MlflowStandIn):
    """It would carry the token to another server."""
    secrets = SecretStore(tmp_path, "registry", environment={"AURIA_SECRET_REGISTRY_TOKEN": "s3cret-token"})
    with (
        HttpServer(lambda _, target, *__: (302, {"Location": server.address + target}, b"")) as other,
        pytest.raises(RegistryAway, match=r"refuses \(302\)"),
    ):
        MlflowClient(other.address, secrets=secrets).models("auria-")
    assert server.authorizations == set()


def test_what_is_no_mlflow_server_is_told():
    """Something else that answers, and nothing that does."""
    with (
        HttpServer(lambda *_: (200, {}, b"<html>")) as other,
        pytest.raises(RegistryAway, match="it is no MLflow server"),
    ):
        MlflowClient(other.address).models("auria-")
    with pytest.raises(RegistryAway, match=r"does not answer \(.*refused"):
        MlflowClient(other.address).models("auria-")


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {"model_versions": 7},
        {"model_versions": [{"name": "auria-a"}]},
    ],
)
def test_an_answer_without_what_is_needed_is_told(answer: object):
    """A list, a number, rows without a version; the same page is not asked for ever."""
    with HttpServer(lambda *_: (200, {}, json.dumps(answer).encode())) as other, pytest.raises(RegistryAway):
        MlflowClient(other.address).versions("auria-a")
    same = json.dumps({"model_versions": [], "next_page_token": "a"}).encode()
    with HttpServer(lambda *_: (200, {}, same)) as other:
        assert MlflowClient(other.address).versions("auria-a") == []


@pytest.mark.parametrize("name", ["deeper", "a\0b", None])
def test_a_list_of_files_that_cannot_be_is_told(name: object, tmp_path: Path):
    """Folders within each other without end, and what no file can be called."""
    answer = json.dumps({"files": [{"path": name, "is_dir": name == "deeper"}]}).encode()
    with HttpServer(lambda *_: (200, {}, answer)) as other, pytest.raises(RegistryAway, match=r"without end|path"):
        MlflowClient(other.address).delete("mlflow-artifacts:/0/run")


def test_a_fault_of_the_program_itself_is_not_the_servers(server: MlflowStandIn, monkeypatch: pytest.MonkeyPatch):
    """It must not be told as a registry that is away."""
    monkeypatch.setattr(MlflowClient, "_call", Mock(side_effect=TypeError("a fault")))
    client = MlflowClient(server.address)
    for ask in (client.models, client.versions, lambda name: client.start_run(name, "v1")):
        with pytest.raises(TypeError, match="a fault"):
            ask("auria-a")


def test_a_version_without_files_is_told(server: MlflowStandIn, tmp_path: Path):
    """They may have been deleted on the server."""
    with pytest.raises(NotFound, match="the registry has no files at mlflow-artifacts:/0/gone"):
        MlflowClient(server.address).download("mlflow-artifacts:/0/gone", tmp_path)


def test_a_server_that_keeps_no_files_is_refused(server: MlflowStandIn, tmp_path: Path):
    """With the option that it needs; and files cannot be written outside their folder."""
    client = MlflowClient(server.address)
    with pytest.raises(RegistryAway, match="only it can reach"):
        client.download("s3://bucket/files", tmp_path / "here")
    server.files["0/run/../x"] = b"x"
    with pytest.raises((RegistryAway, NotFound)):
        client.download("mlflow-artifacts:/0/run", tmp_path / "here")
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
