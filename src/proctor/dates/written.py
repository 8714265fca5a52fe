"""Times and durations as people and platforms write them; every time that comes out is in UTC, as nbgrader's are."""

import re
from datetime import datetime, timedelta, timezone, tzinfo

from dateutil import parser  # type: ignore[import-untyped]
from dateutil.tz import gettz  # type: ignore[import-untyped]

LONGEST = 100  # characters
ISO = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d?)(:\d\d(?::\d\d)?) ?(\S*)")
OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")
UNITS = {"w": 7 * 1440, "d": 1440, "h": 60, "m": 1}
PIECE = re.compile(r"(\d+(?:\.\d+)?) *(w(?:eeks?)?|d(?:ays?)?|h(?:ours?)?|m(?:in(?:utes?)?)?)\b[ ,]*")


def time(text: str) -> datetime:
    """Read ``2027-02-03 23:59 UTC``; no zone is UTC, as for nbgrader. Raises `ValueError` that says how to write it."""
    found = ISO.fullmatch(text.strip()[:LONGEST])
    if not found:
        raise ValueError("is no time such as 2027-02-03 23:59 UTC")
    zone = zone_of(found[4] or "UTC")
    try:
        return in_utc(datetime.fromisoformat(f"{found[1]} {found[2]:0>2}{found[3]}"), zone)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"is no time ({error})") from None


def zone_of(name: str) -> tzinfo:
    """Return the time zone called ``UTC``, ``Europe/Berlin`` or ``+01:00``. Raises `ValueError` for another."""
    offset = OFFSET.fullmatch(name)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3])
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    zone: tzinfo | None = timezone.utc if name in ("UTC", "Z") else gettz(name) if name else None
    if zone is None:
        raise ValueError(f"has an unknown time zone ({name}); write UTC, a name such as Europe/Berlin, or +01:00")
    return zone


def platforms_time(text: str, zone: tzinfo) -> datetime:
    """Read a time as a platform writes it for people, which is in `zone` unless it says otherwise.

    ``Tuesday, 3 November 2026, 9:41 AM``, or what `time` reads. Raises `ValueError` for anything else.
    """
    text = text.strip()[:LONGEST]
    found = ISO.fullmatch(text)
    if found and found[4]:
        return time(text)
    if ":" not in text or not re.search(r"\d{4}", text):
        raise ValueError("is no time with a year and an hour")
    try:
        return in_utc(parser.parse(text, ignoretz=True), zone)
    except OverflowError as error:
        raise ValueError(f"is no time ({error})") from None


def in_utc(local: datetime, zone: tzinfo) -> datetime:
    """Return what a clock in `zone` shows as UTC. Raises `OverflowError` at the ends of the calendar."""
    return local.replace(tzinfo=zone).astimezone(timezone.utc).replace(tzinfo=None)


def duration(text: str) -> timedelta:
    """Read ``2 days``, ``36 hours`` or ``1 day 12 h``. Raises `ValueError` that says how to write it."""
    text = text.strip().lower()[:LONGEST]
    pieces = PIECE.findall(text)
    if not pieces or PIECE.sub("", text):
        raise ValueError("is no time span such as 2 days, 36 hours or 90 minutes")
    try:
        return timedelta(minutes=sum(float(number) * UNITS[unit[0]] for number, unit in pieces))
    except OverflowError:
        raise ValueError("is too long") from None
