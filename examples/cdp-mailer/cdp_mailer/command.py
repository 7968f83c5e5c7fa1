"""`cdp simulate mailer`: the stand-in as a process of its own, to try it all by hand without an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cdp_core.simulate import Server


@click.command("mailer")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0 takes a free one."
)
@click.option("--latency", type=click.FloatRange(0), default=0.0, help="Seconds before each answer.")
@click.option(
    "--refuse-every",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Refuses one digest in N, with a reason; 0: none.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[:k=v,…]",
    help="A fault to begin with; its page lists them. Can be given several times.",
)
@click.option("--seed", type=int, help="Makes the chances of faults repeat.")
@click.option("--no-rate-limit", is_flag=True, help="Takes any number of requests a second.")
def mailer(
    *,
    port: int,
    latency: float,
    refuse_every: int,
    faults: tuple[str, ...],
    seed: int | None,
    no_rate_limit: bool,
) -> None:
    # \b keeps the example's lines as they are: it is there to be copied.
    """Stand in for Mailer on this machine, until Ctrl-C.

    \b
    Example:
      cdp simulate mailer --port 8900 --refuse-every 100
    """
    from cdp_core.simulate import serve_forever

    from cdp_mailer.stand_in import DEMO_KEY, LIST, MailerStandIn

    made = MailerStandIn(rate_limit=not no_rate_limit, refuse_every=refuse_every, latency=latency, seed=seed)
    for fault in faults:
        try:
            made.app.faults.add(made.app.catalogue.parse(fault))
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--fault") from error

    def listening(server: Server) -> None:
        click.echo(
            f"Mailer's stand-in on {server.url} (Ctrl-C ends it)\n"
            f"  list       {LIST}\n"
            f"  members    {server.url}/__simulator/state\n"
            f"  faults     {server.url}/__simulator/\n"
            "Connect to it:\n"
            f"  export MAILER_KEY={DEMO_KEY}\n"
            "  cdp connection add mailer --name Mailer \\\n"
            f"    --set api_url={server.url} --secret api_key=env:MAILER_KEY"
        )

    try:
        serve_forever(made.app, port=port, listening=listening)
    except OSError as error:
        told = f"cannot serve on {port}: {error.strerror or error}"
        raise click.BadParameter(told, param_hint="--port") from error
