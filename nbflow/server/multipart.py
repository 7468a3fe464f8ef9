"""What a request to start an execution carries: inputs by multipart, form or JSON, files among them, and labels."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, Field, field_validator
from tornado.httputil import HTTPFile, HTTPServerRequest

from nbflow.errors import InputError, Problem
from nbflow.model.flow import Flow
from nbflow.server.errors import RequestError
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
    whole = json.loads(request.body)
    known = {"inputs", "labels", "namespace", "flowId", "revision", "wait"}
    return start if known & set(whole) else start.model_copy(update={"inputs": whole})


def given_inputs(flow: Flow, request: HTTPServerRequest, folder: Path) -> dict[str, object]:
    """The inputs that a form carries; its files are put into `folder`. Undeclared parts are left out.

    Raises: InputError when a file belongs to no FILE input.
    """
    types = {declared.id: str(declared.type) for declared in flow.inputs}
    given: dict[str, object] = {}
    for name, values in request.body_arguments.items():
        if name in types:
            given[name] = _text(values[-1], name)
    problems = []
    for name, files in request.files.items():
        for file in files:
            owner = _owner(name, file, types)
            if owner is None:
                problems.append(
                    Problem(
                        f"the file {file['filename']!r} belongs to no input",
                        path=f"inputs.{name}",
                        hint="name the part, or the file, after an input of type FILE",
                    )
                )
            elif types[owner] == "FILE":
                given[owner] = str(_keep(file, folder / owner))
            else:
                given[owner] = _text(file["body"], owner)
    if problems:
        raise InputError(f"the inputs of {flow.uid} are not valid", problems)
    return given


def refuse_local_paths(flow: Flow, inputs: Mapping[str, object]) -> None:
    """A FILE input that comes as text must be a URI: a path would name a file of the server.

    Raises: InputError.
    """
    problems = [
        Problem("must be an uploaded file or a `kestra:///` URI", path=f"inputs.{declared.id}")
        for declared in flow.inputs
        if str(declared.type) == "FILE" and _is_path(_at(inputs, declared.id))
    ]
    if problems:
        raise InputError(f"the inputs of {flow.uid} are not valid", problems)


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


def _owner(part_name: str, file: HTTPFile, types: Mapping[str, str]) -> str | None:
    """The input that a file is for: by the name of the part, else by the name of the file."""
    if types.get(part_name) == "FILE":
        return part_name
    file_name = file["filename"]
    if file_name in types:
        return str(file_name)
    return part_name if part_name in types else None


def _keep(file: HTTPFile, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    # Only the last part of a name counts, on any system, and nothing in it may lead elsewhere.
    last = PurePosixPath(str(file["filename"]).replace("\\", "/")).name
    name = _UNPRINTABLE.sub("_", last)[:200]
    path = folder / (name if name.strip(". ") else "file")
    path.write_bytes(file["body"])
    return path


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
