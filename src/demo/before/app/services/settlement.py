import logging
from typing import List

from app.repositories.invoices import InvoiceRepository
from app.schemas.settlement import Settlement

logger = logging.getLogger(__name__)


class SettlementService:
    def __init__(self, invoices: InvoiceRepository):
        self._invoices = invoices

    async def settle(self, invoice_id: int):
        invoice = await self._invoices.get(invoice_id)
        logger.info("settled invoice %s", invoice_id)
        return Settlement(invoice_id=invoice_id, cents=invoice.cents)

    async def settle_all(self, invoice_ids: List[int]):
        settled = []
        for invoice_id in invoice_ids:
            settled.append(await self.settle(invoice_id))
        return settled

    async def total(self, invoice_ids: List[int]):
        settled = await self.settle_all(invoice_ids)
        return sum(one.cents for one in settled)
