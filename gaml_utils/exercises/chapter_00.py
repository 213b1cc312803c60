"""Exercises of chapter 00: the words."""

from gaml_utils.exercises.compare import Exercise

EXERCISES = {
    "0.1": Exercise(
        10,
        mistakes={
            "that counts the query points too; the inner loop never sees them.": 20,
            "that counts the points of all 25 tasks; the inner loop of one task sees its own only.": 250,
            "that counts every point in the batch; the inner loop of one task sees its own support set only.": 500,
            "that is the number of tasks.": 25,
        },
    ),
    "0.2": Exercise(
        0.6,
        mistakes={
            "you went uphill: gradient descent subtracts.": 1.4,
            "that is the update alpha * gradient; subtract it from theta.": 0.4,
            "that is the step, - alpha * gradient; add it to theta.": -0.4,
            "that leaves out alpha: the whole gradient was subtracted.": -3.0,
            "theta' = theta - alpha * gradient; it seems theta and the gradient changed places.": 3.9,
        },
    ),
    "0.3": Exercise(
        1 / 3,
        tolerance=2e-3,  # 0.333 will do
        mistakes={
            "that is the sum; uniform weights are 1/3 each, so the direction is the mean.": 1.0,
            "the signs do count, but they do not cancel: 1 + 1 - 1 is 1.": 0.0,
            "the third update is left out: it is -1, and it counts as well.": 2 / 3,
            "the sign is wrong: two of the three pull in the positive direction.": -1 / 3,
        },
    ),
}
