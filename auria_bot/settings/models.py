"""The settings of the registry of models."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from auria_bot.settings.sections import Section

__all__ = ["RegistrySettings"]


class RegistrySettings(Section):
    """Where the versions of trained models are kept."""

    address: str = ""
    """Address of an MLflow server, such as "https://mlflow.example.org"; empty for a folder of the home."""
    refresh_seconds: float = Field(default=30.0, ge=1, le=86_400)
    """Seconds between two looks at the server for newly promoted versions."""

    @field_validator("address")
    @classmethod
    def _server(cls, address: str) -> str:
        if address.startswith(("sqlite:", "postgresql:", "mysql:")):
            raise ValueError(
                "it must be the address of a server; start one before the database:"
                " mlflow server --backend-store-uri " + address.partition(":")[0] + ":///..."
            )
        parts = urlsplit(address)
        if address and (not re.fullmatch(r"https?://[^\s?#@]+", address) or not parts.hostname):
            raise ValueError('it must look like "https://mlflow.example.org", without a password')
        return address.rstrip("/")
