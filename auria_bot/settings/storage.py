"""The settings of where the pictures of drafts, and unfinished runs, are kept."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from auria_bot.settings.sections import Section

__all__ = ["StorageSettings"]


class StorageSettings(Section):
    """Where pictures are kept: in the home, or in a bucket of an S3-compatible storage."""

    pictures: str = ""
    """s3://BUCKET or s3://BUCKET/PREFIX, for the pictures of drafts and for unfinished runs; empty for the home."""
    endpoint: str = ""
    """URL of the storage, such as "https://s3.example.org"; empty for Amazon's."""
    region: str = Field(default="us-east-1", pattern=r"^[a-z0-9-]{1,40}$")
    """Region of the bucket."""
    cache_mb: int = Field(default=2000, ge=10, le=100_000_000)
    """Largest size of the copies that are kept in the home, in MB."""
    timeout: float = Field(default=30.0, gt=0, le=3600)
    """Seconds without progress after which a request fails."""

    @field_validator("pictures")
    @classmethod
    def _bucket(cls, address: str) -> str:
        if address and not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9._-]+)*/?", address):
            raise ValueError('it must look like "s3://bucket/prefix", with letters, digits, ".", "_" and "-"')
        if {".", ".."} & set(address.split("/")):
            raise ValueError('a prefix has no part "." or ".."')
        return address.rstrip("/")

    @field_validator("endpoint")
    @classmethod
    def _server(cls, address: str) -> str:
        parts = urlsplit(address)
        if address and (not re.fullmatch(r"https?://[^\s?#@]+", address) or not parts.hostname):
            raise ValueError('it must look like "https://s3.example.org", without a password')
        return address.rstrip("/")
