"""Who is told about deliveries."""

import asyncio

from app.core.logs import get_logger

log = get_logger(__name__)


class SubscriberRegistry:
    """Subscribers by name; `lock` guards every change."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self._urls: dict[str, str] = {}

    async def add(self, name: str, url: str) -> None:
        async with self.lock:
            self._urls[name] = url

    async def remove(self, name: str) -> None:
        """Forget a subscriber. Safe to call while others are added."""
        async with self.lock:
            url = self._urls.pop(name, None)
            if url is None:
                log.debug("no subscriber %s", name)
            else:
                log.info("removed subscriber %s at %s", name, url)

    def names(self) -> list[str]:
        return sorted(self._urls)
