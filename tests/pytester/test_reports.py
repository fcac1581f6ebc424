"""What a report shows of the servers of a failed test, and where."""

import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest

Session = Callable[..., pytest.RunResult]

FAILS = """
def test_it(fake_github):
    fake_github.fail(503, 429)
    get(), get(), get()
    assert not "the test itself"
"""

TABLE = [
    "  1  t=0.000  GET /repos/acme/anvil/issues/1  503  [[]status 503[]]",
    "  2  t=*  GET /repos/acme/anvil/issues/1  429  [[]status 429[]]  after a wait of * s",
    "  3  t=*  GET /repos/acme/anvil/issues/1  404  after a wait of * s  *",
]


def test_a_failure_shows_the_trace(session: Session) -> None:
    """The trace of the test's server is a section of the report."""
    result = session(FAILS)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*- trace of fake_github (call) -*", *TABLE], consecutive=True)


def test_a_pass_shows_nothing(session: Session) -> None:
    """A test that passes prints nothing of ours."""
    result = session("def test_it(fake_github):\n    get()\n", "-rA")

    result.stdout.no_fnmatch_line("*trace of*")


def test_every_server_is_shown(session: Session) -> None:
    """Each server of the test has its table; one that nobody reached says so."""
    result = session("""
        def test_it(fake_server, fake_github, fake_my_api_session):
            one, other = fake_server(app), fake_server(app)
            get("/", other.url)
            assert False
        """)

    result.stdout.fnmatch_lines_random(
        [
            "*- trace of fake_my_api_session (call) -*",
            "*- trace of fake_github (call) -*",
            "*- trace of fake_server (call) -*",
            "*- trace of fake_server 2 (call) -*",
            "no attempt reached the server",
            "  1  t=0.000  GET /  200",
        ]
    )


def test_failed_setups_and_teardowns_show_it_too(session: Session) -> None:
    """A fixture that fails over a fake is shown with the trace as well."""
    result = session("""
        @pytest.fixture
        def broken(fake_github):
            raise OSError(get())

        @pytest.fixture
        def breaks(fake_github):
            yield
            raise OSError(get())

        def test_setup(broken):
            pass

        def test_teardown(breaks):
            pass
        """)

    result.stdout.fnmatch_lines(["*- trace of fake_github (setup) -*", "  1  t=0.000  GET *"])
    result.stdout.fnmatch_lines(["*- trace of fake_github (teardown) -*", "  1  t=0.000  GET *"])


def test_hanging_attempts_are_shown(session: Session) -> None:
    """An attempt that still hangs when the test fails is in the table."""
    result = session("""
        import socket

        @pytest.fixture
        def client():
            with socket.socket() as client:
                yield client

        def test_it(fake_server, client):
            server = fake_server(app)
            server.fail(faults.timeout())
            client.connect((server.host, server.port))
            client.sendall(b"GET /slow HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
            assert server.trace.statuses == [200]
        """)

    result.stdout.fnmatch_lines(["  1  t=0.000  GET /slow  ---  [[]timeout[]]  still open*"])


def test_a_long_trace_is_cut_in_its_middle(session: Session) -> None:
    """A report stays readable after a thousand attempts."""
    result = session("""
        import http.client

        def test_it(fake_server):
            server = fake_server(app)
            client = http.client.HTTPConnection(server.host, server.port)
            for number in range(200):
                client.request("GET", f"/{number}")
                client.getresponse().read()
            client.close()
            assert False
        """)

    result.stdout.fnmatch_lines(
        ["* 50  t=* GET /49  200", "  ... 100 rows left out", "151  t=* GET /150  200"],
        consecutive=True,
    )


def test_xdist_shows_the_trace(session: Session) -> None:
    """The sections travel from a worker to the terminal."""
    result = session(FAILS, "-p", "xdist", "-n2", apart=True)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*- trace of fake_github (call) -*", *TABLE], consecutive=True)


@pytest.mark.parametrize("code", [FAILS, "def test_it(fake_github):\n    get('/nowhere')\n"])
def test_html_shows_the_trace(acme: pytest.Pytester, session: Session, code: str) -> None:
    """pytest-html shows the table, of failures and of teardown errors."""
    session(
        code,
        *("-p", "metadata", "-p", "html", "--html=report.html", "--self-contained-html"),
        apart=True,
    )

    page = acme.path.joinpath("report.html").read_text()
    assert "trace of fake_github" in page
    assert "1  t=0.000  GET /" in page


@pytest.mark.parametrize("code", [FAILS, "def test_it(fake_github):\n    get('/nowhere')\n"])
def test_junit_has_the_trace(acme: pytest.Pytester, session: Session, code: str) -> None:
    """JUnit's XML has the table as one property of the test case."""
    session(code, "--junit-xml=report.xml")

    tree = ET.parse(acme.path / "report.xml")  # noqa: S314 -- our own pytest wrote it
    properties = [(p.get("name"), p.get("value", "")) for p in tree.iter("property")]
    assert [name for name, _ in properties] == ["resilience fake_github"]
    assert properties[0][1].startswith("  1  t=0.000  GET /")


def test_seeds_are_shown_with_the_way_to_replay(session: Session) -> None:
    """When chance decided something, the failure says how to have the same again."""
    code = """
        def test_it(fake_github, fake_my_api):
            fake_github.fail(503, probability=0.5)
            fake_my_api.fail(503, probability=0.5)
            seen = [get(url=url) for url in (fake_github.url, fake_my_api.url) for _ in range(30)]
            assert seen == []
        """
    first = session(code)
    line = next(line for line in first.outlines if line.startswith("faults were drawn at random"))
    option = line.rpartition(" ")[2]
    second = session(code, option)

    assert line.endswith(f"replay them with: pytest test_it.py::test_it {option}")
    assert option.startswith("--resilience-seed=")
    summaries = [r.outlines[-2] for r in (first, second)]
    assert summaries[0] == summaries[1]
    statuses = [[row for row in r.outlines if row.startswith("E ")] for r in (first, second)]
    assert statuses[0] == statuses[1] != []


@pytest.mark.parametrize(
    ("fault", "random"),
    [
        ("503", False),
        ("503, probability=1.0", False),
        ("503, probability=0.5", True),
        ("faults.latency(0.001)", False),
        ("faults.latency(faults.uniform(0, 0.001))", True),
        ("faults.together(faults.latency(faults.lognormal(0.001, 1)), 503)", True),
        ("faults.garbage()", True),
    ],
)
def test_seeds_are_shown_only_where_chance_decides(
    session: Session, fault: str, *, random: bool
) -> None:
    """A plan without chance needs no seed."""
    result = session(
        f"def test_it(fake_github):\n    fake_github.fail({fault})\n    assert False\n"
    )

    assert ("drawn at random" in result.stdout.str()) is random


def test_reports_show_no_secret(acme: pytest.Pytester, session: Session) -> None:
    """The values of a fake's variables are masked in all that we print, queries are left out."""
    result = session(
        """
        SECRET = "ghp_not+for/reports"

        def secret():
            return "ghp_not+for" + "/reports"

        def test_failed(fake_github):
            get("/" + secret()), get("/ghp_not%2Bfor%2Freports"), get(ISSUE + "?q=" + secret())
            fake_github.fail(503, header={"X-Token": secret()})
            assert fake_github.trace.statuses == [200, 404, 404]

        def test_judged(fake_github):
            get("/" + secret())
            fake_github.fail(503, header={"X-Token": secret()})
        """,
        "--junit-xml=report.xml",
        "--tb=short",
    )

    shown = result.stdout.str() + acme.path.joinpath("report.xml").read_text()
    assert "ghp_not+for/reports" not in shown
    assert "ghp_not%2Bfor" not in shown
    result.stdout.fnmatch_lines(["*GET /<GITHUB_TOKEN>  404*", "*GET /<GITHUB_TOKEN>  404*"])
    result.stdout.fnmatch_lines(["*no route matched GET /<GITHUB_TOKEN> (attempt 1)*"])


def test_any_bytes_can_be_shown(acme: pytest.Pytester, session: Session) -> None:
    """Control characters in a request reach neither the terminal nor the XML."""
    result = session(
        """
        import socket

        def test_it(fake_server):
            server = fake_server(app)
            with socket.create_connection((server.host, server.port)) as client:
                client.sendall(b"\\x1b[2J\\x00 /\\x07 HTTP/1.1\\r\\n\\r\\n")
                client.recv(1000)
            assert False
        """,
        "--junit-xml=report.xml",
    )

    assert "\x1b" not in result.stdout.str()
    assert "\x07" not in result.stdout.str()
    ET.parse(acme.path / "report.xml")  # noqa: S314 -- our own pytest wrote it


SHOWN = """
import logging, urllib.request

SECRET = "zQ7open+Sesame/91xW"

@pytest.fixture
def server(fake_server):
    server = fake_server(secrets={"the password": SECRET})
    headers = {"X-Other": "a" + SECRET}
    request = urllib.request.Request(f"{server.url}/p/{SECRET}", headers=headers)
    urllib.request.urlopen(request).close()
    return server

def test_attempt(server):
    assert server.trace[0] is None

def test_attempts(server):
    assert server.trace == []

def test_headers(server):
    assert server.trace[0].headers == {}

def test_other_headers(server):
    assert {} == server.trace[0].headers

def test_rules(server):
    server.fail(503, header={"X-Other": SECRET})
    assert server.plan.rules == ()

def test_line(server, logs):
    logging.getLogger("x").warning("%s", SECRET)
    assert logs.lines[0] is None
"""


def test_what_pytest_shows_of_our_values_has_no_secret(session: Session) -> None:
    """Attempts, header fields and lines are printed with secrets masked, at any verbosity."""
    result = session(SHOWN, "-vv", "--show-capture=no", "--tb=short")

    result.assert_outcomes(failed=6)
    assert "open+Sesame" not in result.stdout.str()
    result.stdout.fnmatch_lines(
        [
            "*assert <Attempt 1 *GET /p/<the password>  200> is None",
            "*'a<the password>')*== {}",
            "*{} == Headers(*",
            "*<Rule status 503 on X-Other: <the password>: met 0>*",
            "*<Line t=*WARNING  x  <the password>> is None",
        ]
    )
