"""Parses the bodies of error responses: JSON errors, or an HTML page.

Spec: OCI distribution spec 1.1, "Error Codes". Token endpoints and gateways send other JSON.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any

_LONGEST_QUOTE = 300
_PAGE = re.compile(
    r"[\s\ufeff]*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body|title|center|h1)\b",
    re.IGNORECASE | re.DOTALL,
)
_TITLE = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
# Members of other JSON errors that hold a message, in order of preference.
_MESSAGE_MEMBERS = ("message", "error_description", "details", "detail", "error", "title")


def error_codes(text: str) -> set[str]:
    """Return the error codes in a body."""
    return {code for code, _ in _errors(text)}


def quote_body(text: str, sender: str) -> str:
    """Return the sender's message, cleaned and in parentheses; empty if there is none."""
    if is_html(text):
        title = page_title(text)
        titled = f': "{title}"' if title else ""
        return f" ({sender} sent an HTML page{titled})"
    message = "; ".join(": ".join(filter(None, pair)) for pair in _errors(text))
    message = _clean(message or _other_message(text))
    return f' ({sender} says: "{message}")' if message else ""


def is_html(text: str) -> bool:
    """Check whether a body is an HTML page, as sent by proxies, gateways and login pages."""
    return bool(_PAGE.match(text[:4096]))


def page_title(text: str) -> str:
    """Return the title or first heading of an HTML page; may be empty."""
    match = _TITLE.search(text[:4096])
    return _clean(html.unescape(_TAG.sub(" ", match[2]))) if match else ""


def _errors(text: str) -> list[tuple[str, str]]:
    """Return pairs of code and message; the detail replaces a missing message."""
    try:
        entries = json.loads(text)["errors"]
        return [(str(e.get("code") or ""), _message(e)) for e in entries]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _message(entry: dict[str, Any]) -> str:
    message = entry.get("message")
    if message:
        return str(message)
    detail = entry.get("detail")
    if not detail:
        return ""
    return detail if isinstance(detail, str) else json.dumps(detail, ensure_ascii=False)


def _other_message(text: str) -> str:
    """Return the message of a body in a non-standard format."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        # Other markup, such as the XML of storage hosts, is mostly tags.
        return "" if text.lstrip().startswith("<") else text
    if isinstance(data, dict):
        if not data:
            return ""
        messages = (data.get(name) for name in _MESSAGE_MEMBERS)
        return next((message for message in messages if isinstance(message, str) and message), text)
    return text


def _clean(text: str) -> str:
    joined = " ".join(text.split())
    return "".join(c if c.isprintable() else "?" for c in joined)[:_LONGEST_QUOTE]
