"""Payments by hand: a page that says where to pay under which reference, and a maker who enters
what came."""

from dropengine.payments.by_hand.provider import ByHand, build

__all__ = ["ByHand", "build"]
