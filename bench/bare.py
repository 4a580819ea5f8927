"""The limits: a bare ASGI application, a FastAPI form that writes nothing, bare transactions on both databases."""

import sqlite3
import sys
import time
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Annotated, Any

import psycopg
import uvicorn
from fastapi import FastAPI, Form
from fastapi.responses import HTMLResponse

from app.cli.serve import SERVING

Message = MutableMapping[str, Any]
_answers: dict[str, tuple[int, list[tuple[bytes, bytes]], bytes]] = {}
FORM = FastAPI(
    docs_url=None, redoc_url=None, openapi_url=None, telemetry={"tracing": False, "metrics": False, "logs": False}
)


@FORM.get("/form")
async def form() -> HTMLResponse:
    """A page that is there already, as a form's own limit."""
    return HTMLResponse("<form>" + "x" * 16_000)


@FORM.post("/form")
async def nothing(email: Annotated[str, Form()], family_name: Annotated[str, Form()]) -> HTMLResponse:
    """Takes a form and writes nothing."""
    return HTMLResponse(f"<p>{len(email)} {len(family_name)}")


async def app(scope: Message, receive: Callable[[], Any], send: Callable[[Message], Any]) -> None:
    """Answers two bytes; elsewhere what a PUT left there, so that each page's limit moves as many bytes as it."""
    if scope["type"] != "http":
        return
    path = scope["path"]
    if scope["method"] == "PUT":
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        head, _, body = body.partition(b"\n\n")
        status, *headers = head.split(b"\n")
        pairs = [(name, value) for name, _, value in (line.partition(b": ") for line in headers)]
        _answers[path] = (int(status), pairs, body)
    if path in _answers and scope["method"] == "GET":
        status, pairs, body = _answers[path]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})
        return
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


def serve(which: str, port: int) -> None:
    """Serve one of them as the site is served: the same server, with the same settings."""
    uvicorn.run(FORM if which == "form" else app, host="127.0.0.1", port=port, log_level="warning", **SERVING)


TABLES = ("person", "seat", "fact", "mail")
"""What a registration writes, as bare as it can be: a row in each of four tables and a commit."""


def sqlite_transactions(path: Path, seconds: float) -> float:
    """Bare durable transactions in a second on SQLite: WAL, `synchronous=FULL`, BEGIN IMMEDIATE, four rows, COMMIT."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    for name in TABLES:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {name} (id INTEGER PRIMARY KEY, told TEXT)")
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        connection.execute("BEGIN IMMEDIATE")
        for name in TABLES:
            connection.execute(f"INSERT INTO {name} (told) VALUES (?)", ("x" * 200,))  # noqa: S608 - names above
        connection.execute("COMMIT")
        done += 1
    connection.close()
    return done / (time.perf_counter() - began)


def postgres_transactions(url: str, seconds: float) -> float:
    """The same on PostgreSQL, with its own durability (`synchronous_commit` on)."""
    with psycopg.connect(url, autocommit=True) as connection:
        for name in TABLES:
            connection.execute(f"CREATE TABLE IF NOT EXISTS bare_{name} (id serial PRIMARY KEY, told text)")  # type: ignore[arg-type]
        done, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            with connection.transaction():
                for name in TABLES:
                    connection.execute(f"INSERT INTO bare_{name} (told) VALUES (%s)", ("x" * 200,))  # type: ignore[arg-type] # noqa: S608 - names above
            done += 1
        return done / (time.perf_counter() - began)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
