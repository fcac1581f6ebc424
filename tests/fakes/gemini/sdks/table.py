"""Writes what clients do with each fault into docs/gemini.md.

``python -m tests.fakes.gemini.sdks.table`` prints the tables of google-genai, ``--others``
those of the other clients, for which `make sdks` has an environment; ``--write`` puts them
into the page.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import itertools
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.fakes.gemini.sdks import cases, google_genai
from tests.fakes.gemini.sdks.cases import Case, Client

PAGE = Path(__file__).resolve().parents[4] / "docs" / "gemini.md"
OTHERS = (
    "google-generativeai",
    "langchain-google-genai",
    "litellm",
    "pydantic-ai-slim",
    "instructor",
)


@contextlib.contextmanager
def few_certificates() -> Iterator[None]:
    """Clients load one certificate in place of 140: nobody speaks TLS, and it takes most time."""
    import certifi

    end = "-----END CERTIFICATE-----"
    pem = Path(certifi.where()).read_text()
    start = pem.index("-----BEGIN CERTIFICATE-----")
    before = os.environ.get("SSL_CERT_FILE")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "one.pem")
        path.write_text(pem[start : pem.index(end) + len(end)] + "\n")
        os.environ["SSL_CERT_FILE"] = str(path)
        try:
            yield
        finally:
            if before is None:
                del os.environ["SSL_CERT_FILE"]
            else:
                os.environ["SSL_CERT_FILE"] = before


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Without what clients have to say of it themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(before)


def cells(columns: Mapping[str, Client], rows: Sequence[Case]) -> list[list[str]]:
    """The outcomes, row by row."""
    with few_certificates(), quietly():
        return [[cases.outcome(client, row) for client in columns.values()] for row in rows]


def markdown(names: Sequence[str], rows: Sequence[Case], found: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [["fault", *names], ["---"] * (1 + len(names))]
    lines += [[row.name, *outcomes] for row, outcomes in zip(rows, found, strict=True)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


ROWS = {
    "google-genai": cases.PLAIN,
    "google-genai-streams": cases.STREAMED,
    "others": cases.PLAIN,
    "others-streams": cases.STREAMED,
}
"""The rows of each table of the page."""


def heading(*packages: str) -> str:
    """Which versions a table speaks of."""
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)


def of_google_genai(name: str) -> str:
    """A table of google-genai."""
    columns, rows = google_genai.columns(), ROWS[name]
    table = markdown(list(columns), rows, cells(columns, rows))
    return f"{heading('google-genai')}.\n\n{table}"


def of_the_others(name: str) -> str:
    """A table of the other clients."""
    from tests.fakes.gemini.sdks import javascript, others

    columns, rows = others.columns(), ROWS[name]
    node = [javascript.column(rows, retry=retry) for retry in (False, True)]
    found = [[*row, *more] for row, *more in zip(cells(columns, rows), *node, strict=True)]
    names = [*columns, "@google/genai", "@google/genai, `retryOptions`"]
    said = f"{heading(*OTHERS, 'google-genai')}, @google/genai {javascript.version()}"
    return f"{said}.\n\n{markdown(names, rows, found)}"


def untrue(name: str, found: str) -> list[str]:
    """The lines of a table in the page that are not what was found."""
    said = committed(name)
    return [
        f"docs: {old}\nnow:  {new}"
        for old, new in itertools.zip_longest(said.splitlines(), found.splitlines())
        if old != new
    ]


def marks(name: str) -> tuple[str, str]:
    """What stands before and behind a table in the page."""
    return f"<!-- table {name}: begin -->\n\n", f"\n<!-- table {name}: end -->"


def committed(name: str) -> str:
    """A table as the page has it."""
    begin, end = marks(name)
    return PAGE.read_text().partition(begin)[2].partition(end)[0]


def write(tables: Mapping[str, str]) -> None:
    """Put tables into the page."""
    text = PAGE.read_text()
    for name, table in tables.items():
        begin, end = marks(name)
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}{table}{end}{rest.partition(end)[2]}"
    PAGE.write_text(text)


def main() -> int:
    """Print the tables, or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--others", action="store_true", help="the other clients' tables")
    parser.add_argument("--write", action="store_true", help=f"into {PAGE.name}")
    asked = parser.parse_args()
    tables = (
        {name: of_the_others(name) for name in ("others", "others-streams")}
        if asked.others
        else {name: of_google_genai(name) for name in ("google-genai", "google-genai-streams")}
    )
    if asked.write:
        write(tables)
    else:
        print(*tables.values(), sep="\n")  # noqa: T201 -- asked for
    return 0


if __name__ == "__main__":
    sys.exit(main())
