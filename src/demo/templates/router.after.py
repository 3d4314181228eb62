"""Routes for __entities__."""

from fastapi import APIRouter, Depends, status

from app.core.paging import PAGE_SIZE
from app.dependencies import __entity___service
from app.schemas.__entities__ import EntityCreate, EntityPage, EntityRead
from app.services.__entities__ import EntityService

router = APIRouter(prefix="/__entities__", tags=["__entities__"])


@router.get("/", response_model=EntityPage)
async def list___entities__(
    offset: int = 0,
    limit: int = PAGE_SIZE,
    service: EntityService = Depends(__entity___service),
) -> EntityPage:
    return await service.page(offset, limit)


@router.get("/{entity_id}", response_model=EntityRead)
async def read___entity__(
    entity_id: int, service: EntityService = Depends(__entity___service)
) -> EntityRead:
    return await service.get(entity_id)


@router.post("/", response_model=EntityRead, status_code=status.HTTP_201_CREATED)
async def create___entity__(
    payload: EntityCreate, service: EntityService = Depends(__entity___service)
) -> EntityRead:
    return await service.create(payload)
