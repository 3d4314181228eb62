import logging

import httpx

from app.integrations.http import TIMEOUT, user_agent

logger = logging.getLogger(__name__)


class CarrierClient:
    def __init__(self, base_url):
        self._base_url = base_url

    async def quote(self, origin: str, destination: str, grams: int):
        params = {"from": origin, "to": destination, "grams": str(grams)}
        async with httpx.AsyncClient(timeout=TIMEOUT, headers={"User-Agent": user_agent("2")}) as client:
            response = await client.get(f"{self._base_url}/quote", params=params)
        response.raise_for_status()
        body = response.json()
        logger.info("quoted %s to %s", origin, destination)
        return int(body["cents"])
