"""Whether a provider is in one of its planned maintenance windows, and for how long still.

Windows are written in the hours of Paris, on either side of both clock changes, and may cross midnight.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from providers.declaration import PARIS, Maintenance


def until_end(windows: Iterable[Maintenance], now: datetime) -> timedelta | None:
    """The time left of the window that `now` is in; `None` outside all of them."""
    ends = [end for window in windows if (end := _end(window, now)) is not None]
    return max(ends) - now if ends else None


def upcoming(windows: Iterable[Maintenance], now: datetime, within: timedelta) -> list[tuple[datetime, datetime]]:
    """Start and end of the windows that are open or that open before so long, the earliest first."""
    today = now.astimezone(PARIS).date()
    days = [today + timedelta(days=number) for number in range(-1, within.days + 2)]
    spans = {span for window in windows for day in days if (span := _span(window, day, now)) is not None}
    return sorted((start, end) for start, end in spans if end > now and start <= now + within)


def _end(window: Maintenance, now: datetime) -> datetime | None:
    """The end of the occurrence of `window` that holds `now`: begun today, or yesterday across midnight."""
    today = now.astimezone(PARIS).date()
    for day in (today, today - timedelta(days=1)):
        span = _span(window, day, now)
        if span is not None and span[0] <= now < span[1]:
            return span[1]
    return None


def _span(window: Maintenance, day: date, now: datetime) -> tuple[datetime, datetime] | None:
    """The occurrence of `window` that starts on that day in Paris, if there is one, in the zone of `now`."""
    if window.weekday not in (None, day.weekday()) or window.day not in (None, day):
        return None
    crosses = window.end <= window.start
    start = datetime.combine(day, window.start, PARIS).astimezone(now.tzinfo)
    end = datetime.combine(day + timedelta(days=int(crosses)), window.end, PARIS).astimezone(now.tzinfo)
    return start, end
