import logging

from app.core.errors import NotFound
from app.models import Entity
from app.repositories.__entities__ import EntityRepository
from app.schemas.__entities__ import EntityCreate, EntityPage, EntityRead

logger = logging.getLogger(__name__)

MAX_NOTE = 500


class EntityService:
    def __init__(self, repository: EntityRepository):
        self._repository = repository

    async def get(self, entity_id):
        entity = await self._repository.get(entity_id)
        if entity is None:
            raise NotFound("__entity__", entity_id)
        return EntityRead.model_validate(entity)

    async def page(self, offset=0, limit=50):
        rows = await self._repository.page(offset, limit)
        total = await self._repository.count()
        return EntityPage(items=[EntityRead.model_validate(row) for row in rows], total=total)

    async def create(self, payload: EntityCreate):
        if payload.note is not None and len(payload.note) > MAX_NOTE:
            raise ValueError("note is too long")
        entity = await self._repository.add(Entity(**payload.model_dump()))
        logger.info("created __entity__ %s", entity.id)
        return EntityRead.model_validate(entity)
