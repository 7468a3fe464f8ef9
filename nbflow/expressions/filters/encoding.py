"""Filters that encode and hash: base64, addresses, MD5, SHA."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import urllib.parse

from nbflow.errors import TemplateError
from nbflow.expressions.catalog import Function
from nbflow.expressions.filters.checks import text_only
from nbflow.expressions.text import java_text


def base64encode(value: object) -> str | None:
    """Write a text in base64.

    Example: `{{ 'hello' | base64encode }}` gives `aGVsbG8=`
    """
    return None if value is None else base64.b64encode(_utf8(java_text(value))).decode()


def base64decode(value: object) -> str | None:
    """Read a text written in base64.

    Example: `{{ 'aGVsbG8=' | base64decode }}` gives `hello`
    """
    if value is None:
        return None
    text = text_only("base64decode", value)
    bare = text.rstrip("=")
    padding = len(text) - len(bare)
    if not re.fullmatch(r"[A-Za-z0-9+/]*", bare) or len(bare) % 4 == 1 or padding > 2:
        raise TemplateError("this is not base64")
    if padding and (len(bare) + padding) % 4:
        raise TemplateError("this is not base64")
    try:
        decoded = base64.b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error as wrong:
        raise TemplateError(f"this is not base64: {wrong}") from wrong
    return decoded.decode("utf-8", "replace")


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def urlencode(value: object) -> str | None:
    """Write a text as the value of a form field in an address: a space is `+`, `/` is `%2F`.

    Example: `{{ 'a b/c' | urlencode }}` gives `a+b%2Fc`
    """
    if value is None:
        return None
    text = text_only("urlencode", value)
    return urllib.parse.quote_plus(_utf8(text), safe="*").replace("~", "%7E")


_BROKEN = re.compile(r"%(?![0-9a-fA-F]{2})")


def urldecode(value: object) -> str | None:
    """Read a text written as the value of a form field.

    Example: `{{ 'a+b%2Fc' | urldecode }}` gives `a b/c`
    """
    if value is None:
        return None
    text = text_only("urldecode", value)
    if _BROKEN.search(text):
        raise TemplateError("`%` must be followed by two hexadecimal digits")
    return urllib.parse.unquote_plus(text, errors="replace")


def _hash(name: str, value: object) -> str | None:
    if value is None:
        return None
    return hashlib.new(name, _utf8(text_only(name, value)), usedforsecurity=False).hexdigest()


def md5(value: object) -> str | None:
    """The MD5 hash of a text, in hexadecimal.

    Example: `{{ 'a' | md5 }}` gives `0cc175b9c0f1b6a831c399e269772661`
    """
    return _hash("md5", value)


def sha1(value: object) -> str | None:
    """The SHA-1 hash of a text, in hexadecimal.

    Example: `{{ 'a' | sha1 }}` gives `86f7e437faa5a7fce15d1ddcb9eaeaea377667b8`
    """
    return _hash("sha1", value)


def sha256(value: object) -> str | None:
    """The SHA-256 hash of a text, in hexadecimal.

    Example: `{{ 'a' | sha256 | slice(0, 8) }}` gives `ca978112`
    """
    return _hash("sha256", value)


def sha512(value: object) -> str | None:
    """The SHA-512 hash of a text, in hexadecimal.

    Example: `{{ 'a' | sha512 | slice(0, 8) }}` gives `1f40fc92`
    """
    return _hash("sha512", value)


FILTERS: dict[str, Function] = {
    "base64decode": base64decode,
    "base64encode": base64encode,
    "md5": md5,
    "sha1": sha1,
    "sha256": sha256,
    "sha512": sha512,
    "urldecode": urldecode,
    "urlencode": urlencode,
}
