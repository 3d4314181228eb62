

async def __entity___service(session: AsyncSession = Depends(session_of_request)) -> EntityService:
    return EntityService(EntityRepository(session))
