
sessions = async_sessionmaker(create_async_engine("postgresql+asyncpg://localhost/parcels"))


async def session_of_request() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session
