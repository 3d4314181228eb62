from datetime import datetime
from typing import List, Optional

from pydantic import BaseModel


class EntityCreate(BaseModel):
    __field__: __kind__
    note: Optional[str] = None


class EntityRead(BaseModel):
    id: int
    __field__: __kind__
    note: Optional[str] = None
    created_at: datetime


class EntityPage(BaseModel):
    items: List[EntityRead]
    total: int
