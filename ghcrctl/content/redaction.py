"""Redaction of secrets in URLs: user names, passwords and query strings.

Attack: a signed storage URL, a proxy password or a token ends up in a log that others can read,
often through the message of a library's exception. Decision: redact foreign text before it is shown
or stored. Exception: our own hints, whose links need their query strings.
"""

from __future__ import annotations

import re

# A match starts where no scheme can continue: otherwise the search takes quadratic time.
_URL = re.compile(r"(?<![A-Za-z0-9+.-])([A-Za-z0-9+.-]+://)([^\s<>\"]+)")
# Messages of urllib3 contain `with url: /v2/x?service=y (Caused by ...)`.
_WORD = re.compile(r"[^\s<>\"]+")
_PATH_INSIDE = re.compile(r"[(=:]/")
# These characters end a sentence or a repr, not a URL.
_CLOSERS = ")]}'`.,;:"
_PORT = re.compile(r"[^:]*|\[[^\]]*\](?::[0-9]*)?|[^:]*:[0-9]*")


def without_secrets(url: str) -> str:
    """Return a URL without user name, password, query and fragment."""
    scheme, separator, rest = url.partition("://")
    bare = re.split("[?#]", _without_userinfo(rest), maxsplit=1)[0]
    return f"{scheme}{separator}{bare}" if separator else url


def redact_userinfo(text: str) -> str:
    """Remove user names and passwords from all URLs in a string."""
    return _URL.sub(lambda match: match[1] + _without_userinfo(match[2]), text)


def redact(text: str) -> str:
    """Remove user names, passwords and query strings from all URLs in a string."""
    shorter = _URL.sub(_bare_url, text)
    return _WORD.sub(lambda match: _bare_path(match[0]), shorter)


def _bare_path(word: str) -> str:
    """Remove the query string of a path in a word, in linear time."""
    before = -1
    while (mark := word.find("?", before + 1)) >= 0:
        quote = word.rfind("'", before + 1, mark)
        begin = max(quote, before)
        part = word[begin + 1 : mark]
        is_start = begin < 0 or begin == quote
        if (is_start and part.startswith("/")) or _PATH_INSIDE.search(part):
            return word[:mark] + _closers(word)
        before = mark
    return word


def _bare_url(match: re.Match[str]) -> str:
    closers = _closers(match[0])
    return without_secrets(match[0].removesuffix(closers)) + closers


def _without_userinfo(rest: str) -> str:
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        return rest[authority.rindex("@") + 1 :]
    # A raw `/`, `?` or `#` in a password ends the authority early, so no port follows the `:`.
    if "@" in rest and not _PORT.fullmatch(authority):
        return rest.rpartition("@")[2]
    return rest


def _closers(text: str) -> str:
    return text[len(text.rstrip(_CLOSERS)) :]
