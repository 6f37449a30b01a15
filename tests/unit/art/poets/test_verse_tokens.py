import pytest

from auria_bot.art.poets.verse_tokens import Header, VerseTokens

transformers = pytest.importorskip("transformers")


def test_a_header_tells_what_is_known():
    """Parts that are not known are left out."""
    assert Header().text == " poem"
    header = Header(published=True, nature=True, season="autumn", theme="old house")
    assert header.text == " classic nature poem of autumn about old house"


def test_poems_are_lines_of_words_with_a_space_before(tiny_lm):
    """A poem's tokens spell its words, each after a space, and end every line with a line feed."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_lm)
    tokens = VerseTokens(tokenizer)
    poem = tokens.poem([["i'm", "the", "snow"], ["on", "i"]])
    assert tokenizer.decode(poem) == " I'm the snow\n on I\n"
    assert poem[-1] == tokens.newline
    head = tokens.header(Header(theme="snow"))
    assert head[0] == tokenizer.bos_token_id
    assert tokenizer.decode(head[1:]) == " poem about snow\n"
