"""Database access for __entities__."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.logs import get_logger
from app.core.paging import PAGE_SIZE
from app.models import Entity

log = get_logger(__name__)


class EntityRepository:
    """Reads and writes __entities__ in one session."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, entity_id: int) -> Entity | None:
        return await self._session.get(Entity, entity_id)

    async def page(self, offset: int = 0, limit: int = PAGE_SIZE) -> list[Entity]:
        rows = await self._session.scalars(select(Entity).order_by(Entity.id).offset(offset).limit(limit))
        return list(rows)

    async def count(self) -> int:
        return await self._session.scalar(select(func.count()).select_from(Entity))

    async def by___field__(self, __field__: __kind__) -> Entity | None:
        rows = await self._session.scalars(select(Entity).where(Entity.__field__ == __field__).limit(1))
        return rows.first()

    async def add(self, entity: Entity) -> Entity:
        self._session.add(entity)
        await self._session.flush()
        log.debug("added __entity__ %s", entity.id)
        return entity
