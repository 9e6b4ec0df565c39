"""Following the journal: server-sent events. A reader that is too slow is dropped, and told so in a comment."""

import asyncio

from aiohttp import web

from lifesign.api.access import guard_of
from lifesign.api.journal import Journal
from lifesign.api.kept_events import Entry
from lifesign.api.problems import COMMON_HEADERS

KEEP_ALIVE_S = 15.0


async def stream_events(request: web.Request, journal: Journal, since: str | None) -> web.StreamResponse:
    """Every event from `since` (default: from now) on, until the client goes or the journal closes.

    Subscribes before it reads the backlog, in one step of the loop: nothing is lost or told twice between the two.
    Raises ValueError for a bad `since`, before anything is sent.
    """
    guard_of(request).need_client(True)  # who reads for ever and is gone is not to be waited for
    subscription = journal.subscribe()
    response = web.StreamResponse()
    try:
        backlog = [] if since is None else journal.entries_since(since)
        response = web.StreamResponse(headers={**COMMON_HEADERS, "Content-Type": "text/event-stream; charset=utf-8"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(b": lifesign\n\n")
        for entry in backlog:
            await response.write(_frame(journal, entry))
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    entry_or_end = await subscription.next()
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            if entry_or_end is None:
                await response.write(b": dropped, too slow\n\n" if subscription.lost else b": the end\n\n")
                return response
            await response.write(_frame(journal, entry_or_end))
    except ConnectionResetError:  # the reader has gone: nothing to tell, and nobody to tell it
        return response
    finally:
        journal.drop(subscription)


def _frame(journal: Journal, entry: Entry) -> bytes:
    """JSON has no line break in it, so that one `data:` line is enough."""
    return b"id: %s\ndata: %s\n\n" % (journal.cursor_of(entry.number).encode(), entry.encoded)
