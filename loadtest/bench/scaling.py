"""A model on paper: what 100,000 and 1,000,000 watchers of one drop would need, computed from what
was measured on one machine."""

from __future__ import annotations

import math

import msgspec

from loadtest.bench.figures import Results

WATCHERS = (10_000, 100_000, 1_000_000)
PACES = (10, 2)
"""Ticks a second: the default, and what a very large crowd is told."""
BUSY = 0.7
"""A core that is busier than this answers late."""
WIRE_BYTES = 78
"""Around each frame: Ethernet with its gaps, IPv4, TCP with timestamps."""
HANDSHAKES_PER_S = 3_000
"""The default limit of one worker."""
CORES = 16
NIC_GBIT = 10


class Measured(msgspec.Struct, frozen=True):
    """What the model starts from."""

    delivery_us: float
    tick_bytes: float
    handshake_us: float
    read_us: float
    socket_kib: float
    press_worker_us: float
    press_server_us: float
    look_us: float


_FROM = {
    "delivery_us": ("fanout", "us_per_delivery_10000"),
    "tick_bytes": ("fanout", "tick_bytes"),
    "handshake_us": ("handshake", "worker_us_with_ticket"),
    "read_us": ("handshake", "server_us_with_ticket"),
    "socket_kib": ("memory", "kib_with_ticket"),
    "press_worker_us": ("hold_ws", "worker_us"),
    "press_server_us": ("hold_ws", "server_us"),
    "look_us": ("fanout", "server_us_per_look"),
}


class Need(msgspec.Struct, frozen=True):
    """Of one crowd at one pace. workers: web processes, a core each. server_share: of the
    database's core, for the looks of all workers."""

    watchers: int
    ticks_per_s: int
    workers: int
    hosts: int
    gbit: float
    memory_gib: float
    server_share: float
    back_s: float
    all_press_s: float


def need(m: Measured, watchers: int, ticks_per_s: int) -> Need:
    """The arithmetic, in one place."""
    workers = math.ceil(watchers * ticks_per_s * m.delivery_us / (BUSY * 1e6))
    gbit = watchers * ticks_per_s * (m.tick_bytes + WIRE_BYTES) * 8 / 1e9
    hosts = max(math.ceil(workers / CORES), math.ceil(gbit / (BUSY * NIC_GBIT)))
    handshakes = workers * min(HANDSHAKES_PER_S, BUSY * 1e6 / m.handshake_us)
    reads = BUSY * 1e6 / m.read_us if m.read_us > 0 else math.inf
    presses = min(workers * BUSY * 1e6 / m.press_worker_us, BUSY * 1e6 / m.press_server_us)
    return Need(
        watchers=watchers,
        ticks_per_s=ticks_per_s,
        workers=workers,
        hosts=hosts,
        gbit=gbit,
        memory_gib=watchers * m.socket_kib / 2**20,
        server_share=workers * ticks_per_s * m.look_us / 1e6,
        back_s=watchers / min(handshakes, reads),
        all_press_s=watchers / presses,
    )


def measured(results: Results) -> Measured | None:
    """What was measured, or None while something of it is missing."""
    found: dict[str, float] = {}
    for field, (bench, name) in _FROM.items():
        figure = results.get(bench, {}).get(name)
        if figure is None or not isinstance(figure.ours, int | float):
            return None
        found[field] = float(figure.ours)
    return Measured(**found)


def scaling(results: Results) -> str | None:
    """`docs/scaling.md`, or None while a figure that it needs is missing."""
    m = measured(results)
    if m is None:
        return None
    needs = [need(m, watchers, pace) for pace in PACES for watchers in WATCHERS]
    table = "\n".join(
        f"| {n.watchers:,} | {n.ticks_per_s} | {n.workers} | {n.hosts} | {n.gbit:.2g} | "
        f"{n.memory_gib:.2g} | {n.server_share:.1%} | {n.back_s:.0f} | {n.all_press_s:.1f} |"
        for n in needs
    )
    presses = BUSY * 1e6 / m.press_server_us
    many = need(m, WATCHERS[-1], PACES[-1])
    per_host = math.floor(CORES * BUSY * 1e6 / m.delivery_us / PACES[0] / 1000) * 1000
    return f"""# Scaling, on paper

Made by `python -m loadtest.bench --write-docs` from the figures in [performance](performance.md);
a model, not a measurement. Nobody has run a million sockets here.

## What it starts from

| | |
|---|---:|
| one delivery of a tick, CPU of the worker | {m.delivery_us:.3g} us |
| a tick, with its frame | {m.tick_bytes:.0f} bytes, and {WIRE_BYTES} of TCP, IP and Ethernet |
| opening a fan's socket, CPU of the worker | {m.handshake_us:.0f} us |
| reading the fan for it, CPU of the database | {m.read_us:.0f} us |
| keeping it, memory of the worker | {m.socket_kib:.3g} KiB |
| a look at the state, CPU of the database | {m.look_us:.0f} us |
| a press, CPU of the worker | {m.press_worker_us:.3g} us |
| a press, CPU of the database | {m.press_server_us:.3g} us |

A core counts as full at {BUSY:.0%}, because beyond that answers come late. A host is {CORES} cores
and {NIC_GBIT} Gbit/s. A worker is one process on one core. All watch the same drop.

## What a crowd needs

`ticks/s` is the setting `tick_ms`: 10 a second is the default. "All back": every socket was cut at
once and at most {HANDSHAKES_PER_S:,} a second are let in by a worker. "All press": everybody
presses once, at the opening.

| watchers | ticks/s | workers | hosts | Gbit/s out | GiB | looks, of the database's core | \
all back, s | all press, s |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|
{table}

- **Workers** are watchers x ticks/s x CPU per delivery: the live channel is the whole cost of a
  crowd that watches. They share nothing but the database, so they add up.
- **Ticks a second** are the lever: a fifth of the ticks is a fifth of the workers and of the
  bandwidth, and stock that is at most half a second old. A worker whose loop lags sends fewer by
  itself.
- **The database** hears of a crowd only once per worker and tick: a look costs about
  {m.look_us:.0f} us, however many watch behind it.
- **One drop is one slot of one shard**, so one core decides it: about {presses:,.0f} presses a
  second at {BUSY:.0%} of a core. More shards carry more drops, never a faster drop.

## What breaks first

1. **The network card.** At ten ticks a second 100,000 watchers are
   {need(m, WATCHERS[1], PACES[0]).gbit:.2g} Gbit/s. Fewer ticks, then more hosts.
2. **The cores of the workers**, in step with it: a host of {CORES} cores carries about
   {per_host:,} watchers at ten ticks a second.
3. **The moment of the opening.** A million presses in one second are {many.all_press_s:.0f} s of
   work. A worker's queue holds 8,192; whoever comes after is told when to come back, so waiting
   grows for nobody who was let in.
4. **Everybody coming back at once.** A worker lets in {HANDSHAKES_PER_S:,} a second; the reading
   of the fans, in batches of 256, meets the one core of the database: {many.back_s:.0f} s for a
   million fans with a ticket.
5. **Memory** last: {many.memory_gib:.2g} GiB for a million sockets over all workers, beside the
   kernel's own buffers.

## What the model leaves out

TLS (end it in front, or count its cost per delivery anew), proxies that buffer, mobile networks,
the kernel's buffers of a socket, and hosts far from the database: each batch of presses waits one
round trip.
"""
