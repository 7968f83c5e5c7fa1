"""`cdp scheduler`: the process that runs what is due, and the one that runs a single due export."""

from __future__ import annotations

import functools
import logging
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
import rich_click

from cdp_core.cli.command import command, noun
from cdp_core.cli.failure import as_error
from cdp_core.cli.interrupt import stop_on_signal
from cdp_core.cli.language import marked
from cdp_core.cli.logs import write_logs
from cdp_core.cli.session import Session
from cdp_core.cli.systemd import install
from cdp_core.errors import CdpError, Code, ExitStatus, UsageFault
from cdp_core.model.log import LogEvent
from cdp_core.model.schedule import DueOutcome

if TYPE_CHECKING:
    from cdp_core.model.run import RunEvent
    from cdp_core.scheduler.calendar import Calendar, Due
    from cdp_core.scheduler.loop import Loop

scheduler = noun(
    "scheduler",
    help="The process that runs exports when they are due. Any number of them may share a workspace.",
    example="cdp scheduler start --log-format json --health-port 8080",
)

_STUCK_AFTER_ROUNDS = 6
log = logging.getLogger("cdp.scheduler")

log_format_option = rich_click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the log on standard error is written; json is one object a line.",
)


def _told_in_its_log(act: Callable[..., None]) -> Callable[..., None]:
    """What the process ends by is a line of its log; in text it is said as any command says it."""

    @functools.wraps(act)
    def telling(context: click.Context, /, *, log_format: Literal["text", "json"], **options: Any) -> None:
        session: Session = context.obj
        write_logs(debug=session.debug, form=log_format, verbose=True)
        try:
            act(context, log_format=log_format, **options)
        except click.exceptions.Exit:
            raise
        except Exception as fault:
            if log_format == "text":
                raise
            error = as_error(fault)
            told = LogEvent.BROKE_OFF.about(code=str(error.code), where=error.where, hint=error.hint)
            log.error("%s", error.message, extra=told, exc_info=fault if session.debug else None)
            raise click.exceptions.Exit(int(error.exit_status)) from fault

    return telling


@scheduler.verb("start", example="cdp scheduler start\ncdp scheduler start --once")
@rich_click.option("--once", is_flag=True, help="Run what is due now and end, for cron or Kubernetes.")
@rich_click.option(
    "--parallel",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="How many exports may run at once, each in a process of its own.",
)
@rich_click.option(
    "--poll",
    type=click.FloatRange(min=0.1, max=60),
    default=5.0,
    show_default=True,
    help="Seconds after which a changed schedule is seen at the latest.",
)
@rich_click.option(
    "--grace",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Seconds that runs under way have to end once the scheduler is stopped; then they are killed, and "
    "the next run settles what they left.",
)
@rich_click.option(
    "--health-port",
    type=click.IntRange(0, 65535),
    help="Answer /healthz and /readyz on this port (0: any free one, which the log names).",
)
@rich_click.option(
    "--health-host", default="127.0.0.1", show_default=True, help="The address to answer on: 0.0.0.0 for all."
)
@rich_click.option(
    "--health-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the same to this file at every round; an old file is a scheduler that hangs.",
)
@log_format_option
@click.pass_context
@_told_in_its_log
def start(
    context: click.Context,
    /,
    *,
    once: bool,
    parallel: int,
    poll: float,
    grace: float,
    health_port: int | None,
    health_host: str,
    health_file: Path | None,
    log_format: Literal["text", "json"],
) -> None:
    """Run exports when they are due, in their export users' names, until it is stopped.

    SIGTERM or Ctrl-C ends it: batches in flight end, and the rest is taken up by the next run. What failed
    for a while is tried again; what somebody has to mend pauses the export, which `cdp schedule show` says.
    """
    from cdp_core.scheduler.health import Health, served
    from cdp_core.scheduler.loop import Loop

    if once and (health_file is not None or health_port is not None):
        raise UsageFault(
            Code.USAGE, "--once ends by itself, and has no health to tell of", hint="look at its exit status"
        )
    session: Session = context.obj
    cdp = session.cdp()
    health = Health(patience=_STUCK_AFTER_ROUNDS * max(poll, 1.0), file=health_file)

    def launch(due: Due) -> subprocess.Popen[bytes]:
        # The session's own folder, and no prompt: nobody is there.
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "cdp_core.cli.main", "--workspace", str(cdp.workspace.folder)),
                *(["--debug"] if session.debug else []),
                *("scheduler", "run-due", due.export.name, "--due-at", due.due_at.isoformat()),
                *("--missed", str(due.missed), "--log-format", log_format),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # Ctrl-C on a terminal reaches the whole group: the loop alone hands it on.
            start_new_session=True,
        )

    def loop(calendar: Calendar) -> Loop:
        # Whoever may not start one has been refused by now, and writes nothing.
        if why := health.write():
            raise UsageFault(
                Code.USAGE,
                f"the health file {str(health_file)!r} cannot be written: {why}",
                where=str(Path.cwd() / (health_file or "")),
                hint="another --health-file, in a folder that is there and that you may write to",
            )
        return Loop(
            calendar,
            launch,
            health=health,
            now=lambda: datetime.now(UTC),
            parallel=parallel,
            poll=poll,
            grace=grace,
        )

    ending = stop_on_signal(marked("Ending the runs under way"), form=log_format)
    with ending as stop, ExitStack() as open_while:
        if health_port is not None:
            try:
                port = open_while.enter_context(served(health, (health_host, health_port)))
            except OSError as taken:
                raise UsageFault(
                    Code.USAGE,
                    f"port {health_port} cannot be listened on: {taken.strerror}",
                    hint="another --health-port, or 0 for any free one",
                ) from None
            log.info(
                "health on http://%s:%d/healthz", health_host, port, extra=LogEvent.HEALTH.about(port=port)
            )
        status = cdp.schedules.start(loop=loop, stop=stop, once=once)
    context.exit(int(status))


@command("run-due", example='cdp scheduler run-due "Loyal to Snapchat" --due-at 2026-11-25T01:00:00+00:00')
@rich_click.argument("name")
@rich_click.option("--due-at", required=True, help="The moment at which it was due, with its zone.")
@rich_click.option("--missed", type=click.IntRange(min=0), default=0, help="Earlier moments it stands for.")
@log_format_option
@click.pass_context
@_told_in_its_log
def run_due(
    context: click.Context, /, *, name: str, due_at: str, missed: int, log_format: Literal["text", "json"]
) -> None:
    """Run one export that is due, as `start` does; its exit status is the run's, and 0 for one that was
    skipped or canceled."""
    session: Session = context.obj
    cdp = session.cdp()

    def tell(event: RunEvent) -> None:
        if event.state == "ended":
            told = LogEvent.STATION.about(
                export=name, run=event.run_id, station=str(event.station), done=event.done
            )
            log.info("%s: %s, done", name, event.station, extra=told)

    try:
        moment = datetime.fromisoformat(due_at)
    except ValueError:
        moment = datetime.min
    if moment.tzinfo is None:
        raise UsageFault(Code.USAGE, f"{due_at!r} is no moment with a zone", hint="2026-11-25T01:00:00+00:00")
    with stop_on_signal(form=log_format) as stop:
        try:
            done = cdp.schedules.run_due(name, due_at=moment, missed=missed, progress=tell, stop=stop)
        except UsageFault:
            raise
        except CdpError as fault:
            log.error("%s: %s", name, fault, extra=LogEvent.FAILED.about(export=name, code=str(fault.code)))
            context.exit(int(fault.exit_status))
    if done is None:
        context.exit(int(ExitStatus.DONE))
    told = LogEvent.DONE.about(export=name, run=done.run_id, outcome=str(done.outcome))
    log.info("%s: %s %s", name, done.outcome, done.message, extra=told)
    nothing_to_mend = done.outcome is DueOutcome.SKIPPED and not done.is_at_fault
    context.exit(int(ExitStatus.DONE) if nothing_to_mend else done.exit_status or int(ExitStatus.DONE))


scheduler.add_command(install)
scheduler.add_command(run_due)
