"""The settings of the storage name a bucket, or nothing."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from auria_bot.settings.storage import StorageSettings


@pytest.mark.parametrize("address", ["", "s3://bucket", "s3://bucket/", "s3://my.bucket-1/auria/one_2"])
def test_buckets(address: str):
    """A bucket with or without a prefix is taken; a slash at the end is dropped."""
    assert StorageSettings(pictures=address).pictures == address.rstrip("/")


@pytest.mark.parametrize(
    "address", ["bucket", "https://bucket", "s3://", "s3://b", "s3://UPPER", "s3://bucket/a//b", "s3://bucket/../x"]
)
def test_what_is_no_bucket(address: str):
    """The message shows what one looks like."""
    with pytest.raises(ValidationError, match=r"s3://bucket/prefix|no part"):
        StorageSettings(pictures=address)


@pytest.mark.parametrize("address", ["s3.example.org", "https://user:pw@s3.example.org", "ftp://s3.example.org"])
def test_what_is_no_endpoint(address: str):
    """A storage is asked by http or https, and its keys do not stand in the settings."""
    with pytest.raises(ValidationError, match="without a password"):
        StorageSettings(endpoint=address)
