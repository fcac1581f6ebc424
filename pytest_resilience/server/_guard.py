"""Who may drive a server through its control application: programs of this machine, no web page.

*Problem.* A browser on this machine reaches loopback too. A page from anywhere can post a
form to it, and after DNS rebinding its scripts can even read the answers, because to the
browser the page's own name now means 127.0.0.1.

*Solution.* The client's address must be loopback. The Host field, in which a browser puts
the name it was told, must be a loopback name or address with our port. What a browser adds
to a page's requests (Origin, Sec-Fetch-Site) must say that the page is ours. No answer
carries a CORS field, and a body must be ``application/json``, which no form can send
(https://fetch.spec.whatwg.org/#simple-header; https://www.w3.org/TR/fetch-metadata/).
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^\[\]:/@\s]+)(?::(?P<port>[0-9]{1,5}))?")
OUR_SITES = ("same-origin", "none")
"""``none``: a person typed the address. Another port of localhost is ``same-site``: not ours."""


def refusal(environ: WSGIEnvironment) -> str:
    """Why this request may not drive the server; empty when it may."""
    client = environ.get("REMOTE_ADDR", "")
    if not is_loopback(client):
        return f"the client's address {client!r} is not loopback"
    host = environ.get("HTTP_HOST")
    if host is None or not _is_ours(host, environ["SERVER_PORT"]):
        port = environ["SERVER_PORT"]
        return f"Host: {host} is foreign; wanted 127.0.0.1:{port}, localhost:{port} or [::1]:{port}"
    origin = environ.get("HTTP_ORIGIN")
    own = f"{environ['wsgi.url_scheme']}://{host}"
    if origin is not None and origin.lower() != own.lower():
        return f"Origin: {origin} is foreign; a web page may not drive this server"
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None and site.lower() not in OUR_SITES:
        return f"Sec-Fetch-Site: {site} is foreign; a web page may not drive this server"
    return ""


def is_loopback(address: str) -> bool:
    """Whether a numeric address is this machine's loopback, mapped into IPv6 or not."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback


def _is_ours(host: str, port: str) -> bool:
    match = HOST.fullmatch(host)
    if match is None or int(match["port"] or 80) != int(port):
        return False
    name = match["name"].strip("[]").lower()
    return name == "localhost" or is_loopback(name)
