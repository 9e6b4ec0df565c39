"""Secrets on mounts that may hang: read beside the watch, so that nobody who needs one hangs with its file.

What uses a secret reads it anew each time, on the event loop. That blocks nobody on a local disk; on a mount that may
hang it gets what was read there last, a few seconds ago. Where the mount hangs by now that goes on, and so do the
alerts and looks that need it. Not here: secrets that are read once, at a start or a reload (`reloading`).
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from lifesign.checks.files import FileFaultError, FileUnknownError, read_outside
from lifesign.checks.mounts import LOCAL
from lifesign.config import Secret, SecretError
from lifesign.config.secret import LIMIT_BYTES, READ_BESIDE
from lifesign.text import clean

EVERY_S = 10.0
TIMEOUT_S = 8.0


class RemoteSecrets:
    """Of the config that runs. `may_hang`: which paths must not be touched from the event loop."""

    def __init__(
        self,
        secrets: Sequence[Secret],
        values: Sequence[str],
        *,
        may_hang: Callable[[Path], bool] = LOCAL.may_hang,
        every_s: float = EVERY_S,
    ) -> None:
        self._may_hang = may_hang
        self._every_s = every_s
        self.follow(secrets, values)

    def follow(self, secrets: Sequence[Secret], values: Sequence[str]) -> None:
        """These from now on; `values` is what they were a moment ago, when the config was read."""
        for gone in READ_BESIDE.keys() - set(secrets):
            del READ_BESIDE[gone]
        self._secrets = tuple(dict.fromkeys(secrets))
        READ_BESIDE.update((s, value) for s, value in zip(secrets, values, strict=True) if self._is_remote(s))

    def _is_remote(self, secret: Secret) -> bool:
        return secret.path is not None and self._may_hang(secret.path)

    async def run(self) -> None:
        """Reads them again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._every_s)
            await asyncio.gather(*(self._read(secret) for secret in self._secrets if secret.path is not None))

    async def _read(self, secret: Secret) -> None:
        if secret.path is None or not self._may_hang(secret.path):
            READ_BESIDE.pop(secret, None)
            return
        try:
            await read_outside(secret.path, LIMIT_BYTES, tail=False, timeout_s=TIMEOUT_S)
        except FileUnknownError as error:
            READ_BESIDE.setdefault(secret, SecretError(f"the secret file {secret.source}: {clean(str(error), 200)}"))
            return
        except FileFaultError:
            pass  # it answers: what is wrong with it is told as on any disk
        READ_BESIDE[secret] = await asyncio.to_thread(_read_now, secret)


def _read_now(secret: Secret) -> str | SecretError:
    try:
        return secret.read_now()
    except SecretError as error:
        return error
