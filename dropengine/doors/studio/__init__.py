"""The creators' side of the shop: its API under `/api/studio`, its pages under `/studio`."""
