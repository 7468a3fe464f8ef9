"""Who a task is to Google Cloud: a key becomes an access token.

    service account key ──signed JWT──┐
    user's refresh token ─────────────┼─→ access token ──(impersonate)──→ access token of another account
    metadata server of a machine ─────┘

Source: RFC 7523 (JWT bearer), RFC 6749 section 6 (refresh); Google's "application default credentials".
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nbflow.errors import TaskFailedError

_TOKEN_URI = "https://oauth2.googleapis.com/token"
_IMPERSONATION = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts"
_METADATA = "http://metadata.google.internal/computeMetadata/v1"
_LIFE = 3600  # seconds; the longest that Google allows
_HINT = (
    "set `serviceAccount` to the JSON of a service account's key, for instance `{{ secret('GCP_CREDS') }}`, "
    "in the task or in `pluginDefaults` for io.kestra.plugin.gcp; or let GOOGLE_APPLICATION_CREDENTIALS name its file"
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a key file says; `key` is empty for the account of the machine itself."""

    key: Mapping[str, Any]  # Any: JSON of Google's, read name by name

    @property
    def project(self) -> str | None:
        """The project that the key belongs to, when it says so."""
        found = self.key.get("project_id") or self.key.get("quota_project_id")
        return str(found) if found else None


def find_credentials(service_account: str | None) -> Credentials:
    """What `serviceAccount` says, else the file that the environment or `gcloud` names, else the machine's account.

    Raises: TaskFailedError when it cannot be read.
    """
    if service_account and service_account.strip():
        return Credentials(_read(service_account, "`serviceAccount`"))
    named = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    path = Path(named) if named else Path.home() / ".config/gcloud/application_default_credentials.json"
    try:
        return Credentials(_read(path.read_text(encoding="utf-8"), str(path)))
    except OSError as cause:
        if named:
            raise TaskFailedError(f"the key file {path} cannot be read: {cause.strerror}", hint=_HINT) from cause
    return Credentials({})


def _read(text: str, where: str) -> Mapping[str, Any]:
    try:
        key = json.loads(text)
    except ValueError as cause:
        # What is there may be half a private key: it is not repeated.
        raise TaskFailedError(f"{where} is no JSON", hint=_HINT) from cause
    if not isinstance(key, dict) or key.get("type") not in ("service_account", "authorized_user"):
        raise TaskFailedError(f"{where} is no key of a service account or of a user", hint=_HINT)
    return key


async def access_token(
    client: Any, credentials: Credentials, scopes: Sequence[str], impersonated: str | None, now: datetime
) -> str:
    """A fresh access token; `client` is an `httpx.AsyncClient`. Raises: TaskFailedError when Google refuses."""
    key = credentials.key
    if key.get("type") == "service_account":
        token = await _exchange(
            client,
            str(key.get("token_uri") or _TOKEN_URI),
            {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": _assertion(key, scopes, now)},
        )
    elif key.get("type") == "authorized_user":
        form = {name: str(key.get(name, "")) for name in ("client_id", "client_secret", "refresh_token")}
        token = await _exchange(
            client, str(key.get("token_uri") or _TOKEN_URI), {"grant_type": "refresh_token", **form}
        )
    else:
        token = await _of_machine(client)
    return await _impersonate(client, token, impersonated, scopes) if impersonated else token


def _assertion(key: Mapping[str, Any], scopes: Sequence[str], now: datetime) -> str:
    """A JWT that the account has signed. Source: RFC 7515 (compact form), RFC 7518 section 3.3 (RS256)."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    try:
        private = serialization.load_pem_private_key(str(key["private_key"]).encode(), password=None)
        issuer = str(key["client_email"])
    except (KeyError, ValueError) as cause:
        raise TaskFailedError("the service account's key lacks a readable private key or `client_email`") from cause
    if not isinstance(private, rsa.RSAPrivateKey):
        raise TaskFailedError("the service account's private key is no RSA key")
    issued = int(now.timestamp())
    header = {"alg": "RS256", "typ": "JWT", "kid": key.get("private_key_id", "")}
    claims = {
        "iss": issuer,
        "scope": " ".join(scopes),
        "aud": key.get("token_uri") or _TOKEN_URI,
        "iat": issued,
        "exp": issued + _LIFE,
    }
    signed = f"{_coded(json.dumps(header).encode())}.{_coded(json.dumps(claims).encode())}"
    return f"{signed}.{_coded(private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _coded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


async def _exchange(client: Any, address: str, form: Mapping[str, str]) -> str:
    import httpx

    try:
        response = await client.post(address, data=form)
    except httpx.HTTPError as cause:
        raise TaskFailedError(f"{address} cannot be reached: {cause or type(cause).__name__}") from cause
    return _token_in(response, "access_token")


async def _of_machine(client: Any) -> str:
    import httpx

    host = os.environ.get("GCE_METADATA_HOST")
    base = f"http://{host}/computeMetadata/v1" if host else _METADATA
    try:
        response = await client.get(
            f"{base}/instance/service-accounts/default/token", headers={"Metadata-Flavor": "Google"}, timeout=3.0
        )
    except httpx.HTTPError as cause:
        raise TaskFailedError("there are no credentials for Google Cloud", hint=_HINT) from cause
    return _token_in(response, "access_token")


async def _impersonate(client: Any, token: str, account: str, scopes: Sequence[str]) -> str:
    response = await client.post(
        f"{_IMPERSONATION}/{account}:generateAccessToken",
        headers={"Authorization": f"Bearer {token}"},
        json={"scope": list(scopes), "lifetime": f"{_LIFE}s"},
    )
    return _token_in(response, "accessToken")


def _token_in(response: Any, name: str) -> str:
    try:
        answer = response.json()
    except ValueError:
        answer = {}
    if response.status_code == 200 and isinstance(answer, dict) and answer.get(name):
        return str(answer[name])
    said = ""
    if isinstance(answer, dict):
        error = answer.get("error")
        said = str(
            answer.get("error_description") or (error.get("message") if isinstance(error, dict) else error) or ""
        )
    raise TaskFailedError(f"Google gave no access token ({response.status_code}){said and ': ' + said}", hint=_HINT)
