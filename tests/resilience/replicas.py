"""Replicas of `graphe serve`, each a process of its own, from one import: `replicas.py`, told what to do line by line.

`start PORT` forks a replica and says its number; `wait NUMBER` waits for its end and says how it ended.
"""

import os
import sys

import graph.app  # noqa: F401 - imported once for all: it takes seconds
from cli.commands import serve


def say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


for line in sys.stdin:
    word, number = line.split()
    if word == "wait":
        say(os.waitpid(int(number), 0)[1])
        continue
    child = os.fork()
    if child == 0:
        os.environ["GRAPHE_PORT"] = number
        serve()
        os._exit(0)
    say(child)
