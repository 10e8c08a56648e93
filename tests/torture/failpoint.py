"""The server with a fail point: it may die between a commit and telling anybody of it, the worst moment there is.

``python -m tests.torture.failpoint serve`` is ``tertulia serve``, except that after each commit of the log it is killed
with the probability in ``TORTURE_DIE_AFTER_COMMIT``, as long as there is a file ``TORTURE_ARMED``; the file named in
``TORTURE_DEATHS`` gets a byte for each death.
Only tests can start this.
"""

from __future__ import annotations

import os
import random
import signal
from typing import Any

from chat.writer import ConversationWriter
from tertulia.cli import main


def put_in(probability: float, armed: str, deaths: str) -> None:
    """Have the writer die after a commit."""
    transact = ConversationWriter._transact

    async def fatal(self: ConversationWriter, *more: Any) -> None:
        await transact(self, *more)
        if random.random() < probability and os.path.exists(armed):
            with open(deaths, "ab") as file:
                file.write(b".")
            os.kill(os.getpid(), signal.SIGKILL)

    ConversationWriter._transact = fatal  # type: ignore[method-assign, assignment] # that is the fail point


if __name__ == "__main__":
    put_in(float(os.environ["TORTURE_DIE_AFTER_COMMIT"]), os.environ["TORTURE_ARMED"], os.environ["TORTURE_DEATHS"])
    main()
