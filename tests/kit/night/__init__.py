"""A compressed night: everything that can happen to a drop in one evening, drawn from a seed.

`plan` draws what happens, `night` plays it against the real scripts, `troubles` has the faults that
strike on the way, `shrinking` finds the few steps that a violation needs.
"""
