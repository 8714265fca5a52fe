"""The sentences of the feedback page about a submission: what happened to its cells, when it came, and how late.

What an item says is in `proctor.render.words`; these are for students alone.
"""

from datetime import datetime

from proctor.dates.lateness import Lateness
from proctor.render.words import number
from proctor.results.flag import Flag

NOTES = {
    "ended kernel": "A cell of yours ended Python, as `exit()` or a crash does. The cells below it ran without it.",
    "too slow": "A cell of yours was stopped after {seconds:g} seconds. The cells below it ran without it.",
    "flood": "A cell of yours wrote too much and was stopped. The cells below it ran without it.",
    "memory": "Memory ran out in a cell of yours.",
    "forbidden": "A cell of yours tried what is not possible while it is graded: the network, other programs, or files "
    "outside of its folder.",
    "file missing": "A cell of yours looked for a file that is not there while it is graded.",
    "restored": "A cell that was given to you had been changed. It was graded as it was given.",
    "matched": "Your notebook had lost what its cells are graded by. They were recognised by their text.",
    "moved": "Code of yours stood where its checks could not find it. It was moved up.",
    "kept": "You had written into cells that were given to you. Your code is in a cell of its own now, above.",
    "was text": "A cell with your code was a text cell. It was turned into code.",
    "stub": "An unfinished copy of what you wrote was left out.",
    "cut": "Lines above a function of yours that could have stopped it (magics, shell commands, calls) were put into "
    "cells of their own.",
    "commented out": "Code of yours is there as a comment only. Your instructor will look at it.",
    "for review": "It could not be told for sure which code you mean. Your instructor will look at it.",
}


def note(flag: Flag) -> str:
    """What a flag says to the student; empty for what is only an instructor's business."""
    return NOTES.get(flag.kind, "").format(seconds=flag.seconds)


def day(time: datetime) -> str:
    """Write a date as people do, in any language's order: ``1 November 2026``."""
    return f"{time.day} {time:%B %Y}"


def time(time: datetime) -> str:
    """A moment that the gradebook has, which is in UTC."""
    return f"{day(time)}, {time:%H:%M} UTC"


def span(seconds: float) -> str:
    """A time span as people say it: ``1 day 23 hours``, ``20 minutes``."""
    minutes = max(int(seconds // 60), 1)
    pieces = [(minutes // 1440, "day"), (minutes // 60 % 24, "hour"), (minutes % 60, "minute")]
    first = next(place for place, (count, _) in enumerate(pieces) if count)
    said = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in pieces[first : first + 2] if count]
    return " ".join(said)


def late(late: Lateness, penalty: float) -> str:
    """How late a submission was, by which rule points were taken, and how many: for its student."""
    longer = f", with your extension of {span(late.extension)}" if late.extension else ""
    when = f"You handed this in {span(late.late)} late: it was due on {time(datetime.fromisoformat(late.due))}{longer}."
    rule = late.rule
    if not penalty and rule and late.late <= 60 * rule.grace_minutes:
        return f"{when} That is within {span(60 * rule.grace_minutes)} of grace: nothing was taken off."
    if not penalty:
        return f"{when} Nothing was taken off for that."
    taken = f"{number(penalty)} {'point was' if penalty == 1 else 'points were'} taken off"
    if not rule:
        return f"{when} For that, {taken}."
    most = f", at most {number(rule.at_most)} %" if rule.at_most < 100 else ""
    return f"{when} For that, {taken}: {number(rule.percent)} % of what you earned for each day begun{most}."
