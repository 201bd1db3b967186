"""Ex-dates of daily bars are sessions, and what is announced on one counts with it."""

from __future__ import annotations

import pandas as pd

from touchstone.errors import DataError, name_few

__all__ = ["on_ex_dates"]


def on_ex_dates(actions: pd.DataFrame) -> pd.DataFrame:
    """Let an action that became known in the course of its ex-date count from that session, as prices quote without it all day.

    A moment lies after the date of its own daily bar. Taken as it is, a split announced on the morning of its ex-date would be a
    crash on that session and a leap on the next.

    Parameters
    ----------
    actions : DataFrame
        The table of the data contract, beside daily bars.

    Returns
    -------
    DataFrame
        The same rows; ``known_at`` is the ex-date where it lay within it.

    Raises
    ------
    DataError
        An ex-date with a time of day: the action would count a session late.
    """
    timed = actions[actions["ex_date"] != actions["ex_date"].dt.normalize()]
    if len(timed):
        shown = name_few(f"{row.symbol} {row.kind} {row.ex_date:%Y-%m-%d %H:%M}" for row in timed.itertuples())
        raise DataError(f"The ex-date of an action is a date beside daily bars, but {shown} has a time of day: give the date alone.")
    in_its_course = (actions["known_at"] > actions["ex_date"]) & (actions["known_at"].dt.normalize() == actions["ex_date"])
    if not in_its_course.any():
        return actions
    return actions.assign(known_at=actions["known_at"].mask(in_its_course, actions["ex_date"]))
