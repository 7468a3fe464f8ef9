"""A stand-in for Google Cloud on this machine: tokens, Cloud Storage in memory, BigQuery's REST on DuckDB.

It checks what Google checks that matters here: that a token is the one it gave, that a JWT bears the account's
signature, that names of jobs are used once. SQL is DuckDB's; what BigQuery writes otherwise is rewritten by pattern.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import duckdb
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

Answer = tuple[int, Any]
PROJECT = "demo"
_TYPES = {
    "BIGINT": "INTEGER", "INTEGER": "INTEGER", "HUGEINT": "INTEGER", "VARCHAR": "STRING", "DOUBLE": "FLOAT",
    "BOOLEAN": "BOOLEAN", "DATE": "DATE", "TIMESTAMP": "DATETIME", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "BLOB": "BYTES", "JSON": "JSON", "TIME": "TIME",
}  # fmt: skip


@cache
def _make_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _coded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Google:
    """The server's state, and what it was asked."""

    folder: Path
    url: str = ""
    token: str = "token-of-this-test"
    key: rsa.RSAPrivateKey = field(default_factory=lambda: _make_key())
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    buckets: dict[str, dict[str, Any]] = field(default_factory=dict)
    objects: dict[tuple[str, str], tuple[dict[str, Any], bytes]] = field(default_factory=dict)
    uploads: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    results: dict[str, tuple[list[dict[str, Any]], list[Any]]] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    failures: list[Answer] = field(default_factory=list)
    """Answers to give to the next requests, in place of what was asked."""
    stuck: bool = False
    """Whether new jobs never end."""
    page: int = 1000
    """Rows and objects on one page."""

    def __post_init__(self) -> None:
        self.database = duckdb.connect()
        self.lock = threading.Lock()

    @property
    def service_account(self) -> str:
        """The JSON of a key that this server takes."""
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return json.dumps(
            {
                "type": "service_account",
                "project_id": PROJECT,
                "private_key_id": "k1",
                "private_key": pem.decode(),
                "client_email": "robot@demo.example",
                "token_uri": f"{self.url}/token",
            }
        )

    def sql(self) -> list[str]:
        """The statements that were run."""
        return [job["configuration"]["query"]["query"] for job in self.jobs.values() if "query" in job["configuration"]]

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, Any, dict[str, str]]:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = parts.path
        is_json = "json" in (headers.get("Content-Type") or "")
        content = json.loads(body) if is_json and body else None
        self.asked.append((method, path, content if is_json else body))
        if path == "/token":
            return (*self._give_token(body), {})
        if headers.get("Authorization") != f"Bearer {self.token}":
            return 401, _error(401, "Request had invalid authentication credentials.", "authError"), {}
        if self.failures:
            return (*self.failures.pop(0), {})
        if path.startswith("/upload/sessions/"):
            return (*self._receive(path.rsplit("/", 1)[1], body), {})
        if path.startswith("/upload/"):
            number = str(len(self.uploads))
            self.uploads[number] = (path, {**query, **(content or {})})
            return 200, {}, {"Location": f"{self.url}/upload/sessions/{number}"}
        if path.startswith("/storage/v1/b"):
            return self._storage(method, path.removeprefix("/storage/v1/b"), query, content)
        return (*self._bigquery(method, path.removeprefix(f"/bigquery/v2/projects/{PROJECT}"), query, content), {})

    def _give_token(self, body: bytes) -> Answer:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        head, claims, signature = form["assertion"].split(".")
        self.key.public_key().verify(
            _coded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
        )
        said = json.loads(_coded(claims))
        if (
            said["iss"] != "robot@demo.example"
            or said["aud"] != f"{self.url}/token"
            or said["exp"] - said["iat"] > 3600
        ):
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT"}
        return 200, {"access_token": self.token, "expires_in": 3600}

    # Cloud Storage

    def put(self, bucket: str, name: str, content: bytes, **about: Any) -> dict[str, Any]:
        described = {
            **about,
            "bucket": bucket,
            "name": name,
            "id": f"{bucket}/{name}/1",
            "size": str(len(content)),
            "md5Hash": base64.b64encode(hashlib.md5(content).digest()).decode(),
            "timeCreated": "2025-01-01T00:00:00.000Z",
        }
        self.objects[bucket, name] = (described, content)
        return described

    def _storage(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any, dict[str, str]]:
        if not path:
            self.buckets[body["name"]] = {"id": body["name"], "location": "US", **body}
            return 200, self.buckets[body["name"]], {}
        bucket, _, rest = path[1:].partition("/")
        if bucket not in self.buckets:
            return 404, _error(404, "The specified bucket does not exist.", "notFound"), {}
        if not rest:
            if method == "DELETE":
                if any(owner == bucket for owner, _ in self.objects):
                    return 409, _error(409, "The bucket you tried to delete is not empty.", "conflict"), {}
                del self.buckets[bucket]
                return 204, None, {}
            if method == "PATCH":
                self.buckets[bucket].update(body)
            return 200, self.buckets[bucket], {}
        if rest == "o":
            return 200, self._list(bucket, query), {}
        source, _, target = rest[2:].partition("/rewriteTo/b/")
        key = bucket, unquote(source)
        if key not in self.objects:
            return 404, _error(404, f"No such object: {bucket}/{unquote(source)}", "notFound"), {}
        if target:
            if "rewriteToken" not in query:  # large objects take several calls
                return 200, {"done": False, "rewriteToken": "more"}, {}
            into, _, name = target.partition("/o/")
            copied = self.put(into, unquote(name), self.objects[key][1])
            return 200, {"done": True, "objectSize": copied["size"], "resource": copied}, {}
        if method == "DELETE":
            del self.objects[key]
            return 204, None, {}
        if query.get("alt") == "media":
            return 200, self.objects[key][1], {"x-goog-hash": f"crc32c=AAAA,md5={self.objects[key][0]['md5Hash']}"}
        return 200, self.objects[key][0], {}

    def _list(self, bucket: str, query: dict[str, str]) -> Any:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        items, prefixes = [], []
        for (owner, name), (described, _) in sorted(self.objects.items()):
            if owner != bucket or not name.startswith(prefix):
                continue
            if delimiter and delimiter in name[len(prefix) :]:
                folder = prefix + name[len(prefix) :].split(delimiter)[0] + delimiter
                if folder not in prefixes:
                    prefixes.append(folder)
            else:
                items.append(described)
        start = int(query.get("pageToken", 0))
        page: dict[str, Any] = {"items": items[start : start + self.page]}
        if start == 0 and prefixes:
            page["prefixes"] = prefixes
        if len(items) > start + self.page:
            page["nextPageToken"] = str(start + self.page)
        return page

    def _receive(self, number: str, content: bytes) -> Answer:
        path, about = self.uploads[number]
        if path.startswith("/upload/storage"):
            bucket = path.split("/")[5]
            if bucket not in self.buckets:
                return 404, _error(404, "The specified bucket does not exist.", "notFound")
            return 200, self.put(bucket, about.pop("name"), content, crc32c="AAAA", contentType=about["contentType"])
        return self._insert(about, content)

    # BigQuery

    def _bigquery(self, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
        if path == "/datasets":
            name = body["datasetReference"]["datasetId"]
            if name in self.datasets:
                return 409, _error(409, f"Already Exists: Dataset {PROJECT}:{name}", "duplicate")
            self.database.execute(f'CREATE SCHEMA "{name}"')
            self.datasets[name] = {"location": "US", **body}
            return 200, self.datasets[name]
        if path.startswith("/datasets/"):
            name, *table = path.split("/")[2:]
            if name not in self.datasets:
                return 404, _error(404, f"Not found: Dataset {PROJECT}:{name}", "notFound")
            if table:
                self.database.execute(f'DROP TABLE "{name}"."{table[1]}"')
                return 204, None
            if method == "DELETE":
                self.database.execute(f'DROP SCHEMA "{name}" CASCADE')
                return (204, None) if self.datasets.pop(name) else (404, None)
            if method == "PATCH":
                self.datasets[name].update(body)
            return 200, self.datasets[name]
        if path == "/jobs":
            return self._insert(body, None)
        name = path.split("/")[2]
        if name not in self.jobs:
            return 404, _error(404, f"Not found: Job {name}", "notFound")
        if path.endswith("/cancel"):
            self.cancelled.append(name)
            return 200, {"job": self.jobs[name]}
        if path.startswith("/queries/"):
            return 200, self._rows(name, query)
        job = self.jobs[name]
        if not self.stuck and job["status"]["state"] == "RUNNING":
            job["status"]["state"] = "DONE"
        return 200, job

    def _insert(self, body: dict[str, Any], content: bytes | None) -> Answer:
        name = body["jobReference"]["jobId"]
        if name in self.jobs:
            return 409, _error(409, f"Already Exists: Job {name}", "duplicate")
        job = {**body, "status": {"state": "RUNNING"}, "statistics": {"startTime": "1", "endTime": "5"}}
        self.jobs[name] = job
        if self.stuck or body["configuration"].get("dryRun"):
            return 200, job
        try:
            with self.lock:
                self._run(name, job, content)
        except duckdb.Error as error:
            job["status"]["errorResult"] = {"reason": "invalidQuery", "message": str(error)}
        return 200, job

    def _run(self, name: str, job: dict[str, Any], content: bytes | None) -> None:
        configuration = job["configuration"]
        if "load" in configuration:
            self._load(job, configuration["load"], content)
        elif "extract" in configuration:
            source = configuration["extract"]["sourceTable"]
            path = self.folder / "extracted"
            self.database.execute(f"COPY {_table(source)} TO '{path}' (FORMAT csv, HEADER)")
            bucket, _, target = configuration["extract"]["destinationUris"][0].removeprefix("gs://").partition("/")
            self.put(bucket, target, path.read_bytes())
            job["statistics"]["extract"] = {"destinationUriFileCounts": ["1"]}
        else:
            for statement in filter(None, map(str.strip, self.rewritten(configuration["query"]["query"]).split(";"))):
                cursor = self.database.execute(statement)
            columns = cursor.description or []
            rows = cursor.fetchall() if columns else []
            fields = [{"name": column[0], **_field(str(column[1]))} for column in columns]
            self.results[name] = fields, rows
            into = configuration["query"].setdefault(
                "destinationTable", {"projectId": PROJECT, "datasetId": "_temporary", "tableId": "anon1"}
            )
            if into["datasetId"] != "_temporary":
                self.database.execute(f"CREATE OR REPLACE TABLE {_table(into)} AS {statement}")
            job["statistics"]["query"] = {"totalBytesProcessed": "10", "cacheHit": False}

    def _load(self, job: dict[str, Any], load: dict[str, Any], content: bytes | None) -> None:
        if content is None:
            bucket, _, name = load["sourceUris"][0].removeprefix("gs://").partition("/")
            content = self.objects[bucket, name][1]
        path = self.folder / "loaded"
        path.write_bytes(content)
        reader = {"CSV": "read_csv", "NEWLINE_DELIMITED_JSON": "read_json", "PARQUET": "read_parquet"}
        self.database.execute(
            f"CREATE OR REPLACE TABLE {_table(load['destinationTable'])} AS "
            f"SELECT * FROM {reader[load['sourceFormat']]}('{path}')"
        )
        count = self.database.execute(f"SELECT count(*) FROM {_table(load['destinationTable'])}").fetchone()
        job["statistics"]["load"] = {"outputRows": str(count[0] if count else 0), "badRecords": "0"}

    def _rows(self, name: str, query: dict[str, str]) -> Any:
        fields, rows = self.results[name]
        start = int(query.get("pageToken", 0))
        most = min(int(query.get("maxResults", self.page)), self.page)
        page = {
            "jobComplete": True,
            "totalRows": str(len(rows)),
            "schema": {"fields": fields},
            "rows": [
                {"f": [{"v": _cell(one, value)} for one, value in zip(fields, row, strict=True)]}
                for row in rows[start : start + most]
            ],
        }
        if start + most < len(rows):
            page["pageToken"] = str(start + most)
        return page

    def rewritten(self, sql: str) -> str:
        """BigQuery's SQL in DuckDB's words, as far as the lessons use it."""
        sql = re.sub(r"\s+OPTIONS\s*\(\s*description\s*=\s*'[^']*'\s*\)", "", sql)
        sql = re.sub(r"PARTITION BY DATE\(\w+\)", "", sql)
        sql = re.sub(r"`(?:[\w-]+\.)?(\w+)\.([^`]+)`", r'"\1"."\2"', sql)
        sql = re.sub(
            r"CREATE (OR REPLACE )?EXTERNAL TABLE (IF NOT EXISTS )?(\S+)\s*(\(.*?\))?\s*OPTIONS\s*\((.*?)\);",
            self._external,
            sql,
            flags=re.DOTALL,
        )
        sql = re.sub(r'(?<![."\w])"([^".]*)"(?!\.)(?=[,) ])', r"'\1'", sql)  # BigQuery's texts may stand in "
        return sql.replace("BYTES", "VARCHAR").replace("INT64", "BIGINT")

    def _external(self, match: re.Match[str]) -> str:
        uri = re.search(r"'gs://([^/']+)/([^']+)'", match[5])
        assert uri
        path = self.folder / uri[2].replace("/", "_")
        path.write_bytes(self.objects[uri[1], uri[2]][1])
        names = re.findall(r"(\w+) (STRING|TIMESTAMP|INTEGER|NUMERIC|INT64|FLOAT64)", match[4] or "")
        columns = ", ".join(f"'{name}': '{kind.replace('STRING', 'VARCHAR')}'" for name, kind in names)
        how = f", columns={{{columns}}}, header=true" if names else ""
        return f"CREATE OR REPLACE VIEW {match[3]} AS SELECT * FROM read_csv('{path}'{how});"


def _table(reference: dict[str, str]) -> str:
    return f'"{reference["datasetId"]}"."{reference["tableId"]}"'


def _error(code: int, message: str, reason: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "errors": [{"message": message, "reason": reason}]}}


def _field(kind: str) -> dict[str, Any]:
    if kind.endswith("[]"):
        return {**_field(kind[:-2]), "mode": "REPEATED"}
    if kind.startswith("STRUCT("):
        inner = re.findall(r'"?(\w+)"? ([A-Z]+(?:\([^)]*\))?(?:\[\])?)', kind[7:-1])
        return {"type": "RECORD", "fields": [{"name": name, **_field(of)} for name, of in inner]}
    return {"type": "NUMERIC" if kind.startswith("DECIMAL") else _TYPES.get(kind, "STRING"), "mode": "NULLABLE"}


def _cell(about: dict[str, Any], value: Any) -> Any:
    """A value as REST sends it."""
    if value is None:
        return None
    if about.get("mode") == "REPEATED":
        return [{"v": _cell({**about, "mode": "NULLABLE"}, item)} for item in value]
    if about["type"] == "RECORD":
        return {"f": [{"v": _cell(inner, value[inner["name"]])} for inner in about["fields"]]}
    if about["type"] == "TIMESTAMP":
        return str(round(value.timestamp() * 1_000_000))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value) if isinstance(value, int | float | Decimal) else value


def serve(google: Google) -> tuple[ThreadingHTTPServer, threading.Thread]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            code, content, headers = google.answer(self.command, self.path, self.headers, body)
            raw = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
            self.send_response(code)
            for name, value in {"Content-Length": str(len(raw)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  # the names http.server calls

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet: the tests look at `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    google.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    return server, thread
