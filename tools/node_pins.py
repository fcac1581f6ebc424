"""Node's packages, pinned and hashed as Python's are, without a word about where they are.

    tools/node_pins.py FOLDER             install what constraints/node.txt says into FOLDER
    tools/node_pins.py --renew PACKAGE    write constraints/node.txt anew, for the newest PACKAGE

npm checks versions and hashes against a lock file of its own form, which also records where
things came from; so that file is made from the pins where it is needed, and not kept.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

PINS = Path(__file__).resolve().parents[1] / "constraints" / "node.txt"
QUIET = ("--silent", "--no-audit", "--no-fund", "--ignore-scripts")
IN_FOLDER = "node_modules/"


def install(folder: Path) -> None:
    """Exactly the pinned packages, each checked against its hash."""
    pins = [line.split(" --hash=") for line in PINS.read_text().splitlines()]
    named = [(*pin.rsplit("==", 1), integrity) for pin, integrity in pins]
    root = {"private": True, "dependencies": {name: version for name, version, _ in named}}
    packages: dict[str, object] = {"": root}
    for name, version, integrity in named:
        packages[IN_FOLDER + name] = {"version": version, "integrity": integrity}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps(root))
    lock = {"lockfileVersion": 3, "requires": True, "packages": packages}
    (folder / "package-lock.json").write_text(json.dumps(lock))
    subprocess.run(["npm", "ci", *QUIET], cwd=folder, check=True)


def renew(package: str) -> None:
    """Let npm resolve, and keep names, versions and hashes."""
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "package.json").write_text('{"private": true}')
        subprocess.run(["npm", "install", *QUIET, package], cwd=scratch, check=True)
        packages = json.loads((Path(scratch) / "package-lock.json").read_text())["packages"]
    lines = []
    for place, about in sorted(packages.items()):
        name = place.removeprefix(IN_FOLDER)
        if IN_FOLDER in name:
            sys.exit(f"tools/node_pins.py: two versions of one package are wanted: {name}")
        if name:
            lines.append(f"{name}=={about['version']} --hash={about['integrity']}\n")
    PINS.write_text("".join(lines))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--renew", package]:
            renew(package)
        case [folder]:
            install(Path(folder))
        case _:
            sys.exit(__doc__)
