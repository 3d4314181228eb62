from pydantic import BaseModel


class Settlement(BaseModel):
    invoice_id: int
    cents: int
