"""What a stretch of a log changes in the books: rows that are new, and columns of rows that are
there. Pure; nothing is read and nothing is written here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Table

Key = tuple[Any, ...]
Row = dict[str, Any]
Values = tuple[Any, ...]


@cache
def key_names(table: Table) -> tuple[str, ...]:
    """The columns of a table's primary key; the drop's id comes first."""
    return tuple(column.name for column in table.primary_key)


@cache
def other_names(table: Table) -> tuple[str, ...]:
    """The other columns, in the order of the table."""
    return tuple(column.name for column in table.c if not column.primary_key)


def _values(names: tuple[str, ...]) -> Callable[[Row], Values]:
    """A row -> what stands in these columns."""
    if len(names) == 1:
        return lambda row: (row[names[0]],)
    return itemgetter(*names)


class Sheet:
    """Of one drop. A row's key is what stands in its primary key after the drop's id."""

    def __init__(self, drop: str) -> None:
        self.drop = drop
        self._new: dict[Table, dict[Key, Row]] = {}
        self._changed: dict[Table, dict[Key, Row]] = {}
        self.handed: dict[str, str] = {}
        """Order -> the fan whose its units are now, whenever they were written."""

    def put(self, table: Table, *key: Any, **row: Any) -> None:
        """A row as a whole, but for its key; the last one put stands."""
        rows = self._new.get(table)
        if rows is None:
            rows = self._new[table] = {}
        rows[key] = row

    def change(self, table: Table, *key: Any, **row: Any) -> None:
        """Columns of a row, whether it is put on this sheet or was written before."""
        new = self._new.get(table)
        if new is not None and key in new:
            new[key].update(row)
            return
        changed = self._changed.get(table)
        if changed is None:
            changed = self._changed[table] = {}
        known = changed.get(key)
        if known is None:
            changed[key] = row
        else:
            known.update(row)

    def new(self) -> Iterator[tuple[Table, list[Values]]]:
        """The new rows of each table, with the columns in its order: the key comes first."""
        for table, rows in self._new.items():
            values = _values(other_names(table))
            yield table, [(self.drop, *key, *values(row)) for key, row in rows.items()]

    def changes(self) -> Iterator[tuple[Table, tuple[str, ...], list[Values]]]:
        """The other changes: columns in the table's order, and for each row that changes in just
        these the new values and then its key."""
        for table, rows in self._changed.items():
            alike: dict[tuple[str, ...], list[Values]] = {}
            orders: dict[tuple[str, ...], tuple[str, ...]] = {}
            for key, row in rows.items():
                names = tuple(row)
                order = orders.get(names)
                if order is None:
                    order = orders[names] = tuple(n for n in other_names(table) if n in row)
                    alike.setdefault(order, [])
                alike[order].append((*map(row.__getitem__, order), self.drop, *key))
            for columns, found in alike.items():
                yield table, columns, found
