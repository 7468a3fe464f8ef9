"""Functions that reach into the engine: stored values, secrets, files, logs, the network; and encryption."""

from __future__ import annotations

import base64
import binascii
import secrets as randomness
from typing import Any

from nbflow.errors import TemplateError
from nbflow.expressions.catalog import Function
from nbflow.expressions.filters.checks import text_argument
from nbflow.expressions.scope import Scope
from nbflow.expressions.services import variable_of
from nbflow.expressions.values import is_map

_SCHEMES = ("kestra://", "nbflow://")


def _optional(name: str, argument: str, value: object) -> str | None:
    return None if value is None else text_argument(name, argument, value)


def secret(scope: Scope, key: object, namespace: object = None, subkey: object = None) -> object:
    """A secret, by its name; shown nowhere in logs.

    Example: `{{ secret('DB_PASSWORD') }}`
    """
    return scope.services.secret(
        text_argument("secret", "key", key),
        _optional("secret", "namespace", namespace),
        _optional("secret", "subkey", subkey),
    )


def kv(scope: Scope, key: object, namespace: object = None, error_on_missing: object = True) -> object:
    """A value of the key-value store of the flow's namespace, or of another.

    Example: `{{ kv('my_key') }}`
    """
    is_required = True if error_on_missing is None else error_on_missing
    if not isinstance(is_required, bool):
        raise TemplateError("the argument `errorOnMissing` of `kv` must be true or false")
    return scope.services.kv(text_argument("kv", "key", key), _optional("kv", "namespace", namespace), is_required)


def read(scope: Scope, path: object) -> str:
    """The text of a file: the URI of an output or input, or the path of a namespace file.

    Example: `{{ read(outputs.extract.uri) }}`
    """
    return scope.services.read_file(_path("read", path))


def file_size(scope: Scope, path: object) -> int:
    """The size of a file in bytes.

    Example: `{{ fileSize(outputs.extract.uri) }}`
    """
    return scope.services.file_size(_path("fileSize", path))


def file_exists(scope: Scope, path: object) -> bool:
    """Whether there is such a file.

    Example: `{{ fileExists(outputs.extract.uri) }}`
    """
    return scope.services.file_exists(_path("fileExists", path))


def file_empty(scope: Scope, path: object) -> bool:
    """Whether a file is empty.

    Example: `{{ fileEmpty(outputs.extract.uri) }}`
    """
    return scope.services.file_size(_path("fileEmpty", path)) == 0


def is_file_empty(scope: Scope, path: object) -> bool:
    """Whether a file is empty: another name of `fileEmpty`.

    Example: `{{ isFileEmpty(outputs.extract.uri) }}`
    """
    return file_empty(scope, path)


def _path(name: str, path: object) -> str:
    text = text_argument(name, "path", path)
    if any(part == ".." for part in text.split("/")):
        raise TemplateError(f"the path of `{name}` must not leave its folder")
    return text


def file_uri(scope: Scope, path: object) -> str:
    """The URI of a namespace file.

    Example: `{{ fileURI('scripts/main.py') }}`
    """
    text = text_argument("fileURI", "path", path).removeprefix("/")
    if "../" in text:
        raise TemplateError("the path of `fileURI` must not hold `../`")
    namespace = variable_of(scope.names(), "flow", "namespace")
    if not isinstance(namespace, str):
        raise TemplateError("`fileURI` works in the expressions of a flow")
    return f"kestra:///{namespace.replace('.', '/')}/_files/{text}"


def error_logs(scope: Scope) -> list[dict[str, object]]:
    """Log entries of the task runs of this execution that failed.

    Example: `{{ errorLogs() | length }}`
    """
    return scope.services.error_logs()


def tasks_with_state(scope: Scope, state: object) -> list[dict[str, object]]:
    """Task runs of this execution that are in a state.

    Example: `{{ tasksWithState('FAILED') | length }}`
    """
    return scope.services.tasks_with_state(text_argument("tasksWithState", "state", state))


def http(
    scope: Scope,
    uri: object,
    method: object = "GET",
    query: object = None,
    body: object = None,
    content_type: object = None,
    headers: object = None,
    options: object = None,
    accept: object = None,
) -> object:
    """What an address answers; JSON comes parsed.

    Example: `{{ http(uri='https://example.com/data.json') }}`
    """
    given = {
        "query": query,
        "body": body,
        "content_type": content_type,
        "headers": headers,
        "options": options,
        "accept": accept,
    }
    for name in ("query", "headers", "options"):
        if given[name] is not None and not is_map(given[name]):
            raise TemplateError(f"the argument `{name}` of `http` must be a map")
    chosen = {name: value for name, value in given.items() if value is not None}
    return scope.services.fetch(text_argument("http", "uri", uri), text_argument("http", "method", method), **chosen)


def encrypt(key: object, plaintext: object) -> str | None:
    """Encrypt a text with a key in base64 (AES-GCM); `decrypt` turns it back.

    Example: `{{ encrypt('I6EGNzRESu3X3pKZidrqCGOHQFUFC0yK', 'hi') | length }}` gives `40`
    """
    if plaintext is None or plaintext == "":
        return None if plaintext is None else ""
    nonce = randomness.token_bytes(12)
    text = text_argument("encrypt", "plaintext", plaintext).encode()
    sealed: bytes = _cipher("encrypt", key).encrypt(nonce, text, None)
    return base64.b64encode(nonce + sealed).decode()


def decrypt(key: object, encrypted: object) -> str | None:
    """Read what `encrypt` wrote with the same key.

    Example: `{{ decrypt(secret('KEY'), outputs.hello.encrypted) }}`
    """
    if encrypted is None or encrypted == "":
        return None if encrypted is None else ""
    cipher = _cipher("decrypt", key)
    from cryptography.exceptions import InvalidTag

    try:
        data = base64.b64decode(text_argument("decrypt", "encrypted", encrypted), validate=True)
        plain: bytes = cipher.decrypt(data[:12], data[12:], None)
    except InvalidTag as wrong:
        raise TemplateError("`decrypt` cannot read this: it was encrypted with another key") from wrong
    except (binascii.Error, ValueError) as wrong:
        raise TemplateError(f"`decrypt` cannot read this: {wrong}") from wrong
    return plain.decode("utf-8", "replace")


def _cipher(name: str, key: object) -> Any:  # the cipher's package is imported only when it is needed
    text = text_argument(name, "key", key)
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as missing:
        raise TemplateError(f"`{name}` needs the package `cryptography`", hint="pip install cryptography") from missing
    try:
        return AESGCM(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as wrong:
        raise TemplateError(f"the key of `{name}` must be 16, 24 or 32 bytes in base64") from wrong


FUNCTIONS: dict[str, Function] = {
    "decrypt": decrypt,
    "encrypt": encrypt,
    "errorLogs": error_logs,
    "fileEmpty": file_empty,
    "fileExists": file_exists,
    "fileSize": file_size,
    "fileURI": file_uri,
    "http": http,
    "isFileEmpty": is_file_empty,
    "kv": kv,
    "read": read,
    "secret": secret,
    "tasksWithState": tasks_with_state,
}
