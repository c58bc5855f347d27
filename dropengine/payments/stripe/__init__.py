"""The provider `stripe`: cards at Stripe Checkout, authorised first and captured by our duties.

Payers pay at Stripe's own pages, so no number of a card and no script of a third party touches
ours. It needs the extra `dropengine[stripe]` and two settings.
"""

from dropengine.payments.stripe.provider import StripePay, build, pages

__all__ = ["StripePay", "build", "pages"]
