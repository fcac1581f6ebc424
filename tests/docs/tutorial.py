"""The project of docs/your-own-fake.md, as a reader makes it: written, built, installed.

``python -m tests.docs.tutorial FOLDER`` writes its files.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "your-own-fake.md"
FILE = re.compile(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def files() -> dict[str, str]:
    """The files that the document shows, by their names."""
    return dict(FILE.findall(DOCUMENT.read_text()))


def write(folder: Path) -> None:
    """The project as a reader has it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text)


def install(project: Path, target: Path) -> None:
    """Build its wheel with the pinned hatchling, and put what is in it where `pip` would."""
    code = f"import hatchling.build; hatchling.build.build_wheel({str(project)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=project, check=True, capture_output=True)
    (wheel,) = project.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
