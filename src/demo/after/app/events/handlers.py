"""What happens when a delivery is reported."""

from app.core.logs import get_logger
from app.events.messages import DeliveryFailed, DeliveryMade
from app.events.registry import SubscriberRegistry

log = get_logger(__name__)

MAX_FAILURES = 5


class DeliveryHandler:
    """Reacts to reports from the carriers."""

    def __init__(self, registry: SubscriberRegistry) -> None:
        self._registry = registry

    async def on_delivery_made(self, event: DeliveryMade) -> None:
        log.info("parcel %s reached %s", event.parcel_id, event.subscriber)

    async def on_delivery_failed(self, event: DeliveryFailed) -> None:
        log.warning("subscriber %s failed %s times", event.subscriber, event.failures)
        async with self._registry.lock:
            if event.failures >= MAX_FAILURES:
                await self._registry.remove(event.subscriber)
