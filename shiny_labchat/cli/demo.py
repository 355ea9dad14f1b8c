"""The command `labchat demo`."""

from __future__ import annotations

import logging
import socket
import threading
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from shiny_labchat.lab.lab import Lab

if TYPE_CHECKING:
    import chatlas

__all__ = ["demo"]


@click.command(epilog="Example: labchat demo --port 8080 --db /tmp/try.db")
@click.option(
    "--port", default=8000, show_default=True, help="Port to listen on; 0 takes a free one."
)
@click.option("--host", default="127.0.0.1", show_default=True,
              help="Address to listen on; 0.0.0.0 admits other devices.")  # fmt: skip
@click.option("--db", type=click.Path(dir_okay=False, path_type=Path), default="labchat-demo.db",
              show_default=True, help="The database file.")  # fmt: skip
@click.option("--model", metavar="PROVIDER[/NAME]",
              help="A model that replies, such as openai or ollama/llama3.2.")  # fmt: skip
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
def demo(port: int, host: str, db: Path, model: str | None, no_browser: bool) -> None:
    """
    Show two people in one room, side by side, and a link for more people.

    Messages with @assistant get a reply: from the --model, or from a script.
    """
    import uvicorn

    from shiny_labchat.demo import make_app

    client = None if model is None else _client_of(model)

    logging.basicConfig(level=logging.INFO, format="labchat: %(message)s")
    for noisy in ("alembic", "httpx", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    listening = _listen(host, port)
    port = listening.getsockname()[1]
    is_local = host in ("127.0.0.1", "localhost", "::1")
    link = f"http://{'127.0.0.1' if is_local else _own_address()}:{port}/"
    lab = Lab(f"sqlite:///{db.expanduser().resolve()}")
    app = make_app(lab, link, is_local=is_local, client=client)
    click.echo(f"Two people wait at {link}  (stop with Ctrl+C)")
    click.echo(f"The record is kept in {db.resolve()}")
    if not no_browser:
        _open_when_ready(host if is_local else "127.0.0.1", port)
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", ws="auto")
    uvicorn.Server(config).run(sockets=[listening])


PROMPT = "You take part in a group chat. People are told apart by their names. Be brief."


def _client_of(model: str) -> chatlas.Chat[Any, Any]:
    try:
        from chatlas import ChatAuto  # pyright: ignore[reportUnknownVariableType]
    except ImportError:
        raise click.ClickException(
            "--model needs chatlas; install it with: pip install 'shiny-labchat[llm]'"
        ) from None
    try:
        return cast("chatlas.Chat[Any, Any]", ChatAuto(model, system_prompt=PROMPT))
    except Exception as exc:  # each provider has its own
        raise click.ClickException(f"cannot use --model {model!r}: {exc}") from exc


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as exc:
        listening.close()
        raise click.ClickException(
            f"cannot listen on {host}:{port} ({exc.strerror}); choose another port with --port"
        ) from exc
    return listening


def _own_address() -> str:
    """This computer's address in its network; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation, RFC 5737
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"


def _open_when_ready(host: str, port: int) -> None:
    def wait_and_open() -> None:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex((host, port)) == 0:
                    break
            time.sleep(0.1)
        webbrowser.open(f"http://{host}:{port}/")

    threading.Thread(target=wait_and_open, daemon=True).start()
