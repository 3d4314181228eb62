import pytest

from app.schemas.__entities__ import EntityCreate
from app.services.__entities__ import EntityService
from tests.fakes import FakeRepository


@pytest.mark.asyncio
async def test_create_returns_the_new___entity__():
    service = EntityService(FakeRepository())
    created = await service.create(EntityCreate(__field__=__example__))
    assert created.__field__ == __example__


@pytest.mark.asyncio
async def test_page_counts_all___entities__():
    repository = FakeRepository()
    service = EntityService(repository)
    await service.create(EntityCreate(__field__=__example__))
    page = await service.page()
    assert page.total == 1
