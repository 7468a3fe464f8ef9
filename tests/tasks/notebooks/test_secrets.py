"""Secrets given to a notebook never get into what is saved of it, whatever the notebook does with them."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from nbflow.model.state import State
from nbflow.tasks.notebooks.scrubbing import MASK, Scrubber
from tests.tasks.notebooks.test_running import outputs_of, run, saved

SECRET = 's3cr3t "quo\'te" <tag> & ünï/?=x'
HOSTILE = r"""# %% tags=["parameters"]
token: str = "none"

# %% Every spelling
import base64, html, json, sys, urllib.parse
print(token)
print(repr(token), ascii(token), token.encode())
print(json.dumps(token), json.dumps(json.dumps({"t": token})), json.dumps(token, ensure_ascii=False))
print(urllib.parse.quote(token), urllib.parse.quote_plus(token), urllib.parse.quote(token, safe=""))
print(html.escape(token), html.escape(token, quote=False))
for before in ("", "u", "us", "user:"):
    print(base64.b64encode((before + token + "!").encode()).decode())
    print(base64.urlsafe_b64encode((before + token + "!").encode()).decode())
print(token.encode().hex(), token[::-1])

# %% In pieces
print(token[:5], end="", flush=True)
print(token[5:], end="\n", flush=True)
sys.stdout.write(token[:7]); sys.stdout.flush()
sys.stderr.write(token[7:]); sys.stderr.flush()

# %% In displays
display({"text/html": f"<b>{html.escape(token)}</b>", "application/json": {token: [token, {"k": token}]}},
        metadata={token: token}, raw=True)
{"value": token}

# %% In colours
print("\x1b[31m" + token[:4] + "\x1b[32m" + token[4:] + "\x1b[0m")
open(f"{token[:6]}.txt", "w").write("x")

# %% In outputs
import nbflow
nbflow.outputs(mine=token, nested={"a": [token]})

# %% In a traceback
def fails(value):
    raise ValueError(f"cannot log in with {value}")
fails(token)
"""


def spellings() -> list[str]:
    inner = base64.b64encode(SECRET.encode()).decode().rstrip("=")[:-2]
    return [
        SECRET,
        json.dumps(SECRET)[1:-1],
        repr(SECRET)[1:-1],
        quote(SECRET),
        inner,
        SECRET.encode().hex(),
        "cr3t \\",
    ]


def test_a_hostile_notebook_gets_no_secret_into_anything_that_is_stored() -> None:
    result = run(HOSTILE, parameters={"token": "{{ secret('TOKEN') }}"}, secrets={"TOKEN": SECRET}, html=True)
    assert result.state is State.FAILED
    assert result.outputs["failedCell"] == 8
    everything = [content.decode() for content in result.files.values()] + list(result.files) + result.messages
    everything.append(json.dumps([dict(task_run.outputs) for task_run in result.task_runs]))
    for text in everything:
        assert not [spelling for spelling in spellings() if spelling in text], text[:3000]
        assert "cr3t" not in text, [text[max(at - 200, 0) : at + 50] for at in [text.find("cr3t")]]
    assert "token: a secret, set in the memory of the kernel alone" in json.dumps(saved(result))
    assert any(MASK in str(output) for output in outputs_of(result))


def test_a_secret_parameter_has_its_value_in_the_kernel() -> None:
    result = run(
        '# %% tags=["parameters"]\ntoken = ""\n# %%\nprint(len(token), token == "abc" + "def")',
        parameters={"token": "{{ secret('TOKEN') }}"},
        secrets={"TOKEN": "abcdef"},
    )
    assert "6 True" in result.messages


def test_lines_of_a_secret_with_several_are_hidden_alone_too() -> None:
    scrubber = Scrubber(["-----BEGIN-----\nMIIabcdef\n-----END-----"])
    assert scrubber.text("key: MIIabcdef.") == f"key: {MASK}."


@pytest.mark.parametrize("pieces", [["abc", "def"], ["xab", "cd", "efy"], ["a", "b", "c", "d", "e", "f"]])
def test_a_secret_in_pieces_is_found(pieces: list[str]) -> None:
    cleaned = "".join(Scrubber(["abcdef"]).pieces(pieces))
    assert not set(cleaned) & set("abcdef")


def test_without_secrets_nothing_is_changed() -> None:
    value = {"a": [1, "b", None, True, 2.5]}
    assert Scrubber([]).value(value) is value
    assert Scrubber(["secret"]).value(value) == value
