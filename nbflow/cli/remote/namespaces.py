"""Namespaces of a server, with their files, values and secrets."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from nbflow.cli.options import UsageError
from nbflow.cli.places import Row
from nbflow.cli.remote.client import Client
from nbflow.errors import NotFoundError


class RemoteNamespaces:
    """What can be asked about the namespaces of a server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def all(self, text: str | None = None) -> list[Row]:
        return self._client.every("namespaces", "search", params={"filters[q][EQUALS]": text, "existing": "true"})

    def get(self, namespace: str) -> Row:
        return dict(self._client.ask("GET", "namespaces", namespace))

    def save(self, namespace: str, settings: Row, *, is_new: bool) -> Row:
        body = {"id": namespace, **settings}
        if is_new:
            return dict(self._client.ask("POST", "namespaces", json=body))
        return dict(self._client.ask("PUT", "namespaces", namespace, json=body))

    def delete(self, namespace: str) -> None:
        self._client.ask("DELETE", "namespaces", namespace)


class RemoteFiles:
    """What can be asked about the files of the namespaces of a server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def all(self, namespace: str, folder: str = "") -> list[str]:
        start = folder.strip("/")
        found = self._client.ask("GET", *_files(namespace), "search", params={"q": ""})
        paths = sorted(str(path).lstrip("/") for path in found)
        return [path for path in paths if not start or path == start or path.startswith(f"{start}/")]

    def read(self, namespace: str, path: str) -> bytes:
        return self._client.send("GET", *_files(namespace), params={"path": path}).content

    def write(self, namespace: str, path: str, file: Path) -> None:
        with file.open("rb") as content:
            # The server unpacks what is called .zip: under the name that the file is to have, it is kept as it is.
            part = {"fileContent": (PurePosixPath(path).name, content)}
            self._client.ask("POST", *_files(namespace), params={"path": path}, files=part)

    def delete(self, namespace: str, path: str) -> None:
        self._client.ask("DELETE", *_files(namespace), params={"path": path})

    def move(self, namespace: str, source: str, target: str) -> None:
        self._client.ask("PUT", *_files(namespace), params={"from": source, "to": target})


class RemoteValues:
    """What can be asked about the values that flows of a server keep by key."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def all(self, namespace: str | None) -> list[Row]:
        if namespace is None:
            return self._client.every("kv")
        return list(self._client.ask("GET", "namespaces", namespace, "kv"))

    def get(self, namespace: str, key: str) -> Row:
        return dict(self._client.ask("GET", "namespaces", namespace, "kv", key))

    def set(self, namespace: str, key: str, text: str, ttl: str | None, description: str | None) -> None:
        from nbflow.cli.values import as_body

        headers = {"Content-Type": "text/plain"}
        for name, value in (("ttl", ttl), ("description", description)):
            if value is not None:
                try:
                    headers[name] = value.encode("latin-1").decode("latin-1")
                except UnicodeEncodeError as cause:
                    raise UsageError(f"`{name}` goes into a header, which takes no `{value[cause.start]}`") from cause
        self._client.ask("PUT", "namespaces", namespace, "kv", key, content=as_body(text).encode(), headers=headers)

    def delete(self, namespace: str, key: str) -> bool:
        return bool(self._client.ask("DELETE", "namespaces", namespace, "kv", key))


class RemoteSecrets:
    """What can be asked about the secrets of a server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def all(self, namespace: str | None) -> list[Row]:
        path = ("secrets",) if namespace is None else ("namespaces", namespace, "secrets")
        return self._client.every(*path)

    def set(self, namespace: str, name: str, value: str, description: str | None) -> None:
        body = {"key": name, "value": value, **({} if description is None else {"description": description})}
        self._client.ask("PUT", "namespaces", namespace, "secrets", json=body)

    def delete(self, namespace: str, name: str) -> None:
        if name not in {entry["key"] for entry in self.all(namespace)}:
            raise NotFoundError(f"{namespace} has no secret `{name}`")
        self._client.ask("DELETE", "namespaces", namespace, "secrets", name)


def _files(namespace: str) -> tuple[str, str, str]:
    return ("namespaces", namespace, "files")
