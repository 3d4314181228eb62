"""Settles invoices with the accounts of the carriers."""

from app.core.logs import get_logger
from app.repositories.invoices import InvoiceRepository
from app.schemas.settlement import Settlement

log = get_logger(__name__)


class SettlementService:
    """Settles one invoice, or many."""

    def __init__(self, invoices: InvoiceRepository) -> None:
        self._invoices = invoices

    async def settle(self, invoice_id: int) -> Settlement:
        invoice = await self._invoices.get(invoice_id)
        log.info("settled invoice %s", invoice_id)
        return Settlement(invoice_id=invoice_id, cents=invoice.cents)

    async def settle_all(self, invoice_ids: list[int]) -> list[Settlement]:
        settled: list[Settlement] = []
        for invoice_id in invoice_ids:
            settled.append(await self.settle(

    async def total(self, invoice_ids: list[int]) -> int:
        settled = await self.settle_all(invoice_ids)
        return sum(one.cents for one in settled)
