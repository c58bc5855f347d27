"""The local test provider: a stranger with a payment page, a book on disk and signed webhooks.

No money moves. It knows nothing of the shop but what `begin` told it, and tells the shop through
the public door only, like any provider of the outside world.
"""

from dropengine.payments.local.attempts import AFTER_MS_MAX, Do
from dropengine.payments.local.intents import Bill, IntentState
from dropengine.payments.local.provider import LocalPay, build, keep

__all__ = ["AFTER_MS_MAX", "Bill", "Do", "IntentState", "LocalPay", "build", "keep"]
