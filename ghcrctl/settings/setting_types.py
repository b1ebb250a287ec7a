"""Types of settings, which parse variables, flags and values of ``config.toml``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ghcrctl.errors import InvalidReferenceError
from ghcrctl.oci.platform import Platform
from ghcrctl.oci.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable

_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}\Z")
_DAY_SECONDS = 86400
_TYPES = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    list: "a list",
    dict: "a table",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of setting.

    Args:
        parse: parses a string, or a value of one of the types; raises ValueError or UsageError.
        types: the accepted types in ``config.toml``.
    """

    parse: Callable[[Any], Any]
    types: tuple[type, ...] = (str,)

    def parse_toml(self, value: object) -> Any:
        """Parse a value of ``config.toml``.

        Raises:
            ValueError: the value has the wrong type or is invalid.
        """
        # In Python, a boolean is an integer.
        is_boolean = isinstance(value, bool)
        if not isinstance(value, self.types) or (is_boolean and bool not in self.types):
            raise ValueError(f"expected {' or '.join(_TYPES[kind] for kind in self.types)}")
        return self.parse(value)


def _switch(value: object) -> bool:
    text = str(value).strip().lower()
    if text not in _TRUE | _FALSE:
        raise ValueError("expected true or false")
    return text in _TRUE


def _whole(value: object) -> int:
    if not _WHOLE.match(text := str(value).strip()):
        raise ValueError("expected a whole number")
    return int(text)


def whole(least: int, most: int) -> Kind:
    """Return the type for integers within limits."""

    def read(value: object) -> int:
        number = _whole(value)
        if not least <= number <= most:
            raise ValueError(f"expected a number from {least} to {most}")
        return number

    return Kind(read, (int,))


def _seconds(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        raise ValueError("expected a number of seconds") from None
    if not 0 < number < _DAY_SECONDS:
        raise ValueError(f"expected more than 0 and less than {_DAY_SECONDS} seconds")
    return number


def _items(value: object) -> list[str]:
    """Return the items of a list, or of a string separated by commas or spaces."""
    if not isinstance(value, (list, tuple)):
        return str(value).replace(",", " ").split()
    if not all(isinstance(item, str) for item in value):
        raise ValueError("expected strings in the list")
    return list(value)


def _hosts(value: object) -> tuple[str, ...]:
    found = tuple(_items(value))
    for host in found:
        if not (_is_host(host) or ("/" in host and _is_network(host))):
            raise ValueError(f"expected HOST[:PORT] or a network such as 10.0.0.0/8, got `{host}`")
    return found


def _mirrors(value: object) -> dict[str, list[str]]:
    if isinstance(value, dict):
        found = {prefix: _items(places) for prefix, places in value.items()}
    else:
        found = {}
        for item in _items(value):
            prefix, equals, place = item.partition("=")
            if not equals:
                raise ValueError(f"expected PREFIX=PLACE, got `{item}`")
            found.setdefault(prefix, []).append(place)
    for prefix, places in found.items():
        if not _is_place(prefix.removeprefix("*.")):
            raise ValueError(f"expected a registry or a name prefix, got `{prefix}`")
        for place in places:
            if not _is_place(re.sub(r"^https?://", "", place).rstrip("/")):
                raise ValueError(f"expected [http://]HOST[:PORT][/PATH], got `{place}`")
    return found


def one_of(*words: str) -> Kind:
    """Return the type for a choice of words."""

    def read(value: object) -> str:
        if value not in words:
            raise ValueError(f"expected one of {', '.join(words)}")
        return str(value)

    return Kind(read)


def _address(value: object) -> str:
    text = str(value).rstrip("/")
    parts = urlsplit(text)
    # Accessing `port` validates it.
    is_web = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    if not is_web or parts.query or parts.fragment or parts.username or re.search(r"\s", text):
        raise ValueError("expected a URL such as https://HOST")
    return text


def _path(value: object) -> Path:
    text = str(value)
    if not text.strip() or "\0" in text:
        raise ValueError("expected a path")
    return Path(text).expanduser()


def _registry(value: object) -> str:
    text = str(value)
    if not _is_host(text):
        raise ValueError("expected a registry such as ghcr.io or localhost:5000")
    return Reference.parse(f"{text}/image").registry


def _is_host(text: str) -> bool:
    """Check whether a reference can start with this host."""
    is_domain = bool(set(text) & set(".:")) or text == "localhost"
    return is_domain and "/" not in text and _is_name(f"{text}/image")


def _is_place(text: str) -> bool:
    """Check whether a string is a host, optionally with a path; a host does not need a dot."""
    host, slash, path = text.partition("/")
    named = host if set(host) & set(".:") else f"{host}.invalid"
    return bool(host) and _is_name(f"{named}/{path if slash else 'image'}")


def _is_name(text: str) -> bool:
    try:
        Reference.parse(text)
    except InvalidReferenceError:
        return False
    return True


def _is_network(text: str) -> bool:
    # Imported here because it is rarely needed and slows down start-up.
    import ipaddress

    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


SWITCH = Kind(_switch, (bool,))
SECONDS = Kind(_seconds, (int, float))
HOSTS = Kind(_hosts, (list, str))
MIRRORS = Kind(_mirrors, (dict,))
ADDRESS = Kind(_address)
PATH = Kind(_path)
REGISTRY = Kind(_registry)
PLATFORM = Kind(lambda value: Platform.parse(str(value)))
