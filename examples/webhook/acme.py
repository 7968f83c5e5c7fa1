"""A stand-in for an audience service of the usual kind, for the page docs/how-to/webhook.md.

    python acme.py PORT

It lets in who sends the key `demo-key`, keeps lists of SHA-256 hashes, and says of each hash that it does not
take why not. What it holds is shown at `/lists/LIST`.
"""

from __future__ import annotations

import re
import sys

from cdp_core.simulate import Answer, App, Refusal, Request, Route, json_answer, serve_forever

LISTS: dict[str, set[str]] = {"loyal": set()}
LIST = "/lists/{name}"


def let_in(request: Request) -> None:
    if request.headers.get("x-acme-key") != "demo-key":
        raise Refusal(401, "the key is wrong")


def held_by(request: Request) -> set[str]:
    if request.arguments["name"] not in LISTS:
        raise Refusal(404, "there is no such list")
    return LISTS[request.arguments["name"]]


def show(request: Request) -> Answer:
    return json_answer({"title": "Loyal customers", "members": len(held_by(request))})


def change(request: Request) -> Answer:
    """`{"action": "add", "members": [{"type": "email", "sha256": "…"}]}`"""
    held, body = held_by(request), request.json()
    hashes = [each["sha256"] for each in body["members"]]
    good = {each for each in hashes if re.fullmatch("[0-9a-f]{64}", each)}
    if body["action"] == "add":
        held |= good
    else:
        held -= good
    refused = [{"sha256": each, "reason": "not a SHA-256 hash"} for each in hashes if each not in good]
    return json_answer({"taken": len(good), "refused": refused})


def main() -> None:
    routes = [
        Route(name="show", method="GET", pattern=LIST, handler=show),
        Route(name="change", method="POST", pattern=f"{LIST}/members", handler=change, takes="json"),
    ]
    serve_forever(App(routes, name="Acme", admit=let_in), port=int(sys.argv[1]))


if __name__ == "__main__":
    main()
