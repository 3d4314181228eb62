import logging
from typing import List, Optional

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Entity

logger = logging.getLogger(__name__)

PAGE_SIZE = 50


class EntityRepository:
    def __init__(self, session: AsyncSession):
        self._session = session

    async def get(self, entity_id: int) -> Optional[Entity]:
        return await self._session.get(Entity, entity_id)

    async def page(self, offset: int = 0, limit: int = PAGE_SIZE) -> List[Entity]:
        rows = await self._session.scalars(select(Entity).order_by(Entity.id).offset(offset).limit(limit))
        return list(rows)

    async def count(self):
        return await self._session.scalar(select(func.count()).select_from(Entity))

    async def by___field__(self, __field__: __kind__) -> Optional[Entity]:
        rows = await self._session.scalars(select(Entity).where(Entity.__field__ == __field__).limit(1))
        return rows.first()

    async def add(self, entity: Entity) -> Entity:
        self._session.add(entity)
        await self._session.flush()
        logger.debug("added __entity__ %s", entity.id)
        return entity
