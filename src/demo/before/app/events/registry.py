import asyncio
from typing import Dict, List


class SubscriberRegistry:
    def __init__(self):
        self.lock = asyncio.Lock()
        self._urls: Dict[str, str] = {}

    async def add(self, name: str, url: str):
        async with self.lock:
            self._urls[name] = url

    async def remove(self, name: str):
        self._urls.pop(name, None)

    def names(self) -> List[str]:
        return sorted(self._urls)
