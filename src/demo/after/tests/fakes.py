"""Stand-ins for the database."""

from datetime import datetime
from typing import Any


class FakeRepository:
    """Keeps rows in a list."""

    def __init__(self) -> None:
        self._rows: list[Any] = []

    async def get(self, entity_id: int) -> Any | None:
        return next((row for row in self._rows if row.id == entity_id), None)

    async def page(self, offset: int, limit: int) -> list[Any]:
        return self._rows[offset : offset + limit]

    async def count(self) -> int:
        return len(self._rows)

    async def add(self, entity: Any) -> Any:
        entity.id = len(self._rows) + 1
        entity.created_at = datetime(2026, 1, 1)
        self._rows.append(entity)
        return entity
