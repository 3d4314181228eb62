"""Prices from carriers."""

from app.integrations.http import get_json
from app.core.logs import get_logger

log = get_logger(__name__)


class CarrierClient:
    """Asks one carrier for its prices."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    async def quote(self, origin: str, destination: str, grams: int) -> int:
        """The price in cents."""
        params = {"from": origin, "to": destination, "grams": str(grams)}
        body = get_json(f"{self._base_url}/quote", params)
        log.info("quoted %s to %s", origin, destination)
        return int(body["cents"])
