"""The pages say what is so: their code runs, their commands exist, the generated ones are as old as the code."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from places import PROJECT

import nectar_notebooks as nn

if TYPE_CHECKING:
    from types import ModuleType

README = (PROJECT / "README.md").read_text(encoding="utf-8")
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *(f"docs/{page.name}" for page in (PROJECT / "docs").glob("*.md")),
]


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, PROJECT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_s_code_runs_offline_and_the_real_key_s_code_too(
    no_settings: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`production` is led to a served embedded sandbox, whose key stands where a real one would."""
    first, verbs, own_key = blocks("python")
    names: dict[str, object] = {}
    exec(compile(first, "README.md", "exec"), names)
    assert "embedded sandbox" in capsys.readouterr().err
    assert len(names["bills"]) > 0  # type: ignore[arg-type]  # a frame
    assert (tmp_path / "build" / "monthly-cost.png").read_bytes().startswith(b"\x89PNG")
    *_, last = first.strip().splitlines()
    sums = eval(last, names)  # what a notebook would show: kinds are never added, and none is dropped
    assert {"POTABLE_WATER", "WASTEWATER"} <= set(sums["WATER"].index.get_level_values("subtype"))
    assert set(sums.index.get_level_values("commodity").dropna()) == set(
        names["monthly"]["commodity"].dropna()  # type: ignore[index]  # a frame
    )
    exec(compile(verbs, "README.md", "exec"), names)
    assert names["job"].iloc[0]["status"] == "COMPLETED"  # type: ignore[attr-defined]  # a frame
    sandbox = nn.Sandbox()
    with sandbox.serve() as served:
        monkeypatch.setenv("NECTAR_BASE_URL", served.url)
        monkeypatch.setenv("NECTAR_PRODUCTION_API_KEY", sandbox.create_key("production"))
        monkeypatch.setenv("NECTAR_CACHE_DIR", str(tmp_path / "cache"))
        exec(compile(own_key, "README.md", "exec"), names)
    assert "production" in repr(names["nectar"])


def test_the_readme_s_column_map_is_one(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(blocks("toml")[0], encoding="utf-8")
    (tmp_path / "bills.csv").write_text(
        "Konto,Rechnungsdatum,From,Thru,Service,Description,Usage,Units,Betrag\n"
        "17,2/3/2025,1/1/2025,1/31/2025,Water,Water usage,900,Gallons,12.50\n"
        "17,2/3/2025,1/1/2025,1/31/2025,Water,Late charge,,,2.00\n"
    )
    sandbox = nn.Sandbox()
    sandbox.load_bills(tmp_path / "bills.csv", columns=tmp_path / "map.toml")
    nectar = nn.connect(sandbox=sandbox)
    assert nectar.usage("Example Town")["unit"].tolist() == ["gal (US)"]
    assert nectar.line_items("Example Town").set_index("charge_type")["amount"]["LATE_FEE"] == 2.0
    assert nectar.bills("Example Town")["bill_date"].dt.strftime("%Y-%m-%d").tolist() == ["2025-02-03"]


def test_the_first_code_is_ten_lines() -> None:
    assert len(blocks("python")[0].strip().splitlines()) <= 10


@pytest.mark.parametrize("page", PAGES)
def test_every_command_on_a_page_exists(page: str) -> None:
    text = (PROJECT / page).read_text(encoding="utf-8")
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    commands = [line.split("#")[0].strip() for block in blocks("bash", text) for line in block.splitlines()]
    commands += re.findall(r"`((?:make|nectar) [^`]+)`", text)
    for command in filter(None, commands):
        program, *rest = shlex.split(command)
        if program == "make":
            for target in (word for word in rest if re.fullmatch(r"[a-z][a-z0-9-]*", word)):
                assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), command
        elif program == "nectar":
            family = [word for word in rest if re.fullmatch(r"[a-z]+", word)]
            options = {word for word in rest if word.startswith("--")}
            words = family[:2] if family[:1] in (["sandbox"], ["webhooks"], ["notebooks"]) else family[:1]
            asked = [
                sys.executable,
                "-c",
                "import sys, nectar_notebooks.cli as c; c.main(sys.argv[1:])",
                *words,
                "--help",
            ]
            said = subprocess.run(asked, capture_output=True, text=True, check=False)
            assert said.returncode == 0, command
            assert all(option in said.stdout for option in options), command


@pytest.mark.parametrize("page", PAGES)
def test_every_link_on_a_page_leads_to_a_file_and_a_heading(page: str) -> None:
    path = PROJECT / page
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", path.read_text(encoding="utf-8")):
        file, _, anchor = target.partition("#")
        there = (path.parent / file) if file else path
        assert there.exists(), target
        if anchor and there.suffix == ".md":
            heads = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), flags=re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
            assert anchor in slugs, target


def test_the_reference_is_as_old_as_the_data_model() -> None:
    written = (PROJECT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert written == script("build_reference").page(), "run `make docs`"


def test_every_public_name_is_on_the_reference() -> None:
    reference = (PROJECT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert [name for name in nn.__all__ if f"`{name}`" not in reference] == []
    nouns = [name for name in dir(nn.Nectar) if not name.startswith("_") and callable(getattr(nn.Nectar, name))]
    assert [noun for noun in nouns if f"`{noun}`" not in reference] == []


@pytest.mark.reference_only
def test_the_readme_s_picture_is_what_the_embedded_sandbox_gives() -> None:
    """Pixels are compared, not bytes, and a few may differ at the edge of a letter from one processor to the next."""
    import io

    from PIL import Image, ImageChops

    kept = Image.open(PROJECT / "docs" / "images" / "monthly-usage.png").convert("RGB")
    made = Image.open(io.BytesIO(script("build_picture").picture().png())).convert("RGB")
    assert kept.size == made.size, "run `make docs`"
    different = sum(ImageChops.difference(kept, made).convert("L").histogram()[32:])
    assert different < 0.001 * kept.width * kept.height, "run `make docs`"


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page not in {"docs/architecture.md", "docs/reference.md"}],  # rooms, columns
)
def test_the_three_sandboxes_are_never_one_word(page: str) -> None:
    text = (PROJECT / page).read_text(encoding="utf-8")
    text = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)|\[\d\d-[^]]*", "", text, flags=re.DOTALL)  # code, links, notebooks
    for match in re.finditer(r"\bsandbox(?:es)?\b", text, flags=re.IGNORECASE):
        before, after = text[: match.start()].split()[-1].lower(), text[match.end() :].split()[:1]
        assert before.strip("*") in {"embedded", "nectar's"} or "".join(after).startswith("credentials"), text[
            match.start() - 40 : match.end()
        ]
