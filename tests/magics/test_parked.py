"""`%flow kernels`, `%flow attach` and `%flow resume` on the kernel of a notebook that failed."""

from __future__ import annotations

import re

from tests.magics.conftest import Run

FLOW = """%%flow --wait
id: kept
namespace: demo
tasks:
  - id: report
    type: notebook
    inputFiles: {report.py: "x = 1\\n# %%\\nprint(x + y)"}
    path: report.py
    onFailure: keepKernel
"""


def test_a_kept_kernel_is_listed_opened_resumed_and_ended(run: Run) -> None:
    assert "No kernel is kept" in run("%flow kernels").text
    failed = run(FLOW)
    kernel_id = re.search(r"%flow attach (k\w+)", failed.text)[1]  # type: ignore[index]
    listed = run("%flow kernels").text
    assert kernel_id in listed
    assert "alive" in listed
    assert "2/2" in listed
    opened = run(f"%flow attach {kernel_id}").text
    assert "jupyter console --existing" in opened
    again = run(f"again = %flow resume {kernel_id} --from-cell 2\nagain.wait(60).state")
    assert again.value == "FAILED"
    said = run("'\\n'.join(entry.message for entry in again.logs())").value
    assert f"goes on in the kept kernel `{kernel_id}` from cell 2 of 2; cell 1 is not run again" in said
    assert "has ended" in run(f"%flow kernels --end {kernel_id}").text
    assert "there is no kept kernel" in run(f"%flow attach {kernel_id}").text


def test_a_kernel_that_nobody_keeps_is_told(run: Run) -> None:
    assert "there is no kept kernel `kabc`" in run("%flow resume kabc --from-cell 2").text
