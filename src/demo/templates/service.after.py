"""What the API offers for __entities__."""

from app.core.errors import NotFound
from app.core.limits import MAX_NOTE
from app.core.logs import get_logger
from app.core.paging import PAGE_SIZE
from app.models import Entity
from app.repositories.__entities__ import EntityRepository
from app.schemas.__entities__ import EntityCreate, EntityPage, EntityRead

log = get_logger(__name__)


class EntityService:
    """Use cases around one __entity__."""

    def __init__(self, repository: EntityRepository) -> None:
        self._repository = repository

    async def get(self, entity_id: int) -> EntityRead:
        entity = await self._repository.get(entity_id)
        if entity is None:
            raise NotFound("__entity__", entity_id)
        return EntityRead.model_validate(entity)

    async def page(self, offset: int = 0, limit: int = PAGE_SIZE) -> EntityPage:
        rows = await self._repository.page(offset, limit)
        total = await self._repository.count()
        return EntityPage(items=[EntityRead.model_validate(row) for row in rows], total=total)

    async def create(self, payload: EntityCreate) -> EntityRead:
        if payload.note is not None and len(payload.note) > MAX_NOTE:
            raise ValueError("note is too long")
        entity = await self._repository.add(Entity(**payload.model_dump()))
        log.info("created __entity__ %s", entity.id)
        return EntityRead.model_validate(entity)
