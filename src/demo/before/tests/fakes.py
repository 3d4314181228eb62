from datetime import datetime


class FakeRepository:
    def __init__(self):
        self._rows = []

    async def get(self, entity_id):
        return next((row for row in self._rows if row.id == entity_id), None)

    async def page(self, offset, limit):
        return self._rows[offset:offset + limit]

    async def count(self):
        return len(self._rows)

    async def add(self, entity):
        entity.id = len(self._rows) + 1
        entity.created_at = datetime(2026, 1, 1)
        self._rows.append(entity)
        return entity
