"""Reads the address of a database: a JDBC URL as Java's drivers take it, or a URL of SQLAlchemy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from nbflow.errors import TaskFailedError

_SCHEME = re.compile(r"^(?P<scheme>[A-Za-z][A-Za-z0-9_.+-]*):(?P<rest>.*)$", re.DOTALL)
_PLACE = re.compile(
    r"""
    ^(?://)?
    (?:(?P<user>[^:@/?;]*)(?::(?P<password>[^@/?;]*))?@)?
    (?P<hosts>[^/?;]*)
    (?:/(?P<path>[^?;]*))?
    (?:[?;](?P<query>.*))?$
    """,
    re.VERBOSE | re.DOTALL,
)
_ORACLE = re.compile(
    r"""
    ^thin:(?:(?P<user>[^/@]*)/(?P<password>[^@]*))?@(?://)?
    (?P<host>\[[^\]]*\]|[^:/?]*)(?::(?P<port>\d+))?
    (?:(?P<sid>:)|/)?(?P<path>[^?]*)(?:\?(?P<query>.*))?$
    """,
    re.VERBOSE | re.DOTALL,
)
_URL_OF_AVATICA = re.compile(r"^remote:url=(?P<url>[^;]*)(?P<query>.*)$")
_FILES = ("sqlite", "duckdb")
_ALIASES = {"postgres": "postgresql", "sqlite3": "sqlite", "sap": "hana", "avatica": "druid", "vectorwise": "ingres"}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is. `kind` says which one, as `postgresql`; `driver` is the one that SQLAlchemy's URL names.

    `hosts` are (name, port) pairs, port 0 unless one is written; `path` is what follows them without the first slash;
    `given` is the URL itself, when it is one of SQLAlchemy.
    """

    kind: str
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    username: str | None = None
    password: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    driver: str = ""
    given: str = ""

    def option(self, *names: str) -> str | None:
        """The value of an option, whichever of its spellings is there."""
        for name in names:
            for key, value in self.options.items():
                if key.lower() == name.lower():
                    return value
        return None


def read_address(url: str, username: str | None = None, password: str | None = None) -> Address:
    """The address that a URL gives; `username` and `password` win over those in it. Raises: TaskFailedError."""
    text = url.strip()
    is_jdbc = text[:5].lower() == "jdbc:"
    match = _SCHEME.match(text[5:] if is_jdbc else text)
    if match is None:
        raise TaskFailedError(
            f"`url` is no address of a database: {_shown(text)!r}", hint="write one as `jdbc:postgresql://host:5432/db`"
        )
    kind, _, driver = match["scheme"].lower().partition("+")
    kind = _ALIASES.get(kind, kind)
    rest = match["rest"]
    if kind in _FILES and not is_jdbc and rest.startswith("///"):  # SQLAlchemy: three slashes before any name
        rest = rest[3:]
    address = _READERS.get(kind, _read_place)(kind, rest)
    return Address(
        kind=kind,
        hosts=address.hosts,
        path=address.path,
        username=username if username is not None else address.username,
        password=password if password is not None else address.password,
        options=address.options,
        driver=driver,
        given="" if is_jdbc else text,
    )


def _read_place(kind: str, rest: str) -> Address:
    """`//user:password@host:port,host:port/path?name=value&…`, or options after semicolons as SQL Server has them."""
    match = _PLACE.match(rest)
    if match is None:
        raise TaskFailedError(f"`url` is no address of a {kind} database", hint=f"write `jdbc:{kind}://host:port/name`")
    if not rest.startswith("//") and match["path"] is None and ":" not in rest:  # `postgresql:name`, on this machine
        return Address(kind, path=unquote(match["hosts"]), options=_options(match["query"]))
    options = _options(match["query"])
    return Address(
        kind,
        hosts=tuple(_host(host) for host in (match["hosts"] or "").split(",") if host),
        path=unquote(match["path"] or ""),
        username=_decoded(match["user"]) or options.pop("user", None) or options.pop("username", None),
        password=_decoded(match["password"]) or options.pop("password", None),
        options=options,
    )


def _read_file(kind: str, rest: str) -> Address:
    """`sqlite:name` and `sqlite:/name`: a file, or nothing for a database in memory."""
    name, _, query = rest.partition("?")
    if name.startswith("//"):
        name = name[2:]
    return Address(kind, path=unquote(name), options=_options(query))


def _read_oracle(kind: str, rest: str) -> Address:
    """`thin:@host:port:SID`, `thin:@host:port/service` and `thin:user/password@…`."""
    match = _ORACLE.match(rest)
    if match is None:
        return _read_place(kind, rest)
    options = _options(match["query"])
    if not match["sid"]:
        options.setdefault("service_name", match["path"])
    return Address(
        kind,
        hosts=((match["host"], int(match["port"] or 0)),),
        path=match["path"] if match["sid"] else "",
        username=match["user"],
        password=match["password"],
        options={name: value for name, value in options.items() if value},
    )


def _read_druid(kind: str, rest: str) -> Address:
    """`remote:url=http://host:port/druid/v2/sql/avatica/;…`: the same server answers plain SQL one level up."""
    match = _URL_OF_AVATICA.match(rest)
    if match is None:
        return _read_place(kind, rest)
    place = _read_place(kind, match["url"].partition(":")[2])
    options = {**_options(match["query"].lstrip(";")), "scheme": match["url"].partition(":")[0]}
    return Address(kind, place.hosts, place.path.removesuffix("avatica/"), place.username, place.password, options)


def _read_direct(kind: str, rest: str) -> Address:
    """`direct=host:port;name=value`, as Dremio's driver has it."""
    return _read_place(kind, "//" + rest.partition("=")[2] if rest.startswith("direct=") else rest)


_READERS = {
    **dict.fromkeys(_FILES, _read_file),
    "oracle": _read_oracle,
    "druid": _read_druid,
    "dremio": _read_direct,
}


def _host(text: str) -> tuple[str, int]:
    name, colon, port = text.rpartition(":")
    if colon and port.isdigit() and not name.endswith(":"):
        return unquote(name.strip("[]")), int(port)
    return unquote(text.strip("[]").partition("\\")[0]), 0


def _options(query: str | None) -> dict[str, str]:
    """Options after `?`, parted by `&`, or by `;`."""
    text = query or ""
    if ";" in text:
        return dict(part.partition("=")[::2] for part in text.split(";") if part)
    return dict(parse_qsl(text, keep_blank_values=True))


def _decoded(text: str | None) -> str | None:
    return None if text is None else unquote(text)


def _shown(url: str) -> str:
    """A URL for a message: a password may be in it, so only its beginning."""
    return url if len(url) < 12 else url[:12] + "…"
