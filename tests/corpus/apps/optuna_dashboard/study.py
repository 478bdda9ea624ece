"""What a user of Optuna has run before: two studies, and one that is still at it."""

import os

import optuna

storage = os.environ["OPTUNA_STORAGE"]


def objective(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", -10, 10)
    kind = trial.suggest_categorical("kind", ["flat", "steep"])
    depth = trial.suggest_int("depth", 1, 5)
    for step in range(4):
        trial.report((x - 2) ** 2 + step, step)
    return (x - 2) ** 2 * (3 if kind == "steep" else 1) + depth


def two(trial: optuna.Trial) -> tuple[float, float]:
    x = trial.suggest_float("x", 0, 5)
    y = trial.suggest_float("y", 0, 3)
    return 4 * x**2 + 4 * y**2, (x - 5) ** 2 + (y - 5) ** 2


sampler = optuna.samplers.TPESampler(seed=7)
one = optuna.create_study(storage=storage, study_name="bowl", sampler=sampler)
one.set_user_attr("owner", "ann@example.com")
one.optimize(objective, n_trials=25)
many = optuna.create_study(
    storage=storage, study_name="trade-off", directions=["minimize", "minimize"], sampler=sampler
)
many.optimize(two, n_trials=15)
running = optuna.create_study(storage=storage, study_name="at it", direction="maximize")
for _ in range(3):
    running.ask({"x": optuna.distributions.FloatDistribution(0, 1)})
