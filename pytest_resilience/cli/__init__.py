"""The command ``pytest-resilience``: argument parsing, and errors as one line for a person."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from pytest_resilience.errors import ResilienceError

__all__ = ["main"]

MISTAKE = 2
MOST_DIGITS = 1_000
INTERRUPTED = 130
"""What a shell reports for a process that Ctrl-C has ended."""
UNREAD = 141
"""And for one whose reader has gone, as in ``... | head``."""


class Parser(argparse.ArgumentParser):
    """Says one line about a mistake, in place of one line and the usage."""

    def error(self, message: str) -> NoReturn:
        """End the process with that line."""
        self.exit(MISTAKE, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def refuse(self, words: Sequence[str]) -> NoReturn:
        """Say that there is no such option, and which is like it."""
        from pytest_resilience.faults._check import nearest

        options = [o for action in self._actions for o in action.option_strings if len(o) > 2]
        name = words[0].partition("=")[0]
        hint = nearest(name, options) if name.startswith("-") else ""
        self.error(f"unrecognized arguments: {_short(' '.join(words))}{hint}")


class Version(argparse.Action):
    """Says the version. It stands in the metadata, which is read for nothing else."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """End the process with it."""
        from importlib import metadata

        try:
            version = metadata.version(parser.prog)
        except metadata.PackageNotFoundError:
            version = "(not installed)"
        print(parser.prog, version)
        parser.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: What follows the command's name; what the process was started with if None.

    Returns:
        The exit code: 0, or 2 after a mistake of the caller's, which stderr then names.
    """
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        options.parser.refuse(unknown)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        code = run(options)
        if sys.stdout is not None:  # It is None when the process was started without one.
            sys.stdout.flush()
    except ResilienceError as error:
        line = " ".join(str(error).split())
        print(f"{parser.prog} {options.command}: {line}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python writes what is left when it ends, and would complain once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    return code


def _parser() -> Parser:
    parser = Parser(
        prog="pytest-resilience",
        description="Servers that fail on demand, for clients that claim to survive it.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=Version, nargs=0, help="say the version, and end")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_serve(commands)
    _add_record(commands)
    _add_compare(commands)
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
    _add_address(parser)
    parser.add_argument(
        "--env-file",
        type=_file,
        metavar="FILE",
        help="write the environment there as NAME=value lines, readable to you only, once the "
        "server listens; removed at the end",
    )
    parser.add_argument(
        "--seed", type=_seed, metavar="N", help="of everything random; drawn and printed if not set"
    )
    parser.add_argument("--quiet", action="store_true", help="no line an attempt")
    parser.set_defaults(run=_serve, parser=parser)


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


def _add_address(parser: Parser) -> None:
    parser.add_argument(
        "--port", type=_port, default=0, metavar="N", help="0, the default, takes a free one"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="an address of this machine; default: %(default)s"
    )


def _add_record(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = commands.add_parser(
        "record",
        help="pass requests on to a real server, and write down its answers",
        description=(
            "A proxy in front of a real server, until Ctrl-C: point your test suite at it. "
            "The file has each exchange, without secrets; `compare` replays it to a fake."
        ),
        allow_abbrev=False,
    )
    parser.add_argument("--to", required=True, metavar="URL", help="the real server")
    parser.add_argument("--out", type=_file, required=True, metavar="FILE", help="a new file")
    _add_address(parser)
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="NAME",
        help="a variable of the environment whose value is a secret; those whose names tell, "
        "such as VAULT_TOKEN, are taken without being named",
    )
    parser.add_argument("--quiet", action="store_true", help="no line an attempt")
    parser.set_defaults(run=_record, parser=parser)


def _record(options: argparse.Namespace) -> int:
    from pytest_resilience.cli.record import record

    return record(
        options.to,
        options.out,
        host=options.host,
        port=options.port,
        secrets=options.secret,
        quiet=options.quiet,
    )


def _add_compare(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = commands.add_parser(
        "compare",
        help="say where a fake answers otherwise than a recorded server",
        description=(
            "Replays a recording to a fake. Exit code 0 when status, headers and the shape of "
            "each body are the same, 1 when they are not, 2 after a mistake."
        ),
        allow_abbrev=False,
    )
    parser.add_argument("recording", metavar="FILE", help="what `record` has written")
    parser.add_argument("target", metavar="NAME|MODULE:CLASS", help="the fake, as `serve` takes it")
    parser.add_argument(
        "--header",
        action="append",
        default=[],
        metavar="NAME",
        help="a further header field whose value is compared",
    )
    parser.add_argument(
        "--value",
        action="append",
        default=[],
        type=_value,
        metavar="NAME=VALUE",
        help="the fake's value for a name in the recording, where nothing tells it",
    )
    parser.add_argument("--json", action="store_true", help="JSON in place of text")
    parser.set_defaults(run=_compare, parser=parser)


def _compare(options: argparse.Namespace) -> int:
    from pytest_resilience.cli.compare import compare

    return compare(
        options.recording,
        options.target,
        headers=options.header,
        values=dict(options.value),
        as_json=options.json,
    )


def _value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{_short(text)!r} is no value: wanted NAME=VALUE")
    return name, value


def _file(text: str) -> str:
    if not text:  # A variable of the shell's that is not set.
        raise argparse.ArgumentTypeError("the name is empty: wanted a file")
    return text


def _port(text: str) -> int:
    number = _whole(text)
    if number is None or number > 65_535:
        raise argparse.ArgumentTypeError(f"{_short(text)!r} is no port: wanted 0 to 65535")
    return number


def _seed(text: str) -> int:
    number = _whole(text)
    if number is None:
        wanted = f"wanted a whole number, 0 or more, of at most {MOST_DIGITS} digits"
        raise argparse.ArgumentTypeError(f"{_short(text)!r} is no seed: {wanted}")
    return number


def _whole(text: str) -> int | None:
    """The number, if it is one that Python reads."""
    plain = text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
    return int(text) if plain else None


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
