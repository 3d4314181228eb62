"""Request and response models for __entities__."""

from datetime import datetime

from pydantic import BaseModel


class EntityCreate(BaseModel):
    """What a client sends to create one __entity__."""

    __field__: __kind__
    note: str | None = None


class EntityRead(BaseModel):
    """One __entity__ as the API returns it."""

    id: int
    __field__: __kind__
    note: str | None = None
    created_at: datetime


class EntityPage(BaseModel):
    """One page of __entities__."""

    items: list[EntityRead]
    total: int
