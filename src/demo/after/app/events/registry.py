"""Who is told about deliveries."""

import asyncio


class SubscriberRegistry:
    """Subscribers by name; `lock` guards every change."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self._urls: dict[str, str] = {}

    async def add(self, name: str, url: str) -> None:
        async with self.lock:
            self._urls[name] = url

    async def remove(self, name: str) -> None:
        async with self.lock:
            self._urls.pop(name, None)

    def names(self) -> list[str]:
        return sorted(self._urls)
