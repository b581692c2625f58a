"""Who took the consent to marketing back by a link: that holds for the address, whichever profiles state it.

An address that several people share does not join them, so the record of the click is in one profile at the most. The
others are asked about here, before they are written to.
"""

from __future__ import annotations

from collections.abc import Collection

from hub.identity.evidence import Words, recognise
from hub.storage import mails
from hub.storage.pool import Connection
from schemas.envelope import HUB


async def leavers(connection: Connection, addresses: Collection[str]) -> frozenset[str]:
    """Those of these addresses whose link was clicked."""
    own = {address: who.record for address in addresses if (who := recognise(HUB, Words(email=address), None))}
    gone = await mails.unsubscribed(connection, set(own.values())) if own else set()
    return frozenset(address for address, record in own.items() if record in gone)
