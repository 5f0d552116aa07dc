"""A bare ASGI application that answers a prepared 3 kB: the limit of the server, measured beside ours."""

import sys

import uvicorn

BODY = b'{"data":"' + b"x" * 3_000 + b'"}'
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())],
}


async def application(scope, receive, send) -> None:
    if scope["type"] == "http":
        await receive()
        await send(START)
        await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    uvicorn.run(
        application, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False, lifespan="off",
        server_header=False, date_header=False, ws="none",
    )  # fmt: skip
