"""What came up is always started again, what never does is given up."""

from dropengine.processes.restart_patience import Patience


def test_a_child_that_came_up_is_always_started_again() -> None:
    patience = Patience(first_s=0.1, most_s=1.0, settled_s=10)
    waits = [patience.after(came_up=True, lived_s=0.5) for _ in range(50)]
    assert waits[:5] == [0.1, 0.2, 0.4, 0.8, 1.0]
    assert set(waits[5:]) == {1.0}
    assert patience.after(came_up=True, lived_s=11) == 0.1


def test_a_child_that_does_not_come_up_is_given_up() -> None:
    patience = Patience(tries_max=3)
    assert patience.after(came_up=False, lived_s=0) is not None
    assert patience.after(came_up=False, lived_s=0) is not None
    assert patience.after(came_up=True, lived_s=0) is not None
    assert patience.after(came_up=False, lived_s=0) is not None
    assert patience.after(came_up=False, lived_s=0) is not None
    assert patience.after(came_up=False, lived_s=0) is None
