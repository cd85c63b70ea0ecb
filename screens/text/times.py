"""How instants are shown: as ages, or by a clock, in UTC or in the terminal's zone. Pure functions of the style given."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Final

from screens.text import format as fmt
from screens.text.column_widths import ColumnSpec
from store.model.records import NO_CODE, NO_TIME, UNREADABLE
from store.search.last_view import TIMES, Times

#: Cells of the longest text of a column with clock times: `03-01 14:05`.
_CLOCK: Final = 11


@dataclass(frozen=True, slots=True)
class TimeStyle:
    """How instants are shown. `shown` is "age", "utc" or "local"; `local` is the zone of the last one, None for the machine's.

    What has no age to show (a timeline, the hours of a plot) stays in UTC while ages are shown.
    """

    shown: Times = "age"
    local: dt.tzinfo | None = None

    @property
    def is_absolute(self) -> bool:
        """Whether clock times are shown in the place of ages."""
        return self.shown != "age"

    @property
    def next(self) -> TimeStyle:
        """The style that the key goes on to: ages, UTC, the terminal's zone, ages."""
        return replace(self, shown=TIMES[(TIMES.index(self.shown) + 1) % len(TIMES)])

    def words(self, now: dt.datetime) -> str:
        """The style in a sentence; the offset of the terminal's zone is that of `now`."""
        if self.shown == "age":
            return "Times as ages."
        return "Times in UTC." if self.shown == "utc" else f"Times in local time, {self.zone(now)} now."

    def there(self, then: dt.datetime) -> dt.datetime:
        """The instant in the chosen zone. An unreadable one stays as it is."""
        if then == NO_TIME:
            return then
        return then.astimezone(self.local if self.shown == "local" else dt.UTC)

    def zone(self, then: dt.datetime) -> str:
        """What the chosen zone is called at that instant: `UTC`, or its offset, such as `+02:00`."""
        if self.shown != "local":
            return "UTC"
        # An ISO instant ends with the offset, from the 19th character on.
        return self.there(then).isoformat(timespec="seconds")[19:25]

    def told(self, then: dt.datetime | None, now: dt.datetime) -> str:
        """The instant for a column: its age; or `14:05:10` of today by the database's clock in the chosen zone, `03-01 14:05`
        of this year, `2025-03-01` of another one. "" for None.
        """
        if not self.is_absolute or then is None:
            return fmt.age(then, now)
        return NO_CODE if then == NO_TIME else _clock(self.there(then), self.there(now))

    def ago(self, then: dt.datetime, now: dt.datetime) -> str:
        """The instant for a sentence: `4m ago`; or `at 14:05:10`, `on 03-01 at 14:05`, `on 2025-03-01`."""
        if not self.is_absolute:
            return fmt.ago(then, now)
        told = self.told(then, now)
        if told == NO_CODE or self.there(then).date() == self.there(now).date():
            return f"at {told}"
        return f"on {told.replace(' ', ' at ')}"

    def instant(self, then: dt.datetime | None) -> str:
        """The instant in full, with its zone: `2026-03-01 14:05:10 UTC`, `2026-03-01 15:05:10 +01:00`. "" for None."""
        if then is None or then == NO_TIME:
            return UNREADABLE if then else ""
        return f"{self.there(then):%Y-%m-%d %H:%M:%S} {self.zone(then)}"

    def minute(self, then: dt.datetime) -> str:
        """The instant to the minute, without its zone: `2026-03-01 14:05`."""
        return UNREADABLE if then == NO_TIME else f"{self.there(then):%Y-%m-%d %H:%M}"

    def heading(self, title: str = "Age") -> str:
        """The title of a column of ages, or of clock times in its place: `Age`, `At (UTC)`, `At`; `Made`, `Made (UTC)`."""
        if not self.is_absolute:
            return title
        named = "At" if title == "Age" else title
        return f"{named} (UTC)" if self.shown == "utc" else named

    def room(self, ages: ColumnSpec, title: str = "Age") -> ColumnSpec:
        """The room of that column, which has the room `ages` for ages: clock times and titles are never cut."""
        if not self.is_absolute:
            return ages
        cells = max(_CLOCK, len(self.heading(title)))
        return replace(ages, wants=cells, least=cells)


#: Ages, and UTC where there is none.
AGES: Final = TimeStyle()


def _clock(there: dt.datetime, now: dt.datetime) -> str:
    if there.date() == now.date():
        return f"{there:%H:%M:%S}"
    return f"{there:%m-%d %H:%M}" if there.year == now.year else f"{there:%Y-%m-%d}"
