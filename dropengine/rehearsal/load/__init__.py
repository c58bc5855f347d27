"""Load by the thousand on `websockets`: watchers, pressers, and the ramp that finds what breaks."""
