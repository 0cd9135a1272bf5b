"""When the team last opened its queue: the one thing of the desk that intake may tell, to everyone alike."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.custody import hour
from storage.database import Database

_OPENED = sa.text("""INSERT INTO attendance (compartment, opened_hour) SELECT unnest(cast(:these AS text[])), :hour
ON CONFLICT (compartment) DO UPDATE SET opened_hour = excluded.opened_hour
WHERE attendance.opened_hour < excluded.opened_hour""")


async def opened(connection: AsyncConnection, compartments: Sequence[str], now: datetime) -> None:
    """Somebody has opened the queue of these compartments; kept to the hour."""
    await connection.execute(_OPENED, {"these": list(compartments), "hour": hour(now)})


async def last_opened(database: Database) -> datetime | None:
    """The hour when any queue was opened last; None when none ever was."""
    found: datetime | None = await database.fetchval("SELECT max(opened_hour) FROM attendance")
    return found
