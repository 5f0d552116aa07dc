"""`make audit`: graphql-http's audits against a server started in each profile, and their report.

Ends in failure unless all of them pass in the open profile, and none warns in the production profile.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from settings.surface import Profile
from tests.surface.server import Server, free_port, started

NODE = Path(__file__).parents[1] / "clients" / "node"
AUDITS = 61


def audits(server: Server) -> list[dict[str, str]]:
    """The outcome of each audit: `ok`, `notice`, `warn` or `error`."""
    done = subprocess.run(
        ["node", "audit.mjs", f"{server.url}/graphql", server.token()],
        cwd=NODE, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def present() -> bool:
    return shutil.which("node") is not None and (NODE / "node_modules" / "graphql-http").is_dir()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> int:
    if not present():
        say("Node ou ses paquets sont absents : « make clients » les installe.")
        return 1
    good = True
    for profile, tolerated in ((Profile.OUVERT, {"ok"}), (Profile.PRODUCTION, {"ok", "notice"})):
        with tempfile.TemporaryDirectory() as folder, started(Path(folder), free_port(), profile) as server:
            found = audits(server)
        counted = Counter(audit["status"] for audit in found)
        figures = ", ".join(f"{number} {status}" for status, number in sorted(counted.items()))
        say(f"\nProfil « {profile.value} » : {counted['ok']}/{len(found)} ({figures})")
        for audit in found:
            if audit["status"] != "ok":
                say(f"  {audit['status']:7} {audit['id']} {audit['name']} : {audit['reason']}")
        good = good and len(found) == AUDITS and set(counted) <= tolerated
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
