"""Run the notebooks on the seeded embedded sandbox and write their outputs: `make notebooks`.

Only this script writes outputs. What it writes is the same on every run and every machine: cells run in
order in a fresh kernel without the user's settings, ids are numbered, times and versions of the kernel are
left out, an intended error keeps its type and message and loses the traceback, whose lines are paths.
Arguments name notebooks; without any, all are run. Comparing is nbval's work (`make notebooks-test`).
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
#: What no output may hold: a time of day, a path, a port, a key, the address of an object.
_LEAKS = {
    "a path": re.compile(r"(?<![\w:/.<])/(?:home|root|tmp|work|usr|var|Users)/|[A-Z]:\\\\"),
    "a port": re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\]):\d+"),
    "a key": re.compile(r"X-API-Key:\s*\w|nectar_(?:live|test|local)_\w{8,}"),
    "the address of an object": re.compile(r"\bat 0x[0-9a-f]{6,}"),
}


def run(path: Path, **environment: str) -> NotebookNode:
    """Run a notebook in a fresh kernel and return it with its outputs; the file stays as it is.

    The kernel sees none of the user's ``NECTAR_`` variables, only those in `environment`. A cell that fails
    without the tag ``raises-exception`` ends the run.
    """
    notebook = nbformat.read(path, as_version=4)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NECTAR_")}
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
        allow_errors=environment.pop("ALLOW_ERRORS", "") == "1",
    )
    client.execute(env={**clean, "PYTHONHASHSEED": "0", **environment})
    return normalise(notebook)


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Bring a notebook into the one form in which it is kept."""
    notebook.metadata = nbformat.from_dict(_METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        tags = cell.metadata.get("tags", [])
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                output.traceback = [f"{output.ename}: {output.evalue}"]
            # The state of controls is not kept, and their ids are random: the static page beside them is.
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    return notebook


def faults(notebook: NotebookNode) -> list[str]:
    """Return what may not be in a kept output, each with its cell."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                found.append(f"{cell.id} writes to stderr: {output.text.strip()[:200]}")
            text = "\n".join(
                str(value) for kind, value in output.get("data", {}).items() if not kind.startswith("image/")
            )
            text += str(output.get("text", "")) + str(output.get("evalue", ""))
            found += [f"{cell.id} shows {what}" for what, pattern in _LEAKS.items() if pattern.search(text)]
    return found


def main(names: list[str]) -> int:
    """Run the notebooks named, or all, and write those that hold nothing they may not."""
    paths = [Path(name).resolve() for name in names] or sorted(NOTEBOOKS.glob("*.ipynb"))
    failed = False
    for path in paths:
        notebook = run(path)
        problems = faults(notebook)
        for problem in problems:
            print(f"{path.name}: {problem}", file=sys.stderr)
        failed = failed or bool(problems)
        if not problems:
            nbformat.write(notebook, path)
            print(f"{path.name}: {sum(cell.cell_type == 'code' for cell in notebook.cells)} cells run")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
