import pytest

from auria_bot.corpus.language.shipped_tables import models_folder, table
from auria_bot.errors import ModelMissing


def test_shipped_tables_are_found():
    """The tables of words lie in the models' folder."""
    assert table("words", "syllables.z").parent.parent == models_folder()


def test_a_missing_table_is_told():
    """A table that is not shipped raises ModelMissing with its name."""
    with pytest.raises(ModelMissing, match="none"):
        table("words", "none.z")
