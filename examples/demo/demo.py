"""The whole way on made-up profiles: the commands that a user types, against a stand-in for Snapchat.

    make demo                              1,000,000 profiles
    make demo ARGS="--profiles 10000"      a small one

Everything happens in `.demo`, which is made anew each time, and nothing leaves this machine. The exit
status is 0 only if every command ended well and the audience holds exactly the right members.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import sys
import time
from pathlib import Path

from sample import PROFILES
from service import Browser, members_of, simulator
from terminal import MEGABYTE, CommandFailed, Terminal

FOLDER = Path(__file__).parents[2] / ".demo"
SAMPLE = Path(__file__).with_name("sample.py")
AUDIENCE = "5677923948298240"
SECRET = "demo-secret"  # noqa: S105 (the simulator's, for everybody to know)
LOOPBACK = "localhost,127.0.0.1,::1"


def environment() -> dict[str, str]:
    """The user's own, but for what would let the demo ask, reach out, or find another workspace."""
    past_proxy = ",".join(filter(None, (os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), LOOPBACK)))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CDP_")}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "NO_PROXY": past_proxy,
        "no_proxy": past_proxy,
        "CDP_VAULT": "file",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "SNAP_SECRET": SECRET,
    }


def make_anew(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
    except OSError as fault:
        raise CommandFailed(f"{folder} cannot be made anew ({fault.strerror}): remove it") from fault


def play(terminal: Terminal, profiles: int) -> None:
    """The acts, in their order; raises `CommandFailed` at the first that does not end well."""
    script = shlex.quote(os.path.relpath(SAMPLE, terminal.folder))
    sample = f"python {script} profiles.parquet --profiles {profiles}"
    terminal.say(f"Everything below happens in {terminal.folder}, and nothing leaves this machine.")
    terminal.chapter("1  Customers, made up, with the dirt of real data")
    terminal.type(sample)
    terminal.chapter("2  A stand-in for Snapchat")
    with simulator(terminal) as url:
        set_up(terminal, url)
        terminal.chapter("6  The first run: look at the plan, then send")
        terminal.type('cdp export plan "Loyal to Snapchat"')
        terminal.type('cdp export run "Loyal to Snapchat"')
        terminal.chapter("7  A day later: some have left, some are new, some have another e-mail")
        terminal.type(f"{sample} --day 2")
        terminal.type('cdp export run "Loyal to Snapchat"')
        terminal.type('cdp export history "Loyal to Snapchat"')
        terminal.chapter("8  The check: what the service holds, against a second computation of it")
        check(terminal, url)


def set_up(terminal: Terminal, url: str) -> None:
    terminal.chapter("3  A workspace over the customers, and a segment of them")
    terminal.type("cdp init --profiles profiles.parquet --key customer_id")
    terminal.type('cdp segment add "Loyal customers" --where "lifetime_value > 500"')
    terminal.chapter("4  A connection: agreed to, and signed in")
    terminal.show(f"export SNAP_SECRET={SECRET}")
    terminal.type(
        'cdp connection add snapchat --name "Snapchat EU" \\\n'
        "    --set client_id=demo-client --secret client_secret=env:SNAP_SECRET \\\n"
        f"    --set api_url={url}/v1 --set accounts_url={url}/login/oauth2 \\\n"
        "    --set redirect_uri=http://127.0.0.1:0/callback \\\n"
        "    --share-with contributor --agree"
    )
    terminal.type('cdp connection authenticate "Snapchat EU" --no-browser', seen=Browser(terminal).see)
    terminal.chapter("5  An export: which segment goes where, and by which identifier")
    terminal.type(
        'cdp export add "Loyal to Snapchat" --connection "Snapchat EU" \\\n'
        f"    --set audience_id={AUDIENCE} --match EMAIL=email \\\n"
        '    --segment "Loyal customers"'
    )


def check(terminal: Terminal, url: str) -> None:
    """Compare the simulator's members with today's segment, worked out without the framework."""
    from oracle import expected_members

    expected, held = expected_members(terminal.folder / "profiles.parquet"), members_of(url, AUDIENCE)
    terminal.say(f"\nPython's hashlib says  {len(expected):>9,} members belong in the audience.")
    terminal.say(f"The simulator holds    {len(held):>9,} members.")
    if expected != held:
        missing, wrong = len(expected - held), len(held - expected)
        raise CommandFailed(f"{missing:,} members are missing, and {wrong:,} should not be there")
    terminal.say("They are the same, digest by digest.")


def close(terminal: Terminal, seconds: float, picture: Path | None) -> None:
    """The picture of the day, what it took, and what to type next."""
    from closing import draw, funnel_of_the_day

    terminal.chapter("In short: a day's customers, from the table to the audience")
    terminal.say()
    funnel_of_the_day(terminal.folder / ".cdp", "Loyal to Snapchat")
    runs = [took for took in terminal.took if took.command == "cdp export run"]
    each = " and ".join(f"{took.seconds:.1f}" for took in runs)
    peak = max(took.peak for took in runs) / MEGABYTE
    memory = f", and {peak:,.0f} MB of memory at most" if peak else ""
    terminal.say(f"\n{seconds:.1f} seconds in all; the two runs took {each} of them{memory}.")
    if picture is not None:
        draw(terminal.folder / ".cdp", "Loyal to Snapchat", picture)
        terminal.say(f"The picture of the terminal is in {picture}.")
    terminal.say(NEXT)
    terminal.say(f"What the demo has made stays: cd {shlex.quote(str(terminal.folder))} && cdp status\n")


NEXT = """
Next, with your own customers and a real account:

  . .venv/bin/activate
  cdp init --profiles YOUR.parquet --key customer_id
  cdp segment add "Loyal customers" --where "lifetime_value > 500"
  cdp connection add snapchat --name "Snapchat"
  cdp connection authenticate "Snapchat"
  cdp export add "Loyal to Snapchat"
  cdp export plan "Loyal to Snapchat"

Each asks for what it was not told. docs/how-to/snapchat.md says where client id, secret and
audience come from; docs/tutorial/first-export.md goes through every step.
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profiles", type=int, default=PROFILES, help="how many customers to make up")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where (made anew; default: .demo)")
    parser.add_argument("--picture", type=Path, metavar="SVG", help="draw the terminal into a file as well")
    options = parser.parse_args()
    # A letter that the terminal's encoding lacks becomes a question mark, and stops nothing.
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    began = time.monotonic()
    terminal = Terminal(folder=options.folder.resolve(), environ=environment())
    try:
        make_anew(terminal.folder)
        play(terminal, options.profiles)
        close(terminal, time.monotonic() - began, options.picture)
    except CommandFailed as failure:
        print(f"\nThe demo stopped: {failure}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The simulator is stopped too.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Who read the output has gone; the interpreter must not fail on flushing it at its own end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return 0


if __name__ == "__main__":
    sys.exit(main())
