"""How the address of a history's database is written."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

_LIBPQ = ("sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "application_name", "options")


def postgres_url(url: str, username: str | None = None, password: str | None = None) -> str:
    """A PostgreSQL URL, of JDBC or libpq, as SQLAlchemy takes it. Raises: ValueError when it is none."""
    parts = urlsplit(url.removeprefix("jdbc:"))
    if parts.scheme not in ("postgresql", "postgres", "postgresql+psycopg") or not parts.hostname:
        raise ValueError("it does not begin with postgresql://host or jdbc:postgresql://host")
    options = dict(parse_qsl(parts.query))
    user = username or options.pop("user", None) or (unquote(parts.username) if parts.username else None)
    secret = password or options.pop("password", None) or (unquote(parts.password) if parts.password else None)
    if "currentSchema" in options:
        options["options"] = f"-csearch_path={options.pop('currentSchema')}"
    # What only the JDBC driver knows would be refused by libpq.
    query = urlencode({name: value for name, value in options.items() if name in _LIBPQ})
    login = quote(user, safe="") + (f":{quote(secret, safe='')}" if secret else "") + "@" if user else ""
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(("postgresql+psycopg", login + place, parts.path, query, ""))
