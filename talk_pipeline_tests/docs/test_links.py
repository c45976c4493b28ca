"""What pages link and modules name is there."""

import re
from pathlib import Path

import pytest

from talk_pipeline_tests.docs.documents import ROOT

PACKAGE = ROOT / "talk_pipeline"
DECISIONS = ROOT / "docs" / "decisions"
_PATH = re.compile(r"`((?:talk_pipeline|talk_pipeline_tests|docs|scripts)/[\w./-]*)`")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "data").rglob("*.md")])


def _packages() -> dict[str, Path]:
    """By its name the folder of every package that a docstring names modules of: `plan.holds`, `run.recover`."""
    folders = [file.parent for at in (PACKAGE, PACKAGE / "engine") for file in at.glob("*/__init__.py")]
    return {folder.name: folder for folder in folders}


def _is_there(folder: Path, rest: list[str]) -> bool:
    """Whether a package has that module, with that name in it if one is given."""
    while rest and (folder / rest[0]).is_dir():
        folder, rest = folder / rest[0], rest[1:]
    file = folder / f"{rest[0]}.py" if rest else folder / "__init__.py"
    return file.exists() and all(
        re.search(rf"\b{name}\b", file.read_text(encoding="utf-8")) for name in rest[1:]
    )


def test_every_module_that_is_named_exists() -> None:
    packages = _packages()
    named = 0
    for file in [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.sql"), *PAGES]:
        for name in re.findall(r"`([a-z_]+(?:\.\w+)+)(?:\(\))?`", file.read_text(encoding="utf-8")):
            first, *rest = name.removeprefix("talk_pipeline.").split(".")
            if first in packages and rest != ["yaml"]:
                named += 1
                assert _is_there(packages[first], rest), f"{file.relative_to(ROOT)} names {name}"
    assert named > 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name} links {target}"
        if anchor and file.suffix == ".md":
            assert anchor in _anchors(file.read_text(encoding="utf-8")), f"{page.name} links {target}"


def test_every_file_that_a_page_names_exists() -> None:
    named = {(page, path) for page in PAGES for path in _PATH.findall(page.read_text(encoding="utf-8"))}
    assert len(named) > 10
    missing = [(page.name, path) for page, path in named if not (ROOT / path).exists()]
    assert not missing


def _anchors(text: str) -> set[str]:
    """What headings are linked by."""
    heads = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_decision_is_listed_by_its_title() -> None:
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    for file in DECISIONS.glob("[0-9]*.md"):
        title = file.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        assert f"* [{title}]({file.name})" in index
