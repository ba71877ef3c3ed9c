"""Every exit status that a VANTA command may return, in one place.

Two families. The *check* family follows the monitoring-plugin contract, so that a check can be wired
into Nagios-style tools unchanged. The *action* family is used by everything else and tells a script or
systemd what to do next. Nothing outside this file writes a number.
"""

from enum import IntEnum


class Check(IntEnum):
    """Statuses of `vanta-diagnostics check`, `vanta-run status --check` and `vanta verify`.

    Without `check`, `vanta-diagnostics` ends with OK whatever it shows, and with UNKNOWN where it cannot look.
    """

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3  # also every usage error: a typo must never read as CRITICAL


class Exit(IntEnum):
    """Statuses of every other command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTIAL = 3  # some of the work was done; what was not is on stderr
    CREDENTIALS = 4
    REFUSED = 5  # refused by safety: a kill switch, a fence, a failed pre-check
    OUTCOME_UNKNOWN = 6  # an order may or may not be live; reconcile before anything else
    UNAVAILABLE = 69  # an outside service cannot be reached
    TEMPORARY = 75  # try again later (rate limit, lock held); cron need not page
    PERMISSION = 77
    CONFIG = 78  # systemd: RestartPreventExitStatus=78
    INTERRUPTED = 130


MEANING: dict[int, str] = {
    Exit.DONE: "done",
    Exit.FAILED: "failed; the message says what to do",
    Exit.USAGE: "the command line is wrong (check family: 3)",
    Exit.PARTIAL: "partly done; what is missing is on stderr",
    Exit.CREDENTIALS: "credentials missing or refused",
    Exit.REFUSED: "refused by safety: a kill switch, a fence or a failed pre-check",
    Exit.OUTCOME_UNKNOWN: "outcome unknown: an order may be live; reconcile first",
    Exit.UNAVAILABLE: "an outside service cannot be reached",
    Exit.TEMPORARY: "temporary: try again later",
    Exit.PERMISSION: "permission denied by the operating system or a remote service",
    Exit.CONFIG: "configuration or state is wrong; restarting will not help",
    Exit.INTERRUPTED: "interrupted from the keyboard",
}
