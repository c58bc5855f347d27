"""The number of the truth's layout from which on a rule holds or a field is kept.

A log tells in `published` and `lifted` which number is in force; each event is folded and judged by
the rules of the number in force there.
"""

from __future__ import annotations

EQUALS_ARE_RANKED = 3
"""A late payment buys the first of three kinds of equal holds, also an offer."""
ENTRIES_END_WITH_A_RESCUE = 3
"""A rescue passes the payer's own entries and serves the one that its hold came from."""
JOINS_PRESS = 2
"""A join is first decided as a press."""
NOTHING_OWES_NOTHING = 3
"""There is no duty to move an amount of 0."""
INTENTS_NAME_HOLDS = 3
"""The id of an intent names what its hold is, not only which."""
KEEPS_REASONS = 2
"""The records say why a drop stands still."""
ASKS_AT_EVERY_END = 3
"""Whoever began to pay is asked for, however his hold ends without his own payment."""
ASKS_AFTER_A_SALE = 4
"""What was bought is asked about too: its payer may pay it once more."""
TELLS_CURRENCIES = 4
"""Money that buys nothing is told with its currency."""
ASKS_FROM_NOW = 3
"""The time to ask about a silent payment counts from when it begins, not from the deadline; a hold
is not extended any more then, and its record keeps the hard stop beside the fan's own deadline."""
ENDS_DUTIES_BY_HAND = 3
"""A creator may end a duty that the provider does not do."""
KEEPS_REFUND_KEYS = 3
"""A refund is done once under its key, and no command is without one."""
ALWAYS_COOLS = 3
"""An entry cools a moment even where the rules say 0."""
ADOPTS = 5
"""A guest may become a person."""
ENTRIES_SERVABLE = 3
"""Nobody joins the line whose orders leave no room for him."""
NUMBERS_CHARGES = 5
"""A charge is told by a number of the drop's own. What was told of before keeps the provider's id
for its name."""
TWO_LANES = 7
"""Points and make-goods give an entry a second place, in the boost lane, beside the one that it has
in the base lane; a make-good goes to an open entry, if there is one. A lapse takes back what its
call added to the calls of its pool, also below 0."""
PAYS_TOGETHER = 8
"""Several holds are paid for by one payment, which has a record of its own; its duties name it."""
OPERATORS_ARE_WORDS = 5
"""Whoever commands is told by a word from which nobody reads who he is."""
