"""The service that `end_to_end` sends to: the Snapchat simulator over HTTPS, as a process of its own.

    python -m benchmarks.service FOLDER --latency 0.2

FOLDER gets its certificate (`ca.pem`) and, once it listens, its port (`port`). Its rate limit is off: the
bare script does not know it, and `cdp` keeps to it whether or not the service would mind.
"""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from cdp_core.simulate.certificate import make_certificate
from cdp_snapchat.simulator import snapchat_simulator

CERTIFICATE, PORT = "ca.pem", "port"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    options = parser.parse_args()
    tls = make_certificate(options.folder / CERTIFICATE)
    with snapchat_simulator(tls=tls, latency=options.latency, rate_limit=False) as simulator:
        made = options.folder / "port.new"
        made.write_text(simulator.url.rpartition(":")[2], encoding="ascii")
        made.rename(options.folder / PORT)
        threading.Event().wait()


if __name__ == "__main__":
    main()
