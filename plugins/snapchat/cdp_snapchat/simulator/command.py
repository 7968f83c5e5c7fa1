"""`cdp simulate snapchat`: the simulator as a process of its own, for demonstrations and by hand.

The server is imported when the command runs: `cdp --help` only names it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cdp_snapchat.simulator.options import Options

if TYPE_CHECKING:
    from cdp_core.simulate import Server
    from cdp_snapchat.simulator.simulator import SnapchatSimulator

SECRET_VARIABLE = "CDP_SIMULATOR_SECRET"  # noqa: S105 (the variable's name)
_DEFAULTS = Options()


@click.command("snapchat")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0 takes a free one."
)
@click.option(
    "--port-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write the port into once it listens.",
)
@click.option(
    "--client-id", default=_DEFAULTS.client_id, show_default=True, help="The client id of the simulated app."
)
@click.option("--latency", type=click.FloatRange(0), default=0.0, help="Seconds before each answer.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[:k=v,…]",
    help="A fault to begin with; its page lists them. Can be given several times.",
)
@click.option("--seed", type=int, help="Makes ids, tokens and the chances of faults repeat.")
@click.option("--no-rate-limit", is_flag=True, help="Takes any number of requests a second.")
def snapchat(
    *,
    port: int,
    port_file: Path | None,
    client_id: str,
    latency: float,
    faults: tuple[str, ...],
    seed: int | None,
    no_rate_limit: bool,
) -> None:
    # \b keeps the example's lines as they are: it is there to be copied.
    """Stand in for Snapchat on this machine, until Ctrl-C.

    The client's secret is the value of CDP_SIMULATOR_SECRET, else demo-secret. Sign-in agrees at once.

    \b
    Example:
      cdp simulate snapchat --port 8181 --fault throttled:route=add-users,count=3
    """
    from cdp_core.simulate import serve_forever
    from cdp_snapchat.simulator.simulator import SnapchatSimulator

    simulator = SnapchatSimulator(
        Options(
            client_id=client_id,
            client_secret=os.environ.get(SECRET_VARIABLE) or _DEFAULTS.client_secret,
            latency=latency,
            seed=seed,
            rate_limit=not no_rate_limit,
        )
    )
    for fault in faults:
        try:
            simulator.fault(simulator.app.catalogue.parse(fault))
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--fault") from error

    def listening(server: Server) -> None:
        simulator.url = server.url
        if port_file is not None:
            try:
                _write_whole(port_file, f"{server.port}\n")
            except OSError as error:
                raise click.BadParameter(error.strerror or str(error), param_hint="--port-file") from error
        click.echo(_words(simulator))

    try:
        serve_forever(simulator.app, port=port, listening=listening)
    except OSError as error:
        raise click.ClickException(f"cannot serve on port {port}: {error.strerror or error}") from error


def _write_whole(path: Path, text: str) -> None:
    """Writes so that a reader finds the whole text or no file."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _words(simulator: SnapchatSimulator) -> str:
    from cdp_snapchat.simulator.world import AUDIENCE_ID

    client_id, from_environment = simulator.options.client_id, os.environ.get(SECRET_VARIABLE)
    # The default is public; a secret that somebody chose is not shown.
    secret = f"${SECRET_VARIABLE}" if from_environment else _DEFAULTS.client_secret
    lines = [
        f"Snapchat simulator on {simulator.url} (Ctrl-C ends it)",
        f"  API        {simulator.api_url}",
        f"  accounts   {simulator.accounts_url}",
        f"  client id  {client_id}   (its secret is {secret})",
        f"  audience   {AUDIENCE_ID}",
        f"  faults     {simulator.url}/__simulator/",
        "Connect to it:",
        "  cdp connection add snapchat --name Simulated \\",
        f"    --set client_id={client_id} --secret client_secret=env:{SECRET_VARIABLE} \\",
        f"    --set api_url={simulator.api_url} --set accounts_url={simulator.accounts_url} \\",
        "    --set redirect_uri=http://127.0.0.1:0/callback",
    ]
    if not from_environment:
        lines.insert(-4, f"  export {SECRET_VARIABLE}={_DEFAULTS.client_secret}")
    return "\n".join(lines)
