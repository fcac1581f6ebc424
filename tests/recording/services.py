"""A service that mints ids, tokens and cookies, and fakes of it: a right one and wrong ones."""

from __future__ import annotations

import secrets
from typing import Any

from werkzeug import Request, Response

from pytest_resilience import Fake, route


class Orders(Fake):
    """Orders of a shop, for who has logged in."""

    first = 1

    def reset(self) -> None:
        """No orders."""
        self.password = secrets.token_urlsafe(24)
        self.token = ""
        self.orders: dict[int, dict[str, Any]] = {}

    @property
    def environment(self) -> dict[str, str]:
        """Where it is, and how one gets in."""
        return {"SHOP_URL": self.url, "SHOP_PASSWORD": self.password}

    def refused(self, request: Request) -> bool:
        """Whether the token is not the one."""
        return request.headers.get("Authorization") != f"Bearer {self.token}"

    @route("POST", "/login")
    def login(self, request: Request) -> Any:
        """A token for the password."""
        if request.get_json()["password"] != self.password:
            return 403, {"error": "no"}
        self.token = secrets.token_urlsafe(24)
        return 200, {"token": self.token}, {"Set-Cookie": f"sid={secrets.token_hex(16)}; Path=/"}

    @route("POST", "/orders")
    def order(self, request: Request) -> Any:
        """A new one."""
        if self.refused(request):
            return 401, {"error": "who?"}, {"WWW-Authenticate": "Bearer"}
        number = self.first + len(self.orders)
        self.orders[number] = {"id": number, "items": request.get_json()["items"], "note": None}
        return 201, self.orders[number], {"Location": f"{self.url}/orders/{number}"}

    @route("GET", "/orders/<int:number>")
    def find(self, request: Request, number: int) -> Any:
        """One of them."""
        return self.orders.get(number) or (404, {"error": "no such order"})

    @route("PUT", "/orders")
    def change(self, request: Request) -> Any:
        """Change the one that the body names."""
        asked = request.get_json()
        order = self.orders[int(asked["id"])]
        order |= asked
        return 200, order, {"X-Request-Id": secrets.token_hex(16)}

    @route("GET", "/orders")
    def all(self, request: Request) -> Any:
        """All of them."""
        return {"orders": list(self.orders.values())}

    @route("GET", "/events")
    def events(self, request: Request) -> Response:
        """A stream."""
        return Response(
            b'data: {"n": 1}\n\ndata: [DONE]\n\n: end\n\n', content_type="text/event-stream"
        )

    @route("GET", "/logo")
    def logo(self, request: Request) -> Response:
        """Bytes."""
        return Response(b"\x89PNG\xff", content_type="image/png")


class Elsewhere(Orders):
    """The same, with other numbers."""

    first = 7001


class Worded(Elsewhere):
    """Whose numbers are texts."""

    @route("POST", "/orders")
    def order(self, request: Request) -> Any:
        """The id of the order is one."""
        status, data, headers = super().order(request)
        return status, {**data, "id": str(data["id"])} if status == 201 else data, headers


class Wrong(Elsewhere):
    """Where every kind of difference can be met."""

    @route("POST", "/orders")
    def order(self, request: Request) -> Any:
        """Another status, without Location."""
        said = super().order(request)
        return said if said[0] == 401 else (201, {**said[1], "id": str(said[1]["id"])})

    @route("GET", "/orders/<int:number>")
    def find(self, request: Request, number: int) -> Any:
        """A member is missing, and one is too many."""
        return {"id": number, "note": None, "total": 1.5}

    @route("GET", "/orders")
    def all(self, request: Request) -> Any:
        """No list."""
        return 404, {"error": "no"}

    @route("GET", "/logo")
    def logo(self, request: Request) -> Response:
        """Text."""
        return Response("a logo", content_type="text/plain", headers={"X-Shop": "2"})
