import logging

from app.events.messages import DeliveryFailed, DeliveryMade
from app.events.registry import SubscriberRegistry

logger = logging.getLogger(__name__)

MAX_FAILURES = 5


class DeliveryHandler:
    def __init__(self, registry: SubscriberRegistry):
        self._registry = registry

    async def on_delivery_made(self, event: DeliveryMade):
        logger.info("parcel %s reached %s", event.parcel_id, event.subscriber)

    async def on_delivery_failed(self, event: DeliveryFailed):
        logger.warning("subscriber %s failed %s times", event.subscriber, event.failures)
        async with self._registry.lock:
            if event.failures >= MAX_FAILURES:
                await self._registry.remove(event.subscriber)
