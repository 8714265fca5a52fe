"""What messages claim of an answer: by the names of ``claims.toml``, read from the words of a message."""

import re
from collections.abc import Iterable

import catalogue

WORDS: dict[str, str] = catalogue.tomllib.loads(
    (catalogue.HERE / "messages" / "claims.toml").read_text(encoding="utf-8")
)
# What happened, which the grader has seen; and no claim about its cause.
HAPPENED = re.compile(
    r"^(Your code (raised|returned something|was stopped)|`\w+` is not defined|The notebook's kernel ended)[^.]*"
)


def of(messages: Iterable[str]) -> set[str]:
    """The names of all claims in `messages`; a message that neither claims nor reports is a claim of its own."""
    found: set[str] = set()
    for message in messages:
        claims = {name for name, words in WORDS.items() if words in message}
        found |= claims or (set() if HAPPENED.match(message) else {message})
    return found
