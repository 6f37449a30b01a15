import pytest

from auria_bot.corpus.language import content_filter


@pytest.mark.parametrize(
    "text",
    ["the drunk moon", "naked branches sway", "a pot of weeds", "gay old summer days", "hoar frost on the slope"],
)
def test_honest_words_pass(text):
    """Words that lists of profanity hold by mistake may stand in verse."""
    assert content_filter.faults(text) == []


@pytest.mark.parametrize(
    "text", ["fuck the rain", "FUCKS", "sh1t happens", "a b1tch moon", "what a faggot", "blow job"]
)
def test_blocked_words_are_found(text):
    """Profanity is found in any case, in its plural and in look-alike spellings, and phrases too."""
    assert any("blocked" in fault for fault in content_filter.faults(text))


@pytest.mark.parametrize("text", ["1515", "the road 455", "The Wave, 1455", "455's", "5h1t and 7175"])
def test_a_number_is_no_word(text):
    """Digits stand for letters only beside a letter: years and house numbers are let through."""
    assert bool(content_filter.faults(text)) == ("h1t" in text)


def test_a_blocked_word_is_not_spelled_out():
    """A fault can be logged without repeating the word."""
    assert all("fuck" not in fault for fault in content_filter.faults("fuck"))


@pytest.mark.parametrize("name", ["emily", "Robert", "basho", "Jennifer's"])
def test_names_of_persons_are_found(name):
    """Given names and famous ones are faults, and may be let through on request."""
    assert content_filter.is_name(name)
    assert content_filter.faults(f"rain on {name}")
    assert content_filter.faults(f"rain on {name}", names=False) == []


@pytest.mark.parametrize(
    "word", ["april", "rose", "lily", "daisy", "dawn", "iris", "summer", "ivy", "robin", "hope", "burns"]
)
def test_flowers_months_and_birds_are_not_persons(word):
    """What grows, flies and passes is no name in a poem."""
    assert not content_filter.is_proper(word)


def test_places_are_proper_but_not_persons():
    """Names of places are known, and are no persons."""
    assert content_filter.is_proper("london")
    assert not content_filter.is_name("london")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("follow @auria now", "mention"),
        ("see https://example.org", "link"),
        ("see example.com", "link"),
        ("write to me@example.net", "a"),
        ("moon\N{RIGHT-TO-LEFT OVERRIDE}light", "U+202E"),
        ("moon\N{ZERO WIDTH SPACE}light", "U+200B"),
        ("moon\x00light", "U+0000"),
    ],
)
def test_what_misleads_is_found(text, reason):
    """Mentions, links, addresses and characters that cannot be seen are faults."""
    assert any(reason in fault for fault in content_filter.faults(text))


def test_lines_may_be_parted():
    """A newline is not a hidden character."""
    assert content_filter.faults("still water\nthe moon rests\non a leaf") == []
