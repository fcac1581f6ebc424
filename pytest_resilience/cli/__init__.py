"""The command ``pytest-resilience``: argument parsing, and errors as one line for a person."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from pytest_resilience.errors import ResilienceError

__all__ = ["main"]

MISTAKE = 2
INTERRUPTED = 130
"""What a shell reports for a process that Ctrl-C has ended."""


class Parser(argparse.ArgumentParser):
    """Says one line about a mistake, in place of one line and the usage."""

    def error(self, message: str) -> NoReturn:
        """End the process with that line."""
        self.exit(MISTAKE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: What follows the command's name; what the process was started with if None.

    Returns:
        The exit code: 0, or 2 after a mistake of the caller's, which stderr then names.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except ResilienceError as error:
        line = " ".join(str(error).split())
        print(f"{parser.prog} {options.command}: {line}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> Parser:
    parser = Parser(
        prog="pytest-resilience",
        description="Servers that fail on demand, for clients that claim to survive it.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_serve(commands)
    return parser


def _add_serve(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = commands.add_parser(
        "serve",
        help="serve a fake, or a WSGI application of yours, in the foreground",
        description=(
            "Serves in the foreground until Ctrl-C: prints the environment that points a client "
            "here, then a line an attempt. Programs drive it under /_resilience/ on the same port."
        ),
        allow_abbrev=False,
    )
    parser.add_argument(
        "target",
        metavar="NAME|MODULE:APP",
        help='an installed fake such as "vault" or "gemini", or a WSGI application; '
        "MODULE:FACTORY() calls a function for it",
    )
    parser.add_argument(
        "--port", type=_port, default=0, metavar="N", help="0, the default, takes a free one"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="an address of this machine; default: %(default)s"
    )
    parser.add_argument(
        "--env-file",
        metavar="FILE",
        help="write the environment there as NAME=value lines, readable to you only, once the "
        "server listens; removed at the end",
    )
    parser.add_argument(
        "--seed", type=_seed, metavar="N", help="of everything random; drawn and printed if not set"
    )
    parser.add_argument("--quiet", action="store_true", help="no line an attempt")
    parser.set_defaults(run=_serve)


def _serve(options: argparse.Namespace) -> int:
    from pytest_resilience.cli.serve import serve

    return serve(
        options.target,
        host=options.host,
        port=options.port,
        env_file=options.env_file,
        seed=options.seed,
        quiet=options.quiet,
    )


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: wanted 0 to 65535")
    return int(text)


def _seed(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no seed: wanted a whole number, 0 or more")
    return int(text)
