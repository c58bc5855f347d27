"""Every number of a shop by name: its kind, what it says, and how those of several processes become
one. The dashboard and the alerts in `examples/observability` ask for these."""

from __future__ import annotations

from typing import Final

from dropengine.doors.prometheus import Adds, Family

FAMILIES: Final = {
    "dropengine_build_info": Family("gauge", "1, and which version runs.", Adds.MOST),
    "dropengine_server_verdicts": Family(
        "gauge",
        "Web processes by what keeps the server from selling through them, ok for nothing; see "
        "/readyz.",
        Adds.SUM,
    ),
    "dropengine_clock_leapt": Family(
        "gauge", "Whether the server's clock leapt, so that drops are paused: 1 or 0.", Adds.MOST
    ),
    "dropengine_seats": Family("gauge", "Open sockets and streams of a drop.", Adds.SUM),
    "dropengine_fans": Family("gauge", "Fans seated at a drop, once a process.", Adds.SUM),
    "dropengine_units": Family("gauge", "Units of a pool by state.", Adds.NEWEST),
    "dropengine_offered_units": Family(
        "gauge",
        "Of a pool's held units those that the line offers; the rest is in carts.",
        Adds.NEWEST,
    ),
    "dropengine_waiting": Family(
        "gauge", "Places in a pool's line; who waits for two pools stands in two.", Adds.NEWEST
    ),
    "dropengine_drop_state": Family(
        "gauge", "1 for the state that a drop is in, 0 for the others.", Adds.NEWEST
    ),
    "dropengine_log_events_total": Family("counter", "Events in a drop's log.", Adds.NEWEST),
    "dropengine_settler_age_seconds": Family(
        "gauge",
        "Time since due things were last settled, in the process where it is longest.",
        Adds.MOST,
    ),
    "dropengine_drop_frozen": Family(
        "gauge", "A drop that stands still until a person has looked, and why.", Adds.MOST
    ),
    "dropengine_memory_used_bytes": Family("gauge", "Memory that the server uses.", Adds.MOST),
    "dropengine_memory_max_bytes": Family(
        "gauge", "Memory that the server may use; 0: no limit of its own.", Adds.MOST
    ),
    "dropengine_memory_alarm_percent": Family(
        "gauge", "The highest memory alarm that is reached, in percent of the limit.", Adds.MOST
    ),
    "dropengine_duties_set_aside": Family(
        "gauge",
        "Duties of a drop that cannot be read or that the provider does not do: a person has to "
        "see to that money.",
        Adds.MOST,
    ),
    "dropengine_money_differences": Family(
        "gauge",
        "Payments of a drop of which it and the provider say different things: a person has to "
        "see to that money.",
        Adds.MOST,
    ),
    "dropengine_ledger_lag_seconds": Family(
        "gauge", "For so long the books have not been complete; 0: they are.", Adds.MOST
    ),
    "dropengine_ledger_behind_events": Family(
        "gauge", "Events of all drops that are not in the books yet.", Adds.MOST
    ),
    "dropengine_push_waiting": Family(
        "gauge", "Calls to browsers that are due and were not taken.", Adds.MOST
    ),
    "dropengine_mail_waiting": Family("gauge", "Letters that are not sent yet.", Adds.MOST),
    "dropengine_mail_oldest_seconds": Family(
        "gauge", "For so long the oldest letter that waits has waited; 0: none waits.", Adds.MOST
    ),
    "dropengine_mail_away": Family(
        "gauge", "Whether the mail server takes nothing now: 1 or 0.", Adds.MOST
    ),
    "dropengine_press_seconds": Family(
        "histogram",
        "From the oldest command of a batch until it is decided, for each of its commands.",
        Adds.EACH,
    ),
    "dropengine_batch_commands": Family("histogram", "Commands decided by one call.", Adds.EACH),
    "dropengine_server_seconds": Family(
        "histogram", "One call of the script that decides fans' commands.", Adds.EACH
    ),
    "dropengine_loop_lag_seconds": Family(
        "histogram", "By how much a worker's loop came later than it was asked to.", Adds.EACH
    ),
    "dropengine_refused_total": Family(
        "counter", "Commands of fans that were refused, by code.", Adds.EACH
    ),
    "dropengine_slow_seats": Family(
        "gauge", "Seats of a drop that read too slowly: they get the newest alone.", Adds.SUM
    ),
    "dropengine_duties": Family("gauge", "Duties of a drop that are owed.", Adds.MOST),
    "dropengine_durable": Family(
        "gauge", "Whether what is acknowledged is on disk: 1 or 0.", Adds.LEAST
    ),
    "dropengine_processes": Family("gauge", "Web processes by state.", Adds.SUM),
    "dropengine_process_starts_total": Family(
        "counter", "How often a web process was started.", Adds.SUM
    ),
    "dropengine_supervisor_age_seconds": Family(
        "gauge", "Time since the supervisor last looked at its processes.", Adds.SUM
    ),
}
