"""Whatever dies is started again: what came up soon, what does not come up ever more slowly."""

from dropengine.processes.restart_patience import Patience


def test_a_child_that_came_up_is_always_started_again() -> None:
    patience = Patience(first_s=0.1, most_s=1.0, settled_s=10)
    waits = [patience.after(came_up=True, lived_s=0.5) for _ in range(50)]
    assert waits[:5] == [0.1, 0.2, 0.4, 0.8, 1.0]
    assert set(waits[5:]) == {1.0}
    assert patience.after(came_up=True, lived_s=11) == 0.1


def test_a_child_that_does_not_come_up_is_tried_ever_more_slowly_and_never_given_up() -> None:
    patience = Patience(first_s=0.1, most_s=1.0, stillborn_most_s=30)
    waits = [patience.after(came_up=False, lived_s=5) for _ in range(2_000)]
    assert waits[:5] == [0.1, 0.2, 0.4, 0.8, 1.6]
    assert set(waits[9:]) == {30}


def test_a_child_that_came_up_at_last_is_started_again_soon() -> None:
    patience = Patience(first_s=0.1, most_s=1.0, stillborn_most_s=30)
    for _ in range(20):
        patience.after(came_up=False, lived_s=0)
    assert patience.after(came_up=True, lived_s=0.5) == 0.1
    assert patience.after(came_up=False, lived_s=0) == 0.1
