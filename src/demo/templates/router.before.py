from fastapi import APIRouter, Depends

from app.dependencies import __entity___service
from app.schemas.__entities__ import EntityCreate, EntityPage, EntityRead
from app.services.__entities__ import EntityService

router = APIRouter(prefix="/__entities__")


@router.get("/", response_model=EntityPage)
async def list___entities__(
    offset: int = 0, limit: int = 50, service: EntityService = Depends(__entity___service)
):
    return await service.page(offset, limit)


@router.get("/{entity_id}", response_model=EntityRead)
async def read___entity__(
    entity_id: int, service: EntityService = Depends(__entity___service)
):
    return await service.get(entity_id)


@router.post("/", response_model=EntityRead, status_code=201)
async def create___entity__(
    payload: EntityCreate, service: EntityService = Depends(__entity___service)
):
    return await service.create(payload)
