"""What a request to start an execution carries: inputs by multipart, form or JSON, files among them, and labels."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, Field, field_validator
from tornado.httputil import HTTPServerRequest

from nbflow.errors import InputError, Problem
from nbflow.model.inputs import Input
from nbflow.server.errors import RequestError
from nbflow.server.filters import Condition, read_instant
from nbflow.server.forms import Form, Upload
from nbflow.server.handler import read_body
from nbflow.types import JsonValue

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f/\\]")


class StartRequest(BaseModel):
    """A JSON body that starts an execution."""

    model_config = ConfigDict(extra="ignore")

    namespace: str = ""
    flow_id: str = Field(default="", alias="flowId")
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    labels: dict[str, str] = Field(default_factory=dict)
    revision: int | None = None
    wait: bool = False
    schedule_date: datetime | None = Field(default=None, alias="scheduleDate")
    kind: str | None = None

    @field_validator("labels", mode="before")
    @classmethod
    def _labels_as_map(cls, labels: object) -> object:
        if isinstance(labels, list):
            return {
                item["key"]: item["value"]
                for item in labels
                if isinstance(item, dict) and {"key", "value"} <= set(item)
            }
        return {} if labels is None else labels

    @field_validator("inputs", mode="before")
    @classmethod
    def _no_inputs(cls, inputs: object) -> object:
        return {} if inputs is None else inputs


def is_json(request: HTTPServerRequest) -> bool:
    """Whether the body is JSON: by its type, or because no other type is named and it begins like an object."""
    content_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type == "application/json" or content_type.endswith("+json"):
        return bool(request.body.strip())
    is_form = content_type in ("multipart/form-data", "application/x-www-form-urlencoded")
    return not is_form and request.body.lstrip().startswith(b"{")


def read_start(request: HTTPServerRequest) -> StartRequest:
    """The JSON of a request; of a bare object without `inputs` every property is an input."""
    start = read_body(StartRequest, request.body)
    whole = json.loads(request.body)  # no deeper than pydantic has let pass
    known = {"inputs", "labels", "namespace", "flowId", "revision", "wait", "scheduleDate", "kind"}
    return start if known & set(whole) else start.model_copy(update={"inputs": whole})


def form_inputs(declared: Sequence[Input], form: Form, beside: Mapping[str, object], what: str) -> dict[str, object]:
    """The inputs that a form carries, and the same checks for those `beside` it that came as JSON.

    Raises: InputError for what would name a file of the server, and for a file that belongs to no input.
    """
    texts = {name: values[-1].decode("utf-8", "replace") for name, values in form.texts.items()}
    refuse_local_paths(declared, {**beside, **texts}, what)
    return given_inputs(declared, form, what)


def read_date(text: str | None, name: str) -> datetime | None:
    """An instant of the query; one without a zone is UTC. Raises: RequestError."""
    return read_instant(Condition(name, "EQUALS", (text,))) if text else None


def with_zone(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def given_inputs(declared: Sequence[Input], form: Form, what: str) -> dict[str, object]:
    """The inputs that a form carries; files stay where they lie. Undeclared texts are left out.

    Raises: InputError when a file belongs to no FILE input.
    """
    types = {one.id: str(one.type) for one in declared}
    given: dict[str, object] = {name: _text(values[-1], name) for name, values in form.texts.items() if name in types}
    problems = []
    for upload in form.uploads:
        owner = _owner(upload, types)
        if owner is None:
            problems.append(
                Problem(
                    f"the file {upload.file_name!r} belongs to no input",
                    path=f"inputs.{upload.part}",
                    hint="name the part, or the file, after an input of type FILE",
                )
            )
        elif types[owner] == "FILE":
            given[owner] = str(_named(upload, owner))
        else:
            given[owner] = _text(upload.path.read_bytes(), owner)
    if problems:
        raise InputError(f"the inputs of {what} are not valid", problems)
    return given


def refuse_local_paths(declared: Sequence[Input], inputs: Mapping[str, object], what: str) -> None:
    """A FILE input that comes as text must be a URI: a path would name a file of the server.

    Raises: InputError.
    """
    problems = [
        Problem("must be an uploaded file or a `kestra:///` URI", path=f"inputs.{one.id}")
        for one in declared
        if str(one.type) == "FILE" and _is_path(_at(inputs, one.id))
    ]
    if problems:
        raise InputError(f"the inputs of {what} are not valid", problems)


def read_labels(texts: Sequence[str]) -> dict[str, str]:
    """Labels written `key:value`, divided at the first colon. Raises: RequestError."""
    labels = {}
    for text in texts:
        key, separator, value = text.partition(":")
        if not separator or not key:
            raise RequestError(f"a label is `key:value`, got `{text}`", path="labels")
        labels[key] = value
    return check_labels(labels)


def check_labels(labels: dict[str, str]) -> dict[str, str]:
    """The same labels. Raises: RequestError for one that only the system may set."""
    for key in labels:
        if key.startswith("system.") and key != "system.correlationId":
            raise RequestError(f"the label `{key}` is set by the system alone", path="labels")
    return labels


def _owner(upload: Upload, types: Mapping[str, str]) -> str | None:
    """The input that a file is for: by the name of the part, else by the name of the file."""
    if types.get(upload.part) == "FILE":
        return upload.part
    if upload.file_name in types:
        return upload.file_name
    return upload.part if upload.part in types else None


def _named(upload: Upload, owner: str) -> Path:
    """The file under the name that it came with, as far as that can be the name of a file."""
    # Only the last part of a name counts, on any system, and nothing in it may lead elsewhere.
    last = PurePosixPath(upload.file_name.replace("\\", "/")).name
    name = _UNPRINTABLE.sub("_", last)[:200]
    folder = upload.path.with_name(f"{upload.path.name}-of-{len(owner)}")
    folder.mkdir()
    return upload.path.rename(folder / (name if name.strip(". ") else "file"))


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise RequestError(f"the input `{name}` is not UTF-8 text", path=f"inputs.{name}") from None


def _at(inputs: Mapping[str, object], input_id: str) -> object:
    if input_id in inputs:
        return inputs[input_id]
    value: object = inputs
    for part in input_id.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _is_path(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "://" not in value
